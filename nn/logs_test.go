package nn_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/linnet-ml/linnet/internal/golden"
	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/loss"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/optim"
	"github.com/linnet-ml/linnet/tensor"
)

// history is that of a Fit over epochs 2 to 4 in which callbacks log: a NaN, an infinity, and b from epoch 3 on.
func history(t *testing.T) *nn.History {
	t.Helper()
	m, err := nn.NewSequential(layers.Dense{Units: 1}).Build(nn.Features(1))
	if err != nil {
		t.Fatal(err)
	}
	x, err := tensor.New[float32](1, 1)
	if err != nil {
		t.Fatal(err)
	}
	a := []float64{0.1, math.NaN(), math.Inf(1)}
	h, err := m.Fit(t.Context(), nn.Data{X: x, Y: x}, nn.FitOptions{
		Optimizer: optim.SGD{}, Loss: loss.MeanSquaredError{}, InitialEpoch: 2, Epochs: 5,
		Callbacks: []nn.Callback{nn.HandlerFunc(func(e nn.Event, t *nn.Training) error {
			if e == nn.EpochEnd {
				t.Logs().Set("a", a[t.Epoch()-2])
				if t.Epoch() > 2 {
					t.Logs().Set(`b,"2"`, 1e-7)
				}
			}
			return nil
		})},
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestHistoryJSON(t *testing.T) {
	h := history(t)
	got, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	// JSON has neither NaN nor infinities; an epoch that did not log a name has null too. Names keep their order.
	want := `{"epoch":[2,3,4],"history":{"loss":[0,0,0],"a":[0.1,null,null],"b,\"2\"":[null,1e-07,1e-07]}}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	var read nn.History
	if err := json.Unmarshal(got, &read); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(h.Names(), read.Names()); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(h.Epochs, read.Epochs); d != "" {
		t.Error(d)
	}
	for i, name := range h.Names() {
		want := h.Values(name)
		if i == 1 {
			want[2] = math.NaN() // was infinite
		}
		if d := cmp.Diff(want, read.Values(name), cmpopts.EquateNaNs()); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	again, err := json.Marshal(&read)
	if err != nil || string(again) != want {
		t.Errorf("written again: %s, %v", again, err)
	}
}

func TestEmptyHistoryJSON(t *testing.T) {
	var h, read nn.History
	got, err := json.Marshal(&h)
	if want := `{"epoch":[],"history":{}}`; err != nil || string(got) != want {
		t.Fatalf("%s, %v", got, err)
	}
	if err := json.Unmarshal(got, &read); err != nil || len(read.Epochs) != 0 || len(read.Names()) != 0 {
		t.Errorf("%v, %v", read, err)
	}
}

func TestHistoryRefusesBadJSON(t *testing.T) {
	for text, want := range map[string]string{
		`{"epoch":[0]}`:                                   "nn: history: no object of names",
		`{"epoch":[0],"history":[1]}`:                     "nn: history: no object of names",
		`{"epoch":[0],"history":{"loss":[1,2]}}`:          `nn: history of "loss" has 2 values for 1 epochs`,
		`{"epoch":[0],"history":{"loss":[1],"loss":[1]}}`: `nn: history has "loss" twice`,
		`{"epoch":[0],"history":{"loss":["NaN"]}}`:        `nn: history of "loss": `,
		`{"epoch":["0"],"history":{"loss":[1]}}`:          "nn: history: ",
		`{"epoch":[0],"history":{"loss":[1]}`:             "unexpected end",
		`{"epoch":[0],"history":{"loss":1}}`:              `nn: history of "loss": `,
	} {
		h := nn.History{Epochs: []int{7}}
		if err := json.Unmarshal([]byte(text), &h); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: got %v, want %s…", text, err, want)
		}
		if len(h.Epochs) != 1 || h.Epochs[0] != 7 {
			t.Errorf("%s: what was there has changed", text)
		}
	}
}

func TestHistoryCSV(t *testing.T) {
	var b strings.Builder
	if err := history(t).WriteCSV(&b); err != nil {
		t.Fatal(err)
	}
	want := "epoch,loss,a,\"b,\"\"2\"\"\"\n2,0,0.1,NaN\n3,0,NaN,1e-07\n4,0,+Inf,1e-07\n"
	if d := cmp.Diff(want, b.String()); d != "" {
		t.Error(d)
	}
}

// A reason to stop is kept in JSON.
func TestStoppedHistoryJSON(t *testing.T) {
	h := nn.History{Epochs: []int{0}, Stopped: `early "stop"`}
	got, err := json.Marshal(&h)
	if want := `{"epoch":[0],"history":{},"stopped":"early \"stop\""}`; err != nil || string(got) != want {
		t.Fatalf("%s, %v", got, err)
	}
	var read nn.History
	if err := json.Unmarshal(got, &read); err != nil || read.Stopped != h.Stopped {
		t.Errorf("read: %q, %v", read.Stopped, err)
	}
}

// The best epoch is found by what the metrics say, or as told; NaN never is it.
func TestBestOfHistory(t *testing.T) {
	var h nn.History
	must(t, json.Unmarshal([]byte(`{"epoch":[3,4,5,6,7],"history":{"x":[null,2,1,1,2],"n":[null,null,null,null,null]}}`), &h))
	for _, c := range []struct {
		name   string
		better nn.Direction
		want   int
	}{{"x", nn.LowerIsBetter, 2}, {"x", nn.HigherIsBetter, 1}, {"x", nn.NoDirection, -1}, {"n", nn.LowerIsBetter, -1}, {"none", nn.HigherIsBetter, -1}} {
		if got := h.Best(c.name, c.better); got != c.want {
			t.Errorf("%s, %d: epoch at %d, want %d", c.name, c.better, got, c.want)
		}
	}
	o := longRun()
	o.Callbacks = []nn.Callback{at(nn.EpochEnd, 1, 5, func(tr *nn.Training) error {
		tr.Logs().Set("val_loss", -1)
		tr.Logs().Set("val_accuracy", 2)
		tr.Logs().Set("x", 1)
		return nil
	})}
	fit, err := smallText(t).Fit(t.Context(), someReviews(t), o)
	must(t, err)
	if fit.Best("val_loss", nn.NoDirection) != 1 || fit.Best("val_accuracy", nn.NoDirection) != 1 || fit.Best("x", nn.NoDirection) != -1 {
		t.Errorf("best epochs of %v", fit)
	}
	if fit.Direction("loss") != nn.LowerIsBetter || fit.Direction("accuracy") != nn.HigherIsBetter || fit.Direction("x") != nn.NoDirection {
		t.Error("directions")
	}
}

// The numbers of Keras's progress line. The recorded lines are those of verbose=2, where every negative number is in
// scientific notation; FormatLog follows the line of verbose=1, which looks at the magnitude.
func TestFormatLogLikeKeras(t *testing.T) {
	recorded := golden.Open(t, "summary_progress")
	text := recorded.File(recorded.Case("progbar_number_formats").Text("file"))
	values := [][2]float64{{0.5, 1}, {1e-3, 1e-4}, {123.456, 1e6}, {0, -0.25}, {9.99e-4, 1.23456789}, {math.NaN(), math.Inf(1)}}
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) != len(values) {
		t.Fatalf("%d lines for %d pairs of values", len(lines), len(values))
	}
	for i, line := range lines {
		var l nn.Logs
		l.Set("loss", values[i][0])
		l.Set("acc", values[i][1])
		_, want, _ := strings.Cut(line, "/step - ")
		want = strings.Replace(want, "acc: -2.5000e-01", "acc: -0.2500", 1)
		if got := l.String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	for want, v := range map[string]float64{"-inf": math.Inf(-1), "1.0000e-100": 1e-100, "-1.0000e-03": -1e-3, "0.0010": 0.00100001} {
		if got := nn.FormatLog(v); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
