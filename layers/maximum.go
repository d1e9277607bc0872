package layers

import (
	"github.com/linnet-ml/linnet/nn/plan"
)

// Maximum is the largest of its inputs, element by element (Keras's Maximum). The gradient goes to the first of equal ones.
//
// Inputs have one shape, or shapes that can be repeated to one: aligned at the last dimension, a dimension of length 1, or
// one that is missing after the batch, is repeated. (batch, 1, 3) and (batch, 2, 1) become (batch, 2, 3).
//
// Masks: a step of the result counts where it counts in any input. When an input has no mask, neither has the result.
// The elements of a masked step are left out; where all inputs are masked, the first is taken.
type Maximum struct{ Name string }

var _ plan.NamedLayer = Maximum{}

// Kind is "Maximum".
func (Maximum) Kind() string { return "Maximum" }

// LayerName is Name.
func (m Maximum) LayerName() string { return m.Name }

// Build adds the operation, and one for the mask.
func (m Maximum) Build(b *plan.Builder, in []plan.Symbol) ([]plan.Symbol, error) {
	if err := severalInputs(m.Kind(), in); err != nil {
		return nil, err
	}
	v, masks, err := validOf(b, m.Kind(), in)
	if err != nil {
		return nil, err
	}
	return merged(b, m.Kind(), in, extreme{valid: v}.op(), masks...)
}
