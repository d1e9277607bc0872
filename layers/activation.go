package layers

import (
	"fmt"

	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/simd"
	"github.com/linnet-ml/linnet/tensor"
)

// ActivationFunc names an activation function as Keras does. The zero value is Linear.
type ActivationFunc string

// The activation functions.
const (
	Linear  ActivationFunc = "linear"  // x
	ReLU    ActivationFunc = "relu"    // max(x, 0)
	Sigmoid ActivationFunc = "sigmoid" // 1/(1+exp(-x))
	Tanh    ActivationFunc = "tanh"
	Softmax ActivationFunc = "softmax" // exp(x) over its sum along the last dimension
)

// Activation applies an activation function to each element, or for Softmax to each row along the last dimension
// (Keras's Activation). The shape stays.
type Activation struct {
	Name     string
	Function ActivationFunc
}

var _ nn.NamedLayer = Activation{}

// Kind is "Activation".
func (Activation) Kind() string { return "Activation" }

// LayerName is Name.
func (a Activation) LayerName() string { return a.Name }

// Build adds the function's step; Linear needs none.
func (a Activation) Build(b *nn.Builder, in ...nn.Symbol) (nn.Symbol, error) {
	x, err := single(in)
	if err != nil {
		return x, err
	}
	if err := floats("Activation", x.Signature, 2); err != nil {
		return x, err
	}
	return activate(b, x, a.Function)
}

// activate adds the step of an activation function behind x. A mask passes through.
func activate(b *nn.Builder, x nn.Symbol, f ActivationFunc) (nn.Symbol, error) {
	switch f {
	case "", Linear:
		return x, nil
	case ReLU, Sigmoid, Tanh, Softmax:
	default:
		return x, fmt.Errorf("there is no activation function %q; there are %q, %q, %q, %q and %q", f, Linear, ReLU, Sigmoid, Tanh, Softmax)
	}
	out, err := b.Step(activation{f}, []nn.Symbol{x})
	if err != nil {
		return out, err
	}
	if mask, ok := b.Mask(x); ok {
		out = b.Masked(out, mask)
	}
	return out, nil
}

// activation is the step of an activation function.
type activation struct{ function ActivationFunc }

var (
	_ nn.BackwardStep   = activation{}
	_ nn.ActivationStep = activation{}
)

func (s activation) Activation() string { return string(s.function) }

func (s activation) Output(in []nn.Signature) (nn.Signature, error) {
	last := in[0].Shape[len(in[0].Shape)-1]
	if s.function == Softmax && last == tensor.Unknown {
		return nn.Signature{}, fmt.Errorf("%w: softmax over a dimension of unknown length in %v", tensor.ErrShape, in[0].Shape)
	}
	return in[0], nil
}

func (s activation) Forward(f *nn.Frame, at nn.Span) {
	w := f.Width(0)
	x, y := f.In(0)[at.Lo*w:at.Hi*w], f.Out()[at.Lo*w:at.Hi*w]
	switch s.function {
	case ReLU:
		simd.Relu(y, x)
	case Sigmoid:
		simd.Sigmoid(y, x)
	case Tanh:
		simd.Tanh(y, x)
	case Softmax:
		n := s.last(f)
		for i := 0; i < len(x); i += n {
			simd.Softmax(y[i:i+n], x[i:i+n])
		}
	}
}

func (s activation) Backward(f *nn.Frame, at nn.Span) {
	w := f.Width(0)
	y, dy, dx := f.Out()[at.Lo*w:at.Hi*w], f.OutGrad()[at.Lo*w:at.Hi*w], f.InGrad(0)[at.Lo*w:at.Hi*w]
	switch s.function {
	case ReLU:
		simd.ReluGrad(dx, dy, y)
	case Sigmoid:
		simd.SigmoidGrad(dx, dy, y)
	case Tanh:
		simd.TanhGrad(dx, dy, y)
	case Softmax:
		n := s.last(f)
		for i := 0; i < len(y); i += n {
			simd.SoftmaxGrad(dx[i:i+n], dy[i:i+n], y[i:i+n])
		}
	}
}

// last is the length of the last dimension.
func (s activation) last(f *nn.Frame) int {
	row := f.RowShape(0)
	return row[len(row)-1]
}
