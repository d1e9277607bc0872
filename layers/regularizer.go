package layers

import (
	"fmt"

	"github.com/linnet-ml/linnet/nn/plan"
)

// L1 adds Factor times the sum of the absolute values of a parameter to the loss (Keras's L1). It drives elements to 0
// that the loss does not need.
type L1 struct {
	// Factor is 0.01 by default. To have no penalty, leave the layer's regularizer nil.
	Factor float32
}

// L2 adds Factor times the sum of the squares of a parameter to the loss (Keras's L2). It keeps elements small.
type L2 struct {
	// Factor is 0.01 by default. To have no penalty, leave the layer's regularizer nil.
	Factor float32
}

// L1L2 adds the penalties of L1 and L2, each with its own factor (Keras's L1L2). Unlike those of L1 and L2, a factor that
// is not set is 0.
type L1L2 struct{ L1, L2 float32 }

var (
	_ plan.Regularizer = L1{}
	_ plan.Regularizer = L2{}
	_ plan.Regularizer = L1L2{}
)

// defaultPenalty is the factor of L1 and L2 that is not set.
const defaultPenalty = 0.01

// Kind is "L1".
func (L1) Kind() string { return "L1" }

// Kind is "L2".
func (L2) Kind() string { return "L2" }

// Kind is "L1L2".
func (L1L2) Kind() string { return "L1L2" }

// Check refuses a factor that is negative or not finite.
func (r L1) Check() error { return checkFactor("L1", r.Factor) }

// Check refuses a factor that is negative or not finite.
func (r L2) Check() error { return checkFactor("L2", r.Factor) }

// Check refuses a factor that is negative or not finite.
func (r L1L2) Check() error {
	if err := checkFactor("L1L2's L1", r.L1); err != nil {
		return err
	}
	return checkFactor("L1L2's L2", r.L2)
}

func checkFactor(what string, factor float32) error {
	if !finite(factor) || factor < 0 {
		return fmt.Errorf("the factor of %s is %v; it must be finite and not negative", what, factor)
	}
	return nil
}

// Penalty returns Factor·Σ|w|. Its slope is Factor times the sign of each element, and 0 at 0.
func (r L1) Penalty(w, gradient []float32) float64 {
	return L1L2{L1: orNumber(r.Factor, defaultPenalty)}.Penalty(w, gradient)
}

// Penalty returns Factor·Σw². Its slope is 2·Factor·w.
func (r L2) Penalty(w, gradient []float32) float64 {
	return L1L2{L2: orNumber(r.Factor, defaultPenalty)}.Penalty(w, gradient)
}

// Penalty returns L1·Σ|w| + L2·Σw². Its slope is L1 times the sign of each element, 0 at 0, plus 2·L2·w.
func (r L1L2) Penalty(w, gradient []float32) float64 {
	penalty := 0.0
	if r.L1 != 0 {
		sum := 0.0
		for _, x := range w {
			sum += float64(max(x, -x))
		}
		penalty += float64(float64(r.L1) * sum)
		if gradient != nil {
			for i, x := range w {
				switch {
				case x > 0:
					gradient[i] += r.L1
				case x < 0:
					gradient[i] -= r.L1
				}
			}
		}
	}
	if r.L2 != 0 {
		sum := 0.0
		for _, x := range w {
			sum += float64(float64(x) * float64(x))
		}
		penalty += float64(float64(r.L2) * sum)
		if gradient != nil {
			for i, x := range w {
				gradient[i] += float32(2 * r.L2 * x)
			}
		}
	}
	return penalty
}

// orNumber returns x, or the default where x is 0.
func orNumber[T float32 | int](x, def T) T {
	if x == 0 {
		return def
	}
	return x
}
