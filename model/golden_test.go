package model_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/linnet-ml/linnet/callbacks"
	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/loss"
	"github.com/linnet-ml/linnet/metrics"
	"github.com/linnet-ml/linnet/model"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optim"
	"github.com/linnet-ml/linnet/optional"
	"github.com/linnet-ml/linnet/tensor"
	"github.com/linnet-ml/linnet/text"
)

// The files testdata/v1*.linnet have version 1 of the format. Every later version of linnet reads them: they are never
// written again. The flag is for files of a version that was not released yet.
var update = flag.Bool("update", false, "write the golden files of the newest version of the format")

// golden is a file of a past version, what made it, and what is to be had from it for ever.
type golden struct {
	name string
	own  []plan.Spec
	make func(t *testing.T) (*nn.Model, model.SaveOptions)
	x    func(t *testing.T) map[string]tensor.Rows
	// goOn trains the model for two more epochs.
	goOn func(t *testing.T, m *nn.Model, s *nn.TrainingState)
}

// expected is what the file gave when it was made, as bits. It lies beside the file.
type expected struct {
	Predictions string            // from the file
	Weights     map[string]string // of the file
	Training    map[string]string // of the training state
	After       map[string]string // the weights after two more epochs
}

func hex(values []float32) string {
	var b strings.Builder
	for _, v := range values {
		fmt.Fprintf(&b, "%08x", math.Float32bits(v))
	}
	return b.String()
}

var goldens = []golden{
	{"v1", nil, makeV1, func(t *testing.T) map[string]tensor.Rows { return map[string]tensor.Rows{"input": someTexts(t)} },
		func(t *testing.T, m *nn.Model, s *nn.TrainingState) { fitV1(t, m, 4, s) }},
	{"v1-graph", []plan.Spec{tabled{}}, makeV1Graph, inputsV1Graph,
		func(t *testing.T, m *nn.Model, s *nn.TrainingState) { fitV1Graph(t, m, 4, s) }},
}

// makeV1 is a Sequential that reads texts, with weights of each storage and a training state with weights of its own: those
// before they were made small.
func makeV1(t *testing.T) (*nn.Model, model.SaveOptions) {
	table := layers.VectorTable{Words: hubTokenizer(t, text.HubTokenizerOptions{Lower: true}), By: text.Sqrtn, Vectors: vectors(t, 6, 4)}
	m, err := nn.NewSequential(layers.TextEmbedding{Table: table, Trainable: true},
		layers.BatchNormalization{Momentum: optional.Of(0.5)},
		layers.Dense{Units: 3, Activation: layers.ReLU, KernelRegularizer: layers.L2{}},
		layers.Dropout{Rate: 0.25},
		layers.Dense{Name: "hidden", Units: 3, Activation: layers.Tanh},
		layers.Dense{Units: 1, Activation: layers.Sigmoid}).
		Build(t.Context(), nn.Texts(), nn.BuildOptions{Seed: 1<<63 + 9})
	must(t, err)
	_, err = m.SetTrainable("dense/bias", false)
	must(t, err)
	var s nn.TrainingState
	h := fitV1(t, m, 2, &s)
	s.Weights = map[string][]float32{}
	for _, p := range m.Parameters() {
		s.Weights[p.Name()] = slices.Clone(p.Values())
	}
	c, _, err := model.Convert(t.Context(), m, model.ConvertOptions{Storage: model.Float32, Parameters: []model.ParameterStorage{
		{Name: "text_embedding/*", Storage: model.Int8}, {Name: "dense/kernel", Storage: model.Float16}, {Name: "hidden/kernel", Storage: model.BFloat16}}})
	must(t, err)
	return c, model.SaveOptions{State: &s, Info: model.Info{History: h, Labels: map[string][]string{"output": {"bad", "good \u2603"}},
		Thresholds: map[string][]float64{"output": {0.1}}, Metadata: map[string]string{"license": "CC0 \"\n", "": ""}}}
}

func fitV1(t *testing.T, m *nn.Model, epochs int, s *nn.TrainingState) *history.History {
	t.Helper()
	y, err := tensor.Of([]float32{1, 0, 1, 0, 1})
	must(t, err)
	h, err := m.Fit(t.Context(), nn.Data{X: someTexts(t), Y: y, Weights: []float32{1, 1, 1, 0.5, 1}}, nn.FitOptions{
		Optimizer: optim.Adam{AMSGrad: true}, Loss: loss.BinaryCrossentropy{}, Metrics: []nn.Metric{metrics.BinaryAccuracy{}}, BatchSize: 2, Epochs: epochs, State: s,
		Callbacks: []nn.Callback{
			plan.CallbackFunc(func(e plan.Event, t plan.Training) error {
				if e == plan.EpochEnd && t.Epoch() == 0 {
					t.Logs().Set("strange", math.Inf(-1))
				}
				return nil
			}),
			callbacks.EarlyStopping{Monitor: "loss", Patience: 5, RestoreBest: true},
		}})
	must(t, err)
	return h
}

