package layers

import (
	"fmt"

	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/simd"
	"github.com/linnet-ml/linnet/tensor"
)

// Dense multiplies by a matrix, adds a bias and applies an activation function: (batch, …, features) to
// (batch, …, Units) (Keras's Dense). It also reads sparse rows (batch, features), such as text.MultiHot makes, at the
// cost of the elements that they keep; these must be an input of the model.
//
// Parameters: kernel (features, Units), and bias (Units,) unless NoBias.
type Dense struct {
	Name string
	// Units is the number of outputs.
	Units int
	// Activation is applied to the outputs. The default is Linear.
	Activation ActivationFunc
	// NoBias leaves the bias out.
	NoBias bool
	// KernelInit and BiasInit give the parameters their first values. The defaults are GlorotUniform and Zeros.
	KernelInit, BiasInit plan.Initializer
	// KernelRegularizer and BiasRegularizer add to the loss. The default is to add nothing.
	KernelRegularizer, BiasRegularizer plan.Regularizer
	// KernelConstraint and BiasConstraint change the parameters after each step. The default is to change nothing.
	KernelConstraint, BiasConstraint plan.Constraint
}

var _ plan.NamedLayer = Dense{}

// Kind is "Dense".
func (Dense) Kind() string { return "Dense" }

// LayerName is Name.
func (d Dense) LayerName() string { return d.Name }

// Build adds the parameters, the product and the activation.
func (d Dense) Build(b *plan.Builder, in []plan.Symbol) ([]plan.Symbol, error) {
	x, err := single(in)
	if err != nil {
		return nil, err
	}
	if d.Units < 1 {
		return nil, fmt.Errorf("Dense needs at least 1 unit, not %d", d.Units)
	}
	sparse := x.Type == tensor.TypeSparse
	if !sparse {
		if err := floats("Dense", x.Signature, 2); err != nil {
			return nil, err
		}
	} else if !b.IsInput(x) {
		return nil, fmt.Errorf("%w: Dense reads sparse rows only where they are an input of the model", tensor.ErrShape)
	}
	features := last(x.Shape)
	if features == tensor.Unknown {
		return nil, fmt.Errorf("%w: Dense needs to know the last dimension of %v", tensor.ErrShape, x.Shape)
	}
	kernel, err := b.Parameter(plan.ParameterOptions{Name: "kernel", Shape: tensor.Shape{features, d.Units},
		Init: or(d.KernelInit, GlorotUniform{}), Regularizer: d.KernelRegularizer, Constraint: d.KernelConstraint})
	if err != nil {
		return nil, err
	}
	params := []plan.ParameterRef{kernel}
	if !d.NoBias {
		bias, err := b.Parameter(plan.ParameterOptions{Name: "bias", Shape: tensor.Shape{d.Units},
			Init: d.BiasInit, Regularizer: d.BiasRegularizer, Constraint: d.BiasConstraint})
		if err != nil {
			return nil, err
		}
		params = append(params, bias)
	}
	s := dense{features: features, units: d.Units, bias: !d.NoBias}
	op := s.op()
	if sparse {
		op = sparseDense{s}.op()
	}
	out, err := b.Add(op, in, params...)
	if err != nil {
		return nil, err
	}
	if err := b.PassMask(x, out); err != nil {
		return nil, err
	}
	return activate(b, out[0], d.Activation)
}

// dense is x·kernel + bias over the last dimension. A batch row is one row of the matrices that are multiplied, or one
// a step.
type dense struct {
	features, units int
	bias            bool
}

func (s dense) op() plan.Op {
	return plan.Op{Form: s, Outputs: s.outputs, Forward: s.forward, Backward: s.backward, Gradient: s.gradient}
}

func (s dense) outputs(in []plan.Signature) ([]plan.Signature, error) {
	shape := in[0].Shape.Clone()
	if last(shape) != s.features {
		return nil, fmt.Errorf("%w: Dense was built for %d features, not %v", tensor.ErrShape, s.features, shape)
	}
	shape[len(shape)-1] = s.units
	return []plan.Signature{{Type: tensor.TypeFloat32, Shape: shape}}, nil
}

func (s dense) forward(f *plan.Frame, at plan.Span) {
	x, y := f.In(0, at), f.Out(0, at)
	simd.GemmNN(len(y)/s.units, s.units, s.features, x, s.features, f.Param(0), s.units, y, s.units, false)
	if s.bias {
		simd.AddBias(y, f.Param(1))
	}
}

func (s dense) backward(f *plan.Frame, at plan.Span) {
	dx, dy := f.InGrad(0, at), f.OutGrad(0, at)
	if dx == nil {
		return
	}
	work := f.Scratch(at.Worker, simd.GemmWork(s.features, s.units))
	simd.GemmNT(len(dy)/s.units, s.features, s.units, dy, s.units, f.Param(0), s.units, dx, s.features, false, work)
}

func (s dense) gradient(f *plan.Frame, i int, g plan.Gradient) {
	if i == 1 {
		s.biasGradient(f, g)
		return
	}
	sums := g.Values[g.Lo*s.units : g.Hi*s.units]
	f.Shards(func(at plan.Span) {
		x, dy := f.In(0, at), f.OutGrad(0, at)
		if len(dy) == 0 {
			return // rows without steps
		}
		simd.GemmTN(g.Hi-g.Lo, s.units, len(dy)/s.units, x[g.Lo:], s.features, dy, s.units, sums, s.units, true)
	})
}

func (s dense) biasGradient(f *plan.Frame, g plan.Gradient) {
	f.Shards(func(at plan.Span) {
		dy := f.OutGrad(0, at)
		if g.Lo == 0 && g.Hi == s.units {
			simd.AccumulateRows(g.Values, dy)
			return
		}
		for j := g.Lo; j < g.Hi; j++ {
			sum := float32(0)
			for k := j; k < len(dy); k += s.units {
				sum += dy[k]
			}
			g.Values[j] += sum
		}
	})
}
