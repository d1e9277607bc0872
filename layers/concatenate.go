package layers

import (
	"fmt"
	"slices"

	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/tensor"
)

// Concatenate puts its inputs one after another along one dimension: (batch, 3) and (batch, 5) become (batch, 8). The
// other dimensions must be equal (Keras's Concatenate). It is for models with several inputs or branches.
//
// Masks: along the steps, masks are put one after another like the values, and an input without one counts as a whole.
// Along another dimension a step counts where it counts in any input.
type Concatenate struct {
	Name string
	// Axis is the dimension, counted from the end when negative; -1, the last, by default. It cannot be 0, the batch.
	Axis int
}

var _ plan.NamedLayer = Concatenate{}

// Kind is "Concatenate".
func (Concatenate) Kind() string { return "Concatenate" }

// LayerName is Name.
func (c Concatenate) LayerName() string { return c.Name }

// Build adds the operation, and one for the mask.
func (c Concatenate) Build(b *plan.Builder, in []plan.Symbol) ([]plan.Symbol, error) {
	if len(in) == 0 {
		return nil, fmt.Errorf("Concatenate needs at least 1 input")
	}
	for _, x := range in {
		if err := floats("Concatenate", x.Signature, 2); err != nil {
			return nil, err
		}
	}
	dims := len(in[0].Shape)
	axis := orNumber(c.Axis, -1)
	if axis < 0 {
		axis += dims
	}
	if axis < 1 || axis >= dims {
		return nil, fmt.Errorf("%w: Concatenate's Axis %d is not a dimension after the batch of %v", tensor.ErrShape, c.Axis, in[0].Shape)
	}
	out, err := b.Add(concat{axis: axis, of: tensor.TypeFloat32}.op(), in)
	if err != nil || dims < 3 {
		return out, err
	}
	var mask []plan.Symbol
	if axis == 1 {
		mask, err = concatenatedMasks(b, in)
	} else {
		mask, err = anyMask(b, in)
	}
	if err != nil || mask == nil {
		return out, err
	}
	return out, b.WithMask(out[0], mask[0])
}

// concatenatedMasks puts the masks of the inputs one after another, 1 for each step of an input that has none. It returns
// nil when no input has one.
func concatenatedMasks(b *plan.Builder, in []plan.Symbol) ([]plan.Symbol, error) {
	masked := func(x plan.Symbol) bool {
		_, ok := b.Mask(x)
		return ok
	}
	if !slices.ContainsFunc(in, masked) {
		return nil, nil
	}
	masks := make([]plan.Symbol, len(in))
	for i, x := range in {
		mask, ok := b.Mask(x)
		if !ok {
			ones, err := b.Add(allSteps(), []plan.Symbol{x})
			if err != nil {
				return nil, err
			}
			mask = ones[0]
		}
		masks[i] = mask
	}
	return b.Add(concat{axis: 1, of: tensor.TypeInt32}.op(), masks)
}

// allSteps makes a mask in which all steps of its input count.
func allSteps() plan.Op {
	return plan.Op{
		Outputs: func(in []plan.Signature) ([]plan.Signature, error) {
			return []plan.Signature{{Type: tensor.TypeInt32, Shape: in[0].Shape[:2]}}, nil
		},
		Forward: func(f *plan.Frame, at plan.Span) {
			mask := f.OutIDs(0, at)
			for i := range mask {
				mask[i] = 1
			}
		},
	}
}

// concat puts inputs of one type one after another along an axis.
type concat struct {
	axis int
	of   tensor.Type // float32, or int32 without gradients
}

func (s concat) op() plan.Op {
	op := plan.Op{Form: s, Outputs: s.outputs, Forward: s.forward}
	if s.of == tensor.TypeFloat32 {
		op.Backward = s.backward
	}
	return op
}

func (s concat) outputs(in []plan.Signature) ([]plan.Signature, error) {
	shape := in[0].Shape.Clone()
	for _, x := range in[1:] {
		fits := len(x.Shape) == len(shape)
		for d := 1; fits && d < len(shape); d++ {
			switch {
			case d == s.axis:
				if shape[d] == tensor.Unknown || x.Shape[d] == tensor.Unknown {
					shape[d] = tensor.Unknown
				} else {
					shape[d] += x.Shape[d]
				}
			case shape[d] == tensor.Unknown:
				shape[d] = x.Shape[d]
			default:
				fits = agree(shape[d], x.Shape[d])
			}
		}
		if !fits {
			return nil, fmt.Errorf("%w: Concatenate along dimension %d of %v and %v", tensor.ErrShape, s.axis, in[0].Shape, x.Shape)
		}
	}
	return []plan.Signature{{Type: s.of, Shape: shape}}, nil
}

// inner is how many elements of a row lie together for one place in the dimensions before the axis.
func (s concat) inner(row tensor.Shape) int { return row[s.axis-1:].Size() }

func (s concat) forward(f *plan.Frame, at plan.Span) {
	width, to := s.inner(f.OutShape(0)), 0
	for i := 0; to < width; i++ {
		n := s.inner(f.InShape(i))
		if s.of == tensor.TypeInt32 {
			interleave(f.OutIDs(0, at), to, width, f.InIDs(i, at), n)
		} else {
			interleave(f.Out(0, at), to, width, f.In(i, at), n)
		}
		to += n
	}
}

// interleave copies blocks of n elements to element to and places that are width elements apart.
func interleave[E any](dst []E, to, width int, src []E, n int) {
	for ; len(src) > 0; to, src = to+width, src[n:] {
		copy(dst[to:], src[:n])
	}
}

func (s concat) backward(f *plan.Frame, at plan.Span) {
	width, from := s.inner(f.OutShape(0)), 0
	dy := f.OutGrad(0, at)
	for i := 0; from < width; i++ {
		n := s.inner(f.InShape(i))
		dx := f.InGrad(i, at)
		for row := from; len(dx) > 0; row, dx = row+width, dx[n:] {
			copy(dx[:n], dy[row:])
		}
		from += n
	}
}
