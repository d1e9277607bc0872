package model_test

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/model"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optional"
	"github.com/linnet-ml/linnet/tensor"
	"github.com/linnet-ml/linnet/text"
)

// built is a model and rows that it reads, by the names of its inputs.
type built struct {
	m *nn.Model
	x map[string]tensor.Rows
}

// predictions are all outputs one after the other, in the order of their names.
func predictions(t testing.TB, m *nn.Model, x map[string]tensor.Rows, o nn.PredictOptions) (all []float32) {
	t.Helper()
	for out, err := range m.PredictAll(t.Context(), nn.Data{Inputs: x}, o) {
		must(t, err)
		for _, name := range slices.Sorted(maps.Keys(out)) {
			all = append(all, out[name].Data()...)
		}
	}
	if len(all) == 0 {
		t.Fatal("no predictions")
	}
	return all
}

// shuffleWeights gives each parameter values of its own, so that those of Build do not pass for those of a file. They are
// positive, as variances are.
func shuffleWeights(t testing.TB, m *nn.Model) {
	t.Helper()
	for _, p := range m.Parameters() {
		h := fnv.New32a()
		h.Write([]byte(p.Name()))
		n := h.Sum32()
		values := make([]float32, p.Size())
		for i := range values {
			n = n*1664525 + 1013904223
			values[i] = float32(n>>8+1) / (1 << 24)
		}
		must(t, m.SetParameter(p.Name(), values))
	}
}

// checkRoundTrip saves a model, opens it in each way, and compares everything.
func checkRoundTrip(t *testing.T, b built, own ...plan.Spec) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "model.linnet")
	must(t, model.Save(t.Context(), path, b.m, model.SaveOptions{Kinds: own}))
	want := predictions(t, b.m, b.x, nn.PredictOptions{})
	k := allKinds(t, own)
	spec, err := k.EncodeWithoutWeights(b.m.Spec())
	must(t, err)
	var file bytes.Buffer
	must(t, model.Write(t.Context(), &file, b.m, model.SaveOptions{Kinds: own}))
	for _, inMemory := range []bool{false, true} {
		f, err := model.Load(t.Context(), path, model.LoadOptions{Kinds: own, InMemory: inMemory})
		must(t, err)
		got, err := k.EncodeWithoutWeights(f.Model.Spec())
		must(t, err)
		if !bytes.Equal(spec.JSON, got.JSON) {
			t.Errorf("the spec\n%s\nbecame\n%s", spec.JSON, got.JSON)
		}
		if f.Model.Summary() != b.m.Summary() {
			t.Errorf("the summary\n%s\nbecame\n%s", b.m.Summary(), f.Model.Summary())
		}
		if !slices.Equal(f.Model.Frozen(), b.m.Frozen()) || f.Model.Seed() != b.m.Seed() {
			t.Errorf("%v became %v, seed %d became %d", b.m.Frozen(), f.Model.Frozen(), b.m.Seed(), f.Model.Seed())
		}
		for i, p := range f.Model.Parameters() {
			old := b.m.Parameters()[i]
			if p.Name() != old.Name() || p.Trainable() != old.Trainable() {
				t.Errorf("parameter %s (trainable: %v) became %s (%v)", old.Name(), old.Trainable(), p.Name(), p.Trainable())
			}
			equalBits(t, p.Name(), p.Values(), old.Values())
		}
		equalBits(t, "predictions", predictions(t, f.Model, b.x, nn.PredictOptions{}), want)
		equalBits(t, "unfused predictions", predictions(t, f.Model, b.x, nn.PredictOptions{NoFusion: true, Threads: 2}),
			predictions(t, b.m, b.x, nn.PredictOptions{NoFusion: true}))
		var again bytes.Buffer
		must(t, model.Write(t.Context(), &again, f.Model, model.SaveOptions{Kinds: own}))
		if !bytes.Equal(file.Bytes(), again.Bytes()) {
			t.Error("the loaded model gives other bytes")
		}
		must(t, f.Close())
	}
}

