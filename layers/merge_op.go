package layers

import (
	"fmt"
	"slices"

	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/simd"
	"github.com/linnet-ml/linnet/tensor"
)

// The layers Add, Subtract, Average, Multiply, Maximum and Minimum merge several inputs element by element. Shapes are
// aligned at the last dimension; after the batch, a dimension of length 1, or one that is missing, is repeated as often
// as the other inputs need: (batch, 1, 3) and (batch, 2, 1) become (batch, 2, 3).

// merged checks the inputs of such a layer and adds its operation. A step of the output counts where it counts in any
// input, and there is no mask where an input has none.
func merged(b *plan.Builder, layer string, in []plan.Symbol, op plan.Op, reads ...plan.Symbol) ([]plan.Symbol, error) {
	for _, x := range in {
		if err := floats(layer, x.Signature, 1); err != nil {
			return nil, err
		}
	}
	out, err := b.Add(op, slices.Concat(in, reads))
	if err != nil {
		return nil, err
	}
	mask, err := anyMask(b, in)
	if err != nil || mask == nil {
		return out, err
	}
	return out, b.WithMask(out[0], mask[0])
}

// severalInputs refuses a number of inputs that a layer cannot merge.
func severalInputs(layer string, in []plan.Symbol) error {
	if len(in) == 0 {
		return fmt.Errorf("%s needs at least 1 input", layer)
	}
	return nil
}

// mergedOutputs is Outputs of an operation that merges its first n inputs.
func mergedOutputs(n int) func(in []plan.Signature) ([]plan.Signature, error) {
	return func(in []plan.Signature) ([]plan.Signature, error) {
		shape, err := mergedShape(in[:n])
		return []plan.Signature{{Type: tensor.TypeFloat32, Shape: shape}}, err
	}
}

// mergedShape is the shape that inputs are repeated to.
func mergedShape(in []plan.Signature) (tensor.Shape, error) {
	longest := slices.MaxFunc(in, func(a, b plan.Signature) int { return len(a.Shape) - len(b.Shape) }).Shape
	if len(longest) > maxDims {
		return nil, fmt.Errorf("%w: values of %d dimensions are not merged, but of up to %d", tensor.ErrShape, len(longest), maxDims)
	}
	shape := longest.Clone()
	for _, x := range in {
		missing := len(shape) - len(x.Shape)
		for d := 1; d < len(x.Shape); d++ {
			have, want := x.Shape[d], shape[missing+d]
			switch {
			case have == 1 || have == want:
			case want == 1:
				shape[missing+d] = have
			case have == tensor.Unknown || want == tensor.Unknown:
				shape[missing+d] = tensor.Unknown
			default:
				return nil, fmt.Errorf("%w: values of shapes %v and %v cannot be merged element by element", tensor.ErrShape, longest, x.Shape)
			}
		}
	}
	return shape, nil
}

// maxDims bounds the dimensions of values that are merged.
const maxDims = 8

// reach says which element of an input's row meets which element of the output's.
type reach struct {
	same          bool // the same
	dims, strides [maxDims]int
	n             int
}

// reachOf is for an input and an output with rows of these shapes.
func reachOf(in, out tensor.Shape) reach {
	r := reach{n: len(out), same: in.Size() == out.Size()}
	stride := 1
	for d := len(out) - 1; d >= 0; d-- {
		r.dims[d] = out[d]
		if k := d - len(out) + len(in); k >= 0 {
			if in[k] > 1 {
				r.strides[d] = stride
			}
			stride *= in[k]
		}
	}
	return r
}

// at is the element of the input's row for element k of the output's.
func (r *reach) at(k int) int {
	if r.same {
		return k
	}
	at := 0
	for d := r.n - 1; d >= 0; d-- {
		at += k % r.dims[d] * r.strides[d]
		k /= r.dims[d]
	}
	return at
}

// anyMask returns the mask of what joins inputs step by step: a step counts where it counts in any input. An input
// without a mask counts as a whole: then there is no mask, and nil is returned.
func anyMask(b *plan.Builder, in []plan.Symbol) ([]plan.Symbol, error) {
	masks := make([]plan.Symbol, len(in))
	for i, x := range in {
		mask, ok := b.Mask(x)
		if !ok {
			return nil, nil
		}
		masks[i] = mask
	}
	return b.Add(anySteps{len(in)}.op(), masks)
}