// makeV1Graph is a graph with a kind of one's own, arrays of numbers beside its spec and a training state that has the model's
// weights.
func makeV1Graph(t *testing.T) (*nn.Model, model.SaveOptions) {
	g := &nn.Graph{Name: "two of each"}
	title, body := g.Input("title", nn.Tokens(4)), g.Input("body", nn.Tokens(nn.AnyLength))
	embed := g.Node(layers.Embedding{Vocabulary: 10, Dim: 3, MaskZero: true})
	own := tabled{Table: layers.VectorTable{Words: hubTokenizer(t, text.HubTokenizerOptions{OOVBuckets: 2}), Vectors: vectors(t, 1, 3)}, Power: 2,
		Notes: map[string][]float64{"b": {0.1}}, Then: layers.Dense{Units: 2, KernelInit: layers.RandomNormal{StdDev: optional.Of(float32(0.5))}}}
	both := g.Apply(layers.Concatenate{}, g.Apply(layers.LSTM{Units: 2}, embed.Apply(title)), g.Apply(layers.GlobalAveragePooling1D{}, embed.Apply(body)))
	g.Output("spam", g.Apply(layers.Dense{Units: 1, Activation: layers.Sigmoid}, both))
	g.Output("rest", g.Apply(own, g.Input("numbers", nn.Features(3))))
	m, err := g.Build(t.Context(), nn.BuildOptions{Seed: 3})
	must(t, err)
	var s nn.TrainingState
	fitV1Graph(t, m, 2, &s)
	return m, model.SaveOptions{State: &s, Kinds: []plan.Spec{tabled{}}}
}

func inputsV1Graph(t *testing.T) map[string]tensor.Rows {
	return map[string]tensor.Rows{"title": tokens(t, 4, 10), "body": tokens(t, 6, 9), "numbers": floats(t, 3)}
}

func fitV1Graph(t *testing.T, m *nn.Model, epochs int, s *nn.TrainingState) {
	t.Helper()
	_, err := m.Fit(t.Context(), nn.Data{Inputs: inputsV1Graph(t), Labels: map[string]tensor.Rows{"spam": floats(t, 1), "rest": floats(t, 2)}}, nn.FitOptions{
		Optimizer: optim.SGD{}, BatchSize: 2, Epochs: epochs, State: s,
		Outputs: map[string]nn.OutputOptions{"spam": {Loss: loss.MeanSquaredError{}}, "rest": {Loss: loss.MeanSquaredError{}}}})
	must(t, err)
}

// TestUpdateGolden writes the golden files, with -update.
func TestUpdateGolden(t *testing.T) {
	if !*update {
		t.Skip("without -update")
	}
	for _, g := range goldens {
		m, o := g.make(t)
		must(t, model.Save(t.Context(), "testdata/"+g.name+".linnet", m, o))
		f, err := model.Load(t.Context(), "testdata/"+g.name+".linnet", model.LoadOptions{Kinds: g.own})
		must(t, err)
		b, err := json.MarshalIndent(valuesOf(t, g, f), "", "\t")
		must(t, err)
		must(t, os.WriteFile("testdata/"+g.name+".json", append(b, '\n'), 0o644))
		must(t, f.Close())
	}
}

// valuesOf are the bits that a file gives. It trains the model.
func valuesOf(t *testing.T, g golden, f *model.File) (e expected) {
	t.Helper()
	weights := func() map[string]string {
		all := map[string]string{}
		for _, p := range f.Model.Parameters() {
			all[p.Name()] = hex(p.Values())
		}
		return all
	}
	e.Predictions = hex(predictions(t, f.Model, g.x(t), nn.PredictOptions{}))
	e.Weights = weights()
	s, err := f.State(t.Context())
	must(t, err)
	e.Training = map[string]string{}
	for name, v := range s.Weights {
		e.Training["weights "+name] = hex(v)
	}
	for name, slots := range s.Slots {
		for i, v := range slots {
			e.Training[fmt.Sprintf("slot %d of %s", i, name)] = hex(v)
		}
	}
	for i, c := range s.Callbacks {
		e.Training[fmt.Sprintf("callback %d", i)] = c.Kind + " " + string(c.Values)
		for name, v := range c.Weights {
			e.Training[fmt.Sprintf("callback %d, weights %s", i, name)] = hex(v)
		}
	}
	for i, group := range s.Groups {
		e.Training[fmt.Sprintf("group %d", i)] = fmt.Sprintf("%+v", group)
	}
	e.Training["rest"] = fmt.Sprint(s.Version, s.Epoch, s.Batch, s.Seed, s.Accumulated, s.Stopped)
	for _, name := range s.History.Names() {
		e.Training["history of "+name] = fmt.Sprint(s.History.Values(name))
	}
	g.goOn(t, f.Model, s)
	e.After = weights()
	return e
}