func allKinds(t testing.TB, own []plan.Spec) *plan.Kinds {
	t.Helper()
	k, err := plan.NewKinds(nn.Kinds(), layers.Kinds(), text.Kinds(), own)
	must(t, err)
	return k
}

// floats are rows of the given dimensions.
func floats(t testing.TB, dims ...int) tensor.Rows {
	t.Helper()
	x, err := tensor.New[float32](append([]int{5}, dims...)...)
	must(t, err)
	for i := range x.Data() {
		x.Data()[i] = float32(i*37%29)/16 - 0.8
	}
	return x
}

func tokens(t testing.TB, steps, vocabulary int) tensor.Rows {
	t.Helper()
	x, err := tensor.New[int32](5, steps)
	must(t, err)
	for i := range x.Data() {
		x.Data()[i] = int32(i * 7 % vocabulary)
	}
	return x
}

func someTexts(t testing.TB) tensor.Rows {
	t.Helper()
	x, err := tensor.Of([]string{"good film", "bad", "", "a film that is bad, and then good", "good good good"})
	must(t, err)
	return x
}

// sequential builds a model of layers that reads one input.
func sequential(t testing.TB, in nn.Input, x tensor.Rows, list ...nn.Layer) built {
	t.Helper()
	m, err := nn.NewSequential(list...).Build(t.Context(), in, nn.BuildOptions{Seed: 1<<63 + 5})
	must(t, err)
	shuffleWeights(t, m)
	return built{m, map[string]tensor.Rows{"input": x}}
}

// on builds a model of layers that reads features.
func on(list ...nn.Layer) func(t testing.TB) built {
	return func(t testing.TB) built { return sequential(t, nn.Features(3), floats(t, 3), list...) }
}

// onSteps builds one that reads sequences of any length.
func onSteps(list ...nn.Layer) func(t testing.TB) built {
	return func(t testing.TB) built { return sequential(t, nn.Features(nn.AnyLength, 3), floats(t, 4, 3), list...) }
}

func onTokens(list ...nn.Layer) func(t testing.TB) built {
	return func(t testing.TB) built { return sequential(t, nn.Tokens(nn.AnyLength), tokens(t, 4, 10), list...) }
}

// merging builds a graph in which a layer merges two values.
func merging(l nn.Layer) func(t testing.TB) built {
	return func(t testing.TB) built {
		g := &nn.Graph{}
		in := g.Input("features", nn.Features(3))
		g.Output("out", g.Apply(l, g.Apply(layers.Dense{Units: 4}, in), g.Apply(layers.Dense{Units: 4}, in)))
		return graph(t, g, map[string]tensor.Rows{"features": floats(t, 3)})
	}
}

func graph(t testing.TB, g *nn.Graph, x map[string]tensor.Rows) built {
	t.Helper()
	m, err := g.Build(t.Context(), nn.BuildOptions{Seed: 2})
	must(t, err)
	shuffleWeights(t, m)
	return built{m, x}
}

func initialized(i plan.Initializer) func(t testing.TB) built {
	return on(layers.Dense{Units: 2, KernelInit: i})
}

func regularized(r plan.Regularizer) func(t testing.TB) built {
	return on(layers.Dense{Units: 2, KernelRegularizer: r})
}

func constrained(c plan.Constraint) func(t testing.TB) built {
	return on(layers.Dense{Units: 2, KernelConstraint: c})
}

func hubTokenizer(t testing.TB, o text.HubTokenizerOptions) *text.HubTokenizer {
	t.Helper()
	words, err := text.NewVocabulary(t.Context(), []string{"good", "bad", "film", "", "\xff\x00 no UTF-8"})
	must(t, err)
	tokenizer, err := text.NewHubTokenizer(words, o)
	must(t, err)
	return tokenizer
}