// anySteps is 1 where any of so many masks is not 0.
type anySteps struct{ inputs int }

func (s anySteps) op() plan.Op { return plan.Op{Form: s, Outputs: s.outputs, Forward: s.forward} }

func (s anySteps) outputs(in []plan.Signature) ([]plan.Signature, error) {
	shape, err := mergedShape(in)
	return []plan.Signature{{Type: tensor.TypeInt32, Shape: shape}}, err
}

func (s anySteps) forward(f *plan.Frame, at plan.Span) {
	out, width := f.OutIDs(0, at), f.OutWidth(0)
	clear(out)
	for i := range s.inputs {
		mask, n := f.InIDs(i, at), f.InWidth(i)
		for k := range out {
			if mask[k/width*n+k%width%n] != 0 { // n is the width, or 1
				out[k] = 1
			}
		}
	}
}

// weighted is the sum of so many inputs, the later ones times a sign, divided by their number if average is set.
type weighted struct {
	inputs  int
	sign    float32
	average bool
}

func (s weighted) op() plan.Op {
	return plan.Op{Form: s, Outputs: mergedOutputs(s.inputs), Forward: s.forward, Backward: s.backward}
}

func (s weighted) forward(f *plan.Frame, at plan.Span) {
	y, width := f.Out(0, at), f.OutWidth(0)
	for i := range s.inputs {
		x, n := f.In(i, at), f.InWidth(i)
		r := reachOf(f.InShape(i), f.OutShape(0))
		switch {
		case r.same && i == 0:
			copy(y, x)
		case r.same && s.sign > 0:
			simd.Add(y, y, x)
		case r.same:
			simd.Axpy(s.sign, x, y)
		case i == 0:
			for k := range y {
				y[k] = x[k/width*n+r.at(k%width)]
			}
		default:
			for k := range y {
				y[k] += float32(s.sign * x[k/width*n+r.at(k%width)])
			}
		}
	}
	if s.average {
		for k := range y {
			y[k] /= float32(s.inputs)
		}
	}
}

func (s weighted) backward(f *plan.Frame, at plan.Span) {
	dy, width := f.OutGrad(0, at), f.OutWidth(0)
	factor := float32(1)
	if s.average {
		factor /= float32(s.inputs)
	}
	for i := range s.inputs {
		if dx := f.InGrad(i, at); dx != nil {
			n := f.InWidth(i)
			r := reachOf(f.InShape(i), f.OutShape(0))
			if r.same {
				simd.Scale(dx, dy, factor)
			} else {
				clear(dx)
				for k, g := range dy {
					dx[k/width*n+r.at(k%width)] += float32(factor * g)
				}
			}
		}
		if i == 0 {
			factor *= s.sign
		}
	}
}

// valid tells which elements of its inputs an operation uses that leaves out masked steps.
type valid struct {
	inputs int
	masks  []int // for each input, the number of the input that is its mask, or 0
}

// validOf adds the masks of the inputs to what an operation reads.
func validOf(b *plan.Builder, layer string, in []plan.Symbol) (v valid, masks []plan.Symbol, err error) {
	v = valid{inputs: len(in), masks: make([]int, len(in))}
	for i, x := range in {
		mask, ok := b.Mask(x)
		if !ok {
			continue
		}
		if len(x.Shape) < 3 || len(mask.Shape) != 2 || !agree(x.Shape[1], mask.Shape[1]) {
			return v, nil, fmt.Errorf("%w: %s of %v with a mask %v", tensor.ErrShape, layer, x.Shape, mask.Shape)
		}
		v.masks[i] = len(in) + len(masks)
		masks = append(masks, mask)
	}
	return v, masks, nil
}

// all reports whether every input has a mask.
func (v valid) all() bool { return !slices.Contains(v.masks, 0) }

// part is what an operation sees of one input.
type part struct {
	reach
	x, dx     []float32
	mask      []int32 // nil for none
	n, steps  int     // elements and steps of a row
	width     int     // elements of a row of the output
	stepWidth int
}

