package layers

import (
	"fmt"

	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/tensor"
)

// floats refuses an input that is not float32 or has fewer dimensions than a layer needs, the rows among them.
func floats(layer string, in plan.Signature, dims int) error {
	if in.Type != tensor.TypeFloat32 {
		return fmt.Errorf("%w: %s reads float32 values, not %v of shape %v", tensor.ErrShape, layer, in.Type, in.Shape)
	}
	if len(in.Shape) < dims {
		return fmt.Errorf("%w: %s reads values of at least %d dimensions, not %v", tensor.ErrShape, layer, dims, in.Shape)
	}
	return nil
}

// single returns the one input of a layer that takes one.
func single(in []plan.Symbol) (plan.Symbol, error) {
	if len(in) != 1 {
		return plan.Symbol{}, fmt.Errorf("it takes one input, not %d", len(in))
	}
	return in[0], nil
}

// rowSpan is the span of row i alone.
func rowSpan(i int) plan.Span { return plan.Span{Lo: i, Hi: i + 1} }
