package layers_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/linnet-ml/linnet/internal/golden"
	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/tensor"
)

// absentLayers and absentActivations are what Keras's recorded cases have and linnet does not have yet. Every other
// case is compared; a name stands here only while linnet refuses it.
var (
	absentLayers = []string{
		"AveragePooling1D", "LeakyReLU", "MaxPooling1D",
	}
	absentActivations = []string{
		"elu", "exponential", "gelu", "hard_sigmoid", "hard_silu", "leaky_relu", "log_softmax", "mish", "relu6", "selu",
		"silu", "softplus", "softsign", "swish",
	}
)

// golden's README: layers are within 1e-5 of the largest value, and cases that cancel within 1e-4 of it and 4e-8.
func tolerance(c golden.Case) golden.Tolerance {
	cancelling := strings.HasPrefix(c.Name, "chain/3x1_") || strings.HasPrefix(c.Name, "Dense/softmax_") && strings.HasSuffix(c.Name, "bias0")
	if cancelling {
		return golden.Tolerance{OfLargest: 1e-4, Abs: 4e-8}
	}
	return golden.Tolerance{OfLargest: 1e-5}
}

// layerSpec is a recorded class with its config as linnet writes them.
func layerSpec(class string, config golden.Value) nn.Layer {
	switch class {
	case "Embedding":
		var k struct {
			Input int  `json:"input_dim"`
			Dim   int  `json:"output_dim"`
			Mask  bool `json:"mask_zero"`
		}
		config.Decode(&k)
		return layers.Embedding{Vocabulary: k.Input, Dim: k.Dim, MaskZero: k.Mask}
	case "GlobalAveragePooling1D":
		var k struct {
			Keep   bool   `json:"keepdims"`
			Format string `json:"data_format"`
		}
		config.Decode(&k)
		return layers.GlobalAveragePooling1D{KeepDims: k.Keep, ChannelsFirst: k.Format == "channels_first"}
	case "GlobalMaxPooling1D":
		var k struct {
			Keep bool `json:"keepdims"`
		}
		config.Decode(&k)
		return layers.GlobalMaxPooling1D{KeepDims: k.Keep}
	case "Dense":
		k := struct {
			Units      int
			Activation *string
			Bias       bool `json:"use_bias"`
		}{Bias: true}
		config.Decode(&k)
		d := layers.Dense{Units: k.Units, NoBias: !k.Bias}
		if k.Activation != nil {
			d.Activation = layers.ActivationFunc(*k.Activation)
		}
		return d
	case "LSTM", "GRU", "SimpleRNN", "Bidirectional":
		return recurrentSpec(class, config)
	case "Flatten":
		config.Decode(&struct{}{})
		return layers.Flatten{}
	case "Dropout":
		var k struct{ Rate float32 }
		config.Decode(&k)
		return layers.Dropout{Rate: k.Rate}
	case "Activation":
		var k struct {
			Activation  string
			Approximate bool
		}
		config.Decode(&k)
		return layers.Activation{Function: layers.ActivationFunc(k.Activation)}
	}
	return nil
}

// recurrentSpec is layerSpec for recurrent layers.
func recurrentSpec(class string, config golden.Value) nn.Layer {
	k := struct {
		Layer      string
		Merge      string `json:"merge_mode"`
		Units      int
		Sequences  bool `json:"return_sequences"`
		Backwards  bool `json:"go_backwards"`
		ResetAfter bool `json:"reset_after"`
	}{ResetAfter: true, Layer: class}
	config.Decode(&k)
	var l nn.Layer
	switch k.Layer {
	case "LSTM":
		l = layers.LSTM{Units: k.Units, ReturnSequences: k.Sequences, GoBackwards: k.Backwards}
	case "GRU":
		l = layers.GRU{Units: k.Units, ReturnSequences: k.Sequences, GoBackwards: k.Backwards, ResetBefore: !k.ResetAfter}
	case "SimpleRNN":
		l = layers.SimpleRNN{Units: k.Units, ReturnSequences: k.Sequences, GoBackwards: k.Backwards}
	}
	if class == "Bidirectional" {
		return layers.Bidirectional{Layer: l, MergeMode: layers.MergeMode(k.Merge)}
	}
	return l
}

