package golden

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var embedded = map[string]int{ // cases by topic
	"attention": 24, "callbacks": 56, "initializers": 121, "layers": 324, "losses": 362, "metrics": 143, "metrics_options": 126, "optimizers": 90,
	"summary_progress": 23, "text": 148, "text_edges": 114,
}

// Every array of every topic must resolve to as many elements as its shape says.
func TestTopicsAreWhole(t *testing.T) {
	for name, cases := range embedded {
		topic := Open(t, name)
		if len(topic.Cases) != cases {
			t.Errorf("%s: %d cases, want %d", name, len(topic.Cases), cases)
		}
		arrays := 0
		for _, c := range topic.Cases {
			arrays += countArrays(t, c.Value)
		}
		if min := map[string]int{"layers": 1500, "losses": 1500, "metrics": 100}[name]; arrays < min {
			t.Errorf("%s: %d arrays, want at least %d", name, arrays, min)
		}
	}
}

func countArrays(t *testing.T, v Value) int {
	switch v.raw[0] {
	case '{':
		keys, values := v.object()
		if v.Has("dtype") && v.Has("shape") {
			a := v.Array()
			n := 1
			for _, s := range a.Shape {
				n *= s
			}
			if a.Len() != n {
				t.Errorf("%v: %d elements", v, a.Len())
			}
			return 1
		}
		n := 0
		for i := range keys {
			n += countArrays(t, Value{v.topic, v.where + ", " + keys[i], values[i]})
		}
		return n
	case '[':
		n := 0
		for _, e := range v.List() {
			n += countArrays(t, e)
		}
		return n
	}
	return 0
}

func TestValues(t *testing.T) {
	layers := Open(t, "layers")
	c := layers.Case("GlobalAveragePooling1D/all_masked_row_gives_nan")
	y := c.Array("expected", "output")
	if d := cmp.Diff([]int{2, 2}, y.Shape); d != "" {
		t.Error(d)
	}
	if y.Float32[0] != -0.33232784 || !math.IsNaN(float64(y.Float32[3])) {
		t.Errorf("output %v", y.Float32)
	}
	if m := c.Array("mask"); !cmp.Equal(m.Int32, []int32{1, 0, 1, 0, 0, 0}) {
		t.Errorf("mask %v", m)
	}
	if c.Has("expected", "weight_grads") || !c.Has("inputs", 0) || c.Has("inputs", 1) {
		t.Error("Has is wrong")
	}
	chain := layers.Case("chain/7x13_20x16x16_mask0")
	want := []string{"embedding/embeddings", "dense/kernel", "dense/bias", "dense_1/kernel", "dense_1/bias"}
	if d := cmp.Diff(want, chain.Keys("weights")); d != "" {
		t.Error(d)
	}
	if a := chain.Array("weights", "embedding/embeddings"); !cmp.Equal(a.Shape, []int{20, 16}) || len(a.Float32) != 320 {
		t.Errorf("embeddings of shape %v, %d elements", a.Shape, len(a.Float32))
	}

	callbacks := Open(t, "callbacks")
	losses := callbacks.Case("TerminateOnNaN/2").Floats("losses")
	if losses[0] != 0.5 || !math.IsInf(losses[1], -1) {
		t.Errorf("losses %v", losses)
	}
	if callbacks.Case("TerminateOnNaN/3").Has("expected", "stops_at_batch") {
		t.Error("null counts as present")
	}
	var config struct{ Patience int }
	callbacks.Case("EarlyStopping/1").Decode(&config, "config")
	if config.Patience != 2 {
		t.Errorf("config %+v", config)
	}

	optimizers := Open(t, "optimizers")
	if a := optimizers.Tensor(optimizers.Text("shared", "init", 1)); !cmp.Equal(a.Shape, []int{2, 5}) {
		t.Errorf("init/1 has shape %v", a.Shape)
	}
	summary := Open(t, "summary_progress")
	tutorial := summary.Case("tutorial.built")
	if text := summary.File(tutorial.Text("file")); len(text) != tutorial.Int("bytes") || !strings.Contains(text, "160,289") {
		t.Errorf("summary of %d bytes", len(text))
	}
}

// A test that misspells a field, or that overlooks an option, must not pass.
func TestMistakesPanic(t *testing.T) {
	topic := &Topic{Name: "t"}
	v := Value{topic, "t: a", json.RawMessage(
		`{"x":{"dtype":"float32","shape":[2],"data":[1]},"n":null,"c":{"rate":1},"r":{"dtype":"int32","shape":[1],"ref":"k"}}`)}
	for want, f := range map[string]func(){
		"golden: t: a has no y":                                          func() { v.At("y") },
		"golden: t: a, x is not an array (dtype \"\")":                   func() { Value{topic, "t: a, x", []byte(`{}`)}.Array() },
		"golden: t: a, x: 1 elements for shape [2]":                      func() { v.Array("x") },
		"golden: t: a, n is null":                                        func() { v.Int("n") },
		`golden: t: a, c: json: unknown field "rate"`:                    func() { v.Decode(&struct{}{}, "c") },
		"golden: t has no .safetensors file":                             func() { v.Array("r") },
		`golden: t has no case "b"`:                                      func() { topic.Case("b") },
		"golden: t: a, x, shape, 0 is not an object":                     func() { v.At("x", "shape", 0, "z") },
		"golden: t: a: json: cannot unmarshal object into Go value of …": func() { v.Float() },
	} {
		func() {
			defer func() {
				got := fmt.Sprint(recover())
				if begin, open := strings.CutSuffix(want, "…"); !strings.HasPrefix(got, begin) || !open && got != want {
					t.Errorf("got  %s\nwant %s", got, want)
				}
			}()
			f()
		}()
	}
}

