package calibration

import (
	"cmp"
	"slices"
)

// ThresholdF1 returns the probability from which to say yes for the best F1 on held-out rows. For calibrated
// probabilities this is half of the best F1 itself (Lipton, Elkan and Narayanaswamy, 2014), which varies less from sample to
// sample than the best cut of these rows does. Without positive rows it is 0.5.
func ThresholdF1(probabilities []float32, positive []bool) float32 {
	order := make([]int32, len(probabilities))
	total := 0
	for i := range order {
		order[i] = int32(i)
		if positive[i] {
			total++
		}
	}
	if total == 0 {
		return 0.5
	}
	slices.SortStableFunc(order, func(a, b int32) int { return cmp.Compare(probabilities[b], probabilities[a]) })
	best, hits := 0.0, 0
	for n, i := range order {
		if positive[i] {
			hits++
		}
		if n+1 < len(order) && probabilities[order[n+1]] == probabilities[i] {
			continue // no cut lies between equal probabilities
		}
		best = max(best, 2*float64(hits)/float64(total+n+1))
	}
	return float32(best / 2)
}

// ThresholdMacroF1 returns the probability from which to give the second of two classes, so that the mean of both classes' F1 is best.
// Probabilities are calibrated ones of held-out rows. They also say how many rows are right in expectation, which varies less from
// sample to sample than what the rows' labels say.
//
// With A rows of which the class is expected or given, B the same of the other class, and F and G their F1 at the best cut, one row
// more changes nothing where p = (B F + A (2 - G)) / (2 (A + B)). That is near 0.5 if the classes are of about the same size or easy
// to tell apart, and near F/2 for a rare class. If no cut parts the rows, it is 0.5.
func ThresholdMacroF1(probabilities []float32) float32 {
	p := slices.Clone(probabilities)
	slices.SortFunc(p, func(a, b float32) int { return cmp.Compare(b, a) })
	n, all := float64(len(p)), 0.0
	for _, v := range p {
		all += float64(v)
	}
	best, threshold := -1.0, float32(0.5)
	hits := 0.0
	for i := 1; i < len(p); i++ {
		hits += float64(p[i-1])
		if p[i-1] == p[i] {
			continue // no cut lies between equal probabilities
		}
		given := float64(i)
		a, b := given+all, 2*n-given-all
		rest := max(n-given-(all-hits), 0) // right ones of the other class
		f, g := 2*hits/a, 2*rest/b
		if f+g <= best {
			continue
		}
		best = f + g
		threshold = float32((float64(b*f) + float64(a*(2-g))) / float64(2*(a+b)))
		if !(p[i] < threshold && threshold <= p[i-1]) { // few rows
			threshold = p[i-1] - (p[i-1]-p[i])/2
		}
	}
	return threshold
}
