package evaluation

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/linnet-ml/linnet/internal/budget"
	"github.com/linnet-ml/linnet/simd"
)

// prepared is what resamples share: everything about a row that does not depend on how often it was drawn.
type prepared struct {
	a       *Answers
	correct []bool
	// loss is each row's log loss, and 0 where lossCounts is false: a row whose label the classifier does not know.
	loss       []float64
	lossCounts []bool
	// ranked has, for each class, the rows in ascending order of the class's probability.
	ranked [][]int32
	// certain is the decisions in ascending order of their probability: of the answer where a text has one label, else of
	// each class and row.
	certain []decision
}

// decision is a probability of being right, and whether the answer was.
type decision struct {
	row         int32
	right       bool
	probability float32
}

const decisionBytes = 12

func prepare(ctx context.Context, a *Answers) (*prepared, error) {
	n, k := len(a.True), len(a.Classes)
	decisions := n
	if a.Several {
		decisions = n * k // as many as there are probabilities
	}
	size := 4*uint64(n)*uint64(k) + 2*decisionBytes*uint64(decisions) // sorting takes them twice
	if err := budget.CheckBytes(fmt.Sprintf("evaluation: %d rows in the order of the probabilities of %d classes", n, k), size); err != nil {
		return nil, err
	}
	p := &prepared{
		a: a, correct: make([]bool, n), loss: make([]float64, n), lossCounts: make([]bool, n),
		ranked: make([][]int32, k), certain: make([]decision, 0, decisions),
	}
	for i := range n {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		p.correct[i] = a.same(i)
		p.lossCounts[i] = !has(a.True[i], Unknown)
		switch {
		case !p.lossCounts[i]:
		case a.Several:
			sum := 0.0
			for c := range k {
				q := clip(float64(a.probability(i, int32(c))))
				if !has(a.True[i], int32(c)) {
					q = 1 - q
				}
				sum -= simd.Log64(q)
			}
			p.loss[i] = sum / float64(k)
		default:
			p.loss[i] = -simd.Log64(clip(float64(a.probability(i, a.True[i][0]))))
		}
		if a.Several {
			for c := range k {
				p.certain = append(p.certain, decision{int32(i), has(a.True[i], int32(c)), a.probability(i, int32(c))})
			}
		} else {
			top := a.top(i)
			p.certain = append(p.certain, decision{int32(i), a.True[i][0] == top, a.probability(i, top)})
		}
	}
	if err := sortStable(ctx, p.certain, func(x, y decision) int { return cmp.Compare(x.probability, y.probability) }); err != nil {
		return nil, err
	}
	for c := range k {
		order := make([]int32, n)
		for i := range order {
			order[i] = int32(i)
		}
		err := sortStable(ctx, order, func(i, j int32) int {
			return cmp.Compare(a.probability(int(i), int32(c)), a.probability(int(j), int32(c)))
		})
		if err != nil {
			return nil, err
		}
		p.ranked[c] = order
	}
	return p, nil
}

// sortStable is slices.SortStableFunc that looks at ctx. It merges runs, each copied out of the way first.
func sortStable[T any](ctx context.Context, x []T, compare func(a, b T) int) error {
	const run = 1 << 12
	for from := 0; from < len(x); from += run {
		if err := ctx.Err(); err != nil {
			return err
		}
		slices.SortStableFunc(x[from:min(from+run, len(x))], compare)
	}
	var left []T
	for width := run; width < len(x); width *= 2 {
		for from := 0; from+width < len(x); from += 2 * width {
			both := x[from:min(from+2*width, len(x))]
			left = append(left[:0], both[:width]...)
			i, j := 0, width
			for to := range both {
				if to%run == 0 && ctx.Err() != nil {
					return ctx.Err()
				}
				if i == len(left) {
					break // what is left of the right half is in place
				}
				if j == len(both) || compare(left[i], both[j]) <= 0 {
					both[to] = left[i]
					i++
				} else {
					both[to] = both[j]
					j++
				}
			}
		}
	}
	return nil
}

// counts are how often a class is right and wrong, in rows.
type counts struct{ true, given, both float64 }

func (c counts) precision() float64 { return ratio(c.both, c.given) }
func (c counts) recall() float64    { return ratio(c.both, c.true) }
func (c counts) f1() float64        { return ratio(2*c.both, c.true+c.given) }

