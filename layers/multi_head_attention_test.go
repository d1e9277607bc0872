package layers_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/linnet-ml/linnet/internal/golden"
	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/tensor"
)

// attentionSpec is a recorded layer as linnet writes it.
func attentionSpec(config golden.Value) layers.MultiHeadAttention {
	k := struct {
		Heads    int  `json:"num_heads"`
		KeyDim   int  `json:"key_dim"`
		ValueDim int  `json:"value_dim"`
		Output   int  `json:"output_shape"`
		Bias     bool `json:"use_bias"`
		Causal   bool `json:"use_causal_mask"`
		Scores   bool `json:"return_attention_scores"`
		Dropout  float32
	}{Bias: true}
	config.Decode(&k)
	return layers.MultiHeadAttention{NumHeads: k.Heads, KeyDim: k.KeyDim, ValueDim: k.ValueDim, OutputShape: k.Output, NoBias: !k.Bias, Dropout: k.Dropout,
		UseCausalMask: k.Causal, ReturnAttentionScores: k.Scores}
}

// joined puts two outputs, row by row, one after the other.
func joined(first, second []float32, rows int) []float32 {
	var both []float32
	for i := range rows {
		m, n := len(first)/rows, len(second)/rows
		both = append(append(both, first[i*m:(i+1)*m]...), second[i*n:(i+1)*n]...)
	}
	return both
}

// Outputs, scores, masks and gradients are Keras's.
func TestMultiHeadAttentionGolden(t *testing.T) {
	golden.Open(t, "attention").Run(t, "", func(t *testing.T, c golden.Case) {
		spec := attentionSpec(c.At("config"))
		w := wired{layer: spec, seen: &outcome{}}
		for i, in := range c.List("inputs") {
			w.shapes = append(w.shapes, in.Array().Shape)
			w.masks = append(w.masks, nil)
			if key := fmt.Sprint(i); c.Has("masks", key) {
				w.masks[i] = c.Array("masks", key).Int32
			}
		}
		want, up := c.Array("expected", "output"), c.Array("upstream").Float32
		if spec.ReturnAttentionScores {
			w.layer = stated{layer: spec} // gives both outputs as one
			rows, scores := want.Shape[0], c.Array("expected", "scores")
			want = golden.Array{Shape: tensor.Shape{rows, want.Len()/rows + scores.Len()/rows}, Float32: joined(want.Float32, scores.Float32, rows)}
			up = joined(up, c.Array("upstream_scores").Float32, rows)
		}
		m, x := w.model(t)
		for i, in := range c.List("inputs") {
			copy(m.Parameter(fmt.Sprint("wired/x", i)).Values(), in.Array().Float32)
		}
		for _, key := range c.Keys("weights") {
			setWeights(t, m, layerName(m, key), c.Array("weights", key))
		}
		if got, want := len(m.Parameters()), len(w.shapes)+len(c.Keys("weights")); got != want {
			t.Errorf("%d parameters, want %d", got, want)
		}
		if shape := m.OutputShape("output"); !shape[1:].Equal(want.Shape[1:]) {
			t.Fatalf("output of shape %v, recorded %v", shape, want.Shape)
		}
		close := golden.Tolerance{OfLargest: 1e-5}
		golden.Close(t, "prediction", predict(t, m, x, nn.PredictOptions{}), want, close)
		if spec.Dropout > 0 {
			return // recorded outside training, and Fit has no gradients there
		}
		got := w.train(t, m, x, up, 2)
		golden.Close(t, "output", w.seen.out, want, close)
		for i := range w.shapes {
			golden.Close(t, fmt.Sprint("gradient of input ", i), got[fmt.Sprint("wired/x", i)], c.Array("expected", "input_grads", i), close)
		}
		for _, key := range c.Keys("expected", "weight_grads") {
			close := close
			if key == "key/bias" {
				// The comparisons of a step with all others change alike with it, and their softmax does not: the gradient is
				// 0 but for rounding.
				close.Abs = 4e-6
			}
			golden.Close(t, "gradient of "+key, got[layerName(m, key)], c.Array("expected", "weight_grads", key), close)
		}
		switch {
		case spec.ReturnAttentionScores: // stated has no mask
		case c.Has("expected", "output_mask"):
			golden.Equal(t, "output mask", w.seen.mask, c.Array("expected", "output_mask"))
		case w.seen.mask != nil:
			t.Errorf("the output has the mask %v", w.seen.mask)
		}
	})
}

