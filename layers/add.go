package layers

import (
	"github.com/linnet-ml/linnet/nn/plan"
)

// Add adds its inputs element by element (Keras's Add): the sum in a residual connection.
//
// Inputs have one shape, or shapes that can be repeated to one: aligned at the last dimension, a dimension of length 1, or
// one that is missing after the batch, is repeated. (batch, 1, 3) and (batch, 2, 1) become (batch, 2, 3).
//
// Masks: a step of the result counts where it counts in any input. When an input has no mask, neither has the result.
type Add struct{ Name string }

var _ plan.NamedLayer = Add{}

// Kind is "Add".
func (Add) Kind() string { return "Add" }

// LayerName is Name.
func (m Add) LayerName() string { return m.Name }

// Build adds the operation, and one for the mask.
func (m Add) Build(b *plan.Builder, in []plan.Symbol) ([]plan.Symbol, error) {
	if err := severalInputs(m.Kind(), in); err != nil {
		return nil, err
	}
	return merged(b, m.Kind(), in, weighted{inputs: len(in), sign: 1}.op())
}
