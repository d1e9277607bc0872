package layers_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/linnet-ml/linnet/internal/golden"
	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optional"
	"github.com/linnet-ml/linnet/tensor"
)

// wired is a layer that applies a layer under test to several inputs, each of them a parameter "x0", "x1" of the whole
// batch's shape, some with masks. It keeps what comes out, in training too, and its mask, and puts it out without a mask,
// which would reach the loss.
type wired struct {
	layer  nn.Layer
	shapes []tensor.Shape // of the inputs, rows and all
	masks  [][]int32      // of the inputs in order, row-major; nil for none
	seen   *outcome
}

// outcome is what the layer under test last put out.
type outcome struct {
	out  []float32
	mask []int32 // nil for none
}

func (wired) Kind() string { return "Wired" }

func (w wired) Build(b *plan.Builder, in []plan.Symbol) ([]plan.Symbol, error) {
	var values []plan.Symbol
	for i, shape := range w.shapes {
		x, err := b.Parameter(plan.ParameterOptions{Name: fmt.Sprint("x", i), Shape: shape})
		if err != nil {
			return nil, err
		}
		value, err := b.Add(plan.Op{
			Outputs: func(in []plan.Signature) ([]plan.Signature, error) {
				return []plan.Signature{{Type: tensor.TypeFloat32, Shape: append(tensor.Shape{in[0].Shape[0]}, shape[1:]...)}}, nil
			},
			Forward: func(f *plan.Frame, at plan.Span) { copy(f.Out(0, at), f.Param(0)[at.Lo*f.OutWidth(0):]) },
			Gradient: func(f *plan.Frame, _ int, g plan.Gradient) {
				for i, up := range f.OutGrad(0, plan.Span{Lo: g.Lo, Hi: g.Hi}) {
					g.Values[g.Lo*f.OutWidth(0)+i] += up
				}
			},
		}, in, x)
		if err != nil {
			return nil, err
		}
		if i < len(w.masks) && w.masks[i] != nil {
			steps := shape[1]
			mask, err := b.Add(plan.Op{
				Outputs: func(in []plan.Signature) ([]plan.Signature, error) {
					return []plan.Signature{{Type: tensor.TypeInt32, Shape: tensor.Shape{in[0].Shape[0], steps}}}, nil
				},
				Forward: func(f *plan.Frame, at plan.Span) { copy(f.OutIDs(0, at), w.masks[i][at.Lo*steps:]) },
			}, in)
			if err != nil {
				return nil, err
			}
			if err := b.WithMask(value[0], mask[0]); err != nil {
				return nil, err
			}
		}
		values = append(values, value[0])
	}
	out, err := b.Apply(w.layer, values...)
	if err != nil {
		return nil, err
	}
	rows := w.shapes[0][0]
	w.seen.out, w.seen.mask = make([]float32, rows*out[0].Shape.Width()), nil
	reads := out[:1]
	if mask, ok := b.Mask(out[0]); ok {
		w.seen.mask = make([]int32, rows*mask.Shape.Width())
		reads = append(slices.Clone(reads), mask)
	}
	return b.Add(plan.Op{
		Outputs: func(in []plan.Signature) ([]plan.Signature, error) { return in[:1], nil },
		Forward: func(f *plan.Frame, at plan.Span) {
			copy(f.Out(0, at), f.In(0, at))
			copy(w.seen.out[at.Lo*f.OutWidth(0):], f.In(0, at))
			if w.seen.mask != nil {
				copy(w.seen.mask[at.Lo*f.InWidth(1):], f.InIDs(1, at))
			}
		},
		Backward: func(f *plan.Frame, at plan.Span) {
			if dx := f.InGrad(0, at); dx != nil {
				copy(dx, f.OutGrad(0, at))
			}
		},
	}, reads)
}

// model builds the layer and returns it with data that has its rows and nothing else.
func (w wired) model(t testing.TB) (*nn.Model, tensor.Rows) {
	t.Helper()
	rows := w.shapes[0][0]
	return build(t, nn.Tokens(1), w), array(t, make([]int32, rows), rows, 1)
}

// fill gives the inputs waves, no two inputs alike, and other parameters values above 0.
func fill(m *nn.Model) {
	for k, p := range m.Parameters() {
		for i, x := 0, p.Values(); i < len(x); i++ {
			x[i] = wave(i*(k+1) + 5*k)
			if !strings.HasPrefix(p.Name(), "wired/x") {
				x[i] = 0.7 + x[i]/3
			}
		}
	}
}

// wave is number i of numbers from -1.1 to 1.1, none near 0.
func wave(i int) float32 {
	v := math.Sin(1.7*float64(i) + 0.4)
	return float32(v + math.Copysign(0.1, v))
}

