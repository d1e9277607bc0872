package layers

import (
	"fmt"
	"math"

	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/simd"
	"github.com/linnet-ml/linnet/tensor"
)

// GlobalAveragePooling1D averages over the steps: (batch, steps, features) to (batch, features) (Keras's
// GlobalAveragePooling1D).
//
// Without a mask all steps count, padding too. With a mask only unmasked steps count, and the mask ends here. A row of
// which every step is masked gives 0, where Keras gives NaN (keras#18152).
//
// An Embedding directly before it is fused with it: see nn.FitOptions.NoFusion.
type GlobalAveragePooling1D struct {
	Name string
	// KeepDims keeps the dimension of the steps, with length 1.
	KeepDims bool
	// ChannelsFirst says that the input is (batch, features, steps) (Keras's data_format "channels_first").
	ChannelsFirst bool
}

var _ plan.NamedLayer = GlobalAveragePooling1D{}

// Kind is "GlobalAveragePooling1D".
func (GlobalAveragePooling1D) Kind() string { return "GlobalAveragePooling1D" }

// LayerName is Name.
func (p GlobalAveragePooling1D) LayerName() string { return p.Name }

// Build adds the average, over unmasked steps if the input has a mask.
func (p GlobalAveragePooling1D) Build(b *plan.Builder, in []plan.Symbol) ([]plan.Symbol, error) {
	return average{keepDims: p.KeepDims, channelsFirst: p.ChannelsFirst}.build(b, in)
}

// build adds the operation, with the mask of its input.
func (s average) build(b *plan.Builder, in []plan.Symbol) ([]plan.Symbol, error) {
	x, err := single(in)
	if err != nil {
		return nil, err
	}
	if mask, ok := b.Mask(x); ok {
		s.masked = true
		return b.Add(s.op(), []plan.Symbol{x, mask})
	}
	return b.Add(s.op(), in)
}

// divisor says what a sum over steps is divided by.
type divisor uint8

const (
	byCount divisor = iota // the number of steps that count: the mean
	byRoot                 // the square root of that
	byOne                  // nothing: the sum
)

// of returns the divisor for a number of steps.
func (d divisor) of(n int) float32 {
	switch d {
	case byRoot:
		return float32(math.Sqrt(float64(n)))
	case byOne:
		return 1
	}
	return float32(n)
}

// average is a sum over steps, divided. Input 1, if masked, says which steps count.
type average struct {
	by                              divisor
	masked, keepDims, channelsFirst bool
}

func (s average) op() plan.Op {
	return plan.Op{Form: s, Outputs: s.outputs, Forward: s.forward, Backward: s.backward}
}

// pooled is the shape that pooling over all steps leaves.
func pooled(rows tensor.Shape, features int, keepDims bool) tensor.Shape {
	if keepDims {
		return tensor.Shape{rows[0], 1, features}
	}
	return tensor.Shape{rows[0], features}
}

// layer is the class name of the layer, for error messages.
func (s average) layer() string {
	if s.by == byCount {
		return "GlobalAveragePooling1D"
	}
	return "GlobalSumPooling1D"
}

// steps3D refuses an input that is not (batch, steps, features) or the like.
func steps3D(layer string, in plan.Signature) error {
	if err := floats(layer, in, 1); err != nil {
		return err
	}
	if len(in.Shape) != 3 {
		return fmt.Errorf("%w: %s reads values (batch, steps, features), not %v", tensor.ErrShape, layer, in.Shape)
	}
	return nil
}

func (s average) outputs(in []plan.Signature) ([]plan.Signature, error) {
	if err := steps3D(s.layer(), in[0]); err != nil {
		return nil, err
	}
	x := in[0].Shape
	if s.masked {
		steps, mask := x[1], in[1].Shape
		if s.channelsFirst {
			steps = x[2]
		}
		if len(mask) != 2 || (mask[1] != steps && mask[1] != tensor.Unknown && steps != tensor.Unknown) {
			return nil, fmt.Errorf("%w: %s over %d steps of %v with a mask %v", tensor.ErrShape, s.layer(), steps, x, mask)
		}
	}
	if !s.channelsFirst {
		return []plan.Signature{{Type: tensor.TypeFloat32, Shape: pooled(x[:1], x[2], s.keepDims)}}, nil
	}
	shape := tensor.Shape{x[0], x[1]}
	if s.keepDims {
		shape = append(shape, 1)
	}
	return []plan.Signature{{Type: tensor.TypeFloat32, Shape: shape}}, nil
}

// sizes are the steps and features of a row, and the strides from one to the next of each.
func (s average) sizes(f *plan.Frame) (steps, features, step, feature int) {
	row := f.InShape(0)
	if s.channelsFirst {
		return row[1], row[0], 1, row[1]
	}
	return row[0], row[1], row[1], 1
}

func (s average) forward(f *plan.Frame, at plan.Span) {
	steps, _, step, feature := s.sizes(f)
	for i := at.Lo; i < at.Hi; i++ {
		x, y := f.In(0, rowSpan(i)), f.Out(0, rowSpan(i))
		if !s.masked && !s.channelsFirst {
			simd.MeanRows(y, x, s.by.of(steps))
			continue
		}
		clear(y)
		n := 0
		mask := s.mask(f, i)
		for t := range steps {
			if !counts(mask, t) {
				continue
			}
			n++
			for j := range y {
				y[j] += x[t*step+j*feature]
			}
		}
		if n > 0 {
			for j := range y {
				y[j] /= s.by.of(n)
			}
		}
	}
}

func (s average) backward(f *plan.Frame, at plan.Span) {
	if f.InGrad(0, at) == nil {
		return
	}
	steps, features, step, feature := s.sizes(f)
	share := f.Scratch(at.Worker, features)
	for i := at.Lo; i < at.Hi; i++ {
		dx, mask := f.InGrad(0, rowSpan(i)), s.mask(f, i)
		n := 0
		for t := range steps {
			if counts(mask, t) {
				n++
			}
		}
		if n == 0 {
			clear(dx)
			continue
		}
		simd.Scale(share, f.OutGrad(0, rowSpan(i)), 1/s.by.of(n))
		for t := range steps {
			counted := counts(mask, t)
			for j, g := range share {
				if !counted {
					g = 0
				}
				dx[t*step+j*feature] = g
			}
		}
	}
}

// mask returns which steps of row i count, or nil for all.
func (s average) mask(f *plan.Frame, i int) []int32 {
	if !s.masked {
		return nil
	}
	return f.InIDs(1, rowSpan(i))
}

// counts reports whether step t is one to average over.
func counts(mask []int32, t int) bool { return mask == nil || mask[t] != 0 }
