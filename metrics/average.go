package metrics

import (
	"fmt"

	"github.com/linnet-ml/linnet/nn/plan"
)

// average is the weighted mean of rows' scores.
type average struct {
	score      func(labels, output []float32) float64 // of one row
	labelWidth int
	total      float64
	count      float64 // the sum of the weights
}

var _ plan.Accumulator = (*average)(nil)

func (a *average) Add(labels, output, weights []float32) {
	rows := len(labels) / a.labelWidth
	if rows == 0 {
		return
	}
	width := len(output) / rows
	for i := range rows {
		w := 1.0
		if len(weights) > 0 {
			w = float64(weights[i])
		}
		if w == 0 { // a masked step may have a score of NaN, by its label
			continue
		}
		a.total += float64(a.score(labels[i*a.labelWidth:(i+1)*a.labelWidth], output[i*width:(i+1)*width]) * w)
		a.count += w
	}
}

func (a *average) Result() float64 {
	if a.count == 0 {
		return 0
	}
	return a.total / a.count
}

func (a *average) Reset() { a.total, a.count = 0, 0 }

func (a *average) Sums() []float64 { return []float64{a.total, a.count} }

func (a *average) SetSums(sums []float64) error { return setSums(sums, &a.total, &a.count) }

// setSums takes the sums of an accumulator, and refuses a list of another length.
func setSums(sums []float64, into ...*float64) error {
	if len(sums) != len(into) {
		return fmt.Errorf("metrics: %d sums in place of %d", len(sums), len(into))
	}
	for i, v := range sums {
		*into[i] = v
	}
	return nil
}
