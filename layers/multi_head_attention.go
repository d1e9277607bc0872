package layers

import (
	"errors"
	"fmt"
	"math"

	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/simd"
	"github.com/linnet-ml/linnet/tensor"
)

// MultiHeadAttention lets every step of a sequence, the query, collect what it needs from the steps of another sequence,
// or of the same one (Keras's MultiHeadAttention; Vaswani et al., 2017). Each of NumHeads heads compares the query's step
// with the key of every step and turns the comparisons into weights that sum to 1. The step gets the average of the values
// under these weights:
//
//	weights = softmax(query·keyᵀ/√KeyDim)
//	context = weights·value
//
// where query, key and value are the inputs, each times a kernel and plus a bias of its own. The contexts of all heads,
// times a last kernel, are the output.
//
// Inputs: the query (batch, steps, features); the value (batch, value steps, value features); and the key (batch, value
// steps, key features). The key is the value where it is not given, and one input alone is all three: self-attention.
// Outputs: (batch, steps, OutputShape) and, with ReturnAttentionScores, the weights (batch, NumHeads, steps, value steps).
//
// Masks: steps that the mask of the value or of the key leaves out get the weight 0. A step of the query that its own mask
// leaves out, or for which no step of the value is left, gives all steps of the value the same weight; with Dropout or
// ReturnAttentionScores it gives all of them the weight 0, outside training too (both as in Keras). The query's mask is the
// mask of the output; the weights that are given out have none.
//
// Parameters: query/kernel (features, NumHeads, KeyDim), key/kernel (key features, NumHeads, KeyDim), value/kernel (value
// features, NumHeads, ValueDim) and attention_output/kernel (NumHeads, ValueDim, OutputShape). Unless NoBias: query/bias and
// key/bias (NumHeads, KeyDim), value/bias (NumHeads, ValueDim) and attention_output/bias (OutputShape,).
type MultiHeadAttention struct {
	Name string
	// NumHeads is the number of heads, and KeyDim how many numbers a head compares for each pair of steps.
	NumHeads, KeyDim int
	// ValueDim is how many numbers a head collects. The default is KeyDim.
	ValueDim int
	// Dropout is the part of the weights that is set to 0 in training, from 0 to below 1. The others are scaled by
	// 1/(1-Dropout).
	Dropout float32
	// NoBias leaves all biases out.
	NoBias bool
	// OutputShape is how many numbers the output has for each step. The default is the number of the query's features.
	OutputShape int
	// UseCausalMask keeps step i from what comes later: it collects from the steps 0 to i of the value alone.
	UseCausalMask bool
	// ReturnAttentionScores gives the weights out as a second output, as they are before dropout.
	ReturnAttentionScores bool
	// KernelInit and BiasInit give the parameters their first values. The defaults are GlorotUniform and Zeros.
	KernelInit, BiasInit plan.Initializer
	// KernelRegularizer and BiasRegularizer add to the loss. The default is to add nothing.
	KernelRegularizer, BiasRegularizer plan.Regularizer
	// KernelConstraint and BiasConstraint change the parameters after each step. The default is to change nothing.
	KernelConstraint, BiasConstraint plan.Constraint
}

var _ plan.NamedLayer = MultiHeadAttention{}

// Kind is "MultiHeadAttention".
func (MultiHeadAttention) Kind() string { return "MultiHeadAttention" }

// LayerName is Name.
func (l MultiHeadAttention) LayerName() string { return l.Name }

// Build adds the four products with the kernels and, between them, the attention.
func (l MultiHeadAttention) Build(b *plan.Builder, in []plan.Symbol) ([]plan.Symbol, error) {
	if err := l.check(in); err != nil {
		return nil, err
	}
	query, value, key := in[0], in[0], in[0]
	if len(in) > 1 {
		value, key = in[1], in[1]
	}
	if len(in) > 2 {
		key = in[2]
	}
	valueDim := orNumber(l.ValueDim, l.KeyDim)
	a := attention{heads: l.NumHeads, keyDim: l.KeyDim, valueDim: valueDim, rate: l.Dropout, causal: l.UseCausalMask, scores: l.ReturnAttentionScores}
	var reads []plan.Symbol
	for _, p := range []struct {
		name string
		of   plan.Symbol
		dim  int
	}{{"query", query, l.KeyDim}, {"key", key, l.KeyDim}, {"value", value, valueDim}} {
		from := last(p.of.Shape)
		out, err := b.Apply(l.projection(p.name, tensor.Shape{from, l.NumHeads, p.dim}, 1), p.of)
		if err != nil {
			return nil, err
		}
		reads = append(reads, out[0])
	}
	for i, x := range []plan.Symbol{query, value, key} {
		mask, ok := b.Mask(x)
		if !ok || i == 2 && len(in) < 3 {
			continue // the key is the value, and so is its mask
		}
		reads = append(reads, mask)
		a.masks[i] = len(reads) - 1
	}
	out, err := b.Add(a.op(), reads)
	if err != nil {
		return nil, err
	}
	to := orNumber(l.OutputShape, last(query.Shape))
	y, err := b.Apply(l.projection("attention_output", tensor.Shape{l.NumHeads, valueDim, to}, 2), out[0])
	if err != nil {
		return nil, err
	}
	out[0] = y[0]
	return out, b.PassMask(query, out[:1])
}

