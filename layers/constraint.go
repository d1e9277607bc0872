package layers

import (
	"fmt"
	"math"

	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/tensor"
)

// Axes says over which dimensions of a parameter a constraint takes a norm: each norm is the square root of the sum of
// squares over Count dimensions from First on, and there is one for each place in the others. For the kernel
// (features, Units) of a Dense layer the default, the first dimension, is the norm of the weights that lead to one unit.
// For the kernel (KernelSize, features, Filters) of a Conv1D, Count 2 does the same for a filter.
type Axes struct {
	// First is a dimension, counted from the end when negative; 0 by default.
	First int
	// Count is how many dimensions, one after another, a norm is taken over; 1 by default.
	Count int
}

// MaxNorm scales down vectors of weights whose norm is above MaxValue, so that it becomes MaxValue (Keras's MaxNorm).
type MaxNorm struct {
	// MaxValue is 2 by default.
	MaxValue float32
	Axes     Axes
}

// NonNeg sets negative weights to 0 (Keras's NonNeg).
type NonNeg struct{}

// UnitNorm scales vectors of weights so that their norm is 1 (Keras's UnitNorm).
type UnitNorm struct{ Axes Axes }

// MinMaxNorm scales vectors of weights whose norm is not between MinValue and MaxValue towards the nearer of both
// (Keras's MinMaxNorm).
type MinMaxNorm struct {
	// MinValue is 0 by default, and MaxValue 1.
	MinValue, MaxValue float32
	// Rate is the part of the way that one step of training goes, above 0 up to 1; 1 by default.
	Rate float32
	Axes Axes
}

var (
	_ plan.Constraint = MaxNorm{}
	_ plan.Constraint = NonNeg{}
	_ plan.Constraint = UnitNorm{}
	_ plan.Constraint = MinMaxNorm{}
)

// Kind is "MaxNorm".
func (MaxNorm) Kind() string { return "MaxNorm" }

// Kind is "NonNeg".
func (NonNeg) Kind() string { return "NonNeg" }

// Kind is "UnitNorm".
func (UnitNorm) Kind() string { return "UnitNorm" }

// Kind is "MinMaxNorm".
func (MinMaxNorm) Kind() string { return "MinMaxNorm" }

// Check refuses a MaxValue that is negative or not finite, and axes that the parameter does not have.
func (c MaxNorm) Check(shape tensor.Shape) error {
	if !finite(c.MaxValue) || c.MaxValue < 0 {
		return fmt.Errorf("MaxNorm with a norm of up to %v; it must be finite and not negative", c.MaxValue)
	}
	return c.Axes.check(c.Kind(), shape)
}

// Check accepts every shape.
func (NonNeg) Check(tensor.Shape) error { return nil }

// Check refuses axes that the parameter does not have.
func (c UnitNorm) Check(shape tensor.Shape) error { return c.Axes.check(c.Kind(), shape) }

// Check refuses bounds that are negative, not finite or in the wrong order, a rate that is not above 0 up to 1, and axes
// that the parameter does not have.
func (c MinMaxNorm) Check(shape tensor.Shape) error {
	upper := orNumber(c.MaxValue, 1)
	if !finite(c.MinValue) || !finite(upper) || c.MinValue < 0 || c.MinValue > upper {
		return fmt.Errorf("MinMaxNorm with a norm from %v to %v", c.MinValue, upper)
	}
	if !(c.Rate >= 0 && c.Rate <= 1) {
		return fmt.Errorf("MinMaxNorm with a rate of %v, not above 0 up to 1", c.Rate)
	}
	return c.Axes.check(c.Kind(), shape)
}

// Apply scales the vectors: w·min(norm, MaxValue)/(norm + 1e-7).
func (c MaxNorm) Apply(w []float32, shape tensor.Shape) {
	upper := orNumber(c.MaxValue, 2)
	c.Axes.apply(w, shape, func(norm float32) float32 { return min(norm, upper) / (tiny + norm) })
}

// Apply replaces w by max(w, 0).
func (NonNeg) Apply(w []float32, _ tensor.Shape) {
	for i, x := range w {
		w[i] = max(x, 0)
	}
}

// Apply scales the vectors: w/(norm + 1e-7).
func (c UnitNorm) Apply(w []float32, shape tensor.Shape) {
	c.Axes.apply(w, shape, func(norm float32) float32 { return 1 / (tiny + norm) })
}

// Apply scales the vectors: w·(Rate·clip(norm, MinValue, MaxValue) + (1 - Rate)·norm)/(norm + 1e-7).
func (c MinMaxNorm) Apply(w []float32, shape tensor.Shape) {
	upper, rate := orNumber(c.MaxValue, 1), orNumber(c.Rate, 1)
	c.Axes.apply(w, shape, func(norm float32) float32 {
		wanted := float32(rate*min(max(norm, c.MinValue), upper)) + float32((1-rate)*norm)
		return wanted / (tiny + norm)
	})
}

// tiny keeps a vector of zeros from being divided by 0: Keras's epsilon.
const tiny = 1e-7

// find returns the first and last of the axes in a shape.
func (a Axes) find(shape tensor.Shape) (from, to int) {
	from = a.First
	if from < 0 {
		from += len(shape)
	}
	return from, from + orNumber(a.Count, 1)
}

func (a Axes) check(kind string, shape tensor.Shape) error {
	from, _ := a.find(shape)
	if a.Count < 0 || from < 0 || from > len(shape) || orNumber(a.Count, 1) > len(shape)-from {
		return fmt.Errorf("%w: %s over %d dimensions from %d on does not fit a parameter of shape %v",
			tensor.ErrShape, kind, orNumber(a.Count, 1), a.First, shape)
	}
	return nil
}

// apply multiplies each vector by a factor that depends on its norm. The squares of a vector are added in order, in
// float64.
func (a Axes) apply(w []float32, shape tensor.Shape, factor func(norm float32) float32) {
	from, to := a.find(shape)
	outer, length, inner := shape[:from].Size(), shape[from:to].Size(), shape[to:].Size()
	var sums [64]float64 // of so many vectors beside each other
	var factors [64]float32
	for o := range outer {
		block := w[o*length*inner : (o+1)*length*inner]
		for lo := 0; lo < inner; lo += len(sums) {
			n := min(inner-lo, len(sums))
			clear(sums[:n])
			for r := range length {
				for j, x := range block[r*inner+lo:][:n] {
					sums[j] += float64(float64(x) * float64(x))
				}
			}
			for j, sum := range sums[:n] {
				factors[j] = factor(float32(math.Sqrt(sum)))
			}
			for r := range length {
				row := block[r*inner+lo:][:n]
				for j := range row {
					row[j] *= factors[j]
				}
			}
		}
	}
}