func vectors(t testing.TB, rows, dim int) *tensor.Float32 {
	t.Helper()
	x, err := tensor.New[float32](rows, dim)
	must(t, err)
	for i := range x.Data() {
		x.Data()[i] = float32(i) / 8
	}
	return x
}

// onTexts builds a model that reads texts by a tokenizer.
func onTexts(words func(t testing.TB) text.Tokenizer) func(t testing.TB) built {
	return func(t testing.TB) built {
		tokenizer := words(t)
		table := layers.VectorTable{Words: tokenizer, By: text.Mean, Vectors: vectors(t, tokenizer.Size()+1, 3)}
		return sequential(t, nn.Texts(), someTexts(t), layers.TextEmbedding{Table: table, Combiner: text.Sqrtn}, layers.Dense{Units: 2})
	}
}

func onHubTexts(t testing.TB) built {
	return onTexts(func(t testing.TB) text.Tokenizer {
		return hubTokenizer(t, text.HubTokenizerOptions{Lower: true, KeepPunctuation: true, OOVBuckets: 3})
	})(t)
}

// hashedTexts is a model that reads texts by their hashed features, with vectors of its own.
func hashedTexts(t testing.TB) built {
	features, err := text.NewHashedFeatures(text.HashedFeaturesOptions{Buckets: 50, NGrams: 2, MinCharacters: 3, MaxCharacters: 4, Unicode: text.Unicode{NFC: true}})
	must(t, err)
	return sequential(t, nn.Texts(), someTexts(t), layers.TextEmbedding{Words: features, Dim: 3, Combiner: text.Sqrtn, Init: layers.RandomNormal{Mean: 1},
		EmbeddingsRegularizer: layers.L2{}, EmbeddingsConstraint: layers.NonNeg{}}, layers.Dense{Units: 2})
}

// A model of an adapted vocabulary with vectors of its own is all that another program needs to score texts.
func TestRoundTripOfOwnVectors(t *testing.T) {
	v, err := text.Vectorizer{NGrams: 2}.Adapt(t.Context(), []string{"good film", "bad film", "a good one"})
	must(t, err)
	checkRoundTrip(t, sequential(t, nn.Texts(), someTexts(t), layers.TextEmbedding{Words: v, Dim: 3}, layers.Dense{Units: 1, Activation: layers.Sigmoid}))
}