// check refuses settings out of range, and inputs that do not fit.
func (l MultiHeadAttention) check(in []plan.Symbol) error {
	switch {
	case l.NumHeads < 1:
		return fmt.Errorf("NumHeads is %d; MultiHeadAttention needs at least 1 head", l.NumHeads)
	case l.KeyDim < 1:
		return fmt.Errorf("KeyDim is %d; it must be at least 1", l.KeyDim)
	case l.ValueDim < 0:
		return fmt.Errorf("ValueDim is %d; it must be at least 1, or 0 for KeyDim", l.ValueDim)
	case l.OutputShape < 0:
		return fmt.Errorf("OutputShape is %d; it must be at least 1, or 0 for the number of the query's features", l.OutputShape)
	case len(in) < 1 || len(in) > 3:
		return fmt.Errorf("MultiHeadAttention takes 1 to 3 inputs, query, value and key, not %d", len(in))
	}
	if err := checkRate("Dropout", l.Dropout); err != nil {
		return err
	}
	for _, x := range in {
		if err := steps3D("MultiHeadAttention", x.Signature); err != nil {
			return err
		}
		if last(x.Shape) == tensor.Unknown {
			return fmt.Errorf("%w: MultiHeadAttention needs to know the last dimension of %v", tensor.ErrShape, x.Shape)
		}
	}
	if len(in) == 3 && !agree(in[1].Shape[1], in[2].Shape[1]) {
		return fmt.Errorf("%w: the value %v and the key %v of MultiHeadAttention differ in their steps", tensor.ErrShape, in[1].Shape, in[2].Shape)
	}
	return nil
}

// projection is a product with a kernel of the given shape, whose first dimensions, as many as inner, are summed over.
func (l MultiHeadAttention) projection(name string, kernel tensor.Shape, inner int) projection {
	return projection{layer: l, name: name, kernel: [3]int(kernel), inner: inner}
}

// projection is the layer within a MultiHeadAttention that has one of its kernels, and perhaps the bias. It is a Dense of
// which the dimensions of heads are written as one.
type projection struct {
	layer  MultiHeadAttention
	name   string
	kernel [3]int
	inner  int
}

// Kind is Keras's name for such a layer.
func (projection) Kind() string { return "EinsumDense" }

func (p projection) LayerName() string { return p.name }

// Build adds the parameters and the product.
func (p projection) Build(b *plan.Builder, in []plan.Symbol) ([]plan.Symbol, error) {
	l, shape := p.layer, tensor.Shape(p.kernel[:])
	kernel, err := b.Parameter(plan.ParameterOptions{Name: "kernel", Shape: shape,
		Init: or(l.KernelInit, GlorotUniform{}), Regularizer: l.KernelRegularizer, Constraint: l.KernelConstraint})
	if err != nil {
		return nil, err
	}
	params := []plan.ParameterRef{kernel}
	if !l.NoBias {
		bias, err := b.Parameter(plan.ParameterOptions{Name: "bias", Shape: shape[p.inner:],
			Init: l.BiasInit, Regularizer: l.BiasRegularizer, Constraint: l.BiasConstraint})
		if err != nil {
			return nil, err
		}
		params = append(params, bias)
	}
	s := project{dense: dense{features: shape[:p.inner].Size(), units: shape[p.inner:].Size(), bias: !l.NoBias}}
	s.kernelRow, s.biasRow = shape[1:p.inner].Size(), shape[p.inner+1:].Size()
	return b.Add(s.op(), in, params...)
}

// project is dense with parameters of more dimensions: a row of the kernel is several of dense's rows, and a row of the bias
// several of its elements.
type project struct {
	dense
	kernelRow, biasRow int
}

func (s project) op() plan.Op {
	return plan.Op{Form: s, Outputs: s.outputs, Forward: s.forward, Backward: s.backward, Gradient: s.gradient}
}

