package layers_test

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optional"
	"github.com/linnet-ml/linnet/tensor"
)

// planOf builds a layer for inputs of the given signatures. Those of type int32 are masks of the float32 inputs in order;
// of 1 step is no mask.
func planOf(t testing.TB, l plan.Layer, in ...plan.Signature) (*plan.Plan, []plan.Symbol, error) {
	t.Helper()
	b := plan.NewBuilder(t.Context(), plan.BuilderOptions{Seed: 1})
	var values []plan.Symbol
	masks := 0
	for _, s := range in {
		v := b.Input(s)
		if s.Type == tensor.TypeInt32 {
			must(t, b.WithMask(values[masks], v))
			masks++
			continue
		}
		values = append(values, v)
	}
	out, err := b.Apply(l, values...)
	if err != nil {
		return nil, nil, err
	}
	p, err := b.Finish(out...)
	return p, out, err
}

// float32s is the signature of a float32 value with rows of the given shape.
func float32s(row ...int) plan.Signature {
	return plan.Signature{Type: tensor.TypeFloat32, Shape: append(tensor.Shape{tensor.Unknown}, row...)}
}

// maskOf is the signature of a mask of so many steps.
func maskOf(steps int) plan.Signature {
	return plan.Signature{Type: tensor.TypeInt32, Shape: tensor.Shape{tensor.Unknown, steps}}
}

