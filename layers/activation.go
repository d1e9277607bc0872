package layers

import (
	"fmt"

	"github.com/linnet-ml/linnet/nn/plan"
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
	Softmax ActivationFunc = "softmax" // exp(x) over its sum along the last dimension, which has 2 elements or more
)

// Activation applies an activation function to each element, or for Softmax to each row along the last dimension
// (Keras's Activation). The shape stays.
type Activation struct {
	Name     string
	Function ActivationFunc
}

var _ plan.NamedLayer = Activation{}

// Kind is "Activation".
func (Activation) Kind() string { return "Activation" }

// LayerName is Name.
func (a Activation) LayerName() string { return a.Name }

// Build adds the function's operation; Linear needs none.
func (a Activation) Build(b *plan.Builder, in []plan.Symbol) ([]plan.Symbol, error) {
	x, err := single(in)
	if err != nil {
		return nil, err
	}
	if err := floats("Activation", x.Signature, 2); err != nil {
		return nil, err
	}
	return activate(b, x, a.Function)
}

// activate applies an activation function to x and returns what comes out. A mask passes through.
func activate(b *plan.Builder, x plan.Symbol, f ActivationFunc) ([]plan.Symbol, error) {
	switch f {
	case "", Linear:
		return []plan.Symbol{x}, nil
	case ReLU, Sigmoid, Tanh, Softmax:
	default:
		return nil, fmt.Errorf("there is no activation function %q; there are %q, %q, %q, %q and %q", f, Linear, ReLU, Sigmoid, Tanh, Softmax)
	}
	out, err := b.Add(activation{f}.op(), []plan.Symbol{x})
	if err != nil {
		return nil, err
	}
	return out, b.PassMask(x, out)
}

// activation is an activation function, element by element or along the last dimension.
type activation struct{ function ActivationFunc }

func (s activation) op() plan.Op {
	return plan.Op{Form: s, Outputs: s.outputs, Forward: s.forward, Backward: s.backward, Activation: string(s.function)}
}

func (s activation) outputs(in []plan.Signature) ([]plan.Signature, error) {
	last := in[0].Shape[len(in[0].Shape)-1]
	if s.function == Softmax && last == tensor.Unknown {
		return nil, fmt.Errorf("%w: softmax over a dimension of unknown length in %v", tensor.ErrShape, in[0].Shape)
	}
	if s.function == Softmax && last == 1 {
		return nil, fmt.Errorf("softmax over the last dimension of %v is always 1, and learns nothing; %q is for one output", in[0].Shape, Sigmoid)
	}
	return []plan.Signature{in[0]}, nil
}

func (s activation) forward(f *plan.Frame, at plan.Span) {
	x, y := f.In(0, at), f.Out(0, at)
	switch s.function {
	case ReLU:
		simd.Relu(y, x)
	case Sigmoid:
		simd.Sigmoid(y, x)
	case Tanh:
		simd.Tanh(y, x)
	case Softmax:
		n := last(f.InShape(0))
		for i := 0; i < len(x); i += n {
			simd.Softmax(y[i:i+n], x[i:i+n])
		}
	}
}

func (s activation) backward(f *plan.Frame, at plan.Span) {
	y, dy, dx := f.Out(0, at), f.OutGrad(0, at), f.InGrad(0, at)
	if dx == nil {
		return
	}
	switch s.function {
	case ReLU:
		simd.ReluGrad(dx, dy, y)
	case Sigmoid:
		simd.SigmoidGrad(dx, dy, y)
	case Tanh:
		simd.TanhGrad(dx, dy, y)
	case Softmax:
		n := last(f.InShape(0))
		for i := 0; i < len(y); i += n {
			simd.SoftmaxGrad(dx[i:i+n], dy[i:i+n], y[i:i+n])
		}
	}
}

// last is the length of the last dimension.
func last(shape tensor.Shape) int { return shape[len(shape)-1] }