func (s project) gradient(f *plan.Frame, i int, g plan.Gradient) {
	row := s.kernelRow
	if i == 1 {
		row = s.biasRow
	}
	g.Lo, g.Hi = g.Lo*row, g.Hi*row
	s.dense.gradient(f, i, g)
}

// attention is what the heads do. It reads the query (batch, steps, heads·keyDim), the key (batch, value steps,
// heads·keyDim), the value (batch, value steps, heads·valueDim) and masks, and makes the context (batch, steps,
// heads·valueDim). The weights (heads, steps, value steps) of each row are the second output, or are saved.
type attention struct {
	heads, keyDim, valueDim int
	rate                    float32 // of dropout
	causal, scores          bool
	masks                   [3]int // the inputs that are the masks of query, value and key, or 0
}

func (s attention) op() plan.Op {
	return plan.Op{Form: s, Outputs: s.outputs, Saves: s.saves, Forward: s.forward, Backward: s.backward}
}

func (s attention) outputs(in []plan.Signature) ([]plan.Signature, error) {
	query, key, value := in[0].Shape, in[1].Shape, in[2].Shape
	if !agree(key[1], value[1]) {
		return nil, fmt.Errorf("%w: MultiHeadAttention with %d steps of keys and %d of values", tensor.ErrShape, key[1], value[1])
	}
	for i, of := range []tensor.Shape{query, value, key} {
		if m := s.masks[i]; m != 0 && (len(in[m].Shape) != 2 || !agree(in[m].Shape[1], of[1])) {
			return nil, fmt.Errorf("%w: MultiHeadAttention over %d steps with a mask %v", tensor.ErrShape, of[1], in[m].Shape)
		}
	}
	if last(query) != s.heads*s.keyDim || last(key) != s.heads*s.keyDim || last(value) != s.heads*s.valueDim {
		return nil, errors.New("MultiHeadAttention was built for other features")
	}
	out := []plan.Signature{{Type: tensor.TypeFloat32, Shape: tensor.Shape{query[0], query[1], s.heads * s.valueDim}}}
	if s.scores {
		out = append(out, plan.Signature{Type: tensor.TypeFloat32, Shape: tensor.Shape{query[0], s.heads, query[1], key[1]}})
	}
	return out, nil
}

// saves are the weights, unless they are an output, and the weights after dropout, if there is any.
func (s attention) saves(in []plan.Signature) []int {
	n := s.heads * in[0].Shape[1] * in[1].Shape[1]
	saves := []int{n, n}
	if s.scores {
		saves[0] = 0
	}
	if s.rate == 0 {
		saves[1] = 0
	}
	return saves
}

// weights are those of a row: of all heads, before dropout and after it.
func (s attention) weights(f *plan.Frame, row plan.Span) (before, after []float32) {
	if s.scores {
		before = f.Out(1, row)
	} else {
		before = f.Saved(0, row)
	}
	if s.drops(f) {
		return before, f.Saved(1, row)
	}
	return before, before
}

func (s attention) drops(f *plan.Frame) bool { return s.rate > 0 && f.Training() }

// scale is what the products of queries and keys are multiplied by.
func (s attention) scale() float32 { return float32(1 / math.Sqrt(float64(s.keyDim))) }

// hidden is the comparison with a step that is left out, far below all others.
const hidden = -0.7 * 3.38953e38

// allowed says which steps a row's queries may collect from.
type allowed struct {
	query, value, key []int32 // the row's masks, or nil
	causal            bool
	steps, first      int // how many steps the value has, and the first that its masks leave, or steps
}

func (s attention) allowed(f *plan.Frame, row plan.Span) allowed {
	a := allowed{causal: s.causal, steps: f.InShape(1)[0]}
	for i, mask := range []*[]int32{&a.query, &a.value, &a.key} {
		if s.masks[i] != 0 {
			*mask = f.InIDs(s.masks[i], row)
		}
	}
	for a.first < a.steps && !a.at(a.first) {
		a.first++
	}
	return a
}

// at reports whether the masks leave a step of the value.
func (a *allowed) at(step int) bool {
	return (a.value == nil || a.value[step] != 0) && (a.key == nil || a.key[step] != 0)
}

// none reports whether query t may collect from no step at all.
func (a *allowed) none(t int) bool {
	return a.query != nil && a.query[t] == 0 || a.first == a.steps || a.causal && t < a.first
}

// hide changes query t's comparisons with the steps that it may not collect from.
func (a *allowed) hide(t int, with []float32) {
	if a.value != nil || a.key != nil {
		for step := range with {
			if !a.at(step) {
				with[step] = hidden
			}
		}
	}
	if a.causal {
		for step := t + 1; step < len(with); step++ {
			with[step] = hidden
		}
	}
}