// train takes a step of training with the gradient up of the output, and returns the gradients of all parameters.
func (w wired) train(t testing.TB, m *nn.Model, x tensor.Rows, up []float32, threads int) map[string][]float32 {
	t.Helper()
	shape := m.OutputShape("output")
	shape[0] = x.Len()
	return gradients(t, m, x, up, shape, nn.FitOptions{Threads: threads})
}

// wiredSpec is layerSpec for the layers of this file.
func wiredSpec(class string, c golden.Value) nn.Layer {
	number := func(key string) optional.Value[float64] {
		if !c.Has(key) {
			return optional.Value[float64]{}
		}
		return optional.Of(c.Float(key))
	}
	switch class {
	case "BatchNormalization", "LayerNormalization":
		k := struct {
			Center, Scale     bool
			Axis              []int
			Momentum, Epsilon float64 // read by number
		}{Center: true, Scale: true}
		c.Decode(&k)
		if class == "BatchNormalization" {
			return layers.BatchNormalization{Momentum: number("momentum"), Epsilon: number("epsilon"), NoCenter: !k.Center, NoScale: !k.Scale}
		}
		l := layers.LayerNormalization{Epsilon: number("epsilon"), NoCenter: !k.Center, NoScale: !k.Scale}
		if len(k.Axis) > 0 {
			l.FirstAxis = k.Axis[0]
		}
		return l
	case "Add":
		c.Decode(&struct{}{})
		return layers.Add{}
	case "Concatenate":
		var k struct{ Axis int }
		c.Decode(&k)
		return layers.Concatenate{Axis: k.Axis}
	case "Conv1D":
		k := struct {
			Filters    int
			Kernel     int `json:"kernel_size"`
			Strides    int
			Padding    string
			Dilation   int `json:"dilation_rate"`
			Activation string
			Bias       bool `json:"use_bias"`
		}{Bias: true}
		c.Decode(&k)
		return layers.Conv1D{Filters: k.Filters, KernelSize: k.Kernel, Strides: k.Strides, Padding: layers.Padding(k.Padding), Dilation: k.Dilation,
			Activation: layers.ActivationFunc(k.Activation), NoBias: !k.Bias}
	}
	return nil
}

// wiredCase compares a layer with its recorded case: output, gradients, running statistics and mask, in training, or the
// output in inference.
func wiredCase(t *testing.T, c golden.Case, spec nn.Layer) {
	w := wired{layer: spec, seen: &outcome{}}
	inputs := c.List("inputs")
	for _, in := range inputs {
		w.shapes = append(w.shapes, in.Array().Shape)
	}
	if c.Has("mask") {
		w.masks = [][]int32{c.Array("mask").Int32}
	}
	m, x := w.model(t)
	for i, in := range inputs {
		copy(m.Parameter(fmt.Sprint("wired/x", i)).Values(), in.Array().Float32)
	}
	for _, key := range c.Keys("weights") {
		setWeights(t, m, layerName(m, key), c.Array("weights", key))
	}
	close := tolerance(c)
	if c.Name == "LayerNormalization/3x1" {
		close.Abs = 2e-5 // golden's README
	}
	want := c.Array("expected", "output")
	if shape := m.OutputShape("output"); !shape[1:].Equal(want.Shape[1:]) {
		t.Errorf("output of shape %v, recorded %v", shape, want.Shape)
	}
	if c.Has("training") && !c.Bool("training") {
		golden.Close(t, "output", predict(t, m, x, nn.PredictOptions{}), want, close)
		return // gradients outside training: Fit has none
	}
	got := w.train(t, m, x, c.Array("upstream").Float32, 2)
	golden.Close(t, "output", w.seen.out, want, close)
	for i := range inputs {
		golden.Close(t, fmt.Sprint("gradient of input ", i), got[fmt.Sprint("wired/x", i)], c.Array("expected", "input_grads", i), close)
	}
	if c.Has("expected", "weight_grads") {
		for _, key := range c.Keys("expected", "weight_grads") {
			golden.Close(t, "gradient of "+key, got[layerName(m, key)], c.Array("expected", "weight_grads", key), close)
		}
	}
	if c.Has("expected", "non_trainable_after") {
		for _, key := range c.Keys("expected", "non_trainable_after") {
			golden.Close(t, key+" after the step", m.Parameter(layerName(m, key)).Values(), c.Array("expected", "non_trainable_after", key), golden.Tolerance{OfLargest: 1e-6})
		}
	}
	if c.Has("expected", "output_mask") {
		golden.Equal(t, "output mask", w.seen.mask, c.Array("expected", "output_mask"))
	}
}

