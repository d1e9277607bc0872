package layers_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/nn/plan"
)

// Penalties and slopes worked out by hand, in numbers that float32 holds exactly. Slopes are added to what is there.
func TestRegularizers(t *testing.T) {
	w := []float32{1, -2, 0, 0.5}
	for _, c := range []struct {
		r       plan.Regularizer
		penalty float64
		slope   []float32
	}{
		{layers.L1{Factor: 0.5}, 0.5 * 3.5, []float32{0.5, -0.5, 0, 0.5}},
		{layers.L2{Factor: 0.5}, 0.5 * 5.25, []float32{1, -2, 0, 0.5}},
		{layers.L1L2{L1: 0.5, L2: 0.25}, 0.5*3.5 + 0.25*5.25, []float32{1, -1.5, 0, 0.75}},
		{layers.L1L2{L1: 0.5}, 0.5 * 3.5, []float32{0.5, -0.5, 0, 0.5}},
		{layers.L1L2{L2: 0.5}, 0.5 * 5.25, []float32{1, -2, 0, 0.5}},
		{layers.L1L2{}, 0, []float32{0, 0, 0, 0}},
	} {
		if err := c.r.Check(); err != nil {
			t.Errorf("%+v: %v", c.r, err)
		}
		gradient := []float32{8, 8, 8, 8}
		if got := c.r.Penalty(w, gradient); got != c.penalty {
			t.Errorf("%+v: penalty %v, want %v", c.r, got, c.penalty)
		}
		for i := range gradient {
			gradient[i] -= 8
		}
		if !slices.Equal(gradient, c.slope) {
			t.Errorf("%+v: slope %v, want %v", c.r, gradient, c.slope)
		}
		if got := c.r.Penalty(w, nil); got != c.penalty {
			t.Errorf("%+v without a gradient: penalty %v, want %v", c.r, got, c.penalty)
		}
	}
	// Keras's default factor is 0.01, as a float32.
	factor := float64(float32(0.01))
	if got := (layers.L1{}).Penalty(w, nil); got != factor*3.5 {
		t.Errorf("L1{}: %v", got)
	}
	if got := (layers.L2{}).Penalty(w, nil); got != factor*5.25 {
		t.Errorf("L2{}: %v", got)
	}
}

func TestRegularizersOutOfRange(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, c := range []struct {
		r    plan.Regularizer
		want string
	}{
		{layers.L1{Factor: -1}, "the factor of L1 is -1"},
		{layers.L2{Factor: nan}, "the factor of L2 is NaN"},
		{layers.L1L2{L1: inf}, "the factor of L1L2's L1 is +Inf"},
		{layers.L1L2{L2: -2}, "the factor of L1L2's L2 is -2"},
	} {
		if err := c.r.Check(); err == nil || err.Error() != c.want+"; it must be finite and not negative" {
			t.Errorf("%+v: %v", c.r, err)
		}
		// A layer's Build refuses it, and names the parameter.
		_, _, err := planOf(t, layers.Dense{Units: 1, KernelRegularizer: c.r}, float32s(2))
		if err == nil || !strings.Contains(err.Error(), "parameter kernel: "+c.want) {
			t.Errorf("Dense with %+v: %v", c.r, err)
		}
	}
}