func (s attention) forward(f *plan.Frame, at plan.Span) {
	steps, others := f.InShape(0)[0], f.InShape(1)[0]
	n, keys, values := steps*others, s.heads*s.keyDim, s.heads*s.valueDim
	if n == 0 {
		clear(f.Out(0, at))
		return
	}
	drops := s.drops(f)
	var random plan.Random
	if drops {
		random = f.Random()
	}
	work := f.Scratch(at.Worker, simd.GemmWork(others, s.keyDim))
	for r := at.Lo; r < at.Hi; r++ {
		row := rowSpan(r)
		q, k, v, y := f.In(0, row), f.In(1, row), f.In(2, row), f.Out(0, row)
		before, after := s.weights(f, row)
		allowed := s.allowed(f, row)
		for h := range s.heads {
			w := before[h*n : (h+1)*n]
			simd.GemmNT(steps, others, s.keyDim, q[h*s.keyDim:], keys, k[h*s.keyDim:], keys, w, others, false, work)
			simd.Scale(w, w, s.scale())
			for t := range steps {
				with := w[t*others : (t+1)*others]
				if allowed.none(t) {
					s.fillWeights(with)
					continue
				}
				allowed.hide(t, with)
				simd.Softmax(with, with)
			}
		}
		if drops {
			drawKept(after, random, uint64(r)*uint64(len(after)), s.rate)
			simd.Mul(after, after, before)
		}
		for h := range s.heads {
			simd.GemmNN(steps, s.valueDim, others, after[h*n:], others, v[h*s.valueDim:], values, y[h*s.valueDim:], values, false)
		}
	}
}

// fillWeights sets the weights of a step that may collect from no step. Keras computes them in two ways, depending on these
// settings.
func (s attention) fillWeights(weights []float32) {
	weight := 1 / float32(len(weights))
	if s.rate > 0 || s.scores {
		weight = 0
	}
	for i := range weights {
		weights[i] = weight
	}
}

func (s attention) backward(f *plan.Frame, at plan.Span) {
	steps, others := f.InShape(0)[0], f.InShape(1)[0]
	n, keys, values := steps*others, s.heads*s.keyDim, s.heads*s.valueDim
	if n == 0 {
		for i := range 3 {
			clear(f.InGrad(i, at))
		}
		return
	}
	scratch := f.Scratch(at.Worker, n+simd.GemmWork(others, s.valueDim))
	d, work := scratch[:n], scratch[n:]
	for r := at.Lo; r < at.Hi; r++ {
		row := rowSpan(r)
		q, k, v, dy := f.In(0, row), f.In(1, row), f.In(2, row), f.OutGrad(0, row)
		dq, dk, dv := f.InGrad(0, row), f.InGrad(1, row), f.InGrad(2, row)
		before, after := s.weights(f, row)
		allowed := s.allowed(f, row)
		for h := range s.heads {
			if dv != nil {
				simd.GemmTN(others, s.valueDim, steps, after[h*n:], others, dy[h*s.valueDim:], values, dv[h*s.valueDim:], values, false)
			}
			if dq == nil && dk == nil {
				continue
			}
			simd.GemmNT(steps, others, s.valueDim, dy[h*s.valueDim:], values, v[h*s.valueDim:], values, d, others, false, work)
			w := before[h*n : (h+1)*n]
			if s.drops(f) {
				s.dropGradient(d, after[h*n:])
			}
			if s.scores {
				simd.Add(d, d, f.OutGrad(1, row)[h*n:(h+1)*n])
			}
			for t := range steps {
				to := d[t*others : (t+1)*others]
				if allowed.none(t) {
					clear(to)
					continue
				}
				simd.SoftmaxGrad(to, to, w[t*others:(t+1)*others])
			}
			simd.Scale(d, d, s.scale())
			if dq != nil {
				simd.GemmNN(steps, s.keyDim, others, d, others, k[h*s.keyDim:], keys, dq[h*s.keyDim:], keys, false)
			}
			if dk != nil {
				simd.GemmTN(others, s.keyDim, steps, d, others, q[h*s.keyDim:], keys, dk[h*s.keyDim:], keys, false)
			}
		}
	}
}

// dropGradient turns the gradient of weights after dropout into that of the weights before. A weight of 0 counts as
// dropped: its gradient is multiplied by it.
func (s attention) dropGradient(d, after []float32) {
	scale := 1 / (1 - s.rate)
	for i := range d {
		if after[i] == 0 {
			d[i] = 0
		} else {
			d[i] *= scale
		}
	}
}
