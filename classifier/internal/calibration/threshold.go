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