// recorder notes the errors that a comparison reports.
type recorder struct {
	testing.TB
	errors []string
}

func (r *recorder) Helper()                   {}
func (r *recorder) Error(a ...any)            { r.errors = append(r.errors, fmt.Sprint(a...)) }
func (r *recorder) Errorf(f string, a ...any) { r.errors = append(r.errors, fmt.Sprintf(f, a...)) }

func TestClose(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, c := range []struct {
		got, want []float64
		tolerance Tolerance
		error     string
	}{
		{[]float64{1, 0, nan, inf, -inf}, []float64{1, math.Copysign(0, -1), nan, inf, -inf}, Tolerance{}, ""},
		{[]float64{1.5, 100}, []float64{1, 100}, Tolerance{Abs: 0.5}, ""},
		{[]float64{1.5, 100}, []float64{1, 100}, Tolerance{OfLargest: 0.005}, ""},
		{[]float64{1.5, 100}, []float64{1, 100}, Tolerance{Rel: 0.49},
			"x[0]: got 1.5, want 1, off by 0.5, allowed 0.49 (the worst of 1 that differ, of 2)"},
		{[]float64{1.5, 97}, []float64{1, 100}, Tolerance{},
			"x[1]: got 97, want 100, off by 3, allowed 0 (the worst of 2 that differ, of 2)"},
		{[]float64{nan}, []float64{1}, Tolerance{Abs: 9}, "x[0]: got NaN, want 1, off by NaN, allowed 9"},
		{[]float64{1}, []float64{nan}, Tolerance{Abs: 9}, "x[0]: got 1, want NaN, off by NaN, allowed 9"},
		{[]float64{inf}, []float64{1}, Tolerance{Abs: 9}, "x[0]: got +Inf, want 1, off by +Inf, allowed 9"},
		{[]float64{1}, []float64{inf}, Tolerance{Abs: 9, Rel: 9}, "x[0]: got 1, want +Inf, off by +Inf, allowed +Inf"},
		{[]float64{1}, []float64{1, 2}, Tolerance{}, "x: 1 elements, want 2 (shape [2])"},
		{[]float64{2, inf}, []float64{1, inf}, Tolerance{OfLargest: 0.5},
			"x[0]: got 2, want 1, off by 1, allowed 0.5 (the worst of 1 that differ, of 2)"},
	} {
		var r recorder
		ok := CloseList(&r, "x", c.got, c.want, c.tolerance)
		if got := strings.Join(r.errors, "\n"); got != c.error || ok != (c.error == "") {
			t.Errorf("%v, %v:\n got %s\nwant %s", c.got, c.want, got, c.error)
		}
	}
}

func TestEqual(t *testing.T) {
	want := Array{Shape: []int{2, 2}, Int32: []int32{1, 2, 3, 4}}
	for got, list := range map[string][]int32{
		"":                                    {1, 2, 3, 4},
		"x[1 0]: got 5, want 3":               {1, 2, 5, 4},
		"x: 3 elements, want 4 (shape [2 2])": {1, 2, 3},
	} {
		var r recorder
		Equal(&r, "x", list, want)
		if e := strings.Join(r.errors, "\n"); e != got {
			t.Errorf("got %s, want %s", e, got)
		}
	}
	var r recorder
	if Close(&r, "x", make([]float32, 4), want, Tolerance{}) || Equal(&r, "x", list(4), Array{Shape: []int{4}, Float32: make([]float32, 4)}) {
		t.Error("arrays of the wrong type pass")
	}
}

func list(n int) []int32 { return make([]int32, n) }

// The large recordings are read from beside the repository.
func TestShared(t *testing.T) {
	topic := OpenShared(t, "train_imdb")
	if loss := topic.Case("tutorial_d").Float("history", 39, "loss"); math.Abs(loss-0.0937) > 5e-5 {
		t.Errorf("loss of run d is %v", loss)
	}
	if n := topic.Int("settings", "batch_size"); n != 512 {
		t.Errorf("batch size %d", n)
	}
	if a := OpenTensors(t, "golden/train_imdb_initial.safetensors").Array("dense/kernel"); len(a.Float32) != 256 {
		t.Errorf("kernel of shape %v", a.Shape)
	}
}
