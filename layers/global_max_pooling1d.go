package layers

import (
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/tensor"
)

// GlobalMaxPooling1D takes the largest of the steps, feature by feature: (batch, steps, features) to (batch, features)
// (Keras's GlobalMaxPooling1D). All steps count, padding too; a mask has no effect and ends here. Steps that are equally
// the largest share the gradient equally. Rows without steps give 0.
//
// An Embedding directly before it is fused with it: see nn.FitOptions.NoFusion.
type GlobalMaxPooling1D struct {
	Name string
	// KeepDims keeps the dimension of the steps, with length 1.
	KeepDims bool
}

var _ nn.NamedLayer = GlobalMaxPooling1D{}

// Kind is "GlobalMaxPooling1D".
func (GlobalMaxPooling1D) Kind() string { return "GlobalMaxPooling1D" }

// LayerName is Name.
func (p GlobalMaxPooling1D) LayerName() string { return p.Name }

// Build adds the step.
func (p GlobalMaxPooling1D) Build(b *nn.Builder, in ...nn.Symbol) (nn.Symbol, error) {
	x, err := single(in)
	if err != nil {
		return x, err
	}
	return b.Step(maximum{p.KeepDims}, in)
}

// maximum is the largest of the steps.
type maximum struct{ keepDims bool }

var _ nn.BackwardStep = maximum{}

func (s maximum) Output(in []nn.Signature) (nn.Signature, error) {
	if err := steps3D("GlobalMaxPooling1D", in[0]); err != nil {
		return nn.Signature{}, err
	}
	return nn.Signature{Type: tensor.TypeFloat32, Shape: pooled(in[0].Shape[:1], in[0].Shape[2], s.keepDims)}, nil
}

func (s maximum) Forward(f *nn.Frame, at nn.Span) {
	features := f.OutWidth()
	for i := at.Lo; i < at.Hi; i++ {
		row, y := f.In(0)[i*f.Width(0):(i+1)*f.Width(0)], f.Out()[i*features:(i+1)*features]
		clear(y)
		for t := 0; t < len(row); t += features {
			larger(y, row[t:t+features], t == 0)
		}
	}
}

// larger keeps in y the larger of y and x, element by element; the first x is larger than nothing. NaN stays.
func larger(y, x []float32, first bool) {
	for j, v := range x[:len(y)] {
		if first || v > y[j] || v != v {
			y[j] = v
		}
	}
}

func (s maximum) Backward(f *nn.Frame, at nn.Span) {
	features, width := f.OutWidth(), f.Width(0)
	ties := f.Scratch(at.Worker, features)
	for i := at.Lo; i < at.Hi; i++ {
		row, dx := f.In(0)[i*width:(i+1)*width], f.InGrad(0)[i*width:(i+1)*width]
		y, dy := f.Out()[i*features:(i+1)*features], f.OutGrad()[i*features:(i+1)*features]
		clear(ties)
		for k, v := range row {
			if v == y[k%features] {
				ties[k%features]++
			}
		}
		for k, v := range row {
			dx[k] = 0
			if j := k % features; v == y[j] {
				dx[k] = dy[j] / ties[j]
			}
		}
	}
}
