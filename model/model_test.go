package model_test

import (
	"bytes"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/loss"
	"github.com/linnet-ml/linnet/model"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optim"
	"github.com/linnet-ml/linnet/tensor"
	"github.com/linnet-ml/linnet/text"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func equalBits(t testing.TB, what string, got, want []float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", what, len(got), len(want))
	}
	for i := range got {
		if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
			t.Fatalf("%s: value %d is %v, want %v", what, i, got[i], want[i])
		}
	}
}

// texts is a model that reads texts, with words of its own.
func textModel(t testing.TB) (*nn.Model, tensor.Rows) {
	t.Helper()
	words, err := text.NewVocabulary(t.Context(), []string{"good", "bad", "film", ""})
	must(t, err)
	tokenizer, err := text.NewHubTokenizer(words, text.HubTokenizerOptions{})
	must(t, err)
	vectors, err := tensor.Of([]float32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, 5, 3)
	must(t, err)
	m, err := nn.NewSequential(
		layers.TextEmbedding{Table: layers.VectorTable{Words: tokenizer, By: text.Sqrtn, Vectors: vectors}, Trainable: true},
		layers.Dense{Units: 4, Activation: layers.ReLU},
		layers.Dense{Units: 1, Activation: layers.Sigmoid},
	).Build(t.Context(), nn.Texts(), nn.BuildOptions{Seed: 3})
	must(t, err)
	x, err := tensor.Of([]string{"good film", "bad", "unknown", ""})
	must(t, err)
	return m, x
}

// A model comes back with its weights, its words and what the file says of it, and predicts the same bits; Close ends it.
func TestSaveAndLoad(t *testing.T) {
	m, x := textModel(t)
	path := filepath.Join(t.TempDir(), "reviews.linnet")
	info := model.Info{Labels: map[string][]string{"output": {"bad", "good"}}, Thresholds: map[string][]float64{"output": {0.4}},
		Metadata: map[string]string{"license": "MIT"}}
	must(t, model.Save(t.Context(), path, m, model.SaveOptions{Info: info}))
	b, err := os.ReadFile(path)
	must(t, err)
	want, err := m.PredictInto(t.Context(), nil, x, nn.PredictOptions{})
	must(t, err)
	var again bytes.Buffer
	must(t, model.Write(t.Context(), &again, m, model.SaveOptions{Info: info}))
	if !bytes.Equal(b, again.Bytes()) {
		t.Error("the same model gives other bytes")
	}
	open := map[string]func() (*model.File, error){
		"Load":      func() (*model.File, error) { return model.Load(t.Context(), path, model.LoadOptions{}) },
		"InMemory":  func() (*model.File, error) { return model.Load(t.Context(), path, model.LoadOptions{InMemory: true}) },
		"FromBytes": func() (*model.File, error) { return model.FromBytes(t.Context(), b, model.LoadOptions{}) },
		"odd memory": func() (*model.File, error) {
			return model.FromBytes(t.Context(), append(make([]byte, 1, len(b)+1), b...)[1:], model.LoadOptions{})
		},
		"Read": func() (*model.File, error) {
			return model.Read(t.Context(), bytes.NewReader(b), int64(len(b)), model.LoadOptions{})
		},
	}
	for name, open := range open {
		f, err := open()
		must(t, err)
		got, err := f.Model.PredictInto(t.Context(), nil, x, nn.PredictOptions{})
		must(t, err)
		equalBits(t, name, got, want)
		if f.Info.Labels["output"][1] != "good" || f.Info.Thresholds["output"][0] != 0.4 || f.Info.Metadata["license"] != "MIT" || f.HasState() {
			t.Errorf("%s: %+v", name, f.Info)
		}
		var third bytes.Buffer
		must(t, model.Write(t.Context(), &third, f.Model, model.SaveOptions{Info: f.Info}))
		if !bytes.Equal(b, third.Bytes()) {
			t.Errorf("%s: the loaded model gives other bytes", name)
		}
		must(t, f.Close())
		_, err = f.Model.PredictInto(t.Context(), nil, x, nn.PredictOptions{})
		if inFile := name == "Load" || name == "FromBytes"; inFile != errors.Is(err, fs.ErrClosed) || !inFile && err != nil {
			t.Errorf("%s: a prediction after Close: %v", name, err)
		}
	}
}

// n epochs, a file, and m epochs of the loaded model give the bits of n+m epochs.
func TestStateGoesOn(t *testing.T) {
	y, err := tensor.Of([]float32{1, 0, 1, 0})
	must(t, err)
	fit := func(m *nn.Model, x tensor.Rows, epochs int, s *nn.TrainingState) {
		_, err := m.Fit(t.Context(), nn.Data{X: x, Y: y}, nn.FitOptions{Optimizer: optim.Adam{}, Loss: loss.BinaryCrossentropy{}, BatchSize: 3, Epochs: epochs, State: s})
		must(t, err)
	}
	whole, x := textModel(t)
	fit(whole, x, 5, nil)
	m, _ := textModel(t)
	var s nn.TrainingState
	fit(m, x, 2, &s)
	path := filepath.Join(t.TempDir(), "reviews.linnet")
	must(t, model.Save(t.Context(), path, m, model.SaveOptions{State: &s}))
	f, err := model.Load(t.Context(), path, model.LoadOptions{})
	must(t, err)
	if h := f.Info.History; h == nil || len(h.Epochs) != 2 {
		t.Errorf("a file with the state of a training has the history %+v", h)
	}
	defer f.Close()
	state, err := f.State(t.Context())
	must(t, err)
	fit(f.Model, x, 5, state)
	for i, p := range f.Model.Parameters() {
		equalBits(t, p.Name(), p.Values(), whole.Parameters()[i].Values())
	}
}