// wiredCases are the layers of this file in their forms, for a batch of so many rows.
func wiredCases(rows int) []wired {
	shape := func(row ...int) tensor.Shape { return append(tensor.Shape{rows}, row...) }
	mask := func(steps, k int) []int32 {
		m := make([]int32, rows*steps)
		for i := range m {
			m[i] = int32((i*i + k) % 3 % 2) // one or two of three steps count
		}
		return m
	}
	of := func(l nn.Layer, masks [][]int32, shapes ...tensor.Shape) wired {
		return wired{l, shapes, masks, &outcome{}}
	}
	one := [][]int32{mask(4, 0)}
	cases := []wired{
		of(layers.BatchNormalization{}, nil, shape(3)),
		of(layers.BatchNormalization{}, one, shape(4, 3)),
		of(layers.BatchNormalization{NoScale: true, NoCenter: true}, nil, shape(4, 2, 3)),
		of(layers.BatchNormalization{NoScale: true}, nil, shape(3)),
		of(layers.BatchNormalization{Frozen: true}, one, shape(4, 3)),
		of(layers.LayerNormalization{}, nil, shape(5)),
		of(layers.LayerNormalization{FirstAxis: 1}, one, shape(4, 3)),
		of(layers.LayerNormalization{NoScale: true}, nil, shape(4, 3)),
		of(layers.LayerNormalization{NoCenter: true}, nil, shape(4, 3)),
		of(layers.Concatenate{}, [][]int32{mask(4, 0), mask(4, 1)}, shape(4, 5), shape(4, 1)),
		of(layers.Concatenate{Axis: 1}, one, shape(4, 5), shape(2, 5)),
		of(layers.Concatenate{Axis: 2}, nil, shape(2, 3, 2), shape(2, 1, 2)),
		of(layers.Subtract{}, nil, shape(4, 1), shape(5)),
		of(layers.Subtract{}, nil, shape(4, 5), shape(4, 5)),
		of(layers.Conv1D{Filters: 3, KernelSize: 3, Strides: 2, Padding: layers.Same}, nil, shape(6, 3)),
		of(layers.Conv1D{Filters: 3, KernelSize: 7, Padding: layers.Same}, nil, shape(2, 3)),
		of(layers.Conv1D{Filters: 3, KernelSize: 3, Strides: 3, Padding: layers.Causal, NoBias: true}, nil, shape(7, 2)),
		of(layers.Conv1D{Filters: 20, KernelSize: 2, Dilation: 3, Activation: layers.Tanh}, nil, shape(9, 12)),
		of(layers.TimeDistributed{Layer: layers.Dense{Units: 3, Activation: layers.Tanh}}, one, shape(4, 3)),
		of(layers.TimeDistributed{Layer: layers.Conv1D{Filters: 3, KernelSize: 2}}, nil, shape(4, 3, 2)),
		of(layers.TimeDistributed{Layer: layers.LayerNormalization{}}, nil, shape(4, 3, 2)),
		of(layers.TimeDistributed{Layer: layers.TimeDistributed{Layer: layers.Dense{Units: 2}}}, nil, shape(4, 3, 2)),
	}
	all := [][]int32{mask(4, 0), mask(1, 0), mask(4, 1)}
	for _, l := range []nn.Layer{layers.Add{}, layers.Average{}, layers.Multiply{}, layers.Maximum{}, layers.Minimum{}} {
		cases = append(cases,
			of(l, nil, shape(4, 5), shape(4, 5), shape(4, 5)),
			of(l, one, shape(4, 5), shape(4, 5), shape(4, 5)),
			of(l, nil, shape(4, 1), shape(1, 5), shape(4, 5)),
			of(l, all, shape(4, 1), shape(1, 5), shape(4, 5)))
	}
	return cases
}

// Gradients agree with central differences, in training and in inference, over more rows than a shard has.
func TestWiredGradients(t *testing.T) {
	for _, w := range wiredCases(70) {
		t.Run(fmt.Sprintf("%s of %v, %d masks", w.layer.Kind(), w.shapes, len(w.masks)), func(t *testing.T) {
			m, x := w.model(t)
			fill(m)
			for _, inference := range []bool{false, true} {
				o := nn.GradientOptions{Inference: inference, Threads: 2, Seed: 2, Samples: 24}
				if err := m.CheckGradients(t.Context(), x, o); err != nil {
					t.Errorf("inference %v: %v", inference, err)
				}
			}
		})
	}
}