// attentionCases are the layer in its forms, for a batch of so many rows.
func attentionCases(rows int) []wired {
	q, v, k := tensor.Shape{rows, 4, 3}, tensor.Shape{rows, 5, 2}, tensor.Shape{rows, 5, 4}
	mask := func(steps, k int) []int32 {
		m := make([]int32, rows*steps)
		for i := range m {
			m[i] = int32((i*i+k)%3%2 + i/steps%2) // one or two of three steps, and all of each second row
			m[i] = min(m[i], 1)
			if i/steps == 2 {
				m[i] = 0 // no step of row 2
			}
		}
		return m
	}
	of := func(l layers.MultiHeadAttention, masks [][]int32, shapes ...tensor.Shape) wired {
		l.NumHeads, l.KeyDim = 2, 3
		if l.ReturnAttentionScores {
			return wired{stated{layer: l}, shapes, masks, &outcome{}}
		}
		return wired{l, shapes, masks, &outcome{}}
	}
	type mha = layers.MultiHeadAttention
	all := [][]int32{mask(4, 0), mask(5, 1), mask(5, 3)}
	folded := layers.TimeDistributed{Layer: mha{NumHeads: 2, KeyDim: 3, Dropout: 0.2}}
	return []wired{
		{folded, []tensor.Shape{{rows, 2, 4, 3}}, nil, &outcome{}},
		of(mha{}, nil, q),
		of(mha{NoBias: true}, nil, q, v),
		of(mha{ValueDim: 2, OutputShape: 5}, nil, q, v, k),
		of(mha{UseCausalMask: true}, nil, q),
		of(mha{}, all, q, v, k),
		of(mha{UseCausalMask: true}, all[:1], q),
		of(mha{UseCausalMask: true, ValueDim: 1}, [][]int32{nil, mask(5, 1)}, q, v),
		of(mha{Dropout: 0.4}, all, q, v, k),
		of(mha{ReturnAttentionScores: true}, nil, q, v),
		of(mha{ReturnAttentionScores: true, Dropout: 0.3, UseCausalMask: true}, all, q, v, k),
	}
}

// setSome gives inputs and parameters values of both signs, no two parameters alike.
func setSome(m *nn.Model) {
	for k, p := range m.Parameters() {
		for i, x := 0, p.Values(); i < len(x); i++ {
			x[i] = wave(i*(k+1)+5*k) / 2
		}
	}
}

func TestMultiHeadAttentionGradients(t *testing.T) {
	for _, w := range attentionCases(6) {
		t.Run(fmt.Sprintf("%+v, %d masks", w.layer, len(w.masks)), func(t *testing.T) {
			m, x := w.model(t)
			setSome(m)
			for _, inference := range []bool{false, true} {
				if err := m.CheckGradients(t.Context(), x, nn.GradientOptions{Inference: inference, Threads: 2, Seed: 2}); err != nil {
					t.Errorf("inference %v: %v", inference, err)
				}
			}
		})
	}
}

