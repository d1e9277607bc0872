package layers

import (
	"fmt"

	"github.com/linnet-ml/linnet/nn/plan"
)

// Subtract takes its second input from its first, element by element (Keras's Subtract).
//
// Inputs have one shape, or shapes that can be repeated to one: aligned at the last dimension, a dimension of length 1, or
// one that is missing after the batch, is repeated. (batch, 1, 3) and (batch, 2, 1) become (batch, 2, 3).
//
// Masks: a step of the result counts where it counts in any input. When an input has no mask, neither has the result.
type Subtract struct{ Name string }

var _ plan.NamedLayer = Subtract{}

// Kind is "Subtract".
func (Subtract) Kind() string { return "Subtract" }

// LayerName is Name.
func (m Subtract) LayerName() string { return m.Name }

// Build adds the operation, and one for the mask.
func (m Subtract) Build(b *plan.Builder, in []plan.Symbol) ([]plan.Symbol, error) {
	if len(in) != 2 {
		return nil, fmt.Errorf("Subtract needs 2 inputs, not %d", len(in))
	}
	return merged(b, m.Kind(), in, weighted{inputs: 2, sign: -1}.op())
}