// withKinds has a model for each kind that linnet has.
var withKinds = map[string]func(t testing.TB) built{
	"Activation":         on(layers.Dense{Units: 3}, layers.Activation{Name: "softly", Function: layers.Softmax}),
	"Add":                merging(layers.Add{}),
	"Average":            merging(layers.Average{}),
	"Concatenate":        merging(layers.Concatenate{Axis: 1}),
	"Maximum":            merging(layers.Maximum{}),
	"Minimum":            merging(layers.Minimum{}),
	"Multiply":           merging(layers.Multiply{}),
	"Subtract":           merging(layers.Subtract{}),
	"BatchNormalization": on(layers.BatchNormalization{Momentum: optional.Of(0.5), Epsilon: optional.Of(0.1), NoScale: true}, layers.Dense{Units: 1}),
	"Bidirectional":      onSteps(layers.Bidirectional{Layer: layers.LSTM{Units: 2}, Backward: layers.GRU{Units: 2, GoBackwards: true}, MergeMode: layers.MergeSum}),
	"Constant":           initialized(layers.Constant{Value: -0.5}),
	"Conv1D":             onSteps(layers.Conv1D{Filters: 2, KernelSize: 3, Padding: layers.Causal, Dilation: 2, Activation: layers.ReLU}),
	"Dense":              on(layers.Dense{Name: "a *strange* name", Units: 2, Activation: layers.Tanh, NoBias: true}),
	"Dropout":            on(layers.Dense{Units: 3}, layers.Dropout{Rate: 0.3}),
	"Embedding":          onTokens(layers.Embedding{Vocabulary: 10, Dim: 4, MaskZero: true}, layers.GlobalAveragePooling1D{}),
	"Flatten": func(t testing.TB) built {
		return sequential(t, nn.Features(4, 3), floats(t, 4, 3), layers.Flatten{}, layers.Dense{Units: 2})
	},
	"Functional":             merging(layers.Add{}),
	"GlobalAveragePooling1D": onSteps(layers.GlobalAveragePooling1D{KeepDims: true}),
	"GlobalMaxPooling1D":     onSteps(layers.GlobalMaxPooling1D{}),
	"GlobalSumPooling1D":     onSteps(layers.GlobalSumPooling1D{SqrtN: true}),
	"GlorotNormal":           initialized(layers.GlorotNormal{}),
	"GlorotUniform":          initialized(layers.GlorotUniform{}),
	"GRU":                    onSteps(layers.GRU{Units: 2, ResetBefore: true, Dropout: 0.2, RecurrentDropout: 0.1}),
	"HashedFeatures":         hashedTexts,
	"HeNormal":               initialized(layers.HeNormal{}),
	"HeUniform":              initialized(layers.HeUniform{}),
	"HubTokenizer":           onHubTexts,
	"L1":                     regularized(layers.L1{Factor: 0.5}),
	"L1L2":                   regularized(layers.L1L2{L1: 0.25, L2: 0.1}),
	"L2":                     regularized(layers.L2{}),
	"LayerNormalization":     onSteps(layers.LayerNormalization{FirstAxis: -1, NoCenter: true}),
	"LecunNormal":            initialized(layers.LecunNormal{}),
	"LecunUniform":           initialized(layers.LecunUniform{}),
	"LSTM":                   onSteps(layers.LSTM{Units: 2, ReturnSequences: true, NoUnitForgetBias: true}),
	"MaxNorm":                constrained(layers.MaxNorm{MaxValue: 3, Axes: layers.Axes{First: 1}}),
	"MinMaxNorm":             constrained(layers.MinMaxNorm{MinValue: 0.5, MaxValue: 3, Rate: 0.5}),
	"NonNeg":                 constrained(layers.NonNeg{}),
	"UnitNorm":               constrained(layers.UnitNorm{}),
	"MultiHeadAttention": func(t testing.TB) built {
		g := &nn.Graph{Name: "attentive"}
		in := g.Input("steps", nn.Features(4, 3))
		both := g.Apply(layers.MultiHeadAttention{NumHeads: 2, KeyDim: 2, ReturnAttentionScores: true}, in, in)
		g.Output("out", both)
		g.Output("scores", both.Output(1))
		return graph(t, g, map[string]tensor.Rows{"steps": floats(t, 4, 3)})
	},
	"Ones":          initialized(layers.Ones{}),
	"Orthogonal":    initialized(layers.Orthogonal{}),
	"RandomNormal":  initialized(layers.RandomNormal{Mean: 0.1}),
	"RandomUniform": initialized(layers.RandomUniform{Min: -1, Max: 1}),
	"Sequential":    on(layers.Dense{Units: 1}),
	"SimpleRNN":     onSteps(layers.SimpleRNN{Units: 2, GoBackwards: true, ZeroOutputForMask: true}),
	"TextEmbedding": onHubTexts,
	"TextTokens": func(t testing.TB) built {
		v, err := text.Vectorizer{OutputSequenceLength: 4, Unicode: text.Unicode{Lower: true, NFC: true}}.Adapt(t.Context(), []string{"good film", "bad film", "a good one"})
		must(t, err)
		return sequential(t, nn.Texts(), someTexts(t), layers.TextTokens{Words: v}, layers.Embedding{Vocabulary: v.Size(), Dim: 3}, layers.LSTM{Units: 2})
	},
	"TextVectorization": onTexts(func(t testing.TB) text.Tokenizer {
		v, err := text.Vectorizer{NGrams: 2}.Adapt(t.Context(), []string{"good film", "bad film", "a good one"})
		must(t, err)
		return v
	}),
	"TimeDistributed": onSteps(layers.TimeDistributed{Layer: layers.Dense{Units: 2, KernelInit: layers.Ones{}}}),
	"TokenTable": func(t testing.TB) built {
		words := hubTokenizer(t, text.HubTokenizerOptions{})
		m, err := nn.NewSequential(layers.TextEmbedding{Table: layers.TokenTable{Words: words, By: text.Sum, Vectors: words.Size(), Width: 2}, Trainable: true}).
			Build(t.Context(), nn.Texts(), nn.BuildOptions{Storage: func(_ string, shape tensor.Shape) (plan.Storage, error) {
				return make(plan.Float32Storage, shape[0]*shape[1]), nil
			}})
		must(t, err)
		shuffleWeights(t, m)
		return built{m, map[string]tensor.Rows{"input": someTexts(t)}}
	},
	"TruncatedNormal": initialized(layers.TruncatedNormal{Mean: 1}),
	"VectorTable":     onHubTexts,
	"Zeros":           initialized(layers.Zeros{}),
}

