package layers

import (
	"fmt"

	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/simd"
	"github.com/linnet-ml/linnet/tensor"
)

// Dense multiplies by a matrix, adds a bias and applies an activation function: (batch, …, features) to
// (batch, …, Units) (Keras's Dense). It also reads sparse rows (batch, features), such as text.MultiHot makes, at the
// cost of the elements that they keep.
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
	KernelInit, BiasInit nn.Initializer
}

var _ nn.NamedLayer = Dense{}

// Kind is "Dense".
func (Dense) Kind() string { return "Dense" }

// LayerName is Name.
func (d Dense) LayerName() string { return d.Name }

// Build adds the parameters, the product and the activation.
func (d Dense) Build(b *nn.Builder, in ...nn.Symbol) (nn.Symbol, error) {
	x, err := single(in)
	if err != nil {
		return x, err
	}
	if d.Units < 1 {
		return x, fmt.Errorf("Dense needs at least 1 unit, not %d", d.Units)
	}
	sparse := x.Type == tensor.TypeSparse
	if !sparse {
		if err := floats("Dense", x.Signature, 2); err != nil {
			return x, err
		}
	}
	features := x.Shape[len(x.Shape)-1]
	if features == tensor.Unknown {
		return x, fmt.Errorf("%w: Dense needs to know the last dimension of %v", tensor.ErrShape, x.Shape)
	}
	kernel, err := b.Parameter(nn.ParameterOptions{Name: "kernel", Shape: tensor.Shape{features, d.Units}, Init: or(d.KernelInit, GlorotUniform{})})
	if err != nil {
		return x, err
	}
	params := []nn.ParameterRef{kernel}
	if !d.NoBias {
		bias, err := b.Parameter(nn.ParameterOptions{Name: "bias", Shape: tensor.Shape{d.Units}, Init: d.BiasInit})
		if err != nil {
			return x, err
		}
		params = append(params, bias)
	}
	var step nn.Step = dense{features: features, units: d.Units, bias: !d.NoBias}
	if sparse {
		step = sparseDense{dense{features: features, units: d.Units, bias: !d.NoBias}}
	}
	out, err := b.Step(step, in, params...)
	if err != nil {
		return out, err
	}
	if mask, ok := b.Mask(x); ok {
		out = b.Masked(out, mask)
	}
	return activate(b, out, d.Activation)
}

// dense is x·kernel + bias over the last dimension.
type dense struct {
	features, units int
	bias            bool
}

var (
	_ nn.BackwardStep  = dense{}
	_ nn.ParameterStep = dense{}
)

func (s dense) Output(in []nn.Signature) (nn.Signature, error) {
	shape := in[0].Shape.Clone()
	if last := shape[len(shape)-1]; last != s.features {
		return nn.Signature{}, fmt.Errorf("%w: Dense was built for %d features, not %v", tensor.ErrShape, s.features, shape)
	}
	shape[len(shape)-1] = s.units
	return nn.Signature{Type: tensor.TypeFloat32, Shape: shape}, nil
}

// vectors turns batch rows into rows of the matrices that are multiplied: a batch row is one of them a step.
func (s dense) vectors(f *nn.Frame, lo, hi int) (from, to int) {
	n := f.OutWidth() / s.units
	return lo * n, hi * n
}

func (s dense) Forward(f *nn.Frame, at nn.Span) {
	lo, hi := s.vectors(f, at.Lo, at.Hi)
	y := f.Out()[lo*s.units : hi*s.units]
	simd.GemmNN(hi-lo, s.units, s.features, f.In(0)[lo*s.features:hi*s.features], s.features, f.Param(0), s.units, y, s.units, false)
	if s.bias {
		simd.AddBias(y, f.Param(1))
	}
}

func (s dense) Backward(f *nn.Frame, at nn.Span) {
	lo, hi := s.vectors(f, at.Lo, at.Hi)
	dx, dy := f.InGrad(0)[lo*s.features:hi*s.features], f.OutGrad()[lo*s.units:hi*s.units]
	work := f.Scratch(at.Worker, simd.GemmWork(s.features, s.units))
	simd.GemmNT(hi-lo, s.features, s.units, dy, s.units, f.Param(0), s.units, dx, s.features, false, work)
}

func (s dense) Gradient(f *nn.Frame, i int, g nn.Gradient) {
	if i == 1 {
		s.biasGradient(f, g)
		return
	}
	x, dy := f.In(0), f.OutGrad()
	out := g.Values[g.Lo*s.units : g.Hi*s.units]
	nn.Shards(f.Rows(), func(lo, hi int) {
		lo, hi = s.vectors(f, lo, hi)
		simd.GemmTN(g.Hi-g.Lo, s.units, hi-lo, x[lo*s.features+g.Lo:], s.features, dy[lo*s.units:hi*s.units], s.units, out, s.units, true)
	})
}

func (s dense) biasGradient(f *nn.Frame, g nn.Gradient) {
	dy := f.OutGrad()
	nn.Shards(f.Rows(), func(lo, hi int) {
		lo, hi = s.vectors(f, lo, hi)
		if g.Lo == 0 && g.Hi == s.units {
			simd.AccumulateRows(g.Values, dy[lo*s.units:hi*s.units])
			return
		}
		for j := g.Lo; j < g.Hi; j++ {
			sum := float32(0)
			for r := lo; r < hi; r++ {
				sum += dy[r*s.units+j]
			}
			g.Values[j] += sum
		}
	})
}