// The number of threads changes no bit of outputs and gradients.
func TestMultiHeadAttentionThreads(t *testing.T) {
	for _, w := range attentionCases(150) {
		t.Run(fmt.Sprintf("%+v, %d masks", w.layer, len(w.masks)), func(t *testing.T) {
			var first map[string][]float32
			for _, threads := range []int{1, 2, 3, 8} {
				m, x := w.model(t)
				setSome(m)
				up := make([]float32, len(w.seen.out))
				for i := range up {
					up[i] = wave(3*i + 1)
				}
				all := w.train(t, m, x, up, threads)
				all["the output"] = slices.Clone(w.seen.out)
				all["the prediction"] = predict(t, m, x, nn.PredictOptions{Threads: threads, BatchSize: 64})
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

// Padding changes nothing for the steps that count, whatever the length that the model is built for.
func TestMultiHeadAttentionAnyLength(t *testing.T) {
	spec := []nn.Layer{layers.Embedding{Vocabulary: 9, Dim: 4, MaskZero: true}, layers.MultiHeadAttention{NumHeads: 2, KeyDim: 3}, layers.GlobalAveragePooling1D{}}
	free := build(t, nn.Tokens(nn.AnyLength), spec...)
	short := predict(t, free, array(t, []int32{3, 1, 4, 2, 8, 5}, 2, 3), nn.PredictOptions{})
	long := array(t, []int32{3, 1, 4, 0, 0, 2, 8, 5, 0, 0}, 2, 5)
	padded := predict(t, free, long, nn.PredictOptions{})
	for i := range short {
		if math.Abs(float64(short[i]-padded[i])) > 1e-6 || short[i] == 0 {
			t.Errorf("output %d is %v, and %v with padding", i, short[i], padded[i])
		}
	}
	if !equalBits(padded, predict(t, build(t, nn.Tokens(5), spec...), long, nn.PredictOptions{})) {
		t.Error("a model for any length differs from one for 5 steps")
	}
}

// Dropout sets that part of the weights to 0 in training and scales the others; the scores are those before.
func TestMultiHeadAttentionDropout(t *testing.T) {
	const rows, steps = 40, 10
	w := wired{layer: stated{layer: layers.MultiHeadAttention{NumHeads: 1, KeyDim: 1, OutputShape: 1, NoBias: true, Dropout: 0.25, ReturnAttentionScores: true}},
		shapes: []tensor.Shape{{rows, steps, 1}, {rows, 20, 1}}, seen: &outcome{}}
	m, x := w.model(t)
	for _, p := range m.Parameters() {
		for i := range p.Values() {
			p.Values()[i] = 1 // all values are 1, and each weight is 1/20
		}
	}
	w.train(t, m, x, make([]float32, rows*steps*21), 1)
	kept := 0.0
	for i, v := range w.seen.out {
		if i%(steps*21) >= steps {
			if v != 0.05 {
				t.Fatalf("a score is %v", v)
			}
			continue
		}
		n := float64(v) * 0.75 * 20 // how many of 20 weights are kept
		if math.Abs(n-math.Round(n)) > 1e-4 {
			t.Fatalf("output %d is %v", i, v)
		}
		kept += n
	}
	if part := kept / (rows * steps * 20); math.Abs(part-0.75) > 0.02 { // four standard deviations
		t.Errorf("%v of the weights were kept", part)
	}
	for i, v := range predict(t, m, x, nn.PredictOptions{}) {
		if i%(steps*21) < steps && math.Abs(float64(v)-1) > 1e-6 {
			t.Fatalf("prediction %d is %v", i, v)
		}
	}
}

// Keys and values of lengths that are known only when the model runs must agree; a query may be of another length.
func TestMultiHeadAttentionLengths(t *testing.T) {
	b := plan.NewBuilder(t.Context(), plan.BuilderOptions{})
	of := func(steps int) plan.Signature {
		return plan.Signature{Type: tensor.TypeFloat32, Shape: tensor.Shape{tensor.Unknown, steps, 3}}
	}
	in := []plan.Symbol{b.Input(of(tensor.Unknown)), b.Input(of(tensor.Unknown)), b.Input(of(tensor.Unknown))}
	out, err := b.Apply(layers.MultiHeadAttention{NumHeads: 2, KeyDim: 4, ReturnAttentionScores: true}, in...)
	must(t, err)
	p, err := b.Finish(out...)
	must(t, err)
	all, _, err := p.Signatures([]plan.Signature{of(5), of(7), of(7)})
	must(t, err)
	if y, scores := all[p.Outputs[0]].Shape.String(), all[p.Outputs[1]].Shape.String(); y != "(None, 5, 3)" || scores != "(None, 2, 5, 7)" {
		t.Errorf("the outputs have shapes %s and %s", y, scores)
	}
	if _, _, err := p.Signatures([]plan.Signature{of(5), of(7), of(6)}); err == nil || !strings.Contains(err.Error(), "MultiHeadAttention with 6 steps of keys and 7 of values") {
		t.Errorf("values of 7 steps and keys of 6: %v", err)
	}
}

// The spec comes back from JSON as it was.
func TestMultiHeadAttentionAsJSON(t *testing.T) {
	roundTrip(t, layers.MultiHeadAttention{Name: "a", NumHeads: 2, KeyDim: 3, ValueDim: 4, Dropout: 0.5, NoBias: true, OutputShape: 5, UseCausalMask: true, ReturnAttentionScores: true})
}

// What does not fit is an error that says so.
func TestMultiHeadAttentionErrors(t *testing.T) {
	of := func(dims ...int) plan.Signature {
		return plan.Signature{Type: tensor.TypeFloat32, Shape: append(tensor.Shape{tensor.Unknown}, dims...)}
	}
	type mha = layers.MultiHeadAttention
	for _, c := range []struct {
		layer mha
		in    []plan.Signature
		want  string
	}{
		{mha{KeyDim: 2}, []plan.Signature{of(5, 3)}, "NumHeads is 0; MultiHeadAttention needs at least 1 head"},
		{mha{NumHeads: 2}, []plan.Signature{of(5, 3)}, "KeyDim is 0; it must be at least 1"},
		{mha{NumHeads: 2, KeyDim: 2, ValueDim: -1}, []plan.Signature{of(5, 3)}, "ValueDim is -1; it must be at least 1, or 0 for KeyDim"},
		{mha{NumHeads: 2, KeyDim: 2, OutputShape: -3}, []plan.Signature{of(5, 3)}, "OutputShape is -3; it must be at least 1"},
		{mha{NumHeads: 2, KeyDim: 2, Dropout: 1}, []plan.Signature{of(5, 3)}, "Dropout is 1, which is not from 0 to below 1"},
		{mha{NumHeads: 2, KeyDim: 2}, nil, "MultiHeadAttention takes 1 to 3 inputs, query, value and key, not 0"},
		{mha{NumHeads: 2, KeyDim: 2}, []plan.Signature{of(5, 3), of(5, 3), of(5, 3), of(5, 3)}, "not 4"},
		{mha{NumHeads: 2, KeyDim: 2}, []plan.Signature{of(3)}, "MultiHeadAttention reads values (batch, steps, features), not (None, 3)"},
		{mha{NumHeads: 2, KeyDim: 2}, []plan.Signature{of(5, 3), {Type: tensor.TypeInt32, Shape: tensor.Shape{tensor.Unknown, 5, 3}}}, "MultiHeadAttention reads float32 values, not int32"},
		{mha{NumHeads: 2, KeyDim: 2}, []plan.Signature{of(5, tensor.Unknown)}, "MultiHeadAttention needs to know the last dimension of (None, 5, None)"},
		{mha{NumHeads: 2, KeyDim: 2}, []plan.Signature{of(5, 3), of(5, 3), of(6, 3)}, "the value (None, 5, 3) and the key (None, 6, 3) of MultiHeadAttention differ in their steps"},
		{mha{NumHeads: 1 << 30, KeyDim: 1 << 30}, []plan.Signature{of(5, 3)}, "query: parameter kernel of shape (3, 1073741824, 1073741824) has more than"},
		{mha{NumHeads: 2, KeyDim: 2, KernelRegularizer: layers.L2{Factor: -1}}, []plan.Signature{of(5, 3)}, "the factor of L2 is -1"},
	} {
		b := plan.NewBuilder(t.Context(), plan.BuilderOptions{})
		var in []plan.Symbol
		for _, s := range c.in {
			in = append(in, b.Input(s))
		}
		if _, err := b.Apply(c.layer, in...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v; want %q", c.layer, err, c.want)
		}
	}
}

// Rows without steps are no error.
func TestMultiHeadAttentionWithoutSteps(t *testing.T) {
	spec := []nn.Layer{layers.Embedding{Vocabulary: 9, Dim: 4}, layers.MultiHeadAttention{NumHeads: 2, KeyDim: 3}, layers.GlobalSumPooling1D{}}
	out := predict(t, build(t, nn.Tokens(nn.AnyLength), spec...), array(t, []int32{}, 3, 0), nn.PredictOptions{})
	if !slices.Equal(out, make([]float32, 12)) {
		t.Errorf("the output is %v", out)
	}
}

// Self-attention over sequences of any length, and the names and shapes of the parameters.
func ExampleMultiHeadAttention() {
	model, err := nn.NewSequential(
		layers.Embedding{Vocabulary: 1000, Dim: 16, MaskZero: true},
		layers.MultiHeadAttention{NumHeads: 2, KeyDim: 8},
	).Build(context.Background(), nn.Tokens(nn.AnyLength), nn.BuildOptions{Seed: 7})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(model.OutputShape("output"))
	for _, p := range model.Parameters()[1:] {
		fmt.Println(p.Name(), p.Shape())
	}
	// Output:
	// (None, None, 16)
	// multi_head_attention/query/kernel (16, 2, 8)
	// multi_head_attention/query/bias (2, 8)
	// multi_head_attention/key/kernel (16, 2, 8)
	// multi_head_attention/key/bias (2, 8)
	// multi_head_attention/value/kernel (16, 2, 8)
	// multi_head_attention/value/bias (2, 8)
	// multi_head_attention/attention_output/kernel (2, 8, 16)
	// multi_head_attention/attention_output/bias (16,)
}

// A training step of 32 rows of 64 steps.
func BenchmarkMultiHeadAttention(b *testing.B) {
	const rows, steps, features = 32, 64, 64
	m := build(b, nn.Features(steps, features), layers.MultiHeadAttention{NumHeads: 4, KeyDim: features / 4})
	x, y := waves(b, rows, steps, features), waves(b, rows, steps, features)
	b.ReportAllocs()
	b.ResetTimer()
	_, err := m.Fit(b.Context(), nn.Data{X: x, Y: y}, nn.FitOptions{
		Optimizer: keep{}, Loss: upstream{}, BatchSize: rows, Epochs: b.N, NoShuffle: true, Threads: 1, State: &plan.TrainingState{},
	})
	must(b, err)
}
