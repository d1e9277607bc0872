package layers

import (
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/tensor"
)

// Flatten makes one dimension of all but the first: (batch, a, b) to (batch, a·b), and (batch,) to (batch, 1) (Keras's
// Flatten).
type Flatten struct {
	Name string
}

var _ plan.NamedLayer = Flatten{}

// Kind is "Flatten".
func (Flatten) Kind() string { return "Flatten" }

// LayerName is Name.
func (f Flatten) LayerName() string { return f.Name }

// Build adds the operation. A mask ends here.
func (f Flatten) Build(b *plan.Builder, in []plan.Symbol) ([]plan.Symbol, error) {
	if _, err := single(in); err != nil {
		return nil, err
	}
	return b.Add(flatten{}.op(), in)
}

type flatten struct{}

func (s flatten) op() plan.Op {
	return plan.Op{Form: s, Outputs: s.outputs, Forward: s.forward, Backward: s.backward}
}

func (flatten) outputs(in []plan.Signature) ([]plan.Signature, error) {
	if err := floats("Flatten", in[0], 1); err != nil {
		return nil, err
	}
	return []plan.Signature{{Type: tensor.TypeFloat32, Shape: tensor.Shape{in[0].Shape[0], in[0].Shape.Width()}}}, nil
}

func (flatten) forward(f *plan.Frame, at plan.Span) { copy(f.Out(0, at), f.In(0, at)) }

func (flatten) backward(f *plan.Frame, at plan.Span) { copy(f.InGrad(0, at), f.OutGrad(0, at)) }
