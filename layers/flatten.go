package layers

import (
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/tensor"
)

// Flatten makes one dimension of all but the first: (batch, a, b) to (batch, a·b), and (batch,) to (batch, 1) (Keras's
// Flatten).
type Flatten struct {
	Name string
}

var _ nn.NamedLayer = Flatten{}

// Kind is "Flatten".
func (Flatten) Kind() string { return "Flatten" }

// LayerName is Name.
func (f Flatten) LayerName() string { return f.Name }

// Build adds the step.
func (f Flatten) Build(b *nn.Builder, in ...nn.Symbol) (nn.Symbol, error) {
	x, err := single(in)
	if err != nil {
		return x, err
	}
	return b.Step(flatten{}, in)
}

type flatten struct{}

var _ nn.BackwardStep = flatten{}

func (flatten) Output(in []nn.Signature) (nn.Signature, error) {
	if err := floats("Flatten", in[0], 1); err != nil {
		return nn.Signature{}, err
	}
	return nn.Signature{Type: tensor.TypeFloat32, Shape: tensor.Shape{in[0].Shape[0], in[0].Shape.Width()}}, nil
}

func (flatten) Forward(f *nn.Frame, at nn.Span) {
	w := f.Width(0)
	copy(f.Out()[at.Lo*w:at.Hi*w], f.In(0)[at.Lo*w:at.Hi*w])
}

func (flatten) Backward(f *nn.Frame, at nn.Span) {
	w := f.Width(0)
	copy(f.InGrad(0)[at.Lo*w:at.Hi*w], f.OutGrad()[at.Lo*w:at.Hi*w])
}