func TestGolden(t *testing.T) {
	topic := golden.Open(t, "layers")
	compared, used := 0, map[string]bool{}
	for _, c := range topic.Cases {
		class := c.Text("layer")
		if class == "Sequential" {
			t.Run(c.Name, func(t *testing.T) { chainCase(t, c) })
			compared++
			continue
		}
		if spec := wiredSpec(class, c.At("config")); spec != nil {
			t.Run(c.Name, func(t *testing.T) { wiredCase(t, c, spec) })
			compared++
			continue
		}
		spec := layerSpec(class, c.At("config"))
		if spec == nil {
			if !slices.Contains(absentLayers, class) {
				t.Errorf("%s: no test compares the layer %s", c.Name, class)
			}
			used[class] = true
			continue
		}
		if slices.Contains(absentLayers, class) {
			t.Errorf("%s: the layer %s is compared but noted as absent", c.Name, class)
		}
		if c.Has("config", "activation") && slices.Contains(absentActivations, c.Text("config", "activation")) {
			used[c.Text("config", "activation")] = true
			if _, err := nn.NewSequential(spec).Build(t.Context(), nn.Features(2), nn.BuildOptions{}); err == nil {
				t.Errorf("%s: linnet has the activation, so that it must be compared", c.Name)
			}
			continue
		}
		compared++
		t.Run(c.Name, func(t *testing.T) { layerCase(t, c, spec) })
	}
	for _, name := range slices.Concat(absentLayers, absentActivations) {
		if !used[name] {
			t.Errorf("no recorded case is about %s", name)
		}
	}
	// 8 Embedding, 26 GlobalAveragePooling1D, 11 GlobalMaxPooling1D, 8 Flatten, 5 Dropout, 8 chains; Dense: 6 of each of 5 activations and 9 of 3
	// dimensions; 5 activations; 47 recurrent layers; 11 BatchNormalization, 5 LayerNormalization, 24 Conv1D, 4 Add, 4 Concatenate.
	if compared != 8+26+11+8+5+8+6*5+9+5+47+11+5+24+4+4 {
		t.Errorf("%d cases were compared", compared)
	}
}