// ratio is 0 where there is nothing to divide.
func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

// measure computes all measures of the rows, of which row i counts weight[i] times; NaN stands for an undefined one. Scratch is memory for a class's counts.
// Once ctx is done, they are worthless.
func (p *prepared) measure(ctx context.Context, weight []int32, scratch []counts) (f [numMeasures]float64) {
	a, k := p.a, len(p.a.Classes)
	clear(scratch)
	var rows, right, loss, lossRows float64
	var unknown float64 // labels that the classifier does not know: they are missed
	for i, w := range weight {
		if w == 0 {
			continue
		}
		w := float64(w)
		rows += w
		if p.correct[i] {
			right += w
		}
		if p.lossCounts[i] {
			loss += float64(w * p.loss[i])
			lossRows += w
		}
		for _, c := range a.True[i] {
			if c == Unknown {
				unknown += w
				continue
			}
			scratch[c].true += w
			if has(a.Given[i], c) {
				scratch[c].both += w
			}
		}
		for _, c := range a.Given[i] {
			scratch[c].given += w
		}
	}
	var all counts
	all.true = unknown
	var seen, auc, aucClasses float64
	if unknown > 0 {
		seen++ // all unknown labels count as one class, which is never found
	}
	for c, x := range scratch {
		if ctx.Err() != nil {
			return f
		}
		all.true, all.given, all.both = all.true+x.true, all.given+x.given, all.both+x.both
		if x.true > 0 || x.given > 0 {
			seen++
			f[precision] += x.precision()
			f[recall] += x.recall()
			f[macroF1] += x.f1()
		}
		if k == 2 && !a.Several && c == 0 {
			continue // the second class's curve is the same
		}
		if x.true > 0 && x.true < rows {
			auc += p.auc(int32(c), weight, x.true, rows)
			aucClasses++
		}
	}
	f[accuracy] = ratio(right, rows)
	f[precision], f[recall], f[macroF1] = ratio(f[precision], seen), ratio(f[recall], seen), ratio(f[macroF1], seen)
	f[microF1] = all.f1()
	f[areaUnderCurve], f[logLoss] = math.NaN(), math.NaN()
	if aucClasses > 0 {
		f[areaUnderCurve] = auc / aucClasses
	}
	if lossRows > 0 {
		f[logLoss] = loss / lossRows
	}
	f[calibrationError] = p.calibrationError(weight, rows)
	return f
}

// auc is the area under the ROC curve of one class against the rest: the share of pairs of a row of the class and another
// in which the first has the higher probability, ties by half.
func (p *prepared) auc(class int32, weight []int32, positives, rows float64) float64 {
	var below, area float64 // weights of negatives with a lower probability
	order := p.ranked[class]
	for i := 0; i < len(order); {
		value := p.a.probability(int(order[i]), class)
		var pos, neg float64
		for ; i < len(order) && p.a.probability(int(order[i]), class) == value; i++ {
			if w := float64(weight[order[i]]); has(p.a.True[order[i]], class) {
				pos += w
			} else {
				neg += w
			}
		}
		area += float64(pos * (below + neg/2))
		below += neg
	}
	return area / float64(positives*(rows-positives))
}

// calibrationBins is the number of bins of the calibration error.
const calibrationBins = 15

// calibrationError is the expected calibration error: the decisions, in the order of their probability, fall into 15 bins
// of the same mass, and it is the mean over the bins of how far the mean probability is from the share of right ones.
func (p *prepared) calibrationError(weight []int32, rows float64) float64 {
	total := rows
	if p.a.Several {
		total *= float64(len(p.a.Classes))
	}
	var sum, done float64 // done is the weight of all bins so far
	bin := 0
	var mass, probability, right float64
	flush := func() {
		if mass > 0 {
			difference := probability - right
			if difference < 0 {
				difference = -difference
			}
			sum += difference
		}
		mass, probability, right = 0, 0, 0
	}
	for _, d := range p.certain {
		w := float64(weight[d.row])
		if w == 0 {
			continue
		}
		mass += w
		probability += float64(w * float64(d.probability))
		if d.right {
			right += w
		}
		done += w
		if done >= total*float64(bin+1)/calibrationBins {
			flush()
			for done >= total*float64(bin+1)/calibrationBins && bin < calibrationBins {
				bin++
			}
		}
	}
	flush()
	return ratio(sum, total)
}
