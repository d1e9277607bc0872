package evaluation

import (
	"cmp"
	"math"
	"slices"

	"github.com/linnet-ml/linnet/simd"
)

// A tally measures answers, of all rows or of rows that count several times. What needs a sorted order is sorted once.
type tally struct {
	a        *answers
	loss     []float64 // of each row
	byScore  [][]int32 // for each class that counts in the AUC: the rows by its score, ascending
	sure     []certainty
	classAUC []int
}

// A certainty is a probability and whether its answer was right.
type certainty struct {
	p     float32
	right bool
	row   int32
}

// bins is the number of bins of the calibration error.
const bins = 15

func newTally(a *answers) *tally {
	t := &tally{a: a, loss: make([]float64, a.rows)}
	k := len(a.classes)
	for i := range a.rows {
		scores, is := a.scores[i*k:(i+1)*k], a.is[i*k:(i+1)*k]
		if a.multi {
			for j, p := range scores {
				q := p
				if !is[j] {
					q = 1 - p
				}
				t.loss[i] -= logarithm(q) / float64(k)
				t.sure = append(t.sure, certainty{p, is[j], int32(i)})
			}
			continue
		}
		best := 0
		for j, p := range scores {
			if p > scores[best] {
				best = j
			}
			if is[j] {
				t.loss[i] = -logarithm(p)
			}
		}
		t.sure = append(t.sure, certainty{scores[best], is[best], int32(i)})
	}
	slices.SortStableFunc(t.sure, func(x, y certainty) int { return cmp.Compare(x.p, y.p) })
	first := 0
	if !a.multi && k == 2 {
		first = 1
	}
	for j := first; j < k; j++ {
		order := make([]int32, a.rows)
		for i := range order {
			order[i] = int32(i)
		}
		slices.SortStableFunc(order, func(x, y int32) int {
			return cmp.Compare(a.scores[int(x)*k+j], a.scores[int(y)*k+j])
		})
		t.byScore = append(t.byScore, order)
		t.classAUC = append(t.classAUC, j)
	}
	return t
}

// logarithm is that of a probability of at least 1e-15.
func logarithm(p float32) float64 { return simd.Log64(max(float64(p), 1e-15)) }

// measure measures rows that count as often as weights say; nil stands for once.
func (t *tally) measure(weights []uint32) (m Measures) {
	a := t.a
	k := len(a.classes)
	weight := func(row int32) uint64 {
		if weights == nil {
			return 1
		}
		return uint64(weights[row])
	}
	rows, given, right := make([]uint64, k), make([]uint64, k), make([]uint64, k)
	exact, total := uint64(0), uint64(0)
	for i := range a.rows {
		w := weight(int32(i))
		if w == 0 {
			continue
		}
		total += w
		m.LogLoss += float64(float64(w) * t.loss[i])
		same := true
		for j := range k {
			is, gives := a.is[i*k+j], a.given[i*k+j]
			same = same && is == gives
			if is {
				rows[j] += w
			}
			if gives {
				given[j] += w
			}
			if is && gives {
				right[j] += w
			}
		}
		if same {
			exact += w
		}
	}
	m.Accuracy = share(exact, total)
	m.LogLoss /= float64(total)
	var allRows, allGiven, allRight uint64
	for j := range k {
		m.Precision += share(right[j], given[j]) / float64(k)
		m.Recall += share(right[j], rows[j]) / float64(k)
		m.MacroF1 += share(2*right[j], given[j]+rows[j]) / float64(k)
		allRows, allGiven, allRight = allRows+rows[j], allGiven+given[j], allRight+right[j]
	}
	m.MicroF1 = share(2*allRight, allGiven+allRows)
	m.AUC = t.auc(weight)
	m.CalibrationError = t.calibration(weight)
	return m
}

// auc is the share of pairs of a row that has the class and one that does not in which the first has the higher score;
// equal scores count half.
func (t *tally) auc(weight func(int32) uint64) float64 {
	a := t.a
	k := len(a.classes)
	sum, classes := 0.0, 0
	for n, order := range t.byScore {
		j := t.classAUC[n]
		var below, positives, negatives uint64 // below: rows without the class that have a smaller score
		won := 0.0
		for i := 0; i < len(order); {
			var yes, no uint64
			score := a.scores[int(order[i])*k+j]
			for ; i < len(order) && a.scores[int(order[i])*k+j] == score; i++ {
				if a.is[int(order[i])*k+j] {
					yes += weight(order[i])
				} else {
					no += weight(order[i])
				}
			}
			won += float64(float64(yes) * (float64(below) + float64(no)/2))
			below += no
			positives, negatives = positives+yes, negatives+no
		}
		if positives > 0 && negatives > 0 {
			sum += won / float64(float64(positives)*float64(negatives))
			classes++
		}
	}
	if classes == 0 {
		return 0.5
	}
	return sum / float64(classes)
}

// calibration is the calibration error: answers in the order of their probability are cut into bins of the same weight.
func (t *tally) calibration(weight func(int32) uint64) float64 {
	total := uint64(0)
	for _, c := range t.sure {
		total += weight(c.row)
	}
	if total == 0 {
		return 0
	}
	sum, before := 0.0, uint64(0)
	probability, right := 0.0, 0.0
	bin := uint64(0)
	for _, c := range t.sure {
		w := weight(c.row)
		if w == 0 {
			continue
		}
		if b := before * bins / total; b != bin {
			sum += math.Abs(probability - right)
			probability, right, bin = 0, 0, b
		}
		probability += float64(float64(w) * float64(c.p))
		if c.right {
			right += float64(w)
		}
		before += w
	}
	return (sum + math.Abs(probability-right)) / float64(total)
}