// layerCase compares one layer with its recorded case.
func layerCase(t *testing.T, c golden.Case, spec nn.Layer) {
	if c.Has("samples") {
		dropoutStatistics(t, c, spec)
		return
	}
	in := c.Array("inputs", 0)
	rows, dims := in.Shape[0], in.Shape[1:]
	var (
		x     tensor.Rows
		model *nn.Model
		what  []nn.Layer
		reads = nn.Features(dims...)
	)
	if in.Int32 != nil {
		x, reads = array(t, in.Int32, in.Shape...), nn.Tokens(dims[0])
		what = []nn.Layer{spec}
		model = build(t, reads, what...)
	} else {
		// Whatever the model reads does not matter: given puts its parameter in its place.
		x = array(t, make([]float32, len(in.Float32)), in.Shape...)
		what = []nn.Layer{given{rows: rows}}
		if c.Has("mask") {
			what = append(what, masked{split(c.Array("mask"))})
		}
		what = append(what, spec)
		model = build(t, reads, what...)
		copy(model.Parameter("given/x").Values(), in.Float32)
	}
	name := model.Summary()
	for _, key := range c.Keys("weights") {
		setWeights(t, model, layerName(model, key), c.Array("weights", key))
	}
	if t.Failed() {
		t.Log(name)
		return
	}

	want := c.Array("expected", "output")
	if c.Name == "GlobalAveragePooling1D/all_masked_row_gives_nan" {
		// A documented difference: a row of which every step is masked gives 0.
		nans := 0
		for i, v := range want.Float32 {
			if v != v {
				nans++
				want.Float32[i] = 0
			}
		}
		if nans != 2 {
			t.Fatalf("%d NaN are recorded", nans)
		}
	}
	if shape := model.OutputShape("output"); !shape[1:].Equal(want.Shape[1:]) {
		t.Errorf("output of shape %v, recorded %v", shape, want.Shape)
	}
	golden.Close(t, "output", predict(t, model, x, nn.PredictOptions{}), want, tolerance(c))

	if c.Has("training") && !c.Bool("training") {
		return // gradients outside training: Fit has none
	}
	if c.Has("expected", "output_mask") {
		// The gradients are those of all steps: the mask must not reach the loss.
		all := build(t, reads, append(slices.Clone(what), unmasked{})...)
		must(t, all.SetWeights(model.Weights(nil)))
		model = all
	}
	up := c.Array("upstream")
	got := gradients(t, model, x, up.Float32, up.Shape, nn.FitOptions{})
	if c.Has("expected", "input_grads") {
		golden.Close(t, "input gradient", got["given/x"], c.Array("expected", "input_grads", 0), tolerance(c))
	}
	if c.Has("expected", "weight_grads") {
		for _, key := range c.Keys("expected", "weight_grads") {
			golden.Close(t, "gradient of "+key, got[layerName(model, key)], c.Array("expected", "weight_grads", key), tolerance(c))
		}
	}
	if c.Has("expected", "output_mask") {
		shown := build(t, reads, append(what, maskShown{})...)
		var mask []int32
		for _, v := range predict(t, shown, x, nn.PredictOptions{}) {
			mask = append(mask, int32(v))
		}
		golden.Equal(t, "output mask", mask, c.Array("expected", "output_mask"))
	}
}

// layerName is the full name of the parameter of the given name in a model with one layer under test.
func layerName(m *nn.Model, own string) string {
	for _, p := range m.Parameters() {
		if p.Name() == own || strings.HasSuffix(p.Name(), "/"+own) {
			return p.Name()
		}
	}
	return "no parameter " + own
}

func setWeights(t *testing.T, m *nn.Model, name string, a golden.Array) {
	t.Helper()
	p := m.Parameter(name)
	if p == nil {
		t.Errorf("the model has no parameter %s", name)
		return
	}
	if !p.Shape().Equal(a.Shape) {
		t.Errorf("%s has shape %v, recorded %v", name, p.Shape(), a.Shape)
		return
	}
	copy(p.Values(), a.Float32)
}

// split cuts a recorded mask into rows.
func split(a golden.Array) [][]int32 {
	rows := make([][]int32, a.Shape[0])
	for i := range rows {
		rows[i] = a.Int32[i*a.Shape[1] : (i+1)*a.Shape[1]]
	}
	return rows
}

// chainCase compares the tutorial's network, fused and as it was written.
func chainCase(t *testing.T, c golden.Case) {
	var spec []nn.Layer
	for _, l := range c.List("config", "layers") {
		spec = append(spec, layerSpec(l.Text(0), l.At(1)))
	}
	in, up := c.Array("inputs", 0), c.Array("upstream")
	x := array(t, in.Int32, in.Shape...)
	for _, noFusion := range []bool{false, true} {
		for _, threads := range []int{1, 3} {
			model := build(t, nn.Tokens(nn.AnyLength), spec...)
			for _, key := range c.Keys("weights") {
				setWeights(t, model, key, c.Array("weights", key))
			}
			out := predict(t, model, x, nn.PredictOptions{NoFusion: noFusion, Threads: threads})
			golden.Close(t, "output", out, c.Array("expected", "output"), tolerance(c))
			got := gradients(t, model, x, up.Float32, up.Shape, nn.FitOptions{NoFusion: noFusion, Threads: threads})
			for _, key := range c.Keys("expected", "weight_grads") {
				golden.Close(t, "gradient of "+key, got[key], c.Array("expected", "weight_grads", key), tolerance(c))
			}
			if t.Failed() {
				t.Fatalf("NoFusion %v, %d threads", noFusion, threads)
			}
		}
	}
}