// What version 1 wrote is read for ever: each weight, each prediction and the state of the training to the bit, in each way
// to open a file.
func TestGolden(t *testing.T) {
	for _, g := range goldens {
		b, err := os.ReadFile("testdata/" + g.name + ".linnet")
		must(t, err)
		text, err := os.ReadFile("testdata/" + g.name + ".json")
		must(t, err)
		var want expected
		must(t, json.Unmarshal(text, &want))
		if len(want.Weights) == 0 || len(want.After) != len(want.Weights) || reflect.DeepEqual(want.Weights, want.After) {
			t.Fatalf("%s expects nothing", g.name)
		}
		for way, open := range waysToOpen("testdata/"+g.name+".linnet", b, g.own) {
			f, err := open(t)
			must(t, err)
			got := valuesOf(t, g, f)
			if got.Predictions != want.Predictions {
				t.Errorf("%s, %s: predictions %s, want %s", g.name, way, got.Predictions, want.Predictions)
			}
			for what, maps := range map[string][2]map[string]string{"weights": {got.Weights, want.Weights}, "training state": {got.Training, want.Training},
				"weights after two more epochs": {got.After, want.After}} {
				compare(t, g.name+", "+way+": "+what, maps[0], maps[1])
			}
			must(t, f.Close())
		}
	}
}

func compare(t *testing.T, what string, got, want map[string]string) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if got[name] != want[name] {
			t.Errorf("%s: %s is\n%s, want\n%s", what, name, got[name], want[name])
		}
	}
	if len(got) != len(want) {
		t.Errorf("%s: %d things, want %d", what, len(got), len(want))
	}
}

// waysToOpen are all that the package has.
func waysToOpen(path string, b []byte, own []plan.Spec) map[string]func(t testing.TB) (*model.File, error) {
	return map[string]func(t testing.TB) (*model.File, error){
		"Load": func(t testing.TB) (*model.File, error) {
			return model.Load(t.Context(), path, model.LoadOptions{Kinds: own})
		},
		"InMemory": func(t testing.TB) (*model.File, error) {
			return model.Load(t.Context(), path, model.LoadOptions{Kinds: own, InMemory: true})
		},
		"FromBytes": func(t testing.TB) (*model.File, error) {
			return model.FromBytes(t.Context(), b, model.LoadOptions{Kinds: own})
		},
		"Read": func(t testing.TB) (*model.File, error) {
			return model.Read(t.Context(), bytes.NewReader(b), int64(len(b)), model.LoadOptions{Kinds: own})
		},
	}
}

// What the file of version 1 says of the model.
func TestGoldenInfo(t *testing.T) {
	f, err := model.Load(t.Context(), "testdata/v1.linnet", model.LoadOptions{})
	must(t, err)
	defer f.Close()
	if want := map[string][]string{"output": {"bad", "good \u2603"}}; !reflect.DeepEqual(f.Info.Labels, want) {
		t.Errorf("labels %q", f.Info.Labels)
	}
	if want := map[string][]float64{"output": {0.1}}; !reflect.DeepEqual(f.Info.Thresholds, want) {
		t.Errorf("thresholds %v", f.Info.Thresholds)
	}
	if want := map[string]string{"license": "CC0 \"\n", "": ""}; !maps.Equal(f.Info.Metadata, want) {
		t.Errorf("metadata %q", f.Info.Metadata)
	}
	if got := f.Info.History.Names(); !slices.Equal(got, []string{"loss", "binary_accuracy", "strange"}) || len(f.Info.History.Epochs) != 2 ||
		f.Info.History.Direction("binary_accuracy") != history.HigherIsBetter {
		t.Errorf("history of %q, epochs %v", got, f.Info.History.Epochs)
	}
	if got := f.Model.Frozen(); !slices.Equal(got, []string{"dense/bias"}) {
		t.Errorf("frozen %q", got)
	}
	if f.Model.Seed() != 1<<63+9 {
		t.Errorf("seed %d", f.Model.Seed())
	}
	s, err := f.State(t.Context())
	must(t, err)
	if v := s.History.Values("strange"); len(v) != 2 || !math.IsInf(v[0], -1) || !math.IsNaN(v[1]) {
		t.Errorf("the state's history has %v", v)
	}
}
