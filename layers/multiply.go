package layers

import (
	"github.com/linnet-ml/linnet/nn/plan"
)

// Multiply multiplies its inputs element by element (Keras's Multiply).
//
// Inputs have one shape, or shapes that can be repeated to one: aligned at the last dimension, a dimension of length 1, or
// one that is missing after the batch, is repeated. (batch, 1, 3) and (batch, 2, 1) become (batch, 2, 3).
//
// Masks: a step of the result counts where it counts in any input. When an input has no mask, neither has the result.
// The elements of a masked step count as 1; where all inputs are masked, the product is 0.
type Multiply struct{ Name string }

var _ plan.NamedLayer = Multiply{}

// Kind is "Multiply".
func (Multiply) Kind() string { return "Multiply" }

// LayerName is Name.
func (m Multiply) LayerName() string { return m.Name }

// Build adds the operation, and one for the mask.
func (m Multiply) Build(b *plan.Builder, in []plan.Symbol) ([]plan.Symbol, error) {
	if err := severalInputs(m.Kind(), in); err != nil {
		return nil, err
	}
	v, masks, err := validOf(b, m.Kind(), in)
	if err != nil {
		return nil, err
	}
	return merged(b, m.Kind(), in, product{v}.op(), masks...)
}