// dropoutStatistics compares how much is kept, and what becomes of it, with the rate: Keras's bits are its own.
func dropoutStatistics(t *testing.T, c golden.Case, spec nn.Layer) {
	const width = 100
	n := c.Int("samples")
	x := array(t, make([]float32, n), n/width, width)
	model := build(t, nn.Features(width), given{rows: n / width}, spec)
	values := model.Parameter("given/x").Values()
	for i := range values {
		values[i] = 1
	}
	ones := slices.Clone(values)
	// The gradient is scaled as the output is, element by element.
	got := gradients(t, model, x, ones, tensor.Shape{n / width, width}, nn.FitOptions{})["given/x"]
	kept, keptValue := 0, float32(c.Float("kept_value"))
	for i, v := range got {
		if v == 0 {
			continue
		}
		kept++
		if math.Abs(float64(v-keptValue)) > 1e-6*float64(keptValue) {
			t.Fatalf("element %d becomes %v, not 0 or %v", i, v, keptValue)
		}
	}
	golden.CloseNumber(t, "kept", float64(kept)/float64(n), c.Float("expected_kept_fraction"), golden.Tolerance{Abs: c.Float("four_sigma")})
}

// What passes a mask on, and what ends it: Keras's supports_masking.
func TestMaskPassing(t *testing.T) {
	mask := [][]int32{{1, 0}, {0, 1}}
	x := array(t, make([]float32, 12), 2, 2, 3)
	for _, c := range []struct {
		layer  nn.Layer
		passes bool
	}{
		{layers.Dense{Units: 4, Activation: layers.ReLU}, true},
		{layers.Activation{Function: layers.Tanh}, true},
		{layers.Activation{}, true},
		{layers.Dropout{Rate: 0.5}, true},
		{layers.Flatten{}, false},
		{layers.GlobalAveragePooling1D{}, false},
	} {
		m, err := nn.NewSequential(masked{mask}, c.layer, maskShown{}).Build(t.Context(), nn.Features(2, 3), nn.BuildOptions{})
		if !c.passes {
			if err == nil || !strings.HasSuffix(err.Error(), "no mask") {
				t.Errorf("%+v: a mask comes out: %v", c.layer, err)
			}
			continue
		}
		must(t, err)
		if got := predict(t, m, x, nn.PredictOptions{}); !slices.Equal(got, []float32{1, 0, 0, 1}) {
			t.Errorf("%+v: the mask is %v", c.layer, got)
		}
	}
}

// A mask with another number of steps than the values has no meaning: channels first after an Embedding, where the
// steps become features.
func TestMaskOfAnotherLength(t *testing.T) {
	_, err := nn.NewSequential(layers.Embedding{Vocabulary: 5, Dim: 3, MaskZero: true}, layers.GlobalAveragePooling1D{ChannelsFirst: true}).Build(t.Context(), nn.Tokens(4), nn.BuildOptions{})
	if !errors.Is(err, tensor.ErrShape) {
		t.Errorf("Build: %v", err)
	}
	// With a length that is known only later, the error comes then.
	m, err := nn.NewSequential(layers.Embedding{Vocabulary: 5, Dim: 3, MaskZero: true}, layers.GlobalAveragePooling1D{ChannelsFirst: true}, layers.Dense{Units: 1}).Build(t.Context(), nn.Tokens(nn.AnyLength), nn.BuildOptions{})
	if err == nil {
		_, err = m.PredictInto(t.Context(), nil, array(t, make([]int32, 8), 2, 4), nn.PredictOptions{})
	}
	if !errors.Is(err, tensor.ErrShape) {
		t.Errorf("Predict: %v", err)
	}
}
