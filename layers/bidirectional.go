package layers

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/simd"
	"github.com/linnet-ml/linnet/tensor"
)

// MergeMode says what Bidirectional makes of the outputs of its two layers. The zero value is MergeConcat.
type MergeMode string

// The ways to merge.
const (
	MergeConcat MergeMode = "concat" // one after the other, along the last dimension
	MergeSum    MergeMode = "sum"
	MergeMul    MergeMode = "mul"  // their product, element by element
	MergeAve    MergeMode = "ave"  // their mean
	MergeNone   MergeMode = "none" // both are given out (Keras's None)
)

// Bidirectional reads a sequence twice, with a recurrent layer from the first step to the last and with another from the
// last to the first, and merges what they give out (Keras's Bidirectional; Schuster and Paliwal, 1997). It turns values
// (batch, steps, features) into (batch, 2·units) with MergeConcat, into (batch, units) with another mode, and with the
// layer's ReturnSequences into (batch, steps, 2·units) or (batch, steps, units). Both outputs of a step then are about the
// same step.
//
// Inputs: the values, and optionally the initial states of the forward layer, then those of the backward layer. Outputs: the
// merged output, or with MergeNone both; with the layer's ReturnState followed by the states of the forward layer and those
// of the backward layer.
//
// With ReturnSequences the outputs of masked steps are 0 before they are merged, and the mask passes on.
//
// The layers are named as in Keras: forward_lstm and backward_lstm, or after the name of Layer.
type Bidirectional struct {
	Name string
	// Layer is the forward layer: an LSTM, a GRU or a SimpleRNN. The backward layer has its settings, with parameters of its own.
	Layer plan.Layer
	// Backward, if not nil, is the backward layer. It has GoBackwards, and Layer's ReturnSequences and ReturnState.
	Backward plan.Layer
	// MergeMode is MergeConcat by default.
	MergeMode MergeMode
}

var _ plan.NamedLayer = Bidirectional{}

// recurrentLayer is a layer that Bidirectional can take.
type recurrentLayer interface {
	plan.NamedLayer
	walks() recurrence
	// named returns the layer with another name, direction and output at masked steps.
	named(name string, backwards, zero bool) recurrentLayer
	// build is Build with the outputs in the opposite order of the walk, if flip is set.
	build(b *plan.Builder, in []plan.Symbol, flip bool) ([]plan.Symbol, error)
}

// Kind is "Bidirectional".
func (Bidirectional) Kind() string { return "Bidirectional" }

// LayerName is Name.
func (l Bidirectional) LayerName() string { return l.Name }

// Build adds both layers and the merging of their outputs.
func (l Bidirectional) Build(b *plan.Builder, in []plan.Symbol) ([]plan.Symbol, error) {
	mode := l.MergeMode
	switch mode {
	case "":
		mode = MergeConcat
	case MergeConcat, MergeSum, MergeMul, MergeAve, MergeNone:
	default:
		return nil, fmt.Errorf("MergeMode is %q; there are %q, %q, %q, %q and %q", mode, MergeConcat, MergeSum, MergeMul, MergeAve, MergeNone)
	}
	forward, backward, err := l.layers()
	if err != nil {
		return nil, err
	}
	if len(in) == 0 || len(in)%2 == 0 {
		return nil, fmt.Errorf("Bidirectional takes 1 input, and as many initial states for the forward layer as for the backward layer, not %d inputs", len(in))
	}
	half := len(in) / 2
	first, err := b.Apply(oneWay{forward, false}, append(in[:1:1], in[1:1+half]...)...)
	if err != nil {
		return nil, err
	}
	second, err := b.Apply(oneWay{backward, true}, append(in[:1:1], in[1+half:]...)...)
	if err != nil {
		return nil, err
	}
	states := append(first[1:len(first):len(first)], second[1:]...)
	out := []plan.Symbol{first[0], second[0]}
	if mode == MergeNone {
		return append(out, states...), nil
	}
	if out, err = b.Add(merge{mode}.op(), out); err != nil {
		return nil, err
	}
	if forward.walks().sequences {
		if err := b.PassMask(in[0], out); err != nil {
			return nil, err
		}
	}
	return append(out, states...), nil
}