// The number of threads changes no bit of outputs, gradients or running statistics of a batch of 200 rows.
func TestWiredThreads(t *testing.T) {
	for _, w := range wiredCases(200) {
		t.Run(fmt.Sprintf("%s of %v, %d masks", w.layer.Kind(), w.shapes, len(w.masks)), func(t *testing.T) {
			var first map[string][]float32
			for _, threads := range []int{1, 2, 3, 8} {
				m, x := w.model(t)
				fill(m)
				up := make([]float32, len(w.seen.out))
				for i := range up {
					up[i] = wave(3*i + 1)
				}
				all := w.train(t, m, x, up, threads)
				all["the output"] = slices.Clone(w.seen.out)
				all["the prediction"] = predict(t, m, x, nn.PredictOptions{Threads: threads, BatchSize: 64})
				for _, p := range m.Parameters() {
					if !p.Trainable() {
						all[p.Name()] = p.Values()
					}
				}
				if first == nil {
					first = all
				}
				for name, values := range all {
					if !equalBits(values, first[name]) {
						t.Errorf("%s differs with %d threads", name, threads)
					}
				}
			}
		})
	}
}

// Masks of merged values, and what Multiply, Maximum and Minimum make of masked steps: Keras's rules, for two inputs of
// 4 steps of which both count, one of them, the other, or none.
func TestMaskedMerges(t *testing.T) {
	first, second := []int32{1, 1, 0, 0}, []int32{1, 0, 1, 0}
	for _, c := range []struct {
		layer     nn.Layer
		want      []float32
		mask      []int32
		half      []float32 // where the second input has no mask
		maskOfOne []int32
	}{
		{layers.Add{}, []float32{5, 7, 9, 11}, []int32{1, 1, 1, 0}, []float32{5, 7, 9, 11}, nil},
		{layers.Subtract{}, []float32{3, 3, 3, 3}, []int32{1, 1, 1, 0}, []float32{3, 3, 3, 3}, nil},
		{layers.Average{}, []float32{2.5, 3.5, 4.5, 5.5}, []int32{1, 1, 1, 0}, []float32{2.5, 3.5, 4.5, 5.5}, nil},
		{layers.Multiply{}, []float32{4, 5, 3, 0}, []int32{1, 1, 1, 0}, []float32{4, 10, 3, 4}, nil},
		{layers.Maximum{}, []float32{4, 5, 3, 7}, []int32{1, 1, 1, 0}, []float32{4, 5, 3, 4}, nil},
		{layers.Minimum{}, []float32{1, 5, 3, 7}, []int32{1, 1, 1, 0}, []float32{1, 2, 3, 4}, nil},
		{layers.Concatenate{}, []float32{4, 1, 5, 2, 6, 3, 7, 4}, []int32{1, 1, 1, 0}, []float32{4, 1, 5, 2, 6, 3, 7, 4}, nil},
		{layers.Concatenate{Axis: 1}, []float32{4, 5, 6, 7, 1, 2, 3, 4}, []int32{1, 1, 0, 0, 1, 0, 1, 0},
			[]float32{4, 5, 6, 7, 1, 2, 3, 4}, []int32{1, 1, 0, 0, 1, 1, 1, 1}},
	} {
		for _, masks := range [][][]int32{{first, second}, {first}} {
			w := wired{layer: c.layer, shapes: []tensor.Shape{{1, 4, 1}, {1, 4, 1}}, masks: masks, seen: &outcome{}}
			m, x := w.model(t)
			copy(m.Parameter("wired/x0").Values(), []float32{4, 5, 6, 7})
			copy(m.Parameter("wired/x1").Values(), []float32{1, 2, 3, 4})
			want, mask := c.want, c.mask
			if len(masks) == 1 {
				want, mask = c.half, c.maskOfOne
			}
			if got := predict(t, m, x, nn.PredictOptions{}); !slices.Equal(got, want) || !slices.Equal(w.seen.mask, mask) {
				t.Errorf("%s, %d masks: %v with the mask %v, want %v with %v", c.layer.Kind(), len(masks), got, w.seen.mask, want, mask)
			}
		}
	}
}