func (v valid) part(f *plan.Frame, i int, at plan.Span) part {
	p := part{reach: reachOf(f.InShape(i), f.OutShape(0)), x: f.In(i, at), dx: f.InGrad(i, at), n: f.InWidth(i), width: f.OutWidth(0)}
	if v.masks[i] != 0 {
		p.mask, p.steps = f.InIDs(v.masks[i], at), f.InShape(i)[0]
		p.stepWidth = p.n / max(p.steps, 1)
	}
	return p
}

// at is the element of the input that meets element k of the output, and whether it is not masked.
func (p *part) at(k int) (e int, valid bool) {
	row, e := k/p.width, p.reach.at(k%p.width)
	if p.mask != nil && p.mask[row*p.steps+e/p.stepWidth] == 0 {
		return row*p.n + e, false
	}
	return row*p.n + e, true
}

// product multiplies its inputs. Masked elements count as 1, and where all are masked the product is 0.
type product struct{ valid }

func (s product) op() plan.Op {
	return plan.Op{Outputs: mergedOutputs(s.inputs), Forward: s.forward, Backward: s.backward}
}

func (s product) forward(f *plan.Frame, at plan.Span) {
	y := f.Out(0, at)
	for k := range y {
		y[k] = 1
	}
	s.times(f, at, y, -1)
	if !s.all() {
		return
	}
	used := f.Scratch(at.Worker, len(y))
	clear(used)
	for i := range s.inputs {
		p := s.part(f, i, at)
		for k := range used {
			if _, ok := p.at(k); ok {
				used[k] = 1
			}
		}
	}
	for k, u := range used {
		y[k] *= u
	}
}

// times multiplies y by all inputs but one.
func (s product) times(f *plan.Frame, at plan.Span, y []float32, but int) {
	for i := range s.inputs {
		if i == but {
			continue
		}
		p := s.part(f, i, at)
		for k := range y {
			if e, ok := p.at(k); ok {
				y[k] *= p.x[e]
			}
		}
	}
}

func (s product) backward(f *plan.Frame, at plan.Span) {
	dy := f.OutGrad(0, at)
	for i := range s.inputs {
		p := s.part(f, i, at)
		if p.dx == nil {
			continue
		}
		g := f.Scratch(at.Worker, len(dy))
		copy(g, dy)
		s.times(f, at, g, i)
		clear(p.dx)
		for k, d := range g {
			if e, ok := p.at(k); ok {
				p.dx[e] += d
			}
		}
	}
}

// extreme takes the largest of its inputs, or the smallest, of those that are not masked. Where all are masked it is the
// first. It keeps which input that is.
type extreme struct {
	valid
	smallest bool
}

func (s extreme) op() plan.Op {
	return plan.Op{Outputs: mergedOutputs(s.inputs), Saves: s.saves, Forward: s.forward, Backward: s.backward}
}

func (s extreme) saves(in []plan.Signature) []int {
	shape, _ := mergedShape(in[:s.inputs]) // Outputs has checked it
	return []int{shape.Width()}
}

func (s extreme) forward(f *plan.Frame, at plan.Span) {
	const unset = -1
	y, chosen := f.Out(0, at), f.Saved(0, at)
	for i := range s.inputs {
		p := s.part(f, i, at)
		for k := range y {
			e, ok := p.at(k)
			x := p.x[e]
			switch {
			case i == 0:
				y[k], chosen[k] = x, 0
				if !ok {
					chosen[k] = unset
				}
			case ok && (chosen[k] == unset || s.beyond(x, y[k])):
				y[k], chosen[k] = x, float32(i)
			}
		}
	}
	for k, c := range chosen {
		if c == unset {
			chosen[k] = 0
		}
	}
}

// beyond reports whether x takes the place of y. A NaN stays.
func (s extreme) beyond(x, y float32) bool {
	if s.smallest {
		return x < y || x != x
	}
	return x > y || x != x
}

// backward gives the gradient to the input that was chosen: of equal ones the first.
func (s extreme) backward(f *plan.Frame, at plan.Span) {
	dy, chosen := f.OutGrad(0, at), f.Saved(0, at)
	for i := range s.inputs {
		p := s.part(f, i, at)
		if p.dx == nil {
			continue
		}
		clear(p.dx)
		for k, g := range dy {
			if chosen[k] == float32(i) {
				e, _ := p.at(k)
				p.dx[e] += g
			}
		}
	}
}