// Shapes and parameters are Keras's, also where the number of steps is not known yet. A plan that was built for any
// length gives the shapes of one that was built for a length.
func TestPlans(t *testing.T) {
	const any = tensor.Unknown
	norm := "batch_normalization/%s (3,)"
	moving := " batch_normalization/moving_mean (3,) not trainable batch_normalization/moving_variance (3,) not trainable"
	in := func(s ...plan.Signature) []plan.Signature { return s }
	for _, c := range []struct {
		l      plan.Layer
		in     []plan.Signature
		out    string
		masked bool
		params string
	}{
		{layers.BatchNormalization{}, in(float32s(3)), "(None, 3)", false, fmt.Sprintf(norm+" "+norm, "gamma", "beta") + moving},
		{layers.BatchNormalization{NoScale: true}, in(float32s(any, 3), maskOf(any)), "(None, None, 3)", true, fmt.Sprintf(norm, "beta") + moving},
		{layers.BatchNormalization{NoCenter: true}, in(float32s(4, 3)), "(None, 4, 3)", false, fmt.Sprintf(norm, "gamma") + moving},
		{layers.BatchNormalization{Frozen: true}, in(float32s(3)), "(None, 3)", false, fmt.Sprintf(norm+" not trainable "+norm+" not trainable", "gamma", "beta") + moving},
		{layers.LayerNormalization{}, in(float32s(any, 3), maskOf(any)), "(None, None, 3)", true, "layer_normalization/gamma (3,) layer_normalization/beta (3,)"},
		{layers.LayerNormalization{FirstAxis: -2, NoCenter: true}, in(float32s(4, 3)), "(None, 4, 3)", false, "layer_normalization/gamma (4, 3)"},
		{layers.LayerNormalization{FirstAxis: 1, NoScale: true}, in(float32s(4, 3)), "(None, 4, 3)", false, "layer_normalization/beta (4, 3)"},
		{layers.Concatenate{}, in(float32s(3), float32s(4)), "(None, 7)", false, ""},
		{layers.Concatenate{}, in(float32s(any, 3), float32s(5, 4)), "(None, 5, 7)", false, ""},
		{layers.Concatenate{}, in(float32s(5, 3), float32s(5, 4), maskOf(5)), "(None, 5, 7)", false, ""},
		{layers.Concatenate{}, in(float32s(5, 3), float32s(5, 4), maskOf(5), maskOf(5)), "(None, 5, 7)", true, ""},
		{layers.Concatenate{Axis: 1}, in(float32s(any, 3), float32s(5, 3)), "(None, None, 3)", false, ""},
		{layers.Concatenate{Axis: 1}, in(float32s(2, 3), float32s(5, 3), maskOf(2)), "(None, 7, 3)", true, ""},
		{layers.Concatenate{Axis: -2}, in(float32s(2, 3), float32s(5, 3)), "(None, 7, 3)", false, ""},
		{layers.Add{}, in(float32s(1, 3), float32s(2, 1)), "(None, 2, 3)", false, ""},
		{layers.Add{}, in(float32s(3), float32s(2, 3)), "(None, 2, 3)", false, ""},
		{layers.Add{}, in(float32s(any, 3), float32s(any, 3), maskOf(any)), "(None, None, 3)", false, ""},
		{layers.Add{}, in(float32s(any, 3), float32s(any, 3), maskOf(any), maskOf(any)), "(None, None, 3)", true, ""},
		{layers.Add{}, in(float32s(any, 3), float32s(1, 1)), "(None, None, 3)", false, ""},
		{layers.Multiply{}, in(float32s(4, 3), float32s(4, 3), maskOf(4), maskOf(4)), "(None, 4, 3)", true, ""},
		{layers.Maximum{}, in(float32s(4, 3), float32s(4, 3), maskOf(4)), "(None, 4, 3)", false, ""},
		{layers.Conv1D{Filters: 6, KernelSize: 3}, in(float32s(8, 2)), "(None, 6, 6)", false, "conv1d/kernel (3, 2, 6) conv1d/bias (6,)"},
		{layers.Conv1D{Filters: 6, KernelSize: 3, NoBias: true}, in(float32s(any, 2), maskOf(any)), "(None, None, 6)", false, "conv1d/kernel (3, 2, 6)"},
		{layers.Conv1D{Filters: 1, KernelSize: 3, Padding: layers.Same, Strides: 3}, in(float32s(8, 2)), "(None, 3, 1)", false, "conv1d/kernel (3, 2, 1) conv1d/bias (1,)"},
		{layers.Conv1D{Filters: 1, KernelSize: 3, Padding: layers.Causal, Dilation: 4}, in(float32s(8, 2)), "(None, 8, 1)", false, "conv1d/kernel (3, 2, 1) conv1d/bias (1,)"},
		{layers.TimeDistributed{Layer: layers.Dense{Units: 4}}, in(float32s(any, 3), maskOf(any)), "(None, None, 4)", true, "time_distributed/dense/kernel (3, 4) time_distributed/dense/bias (4,)"},
		{layers.TimeDistributed{Layer: layers.BatchNormalization{Frozen: true, NoScale: true, NoCenter: true}}, in(float32s(5, 3)), "(None, 5, 3)", false,
			"time_distributed/batch_normalization/moving_mean (3,) not trainable time_distributed/batch_normalization/moving_variance (3,) not trainable"},
	} {
		p, out, err := planOf(t, c.l, c.in...)
		if err != nil {
			t.Errorf("%+v: %v", c.l, err)
			continue
		}
		params := ""
		for i, q := range p.Params {
			if i > 0 {
				params += " "
			}
			params += fmt.Sprint(q.Name(), " ", q.Shape())
			if !q.Trainable() {
				params += " not trainable"
			}
		}
		if got := out[0].Shape.String(); got != c.out || params != c.params || (p.Masks[0] >= 0) != c.masked {
			t.Errorf("%+v: %s with %s, mask %v; want %s with %s", c.l, got, params, p.Masks[0] >= 0, c.out, c.params)
		}
		known := make([]plan.Signature, len(c.in))
		for i, s := range c.in {
			known[i] = plan.Signature{Type: s.Type, Shape: s.Shape.Clone()}
			for d := range s.Shape {
				if s.Shape[d] == any {
					known[i].Shape[d] = 5
				}
			}
		}
		all, _, err := p.Signatures(known)
		if err != nil {
			t.Errorf("%+v: %v", c.l, err)
			continue
		}
		_, want, err := planOf(t, c.l, known...)
		if got := all[p.Outputs[0]].Shape[1:]; err != nil || !got.Equal(want[0].Shape[1:]) {
			t.Errorf("%+v of 5 steps: %v, want %v (%v)", c.l, got, want, err)
		}
	}
}