// layers returns the layers as they are applied.
func (l Bidirectional) layers() (forward, backward recurrentLayer, err error) {
	if forward, err = recurrentOf("Layer", l.Layer); err != nil {
		return nil, nil, err
	}
	name := forward.LayerName()
	if name == "" {
		name = strings.ToLower(forward.Kind())
		if name == "simplernn" {
			name = "simple_rnn"
		}
	}
	walks := forward.walks()
	back := walks
	back.backwards = true
	backward, backName := forward, "backward_"+strings.TrimPrefix(name, "backward_")
	if v := reflect.ValueOf(l.Backward); v.IsValid() {
		if backward, err = recurrentOf("Backward", l.Backward); err != nil {
			return nil, nil, err
		}
		back = backward.walks()
		if n := backward.LayerName(); n != "" {
			backName = n
		}
	}
	switch {
	case walks.backwards == back.backwards:
		return nil, nil, errors.New("one of Bidirectional's layers must have GoBackwards, and the other not")
	case walks.sequences != back.sequences:
		return nil, nil, errors.New("both layers of Bidirectional must have the same ReturnSequences")
	case walks.states != back.states:
		return nil, nil, errors.New("both layers of Bidirectional must have the same ReturnState")
	}
	forward = forward.named("forward_"+strings.TrimPrefix(name, "forward_"), walks.backwards, walks.sequences)
	return forward, backward.named(backName, back.backwards, back.sequences), nil
}

// recurrentOf returns the layer of a setting of the given name, which must be recurrent.
func recurrentOf(setting string, l plan.Layer) (recurrentLayer, error) {
	if v := reflect.ValueOf(l); !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
		return nil, fmt.Errorf("%s of Bidirectional is nil", setting)
	}
	r, ok := l.(recurrentLayer)
	if !ok {
		return nil, fmt.Errorf("%s of Bidirectional is a recurrent layer such as LSTM, not %s", setting, l.Kind())
	}
	return r, nil
}

// oneWay is one of the layers of a Bidirectional.
type oneWay struct {
	recurrentLayer
	flip bool
}

func (l oneWay) Build(b *plan.Builder, in []plan.Symbol) ([]plan.Symbol, error) {
	return l.build(b, in, l.flip)
}

// merge makes one value of two.
type merge struct{ mode MergeMode }

func (s merge) op() plan.Op {
	return plan.Op{Form: s, Outputs: s.outputs, Forward: s.forward, Backward: s.backward}
}

func (s merge) outputs(in []plan.Signature) ([]plan.Signature, error) {
	if s.mode != MergeConcat {
		if !in[0].Shape.Equal(in[1].Shape) {
			return nil, fmt.Errorf("%w: Bidirectional cannot merge %v and %v by %q", tensor.ErrShape, in[0].Shape, in[1].Shape, s.mode)
		}
		return in[:1:1], nil
	}
	shape := in[0].Shape.Clone()
	shape[len(shape)-1] += last(in[1].Shape)
	return []plan.Signature{{Type: tensor.TypeFloat32, Shape: shape}}, nil
}

func (s merge) forward(f *plan.Frame, at plan.Span) {
	x, y, out := f.In(0, at), f.In(1, at), f.Out(0, at)
	switch s.mode {
	case MergeSum:
		simd.Add(out, x, y)
	case MergeAve:
		simd.Add(out, x, y)
		simd.Scale(out, out, 0.5)
	case MergeMul:
		simd.Mul(out, x, y)
	default:
		m, n := last(f.InShape(0)), last(f.InShape(1))
		for len(out) > 0 {
			copy(out, x[:m])
			copy(out[m:], y[:n])
			x, y, out = x[m:], y[n:], out[m+n:]
		}
	}
}

func (s merge) backward(f *plan.Frame, at plan.Span) {
	s.inputGradient(f, at, 0)
	s.inputGradient(f, at, 1)
}

// inputGradient computes the gradient of one of the two inputs.
func (s merge) inputGradient(f *plan.Frame, at plan.Span, i int) {
	dx, dy := f.InGrad(i, at), f.OutGrad(0, at)
	if dx == nil {
		return
	}
	switch s.mode {
	case MergeSum:
		copy(dx, dy)
	case MergeAve:
		simd.Scale(dx, dy, 0.5)
	case MergeMul:
		simd.Mul(dx, dy, f.In(1-i, at))
	default:
		from, n, width := 0, last(f.InShape(i)), last(f.OutShape(0))
		if i == 1 {
			from = width - n
		}
		for ; len(dx) > 0; dx, dy = dx[n:], dy[width:] {
			copy(dx[:n], dy[from:from+n])
		}
	}
}