// A frozen BatchNormalization computes in training what another does in inference, and its statistics stay. Statistics
// of a batch that is masked as a whole are mean and variance 0.
func TestStatisticsOfBatchNormalization(t *testing.T) {
	w := wired{layer: layers.BatchNormalization{}, shapes: []tensor.Shape{{9, 4, 3}}, masks: [][]int32{make([]int32, 9*4)}, seen: &outcome{}}
	m, x := w.model(t)
	fill(m)
	up := make([]float32, 9*4*3)
	inference := predict(t, m, x, nn.PredictOptions{})

	frozen := w
	frozen.layer, frozen.seen = layers.BatchNormalization{Frozen: true}, &outcome{}
	f, _ := frozen.model(t)
	fill(f)
	frozen.train(t, f, x, up, 1)
	if !slices.Equal(frozen.seen.out, inference) {
		t.Error("a frozen layer in training differs from inference")
	}
	for _, p := range f.Parameters() {
		if !slices.Equal(p.Values(), m.Parameter(p.Name()).Values()) {
			t.Errorf("training changed %s", p.Name())
		}
	}

	values := func(name string) []float32 { return m.Parameter("wired/batch_normalization/" + name).Values() }
	mean, variance := slices.Clone(values("moving_mean")), slices.Clone(values("moving_variance"))
	w.train(t, m, x, up, 1)
	for j := range mean {
		if a, b := values("moving_mean")[j], values("moving_variance")[j]; a != float32(mean[j]*float32(0.99)) || b != float32(variance[j]*float32(0.99)) {
			t.Errorf("statistics %v and %v of a masked batch, before it %v and %v", a, b, mean[j], variance[j])
		}
	}
	for k, e := range m.Parameter("wired/x0").Values() {
		want := float64(e)/math.Sqrt(1e-3)*float64(values("gamma")[k%3]) + float64(values("beta")[k%3])
		if y := float64(w.seen.out[k]); math.Abs(y-want) > 1e-5*max(1, math.Abs(want)) {
			t.Fatalf("output %d of a masked batch is %v, want %v", k, y, want)
		}
	}
}

// A model that is built for any length predicts rows of each length as one that is built for it.
func TestWiredAnyLength(t *testing.T) {
	spec := []nn.Layer{
		layers.Conv1D{Filters: 4, KernelSize: 3, Activation: layers.ReLU}, layers.BatchNormalization{}, layers.LayerNormalization{},
		layers.TimeDistributed{Layer: layers.Dense{Units: 3}}, layers.Conv1D{Filters: 2, KernelSize: 2, Padding: layers.Same, Strides: 2},
	}
	free := build(t, nn.Features(nn.AnyLength, 5), spec...)
	for _, steps := range []int{3, 12, 7} {
		x := waves(t, 6, steps, 5)
		if !equalBits(predict(t, free, x, nn.PredictOptions{}), predict(t, build(t, nn.Features(steps, 5), spec...), x, nn.PredictOptions{})) {
			t.Errorf("%d steps", steps)
		}
	}
	if _, err := free.Predict(t.Context(), waves(t, 6, 2, 5), nn.PredictOptions{}); err == nil || !strings.Contains(err.Error(), "Conv1D reads windows of 3 steps") {
		t.Errorf("2 steps: %v", err)
	}
}

// A penalty on a parameter and a constraint reach the loss and the weights of a run.
func TestPenaltyAndConstraintInTraining(t *testing.T) {
	m := build(t, nn.Features(2), layers.Dense{Units: 1, NoBias: true, KernelInit: layers.Ones{},
		KernelRegularizer: layers.L2{Factor: 0.5}, KernelConstraint: layers.UnitNorm{}})
	x := array(t, make([]float32, 6), 3, 2)
	got := gradients(t, m, x, make([]float32, 3), tensor.Shape{3, 1}, nn.FitOptions{})
	if g := got["dense/kernel"]; !slices.Equal(g, []float32{1, 1}) {
		t.Errorf("gradient %v of the penalty", g)
	}
	for _, v := range m.Parameter("dense/kernel").Values() {
		if math.Abs(float64(v)-math.Sqrt(0.5)) > 1e-6 {
			t.Errorf("weight %v after the step", v)
		}
	}
}

// The new layers are data, too.
func TestWiredSpecsAsJSON(t *testing.T) {
	roundTrip(t, layers.BatchNormalization{Name: "norm", Momentum: optional.Of(0.0), NoScale: true, Frozen: true})
	roundTrip(t, layers.LayerNormalization{FirstAxis: -2, Epsilon: optional.Of(1e-6), NoCenter: true})
	roundTrip(t, layers.Concatenate{Axis: 1})
	roundTrip(t, layers.Add{Name: "sum"})
	roundTrip(t, layers.Conv1D{Filters: 2, KernelSize: 3, Strides: 4, Padding: layers.Causal, Dilation: 1, Activation: layers.Tanh, NoBias: true})
	roundTrip(t, layers.L1L2{L1: 0.5, L2: 0.25})
	roundTrip(t, layers.MinMaxNorm{MinValue: 0.5, Rate: 0.5, Axes: layers.Axes{First: 1, Count: 2}})
}