// What does not fit is an error that says why.
func TestPlansThatDoNotFit(t *testing.T) {
	const any = tensor.Unknown
	in := func(s ...plan.Signature) []plan.Signature { return s }
	two := in(float32s(4), float32s(4))
	for _, c := range []struct {
		l    plan.Layer
		in   []plan.Signature
		want string
	}{
		{layers.BatchNormalization{}, two, "it takes one input, not 2"},
		{layers.BatchNormalization{}, in(float32s()), "shape does not fit: BatchNormalization reads values of at least 2 dimensions, not (None,)"},
		{layers.BatchNormalization{}, in(float32s(4, any)), "shape does not fit: BatchNormalization needs to know the last dimension of (None, 4, None)"},
		{layers.BatchNormalization{Momentum: optional.Of(1.5)}, in(float32s(4)), "BatchNormalization's Momentum 1.5 is not from 0 to 1"},
		{layers.BatchNormalization{Momentum: optional.Of(math.NaN())}, in(float32s(4)), "BatchNormalization's Momentum NaN is not from 0 to 1"},
		{layers.BatchNormalization{Epsilon: optional.Of(-1.0)}, in(float32s(4)), "BatchNormalization's Epsilon is -1; it must be finite and not negative"},
		{layers.BatchNormalization{}, in(float32s(4, 3), maskOf(5)), "shape does not fit: BatchNormalization of (None, 4, 3) with a mask (None, 5)"},
		{layers.BatchNormalization{}, in(float32s(4, 3, 2), maskOf(4)), "shape does not fit: BatchNormalization of (None, 4, 3, 2) with a mask (None, 4)"},
		{layers.LayerNormalization{}, two, "it takes one input, not 2"},
		{layers.LayerNormalization{FirstAxis: 2}, in(float32s(4)), "shape does not fit: LayerNormalization's FirstAxis 2 is not a dimension after the batch of (None, 4)"},
		{layers.LayerNormalization{FirstAxis: -2}, in(float32s(4)), "shape does not fit: LayerNormalization's FirstAxis -2 is not a dimension after the batch of (None, 4)"},
		{layers.LayerNormalization{FirstAxis: 1}, in(float32s(any, 4)), "shape does not fit: LayerNormalization needs to know the dimensions of (None, None, 4) from 1 on"},
		{layers.LayerNormalization{Epsilon: optional.Of(math.Inf(1))}, in(float32s(4)), "LayerNormalization's Epsilon is +Inf; it must be finite and not negative"},
		{layers.Concatenate{}, nil, "Concatenate needs at least 1 input"},
		{layers.Concatenate{}, in(float32s(4), float32s(4, 2)), "shape does not fit: Concatenate along dimension 1 of (None, 4) and (None, 4, 2)"},
		{layers.Concatenate{}, in(float32s(4, 3), float32s(5, 3)), "shape does not fit: Concatenate along dimension 2 of (None, 4, 3) and (None, 5, 3)"},
		{layers.Concatenate{Axis: 2}, two, "shape does not fit: Concatenate's Axis 2 is not a dimension after the batch of (None, 4)"},
		{layers.Concatenate{Axis: -2}, two, "shape does not fit: Concatenate's Axis -2 is not a dimension after the batch of (None, 4)"},
		{layers.Add{}, nil, "Add needs at least 1 input"},
		{layers.Add{}, in(float32s(4), float32s(5)), "shape does not fit: values of shapes (None, 4) and (None, 5) cannot be merged element by element"},
		{layers.Average{}, in(float32s(1, 1, 1, 1, 1, 1, 1, 1)), "shape does not fit: values of 9 dimensions are not merged, but of up to 8"},
		{layers.Subtract{}, in(float32s(4)), "Subtract needs 2 inputs, not 1"},
		{layers.Multiply{}, nil, "Multiply needs at least 1 input"},
		{layers.Maximum{}, in(float32s(4, 3), float32s(4, 3), maskOf(5)), "shape does not fit: Maximum of (None, 4, 3) with a mask (None, 5)"},
		{layers.Minimum{}, nil, "Minimum needs at least 1 input"},
		{layers.Conv1D{Filters: 1, KernelSize: 2}, in(float32s(4)), "shape does not fit: Conv1D reads values (batch, steps, features), not (None, 4)"},
		{layers.Conv1D{KernelSize: 2}, in(float32s(4, 3)), "Conv1D needs at least 1 filter, not 0"},
		{layers.Conv1D{Filters: 1}, in(float32s(4, 3)), "Conv1D needs KernelSize from 1 to 32768, not 0"},
		{layers.Conv1D{Filters: 1, KernelSize: 2, Strides: -1}, in(float32s(4, 3)), "Conv1D needs Strides from 1 to 32768, not -1"},
		{layers.Conv1D{Filters: 1, KernelSize: 2, Dilation: 1 << 30}, in(float32s(4, 3)), "Conv1D needs Dilation from 1 to 32768, not 1073741824"},
		{layers.Conv1D{Filters: 1, KernelSize: 2, Strides: 2, Dilation: 2}, in(float32s(4, 3)), "Conv1D can have strides or a dilation, not both: 2 and 2"},
		{layers.Conv1D{Filters: 1, KernelSize: 2, Padding: "full"}, in(float32s(4, 3)), `Conv1D has no padding "full"; there are "valid", "same" and "causal"`},
		{layers.Conv1D{Filters: 1, KernelSize: 3, Dilation: 2}, in(float32s(4, 3)), "shape does not fit: Conv1D reads windows of 5 steps, of which (None, 4, 3) has none"},
		{layers.Conv1D{Filters: 1, KernelSize: 3}, in(float32s(4, any)), "shape does not fit: Conv1D needs to know the last dimension of (None, 4, None)"},
		{layers.Conv1D{Filters: 1, KernelSize: 3, Activation: "cosine"}, in(float32s(4, 3)), ""},
		{layers.TimeDistributed{Layer: layers.Dense{Units: 2}}, in(float32s(4)), "shape does not fit: TimeDistributed reads values of at least 3 dimensions, not (None, 4)"},
		{layers.TimeDistributed{}, in(float32s(4, 3)), "the layer is nil"},
		{layers.TimeDistributed{Layer: layers.Dense{}}, in(float32s(4, 3)), "dense: Dense needs at least 1 unit, not 0"},
		{layers.TimeDistributed{Layer: layers.BatchNormalization{}}, in(float32s(4, 3)), "TimeDistributed does not train BatchNormalization, whose statistics Keras then takes of each step by itself: " +
			"apply BatchNormalization directly, for statistics over rows and steps, or set Frozen"},
	} {
		_, _, err := planOf(t, c.l, c.in...)
		if err == nil {
			t.Errorf("%+v: no error", c.l)
			continue
		}
		if cause := errors.Unwrap(err); c.want != "" && cause.Error() != c.want { // without the layer's name
			t.Errorf("%+v\ngot  %v\nwant %s", c.l, cause, c.want)
		}
	}
	// A sequence that turns out too short for a window is an error of the run.
	p, _, err := planOf(t, layers.Conv1D{Filters: 1, KernelSize: 3}, float32s(any, 2))
	must(t, err)
	if _, _, err := p.Signatures([]plan.Signature{float32s(2, 2)}); !errors.Is(err, tensor.ErrShape) {
		t.Errorf("2 steps: %v", err)
	}
}