// Converted models predict from the file the bits they predict from memory.
func TestConvert(t *testing.T) {
	m, x := textModel(t)
	for _, s := range []model.Storage{model.Float32, model.Float16, model.BFloat16, model.Int8} {
		c, changes, err := model.Convert(t.Context(), m, model.ConvertOptions{Storage: s})
		must(t, err)
		n := 3
		if s == model.Int8 {
			n = 2 // a row of one element takes 5 bytes in place of 4
		}
		if len(changes) != n || (changes[1].Largest == 0) != (s == model.Float32) {
			t.Errorf("%v: %+v", s, changes)
		}
		want, err := c.PredictInto(t.Context(), nil, x, nn.PredictOptions{})
		must(t, err)
		path := filepath.Join(t.TempDir(), "converted.linnet")
		must(t, model.Save(t.Context(), path, c, model.SaveOptions{}))
		f, err := model.Load(t.Context(), path, model.LoadOptions{})
		must(t, err)
		got, err := f.Model.PredictInto(t.Context(), nil, x, nn.PredictOptions{})
		must(t, err)
		equalBits(t, s.String(), got, want)
		must(t, f.Close())
	}
}

// After Close of its file a model cannot be converted or saved, whatever it is stored in: the error is fs.ErrClosed.
func TestConvertAfterClose(t *testing.T) {
	m, _ := textModel(t)
	for _, from := range []model.Storage{model.Float32, model.Float16, model.Int8} {
		c, _, err := model.Convert(t.Context(), m, model.ConvertOptions{Storage: from})
		must(t, err)
		path := filepath.Join(t.TempDir(), "closed.linnet")
		must(t, model.Save(t.Context(), path, c, model.SaveOptions{}))
		f, err := model.Load(t.Context(), path, model.LoadOptions{})
		must(t, err)
		// What is open converts as it does from memory.
		want, wantChanges, err := model.Convert(t.Context(), c, model.ConvertOptions{Storage: model.BFloat16})
		must(t, err)
		got, changes, err := model.Convert(t.Context(), f.Model, model.ConvertOptions{Storage: model.BFloat16})
		must(t, err)
		for i, p := range got.Parameters() {
			equalBits(t, p.Name(), p.Values(), want.Parameters()[i].Values())
		}
		if !slices.Equal(changes, wantChanges) {
			t.Errorf("%v: %+v, want %+v", from, changes, wantChanges)
		}
		must(t, f.Close())
		_, _, err = model.Convert(t.Context(), f.Model, model.ConvertOptions{Storage: model.Float16})
		if !errors.Is(err, fs.ErrClosed) || !strings.Contains(err.Error(), path) {
			t.Errorf("Convert of %v: %v", from, err)
		}
		if err := model.Save(t.Context(), path, f.Model, model.SaveOptions{}); !errors.Is(err, fs.ErrClosed) {
			t.Errorf("Save of %v: %v", from, err)
		}
	}
}

// Weights that are not finite do not hide what a conversion does to the others.
func TestConvertNotFinite(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	m, err := nn.NewSequential(layers.Dense{Units: 2, NoBias: true}).Build(t.Context(), nn.Features(2), nn.BuildOptions{})
	must(t, err)
	for _, c := range []struct {
		values    []float32
		magnitude float64
	}{
		{[]float32{nan, 1.0001, -2, 0.5}, 2},
		{[]float32{1.0001, -2, 0.5, nan}, 2},
		{[]float32{nan, 1.0001, -inf, inf}, math.Inf(1)},
	} {
		must(t, m.SetStorage("dense/kernel", plan.Float32Storage(c.values)))
		for _, s := range []model.Storage{model.Float32, model.Float16, model.BFloat16} {
			var largest float64
			if s != model.Float32 {
				largest = float64(float32(1.0001)) - 1
			}
			_, changes, err := model.Convert(t.Context(), m, model.ConvertOptions{Storage: s})
			must(t, err)
			if d := changes[0]; d.Magnitude != c.magnitude || d.Largest != largest {
				t.Errorf("%v as %v: %+v, want %v of %v", c.values, s, d, largest, c.magnitude)
			}
		}
		if _, _, err := model.Convert(t.Context(), m, model.ConvertOptions{Storage: model.Int8}); err == nil {
			t.Errorf("%v has an int8 form", c.values)
		}
	}
}