// Each kind that linnet has comes back from a file: its settings, its weights to the bit, its predictions to the bit. A
// kind without a row fails.
func TestRoundTripOfEveryKind(t *testing.T) {
	k := allKinds(t, nil)
	for _, name := range k.Names() {
		if withKinds[name] == nil {
			t.Errorf("no model here has the kind %s", name)
		}
	}
	for name, build := range withKinds {
		t.Run(name, func(t *testing.T) {
			if !slices.Contains(k.Names(), name) {
				t.Fatal("there is no such kind")
			}
			b := build(t)
			spec, err := k.Encode(b.m.Spec())
			must(t, err)
			if !strings.Contains(string(spec.JSON), fmt.Sprintf(`{"kind":%q`, name)) {
				t.Fatalf("the model does not have the kind: %s", spec.JSON)
			}
			checkRoundTrip(t, b)
		})
	}
}

// A model with two inputs, two outputs, a layer that both inputs share, states of a layer as an output, frozen parameters
// and every type of input.
func TestRoundTripOfGraph(t *testing.T) {
	g := &nn.Graph{Name: "two of each"}
	title, body, sparse := g.Input("title", nn.Tokens(4)), g.Input("body", nn.Tokens(nn.AnyLength)), g.Input("words", nn.SparseFeatures(6))
	raw := g.Input("raw", nn.Texts())
	embed := g.Node(layers.Embedding{Vocabulary: 10, Dim: 3, MaskZero: true})
	states := g.Apply(layers.LSTM{Units: 3, ReturnState: true}, embed.Apply(title))
	texts := layers.TextEmbedding{Table: layers.VectorTable{Words: hubTokenizer(t, text.HubTokenizerOptions{}), By: text.Mean, Vectors: vectors(t, 6, 3)}}
	both := g.Apply(layers.Concatenate{}, states, g.Apply(layers.GlobalAveragePooling1D{}, embed.Apply(body)),
		g.Apply(layers.Dense{Name: "dense[1]*?", Units: 2}, sparse), g.Apply(texts, raw))
	g.Output("spam", g.Apply(layers.Dense{Units: 1, Activation: layers.Sigmoid}, both))
	g.Output("state", states.Output(2))
	wide, err := tensor.NewSparse(6, []int{0, 1, 1, 3, 4, 6}, []int32{2, 0, 5, 3, 1, 4}, []float32{1, 2, 3, 4, 5, 6})
	must(t, err)
	b := graph(t, g, map[string]tensor.Rows{"title": tokens(t, 4, 10), "body": tokens(t, 7, 9), "words": wide, "raw": someTexts(t)})
	if n, err := b.m.SetTrainable("embedding/*", false); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if n, err := b.m.SetTrainable(`dense\[1]\*\?/bias`, false); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	checkRoundTrip(t, b)
}

// tabled is a layer of one's own that has a table of numbers beside its settings. It multiplies rows with the first vector.
type tabled struct {
	Table layers.VectorTable
	Power int
	Notes map[string][]float64
	Then  plan.Layer
}

