package layers

import (
	"github.com/linnet-ml/linnet/nn/plan"
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

var _ plan.NamedLayer = GlobalMaxPooling1D{}

// Kind is "GlobalMaxPooling1D".
func (GlobalMaxPooling1D) Kind() string { return "GlobalMaxPooling1D" }

// LayerName is Name.
func (p GlobalMaxPooling1D) LayerName() string { return p.Name }

// Build adds the operation.
func (p GlobalMaxPooling1D) Build(b *plan.Builder, in []plan.Symbol) ([]plan.Symbol, error) {
	if _, err := single(in); err != nil {
		return nil, err
	}
	return b.Add(maximum{p.KeepDims}.op(), in)
}

// maximum is the largest of the steps.
type maximum struct{ keepDims bool }

func (s maximum) op() plan.Op {
	return plan.Op{Form: s, Outputs: s.outputs, Forward: s.forward, Backward: s.backward}
}

func (s maximum) outputs(in []plan.Signature) ([]plan.Signature, error) {
	if err := steps3D("GlobalMaxPooling1D", in[0]); err != nil {
		return nil, err
	}
	return []plan.Signature{{Type: tensor.TypeFloat32, Shape: pooled(in[0].Shape[:1], in[0].Shape[2], s.keepDims)}}, nil
}

func (s maximum) forward(f *plan.Frame, at plan.Span) {
	features := f.OutWidth(0)
	for i := at.Lo; i < at.Hi; i++ {
		x, y := f.In(0, rowSpan(i)), f.Out(0, rowSpan(i))
		clear(y)
		for t := 0; t < len(x); t += features {
			larger(y, x[t:t+features], t == 0)
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

func (s maximum) backward(f *plan.Frame, at plan.Span) {
	if f.InGrad(0, at) == nil {
		return
	}
	features := f.OutWidth(0)
	ties := f.Scratch(at.Worker, features)
	for i := at.Lo; i < at.Hi; i++ {
		x, dx := f.In(0, rowSpan(i)), f.InGrad(0, rowSpan(i))
		y, dy := f.Out(0, rowSpan(i)), f.OutGrad(0, rowSpan(i))
		clear(ties)
		for k, v := range x {
			if v == y[k%features] {
				ties[k%features]++
			}
		}
		for k, v := range x {
			dx[k] = 0
			if j := k % features; v == y[j] {
				dx[k] = dy[j] / ties[j]
			}
		}
	}
}
