package callbacks

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/internal/golden"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optional"
)

// recorder is a format that adds a line to the file each time: "saved", or the place of a state.
type recorder struct{ told func(path string) }

func (recorder) Kind() string { return "recorder" }

func (r recorder) Save(_ context.Context, path string, _ plan.Model, s *plan.TrainingState) error {
	if r.told != nil {
		r.told(path)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	line := "saved\n"
	if s != nil {
		line = "with a state\n"
	}
	_, err = f.WriteString(line)
	return errors.Join(err, f.Close())
}

func (recorder) LoadState(context.Context, string, plan.Model) (*plan.TrainingState, error) {
	return nil, fs.ErrNotExist
}

// The files that Keras saves from the same logs, and when.
func TestModelCheckpointLikeKeras(t *testing.T) {
	ran := 0
	golden.Open(t, "callbacks").Run(t, "ModelCheckpoint/", func(t *testing.T, c golden.Case) {
		ran++
		var config struct {
			Path         string `json:"filepath"`
			Monitor      string
			Mode         string
			SaveBestOnly bool     `json:"save_best_only"`
			InitialValue *float64 `json:"initial_value_threshold"`
			EveryBatches int      `json:"save_freq"`
			Batches      int
			Epochs       int
			WeightsOnly  bool `json:"save_weights_only"` // linnet has one kind of file
		}
		c.Decode(&config, "config")
		if config.Path == "" {
			config.Path = "m.keras"
		}
		var saved []string
		folder := t.TempDir()
		format := recorder{func(path string) {
			rel, err := filepath.Rel(folder, path)
			if err != nil {
				t.Error(err)
			}
			saved = append(saved, rel)
		}}
		spec := ModelCheckpoint{
			Path: filepath.Join(folder, config.Path), Format: format, Monitor: config.Monitor, SaveBestOnly: config.SaveBestOnly, EveryBatches: config.EveryBatches,
			Mode: map[string]history.Direction{"min": history.LowerIsBetter, "max": history.HigherIsBetter}[config.Mode],
		}
		if config.InitialValue != nil {
			spec.InitialValue = optional.Of(*config.InitialValue)
		}
		switch c.Name {
		case "ModelCheckpoint/bad_suffix": // linnet takes any name
			if _, err := spec.Start(&training{}); err != nil {
				t.Error(err)
			}
			return
		case "ModelCheckpoint/save_freq_3":
			var got [][2]int
			r := &training{steps: config.Batches, script: func(int) map[string]float64 { return map[string]float64{"loss": 0.5} }}
			spec.Format = recorder{func(string) { got = append(got, [2]int{r.epoch, r.step}) }}
			if err := r.run(spec, nil, 0, config.Epochs, nil); err != nil {
				t.Fatal(err)
			}
			var want [][2]int
			c.Decode(&want, "expected", "saved_at_epoch_batch")
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
			return
		}
		type state struct {
			Epoch int
			Saved []string
		}
		var trace []state
		logs := c.List("logs")
		r := &training{script: recorded(logs)}
		err := r.run(spec, nil, 0, len(logs), func(*plan.Handler) error {
			trace = append(trace, state{r.epoch, append([]string{}, saved...)})
			saved = nil
			return nil
		})
		if c.Has("expected", "error") {
			if err == nil {
				t.Errorf("no error; Keras has %s", c.Text("expected", "error"))
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		var want []state
		c.Decode(&want, "expected", "trace")
		if d := cmp.Diff(want, trace); d != "" {
			t.Error(d)
		}
	})
	if ran != 13 {
		t.Errorf("%d cases compared, want 13", ran)
	}
}

// A NaN that comes first is saved, and gives way to any number; it is not better than an initial value.
func TestModelCheckpointAndNaN(t *testing.T) {
	for _, c := range []struct {
		initial optional.Value[float64]
		want    int
	}{{want: 2}, {optional.Of(1.0), 1}, {optional.Of(0.1), 0}} {
		path := filepath.Join(t.TempDir(), "new", "folder", "m")
		spec := ModelCheckpoint{Path: path, Format: recorder{}, SaveBestOnly: true, InitialValue: c.initial}
		values := []float64{math.NaN(), 0.5, math.NaN()}
		r := &training{script: func(epoch int) map[string]float64 { return map[string]float64{"val_loss": values[epoch]} }}
		if err := r.run(spec, nil, 0, 3, nil); err != nil {
			t.Fatal(err)
		}
		got, _ := os.ReadFile(path)
		if n := strings.Count(string(got), "saved"); n != c.want {
			t.Errorf("%v: saved %d times, want %d", c.initial, n, c.want)
		}
	}
}

func TestModelCheckpointErrors(t *testing.T) {
	f := recorder{}
	for want, spec := range map[string]ModelCheckpoint{
		"it needs a Path": {Format: f},
		"it needs a Format, such as model.Format{}":                           {Path: "x"},
		"EveryBatches -1 must not be negative":                                {Path: "x", Format: f, EveryBatches: -1},
		"InitialValue is NaN":                                                 {Path: "x", Format: f, InitialValue: optional.Of(math.NaN())},
		"Mode 7 is no direction":                                              {Path: "x", Format: f, Mode: 7},
		`the Path "{": a field has no closing brace; write {{ for a brace`:    {Path: "{", Format: f},
		`the Path "{batch}" has a field for the batch, and EveryBatches is 0`: {Path: "{batch}", Format: f},
		`the Path "{val_loss}" has a field "val_loss", which is not logged after a batch; the logs are loss`:           {Path: "{val_loss}", Format: f, EveryBatches: 1},
		`"val_loss" is not logged after a batch; the logs are loss`:                                                    {Path: "x", Format: f, EveryBatches: 1, SaveBestOnly: true},
		`the Path "{x}" has a field "x", which is not logged; there are loss`:                                          {Path: "{x}", Format: f},
		`the Path "{val_x}" has a field "val_x", which is not logged; there are loss (the Fit has no validation data)`: {Path: "{val_x}", Format: f},
		`the Path "{loss:d}" has a field "loss" with the format of a whole number, d; there are loss`:                  {Path: "{loss:d}", Format: f},
		`"val_loss" is not logged; there are loss (the Fit has no validation data)`:                                    {Path: "x", Format: f, SaveBestOnly: true},
	} {
		r := &training{names: []string{"loss"}, script: func(int) map[string]float64 { return map[string]float64{"loss": 1} }}
		err := r.run(spec, nil, 0, 1, nil)
		if want := "callbacks: ModelCheckpoint: " + want; err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

// What it says is Keras's.
func TestModelCheckpointSays(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m")
	var told []string
	say := func(format string, args ...any) {
		told = append(told, strings.ReplaceAll(fmt.Sprintf(format, args...), path, "m"))
	}
	losses := []float64{0.5, 0.25, 0.3}
	script := func(epoch int) map[string]float64 { return map[string]float64{"val_loss": losses[epoch]} }
	for _, best := range []bool{true, false} {
		if err := (&training{script: script}).run(ModelCheckpoint{Path: path, Format: recorder{}, SaveBestOnly: best, Log: say}, nil, 0, 3, nil); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{
		"Epoch 1: val_loss is 0.50000, saving model to m", "Epoch 2: val_loss improved from 0.50000 to 0.25000, saving model to m",
		"Epoch 3: val_loss did not improve from 0.25000",
		"Epoch 1: saving model to m", "Epoch 2: saving model to m", "Epoch 3: saving model to m",
	}
	if d := cmp.Diff(want, told); d != "" {
		t.Error(d)
	}
}

// What Python's str.format makes of the same templates.
func TestPathsLikePython(t *testing.T) {
	c := &checkpoint{Epoch: 7, Batch: 12, Logs: map[string]number{"loss": 0.123456789, "x": -1234567.5, "one": 1, "nan": number(math.NaN()), "inf": number(math.Inf(-1)), "tiny": 1e-7}}
	for template, want := range map[string]string{
		"plain": "plain", "": "", "é{epoch}ü": "é7ü", "{{{epoch}}}": "{7}", "}}{{": "}{",
		"{epoch:d}": "7", "{epoch:02d}": "07", "{epoch:5d}": "    7", "{epoch:05}": "00007", "{epoch:3}": "  7", "{epoch:.1f}": "7.0", "{epoch:08.2e}": "7.00e+00", "{epoch:g}": "7",
		"{batch:03d}": "012", "{epoch}-{batch}": "7-12",
		"{loss:.2f}": "0.12", "{loss:.0f}": "0", "{loss:f}": "0.123457", "{loss:.4e}": "1.2346e-01", "{loss:e}": "1.234568e-01", "{loss:g}": "0.123457", "{loss:.3g}": "0.123",
		"{loss}": "0.123456789", "{one}": "1.0", "{one:g}": "1", "{one:.3g}": "1", "{one:5.1f}|": "  1.0|",
		"{x:g}": "-1.23457e+06", "{x:.2f}": "-1234567.50", "{x:014.2f}": "-0001234567.50", "{x:.8g}": "-1234567.5", "{x}": "-1234567.5",
		"{nan:.2f}": "nan", "{inf:g}": "-inf", "{nan:6.2f}": "   nan", "{tiny}": "1e-07", "{tiny:g}": "1e-07", "{tiny:.2f}": "0.00", "{tiny:.0e}": "1e-07",
	} {
		p, err := parsePath(template)
		if err != nil {
			t.Error(err)
			continue
		}
		if got, err := p.of(c); err != nil || got != want {
			t.Errorf("%s: got %q, %v, want %q", template, got, err, want)
		}
	}
	for _, template := range []string{"{", "}", "{}", "{:d}", "{epoch", "a}b", "{a{b}}", "{epoch:x}", "{epoch:.2d}", "{loss:.f}", "{loss:.2}", "{loss:1000f}", "{loss:.101f}",
		"{loss:<5f}", "{loss:+f}", "{loss!r}", "{loss:99999999999999999999f}", "{loss:ff}"} {
		p, err := parsePath(template)
		if err == nil {
			_, err = p.of(c)
		}
		if err == nil || !strings.Contains(err.Error(), "Path \""+template+"\"") {
			t.Errorf("%s: error %v", template, err)
		}
	}
}
