package layers_test

import (
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/tensor"
)

// Constraints on vectors of norms 5, 13 and 0, by Keras's formulas, which divide by the norm plus 1e-7.
func TestConstraints(t *testing.T) {
	shape := tensor.Shape{2, 3}
	columns := []float32{3, 5, 0, -4, 12, 0} // the norms are of columns
	scaled := func(a, b, c float64) []float32 {
		k := []float64{a, b, c}
		w := make([]float32, 6)
		for i, v := range columns {
			w[i] = float32(float64(v) * k[i%3])
		}
		return w
	}
	for _, c := range []struct {
		constraint plan.Constraint
		want       []float32
	}{
		{layers.MaxNorm{}, scaled(2.0/5, 2.0/13, 1)},
		{layers.MaxNorm{MaxValue: 6}, scaled(1, 6.0/13, 1)},
		{layers.UnitNorm{}, scaled(1.0/5, 1.0/13, 1)},
		{layers.MinMaxNorm{}, scaled(1.0/5, 1.0/13, 1)},
		{layers.MinMaxNorm{MinValue: 8, MaxValue: 10}, scaled(8.0/5, 10.0/13, 1)},
		{layers.MinMaxNorm{MinValue: 8, MaxValue: 10, Rate: 0.5}, scaled(6.5/5, 11.5/13, 1)},
		{layers.NonNeg{}, []float32{3, 5, 0, 0, 12, 0}},
	} {
		if err := c.constraint.Check(shape); err != nil {
			t.Errorf("%+v: %v", c.constraint, err)
		}
		w := slices.Clone(columns)
		c.constraint.Apply(w, shape)
		near(t, c.constraint, w, c.want)
	}
}

func near(t *testing.T, what any, got, want []float32) {
	t.Helper()
	for i, v := range got {
		if math.Abs(float64(v-want[i])) > 3e-7*math.Max(1, math.Abs(float64(want[i]))) {
			t.Errorf("%+v: element %d is %v, want %v", what, i, v, want[i])
			return
		}
	}
}

// Each choice of axes against the norms of slices cut out one by one.
func TestConstraintAxes(t *testing.T) {
	shape := tensor.Shape{3, 4, 70} // more vectors beside each other than a block has
	w := make([]float32, shape.Size())
	for i := range w {
		w[i] = float32(math.Sin(float64(i)))
	}
	for _, c := range []struct {
		axes     layers.Axes
		from, to int
	}{
		{layers.Axes{}, 0, 1}, {layers.Axes{First: 1}, 1, 2}, {layers.Axes{First: 2}, 2, 3}, {layers.Axes{First: -1}, 2, 3},
		{layers.Axes{Count: 2}, 0, 2}, {layers.Axes{First: -2, Count: 2}, 1, 3}, {layers.Axes{Count: 3}, 0, 3},
	} {
		got := slices.Clone(w)
		constraint := layers.UnitNorm{Axes: c.axes}
		if err := constraint.Check(shape); err != nil {
			t.Errorf("%+v: %v", c.axes, err)
			continue
		}
		constraint.Apply(got, shape)
		squares := map[[3]int]float64{}
		place := func(i int) [3]int {
			at := [3]int{i / 280, i / 70 % 4, i % 70}
			for d := c.from; d < c.to; d++ {
				at[d] = 0
			}
			return at
		}
		for i, v := range w {
			squares[place(i)] += float64(v) * float64(v)
		}
		want := make([]float32, len(w))
		for i, v := range w {
			want[i] = float32(float64(v) / math.Sqrt(squares[place(i)]))
		}
		near(t, c.axes, got, want)
	}
}

func TestConstraintsOutOfRange(t *testing.T) {
	nan := float32(math.NaN())
	matrix := tensor.Shape{2, 3}
	for _, c := range []struct {
		constraint plan.Constraint
		want       string
	}{
		{layers.MaxNorm{MaxValue: -1}, "MaxNorm with a norm of up to -1; it must be finite and not negative"},
		{layers.MaxNorm{MaxValue: nan}, "MaxNorm with a norm of up to NaN; it must be finite and not negative"},
		{layers.MinMaxNorm{MinValue: 2}, "MinMaxNorm with a norm from 2 to 1"},
		{layers.MinMaxNorm{MinValue: -1}, "MinMaxNorm with a norm from -1 to 1"},
		{layers.MinMaxNorm{Rate: 1.5}, "MinMaxNorm with a rate of 1.5, not above 0 up to 1"},
		{layers.MinMaxNorm{Rate: nan}, "MinMaxNorm with a rate of NaN, not above 0 up to 1"},
		{layers.UnitNorm{Axes: layers.Axes{First: 2}}, "shape does not fit: UnitNorm over 1 dimensions from 2 on does not fit a parameter of shape (2, 3)"},
		{layers.MaxNorm{Axes: layers.Axes{First: -3}}, "shape does not fit: MaxNorm over 1 dimensions from -3 on does not fit a parameter of shape (2, 3)"},
		{layers.MinMaxNorm{Axes: layers.Axes{Count: 3}}, "shape does not fit: MinMaxNorm over 3 dimensions from 0 on does not fit a parameter of shape (2, 3)"},
		{layers.UnitNorm{Axes: layers.Axes{Count: -1}}, "shape does not fit: UnitNorm over -1 dimensions from 0 on does not fit a parameter of shape (2, 3)"},
	} {
		if err := c.constraint.Check(matrix); err == nil || err.Error() != c.want {
			t.Errorf("%+v: %v", c.constraint, err)
		}
	}
	// The bias of a layer has one dimension: Build says that a constraint for its kernel does not fit it.
	_, _, err := planOf(t, layers.Dense{Units: 3, BiasConstraint: layers.MaxNorm{Axes: layers.Axes{First: 1}}}, float32s(2))
	if !errors.Is(err, tensor.ErrShape) {
		t.Errorf("Build: %v", err)
	}
}
