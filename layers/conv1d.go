package layers

import (
	"fmt"

	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/simd"
	"github.com/linnet-ml/linnet/tensor"
)

// Conv1D slides Filters small windows along the steps: (batch, steps, features) to (batch, windows, Filters). Output t of
// a filter is the sum of KernelSize steps of the input, from step t·Strides on and Dilation steps apart, each multiplied
// by the filter's weights for it; then the bias is added and an activation function applied (Keras's Conv1D, with
// data_format "channels_last" and one group). On embedded words a filter of size 3 looks for a pattern of 3 words.
//
// A mask ends here: padding is read as what it holds, as in Keras.
//
// Parameters: kernel (KernelSize, features, Filters), and bias (Filters,) unless NoBias.
type Conv1D struct {
	Name string
	// Filters is the number of outputs of each window, and KernelSize how many steps a window reads.
	Filters, KernelSize int
	// Strides is how many steps lie between the beginnings of windows; 1 by default.
	Strides int
	// Padding says what happens at the ends; Valid by default.
	Padding Padding
	// Dilation is how far apart the steps are that a window reads; 1 by default. It goes with Strides 1 only.
	Dilation int
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

// Padding says what windows do at the ends of a sequence, by Keras's names. The zero value is Valid.
type Padding string

// The kinds of padding.
const (
	Valid  Padding = "valid"  // windows lie within the sequence, so that the output has fewer steps
	Same   Padding = "same"   // zeros at both ends: with stride 1 as many steps as the input, else steps/stride, rounded up
	Causal Padding = "causal" // zeros before the first step alone: output t does not see steps after t
)

var _ plan.NamedLayer = Conv1D{}

// Kind is "Conv1D".
func (Conv1D) Kind() string { return "Conv1D" }

// LayerName is Name.
func (c Conv1D) LayerName() string { return c.Name }

// Build adds the parameters, the convolution and the activation.
func (c Conv1D) Build(b *plan.Builder, in []plan.Symbol) ([]plan.Symbol, error) {
	x, err := single(in)
	if err != nil {
		return nil, err
	}
	if err := steps3D("Conv1D", x.Signature); err != nil {
		return nil, err
	}
	s := conv{window: window{size: c.KernelSize, stride: orNumber(c.Strides, 1), dilation: orNumber(c.Dilation, 1), padding: c.Padding},
		features: x.Shape[2], filters: c.Filters, bias: !c.NoBias}
	if c.Filters < 1 {
		return nil, fmt.Errorf("Conv1D needs at least 1 filter, not %d", c.Filters)
	}
	if err := s.window.check("Conv1D"); err != nil {
		return nil, err
	}
	if s.features == tensor.Unknown {
		return nil, fmt.Errorf("%w: Conv1D needs to know the last dimension of %v", tensor.ErrShape, x.Shape)
	}
	kernel, err := b.Parameter(plan.ParameterOptions{Name: "kernel", Shape: tensor.Shape{c.KernelSize, s.features, c.Filters},
		Init: or(c.KernelInit, GlorotUniform{}), Regularizer: c.KernelRegularizer, Constraint: c.KernelConstraint})
	if err != nil {
		return nil, err
	}
	params := []plan.ParameterRef{kernel}
	if s.bias {
		bias, err := b.Parameter(plan.ParameterOptions{Name: "bias", Shape: tensor.Shape{c.Filters},
			Init: c.BiasInit, Regularizer: c.BiasRegularizer, Constraint: c.BiasConstraint})
		if err != nil {
			return nil, err
		}
		params = append(params, bias)
	}
	out, err := b.Add(s.op(), in, params...)
	if err != nil {
		return nil, err
	}
	return activate(b, out[0], c.Activation)
}

// window says which steps of a sequence output t reads: those from t·stride - before on, dilation apart.
type window struct {
	size, stride, dilation int
	padding                Padding
}

func (w window) check(layer string) error {
	switch w.padding {
	case "", Valid, Same, Causal:
	default:
		return fmt.Errorf("%s has no padding %q; there are %q, %q and %q", layer, w.padding, Valid, Same, Causal)
	}
	for _, s := range [...]struct {
		name  string
		value int
	}{{"KernelSize", w.size}, {"Strides", w.stride}, {"Dilation", w.dilation}} {
		if s.value < 1 || s.value > maxWindow {
			return fmt.Errorf("%s needs %s from 1 to %d, not %d", layer, s.name, maxWindow, s.value)
		}
	}
	if w.stride > 1 && w.dilation > 1 {
		return fmt.Errorf("%s can have strides or a dilation, not both: %d and %d", layer, w.stride, w.dilation)
	}
	return nil
}

// maxWindow bounds the numbers that make up a window, whose products must not overflow.
const maxWindow = 1 << 15

// span is how many steps lie between the first and the last that a window reads, both included.
func (w window) span() int { return (w.size-1)*w.dilation + 1 }

// outputs is the number of outputs for so many steps; not above 0 when there are too few.
func (w window) outputs(steps int) int {
	switch w.padding {
	case Same, Causal:
		return (steps + w.stride - 1) / w.stride
	}
	if steps < w.span() {
		return 0
	}
	return (steps-w.span())/w.stride + 1
}

// before is how many steps of padding there are before the first.
func (w window) before(steps int) int {
	switch w.padding {
	case Same:
		return max((w.outputs(steps)-1)*w.stride+w.span()-steps, 0) / 2
	case Causal:
		return w.span() - 1
	}
	return 0
}

// reach returns the outputs from to to-1 whose step number k of the window lies in the sequence, and which step that is
// for the first of them; the others follow stride apart.
func (w window) reach(k, steps int) (from, to, step int) {
	offset := k*w.dilation - w.before(steps) // the step that output 0 reads
	if offset < 0 {
		from = (-offset + w.stride - 1) / w.stride
	}
	to = w.outputs(steps)
	if last := steps - 1 - offset; last < 0 {
		to = 0
	} else {
		to = min(to, last/w.stride+1)
	}
	return from, max(from, to), from*w.stride + offset
}

// conv is the sum over a window's steps of step times kernel, plus bias.
type conv struct {
	window
	features, filters int
	bias              bool
}

func (s conv) op() plan.Op {
	return plan.Op{Form: s, Outputs: s.shapes, Forward: s.forward, Backward: s.backward, Gradient: s.gradient}
}

func (s conv) shapes(in []plan.Signature) ([]plan.Signature, error) {
	x := in[0].Shape
	if last(x) != s.features {
		return nil, fmt.Errorf("%w: Conv1D was built for %d features, not %v", tensor.ErrShape, s.features, x)
	}
	steps := x[1]
	if steps != tensor.Unknown {
		if steps = s.outputs(steps); steps < 1 {
			return nil, fmt.Errorf("%w: Conv1D reads windows of %d steps, of which %v has none", tensor.ErrShape, s.span(), x)
		}
	}
	return []plan.Signature{{Type: tensor.TypeFloat32, Shape: tensor.Shape{x[0], steps, s.filters}}}, nil
}

// blockElements is about how many elements of windows are laid out for one product.
const blockElements = 1 << 15

// forward lays the windows out as rows of a matrix, a block at a time, and multiplies that by the kernel.
func (s conv) forward(f *plan.Frame, at plan.Span) {
	x, y := f.In(0, at), f.Out(0, at)
	steps, outputs, depth := f.InShape(0)[0], f.OutShape(0)[0], s.size*s.features
	rows := len(y) / s.filters
	block := max(blockElements/max(depth, 1), 16)
	work := f.Scratch(at.Worker, min(block, rows)*depth)
	for lo := 0; lo < rows; lo += block {
		hi := min(lo+block, rows)
		for v := lo; v < hi; v++ {
			row := v / outputs
			s.layOut(work[(v-lo)*depth:][:depth], x[row*steps*s.features:][:steps*s.features], v%outputs, steps)
		}
		simd.GemmNN(hi-lo, s.filters, depth, work, depth, f.Param(0), s.filters, y[lo*s.filters:hi*s.filters], s.filters, false)
	}
	if s.bias {
		simd.AddBias(y, f.Param(1))
	}
}

// layOut writes the steps of the window of output t one after another, zeros for padding.
func (s conv) layOut(dst, x []float32, t, steps int) {
	step := t*s.stride - s.before(steps)
	for k := range s.size {
		to := dst[k*s.features:][:s.features]
		if step >= 0 && step < steps {
			copy(to, x[step*s.features:])
		} else {
			clear(to)
		}
		step += s.dilation
	}
}

// backward adds dy·kernelᵀ for each step of the window to the steps that it read.
func (s conv) backward(f *plan.Frame, at plan.Span) {
	dx, dy := f.InGrad(0, at), f.OutGrad(0, at)
	if dx == nil {
		return
	}
	clear(dx)
	steps, outputs, features, filters := f.InShape(0)[0], f.OutShape(0)[0], s.features, s.filters
	work := f.Scratch(at.Worker, features*filters)
	for k := range s.size {
		kernel := f.Param(0)[k*features*filters:][:features*filters]
		for j := range features {
			for i, w := range kernel[j*filters:][:filters] {
				work[i*features+j] = w
			}
		}
		from, to, step := s.reach(k, steps)
		if from == to {
			continue
		}
		for row := range at.Len() {
			up, down := dy[(row*outputs+from)*filters:(row*outputs+to)*filters], dx[(row*steps+step)*features:(row+1)*steps*features]
			simd.GemmNN(to-from, features, filters, up, filters, work, features, down, s.stride*features, true)
		}
	}
}

// gradient is, for each step of the window, the sum over outputs of that step of the input times dy; or the sum of dy for
// the bias.
func (s conv) gradient(f *plan.Frame, i int, g plan.Gradient) {
	if i == 1 {
		dense{units: s.filters}.biasGradient(f, g)
		return
	}
	steps, outputs, features, filters := f.InShape(0)[0], f.OutShape(0)[0], s.features, s.filters
	for k := g.Lo; k < g.Hi; k++ {
		sums := g.Values[k*features*filters:][:features*filters]
		from, to, step := s.reach(k, steps)
		if from == to {
			continue
		}
		f.Shards(func(at plan.Span) {
			x, dy := f.In(0, at), f.OutGrad(0, at)
			for row := range at.Len() {
				up := dy[(row*outputs+from)*filters : (row*outputs+to)*filters]
				simd.GemmTN(features, filters, to-from, x[(row*steps+step)*features:(row+1)*steps*features], s.stride*features, up, filters, sums, filters, true)
			}
		})
	}
}