func (tabled) Kind() string { return "tabled" }

func (l tabled) Build(b *plan.Builder, in []plan.Symbol) ([]plan.Symbol, error) {
	v, err := b.Add(plan.Op{
		Outputs: func(in []plan.Signature) ([]plan.Signature, error) { return in, nil },
		Forward: func(f *plan.Frame, at plan.Span) {
			x, y, v := f.In(0, at), f.Out(0, at), l.Table.Vectors.Data()
			for i := range y {
				y[i] = x[i] * v[i%len(v)] * float32(l.Power)
			}
		},
	}, in)
	if err != nil {
		return nil, err
	}
	return l.Then.Build(b, v)
}

// A layer of one's own comes back where its kind is given; where it is not, the error names it and its place.
func TestRoundTripOfOwnKind(t *testing.T) {
	own := tabled{Table: layers.VectorTable{Words: hubTokenizer(t, text.HubTokenizerOptions{}), Vectors: vectors(t, 1, 3)}, Power: 3,
		Notes: map[string][]float64{"b": {1e300, 0.1}, "a": nil}, Then: layers.Dense{Units: 2}}
	b := on(own, layers.Dense{Units: 1})(t)
	checkRoundTrip(t, b, tabled{})
	err := model.Write(t.Context(), &bytes.Buffer{}, b.m, model.SaveOptions{})
	checkText(t, err, `model: plan: Layers[0]: the kind "tabled" is not registered`)
	var file bytes.Buffer
	must(t, model.Write(t.Context(), &file, b.m, model.SaveOptions{Kinds: []plan.Spec{tabled{}}}))
	_, err = model.FromBytes(t.Context(), file.Bytes(), model.LoadOptions{})
	if err == nil || !strings.HasPrefix(err.Error(), `model: bytes: plan: Layers[0]: the kind "tabled" is not known; there are ["Activation" "Add"`) {
		t.Error(err)
	}
}

func checkText(t testing.TB, err error, want string) {
	t.Helper()
	if err == nil || err.Error() != want {
		t.Errorf("the error is\n%v\nwant\n%s", err, want)
	}
}

// Each storage comes back as it is, from every kind of layer, in one file with others.
func TestRoundTripOfStorages(t *testing.T) {
	storages := []model.Storage{model.Float32, model.Float16, model.BFloat16, model.Int8}
	for _, name := range []string{"Embedding", "HubTokenizer", "LSTM", "MultiHeadAttention", "BatchNormalization", "Functional"} {
		for _, s := range storages {
			t.Run(fmt.Sprintf("%s/%v", name, s), func(t *testing.T) {
				b := withKinds[name](t)
				c, changes, err := model.Convert(t.Context(), b.m, model.ConvertOptions{Storage: s})
				must(t, err)
				if small := name == "BatchNormalization" && s == model.Int8; (len(changes) == 0) != small { // a column's rows would grow
					t.Errorf("%d parameters changed", len(changes))
				}
				checkRoundTrip(t, built{c, b.x})
			})
		}
	}
	b := withKinds["LSTM"](t)
	mixed := model.ConvertOptions{Storage: model.Int8, Parameters: []model.ParameterStorage{
		{Name: "*/*/bias", Storage: model.Float16}, {Name: "*/*/recurrent_kernel", Storage: model.BFloat16}}}
	c, changes, err := model.Convert(t.Context(), b.m, mixed)
	must(t, err)
	got := map[string]model.Storage{}
	for _, d := range changes {
		got[d.Parameter] = d.Storage
	}
	want := map[string]model.Storage{"lstm/lstm_cell/kernel": model.Int8, "lstm/lstm_cell/recurrent_kernel": model.BFloat16, "lstm/lstm_cell/bias": model.Float16}
	if !maps.Equal(got, want) {
		t.Errorf("stored as %v, want %v", got, want)
	}
	checkRoundTrip(t, built{c, b.x})
}
