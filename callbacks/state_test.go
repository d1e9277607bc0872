package callbacks

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optional"
)

// still is a ProgressLine on a clock that stands.
type still struct{ ProgressLine }

func (s still) Start(plan.Training) (plan.Handler, error) {
	return s.start(func() time.Time { return time.Unix(1, 0) }, nil)
}

// n epochs, the state as JSON and m more epochs act like n + m epochs, with every callback and from every epoch.
func TestStatesGoOn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.csv")
	var shown bytes.Buffer
	losses := []float64{0.9, 0.7, 0.6, 0.61, 0.62, 0.5, math.Inf(1), 0.55, 0.56, 0.57, 0.58, 0.4}
	for name, test := range map[string]struct {
		spec   plan.Callback
		script func(epoch int) map[string]float64
	}{
		"EarlyStopping":                  {EarlyStopping{Patience: 4, RestoreBest: true}, nil},
		"EarlyStopping, never":           {EarlyStopping{Patience: 99, RestoreBest: true}, nil},
		"EarlyStopping, no weights":      {EarlyStopping{Patience: 2, StartFromEpoch: 1, Baseline: optional.Of(0.65)}, nil},
		"EarlyStopping, NaN is the best": {EarlyStopping{Patience: 3, RestoreBest: true}, func(int) map[string]float64 { return map[string]float64{"val_loss": math.NaN()} }},
		"ReduceLROnPlateau":              {ReduceLROnPlateau{Factor: 0.5, Patience: optional.Of(2), Cooldown: 2}, nil},
		"ReduceLROnPlateau, infinite":    {ReduceLROnPlateau{Patience: optional.Of(2)}, func(int) map[string]float64 { return map[string]float64{"val_loss": math.Inf(1)} }},
		"LearningRateScheduler":          {LearningRateScheduler{Schedule: func(epoch int, rate float32) float32 { return rate / float32(epoch+1) }}, nil},
		"CSVLogger":                      {CSVLogger{Path: path}, nil},
		"CSVLogger, Append":              {CSVLogger{Path: path, Append: true, Separator: ';'}, nil},
		"CSVLogger, other logs": {CSVLogger{Path: path}, func(epoch int) map[string]float64 {
			if epoch%2 == 1 {
				return map[string]float64{"loss": 1}
			}
			return map[string]float64{"loss": 1, "x": float64(epoch)}
		}},
		"ModelCheckpoint":            {ModelCheckpoint{Path: path, Format: recorder{}, SaveBestOnly: true}, nil},
		"ModelCheckpoint, batches":   {ModelCheckpoint{Path: path, Format: recorder{}, EveryBatches: 3}, nil},
		"ModelCheckpoint, State":     {ModelCheckpoint{Path: path, Format: recorder{}, SaveBestOnly: true, State: true}, nil},
		"ModelCheckpoint, threshold": {ModelCheckpoint{Path: path, Format: recorder{}, SaveBestOnly: true, InitialValue: optional.Of(0.55)}, nil},
		"ProgbarLogger":              {still{ProgressLine{To: &shown, Style: Plain}}, nil},
		"TerminateOnNaN":             {TerminateOnNaN{}, nil},
	} {
		script := test.script
		if script == nil {
			script = func(epoch int) map[string]float64 { return map[string]float64{"val_loss": losses[epoch]} }
		}
		fresh := func() *training { return &training{script: script, rate: 1} }
		// trace is all that a callback does.
		trace := func(r *training, log *[]string) func(h *plan.Handler) error {
			return func(*plan.Handler) error {
				*log = append(*log, fmt.Sprint(r.epoch, r.rate, r.logs.String(), r.stopped))
				return nil
			}
		}
		ending := func(r *training, log []string) string {
			file, _ := os.ReadFile(path)
			return fmt.Sprint(strings.Join(log, "\n"), "\nweight ", r.weight, " file ", string(file), " shown ", shown.String())
		}
		begin := func() {
			_ = os.Remove(path)
			shown.Reset()
		}
		begin()
		var log []string
		whole := fresh()
		if err := whole.run(test.spec, nil, 0, len(losses), trace(whole, &log)); err != nil {
			t.Fatal(name, err)
		}
		want := ending(whole, log)
		for n := 1; n < len(log); n++ {
			begin()
			log := []string(nil)
			first := fresh()
			note := trace(first, &log)
			var state *plan.HandlerState
			if err := first.run(test.spec, nil, 0, n, func(h *plan.Handler) error {
				if first.epoch == n-1 && h.Save != nil {
					s, err := h.Save()
					if err != nil {
						return err
					}
					s = through(t, s)
					state = &s
				}
				return note(h)
			}); err != nil {
				t.Fatal(name, err)
			}
			text := shown.String()
			shown.Reset()
			// Progress shows how many epochs there are; in one run all of them.
			shown.WriteString(strings.ReplaceAll(text, fmt.Sprintf("/%d - 1/1", n), fmt.Sprintf("/%d - 1/1", len(losses))))
			second := fresh()
			second.rate = first.rate
			if err := second.run(test.spec, state, n, len(losses), trace(second, &log)); err != nil {
				t.Fatalf("%s from epoch %d on: %v", name, n, err)
			}
			if d := cmp.Diff(want, ending(second, log)); d != "" {
				t.Fatalf("%s from epoch %d on: %s", name, n, d)
			}
		}
	}
}

// A state that no run has left is refused.
func TestStatesAreChecked(t *testing.T) {
	check := ModelCheckpoint{Path: "x", Format: recorder{}}
	back := BackupAndRestore{Path: "x", Format: recorder{}}
	rate := LearningRateScheduler{Schedule: func(int, float32) float32 { return 1 }}
	early, reduce, csv := EarlyStopping{RestoreBest: true}, ReduceLROnPlateau{}, CSVLogger{Path: filepath.Join(t.TempDir(), "log.csv")}
	for _, test := range []struct {
		c            plan.Callback
		kind, values string
		weights      map[string][]float32
		want         string
	}{
		{early, "EarlyStopping", `{"wait":1,"seen":true,"best":"NaN","best_epoch":2,"stopped":0}`, map[string][]float32{"kernel": {1}}, ""},
		{early, "EarlyStopping", `{"seen":false}`, nil, ""},
		{early, "ReduceLROnPlateau", `{}`, nil, `callbacks: EarlyStopping: the saved state is of "ReduceLROnPlateau"`},
		{early, "EarlyStopping", ``, nil, "callbacks: EarlyStopping: the saved state: "},
		{early, "EarlyStopping", `{"other":1}`, nil, "callbacks: EarlyStopping: the saved state: "},
		{early, "EarlyStopping", `{"best":"much"}`, nil, "callbacks: EarlyStopping: the saved state: "},
		{early, "EarlyStopping", `{"wait":-1}`, nil, "callbacks: early stopping: the saved state has a wait of -1"},
		{early, "EarlyStopping", `{"seen":true,"best":"1"}`, nil, "callbacks: early stopping: RestoreBest needs the weights of the best epoch"},
		{early, "EarlyStopping", `{"seen":true,"best":"1"}`, map[string][]float32{}, "callbacks: early stopping: the saved weights of the best epoch: no weights of kernel"},
		{reduce, "ReduceLROnPlateau", `{"wait":1,"cooldown":2,"seen":true,"best":"+Inf"}`, nil, ""},
		{reduce, "ReduceLROnPlateau", `{"cooldown":-2}`, nil, "callbacks: ReduceLROnPlateau: the saved state has a wait of 0 and a cooldown of -2"},
		{csv, "CSVLogger", `{"columns":["loss"],"size":9}`, nil, ""},
		{csv, "CSVLogger", `{"columns":["loss"]}`, nil, "callbacks: CSVLogger: the saved state lacks the size of the file"},
		{csv, "CSVLogger", `{"columns":["loss"],"size":-2}`, nil, "callbacks: CSVLogger: the saved state lacks the size of the file"},
		{check, "ModelCheckpoint", `{"batches":1,"seen":true,"best":"NaN","due":{"epoch":1,"logs":{"loss":"-Inf"}}}`, nil, ""},
		{check, "ModelCheckpoint", `{"batches":-1}`, nil, "callbacks: ModelCheckpoint: the saved state has -1 batches"},
		{check, "ModelCheckpoint", `{"due":{"epoch":0}}`, nil, "callbacks: ModelCheckpoint: the saved state has 0 batches"},
		{check, "ModelCheckpoint", `{"due":{"epoch":1,"batch":-1}}`, nil, "callbacks: ModelCheckpoint: the saved state has 0 batches"},
		{back, "BackupAndRestore", `{"batches":3,"steps":1,"test_steps":7}`, nil, ""},
		{back, "BackupAndRestore", `{"batches":-3}`, nil, "callbacks: BackupAndRestore: the saved state has -3 batches"},
		{back, "BackupAndRestore", `{"steps":2}`, nil, "callbacks: BackupAndRestore: the saved state is of a training with 2 batches in an epoch and 0 in validation, and this one has 1 and 0"},
		{rate, "LearningRateScheduler", `{"epochs":3}`, nil, ""},
		{rate, "LearningRateScheduler", `{"epochs":-3}`, nil, "callbacks: LearningRateScheduler: the saved state has -3 epochs"},
		{csv, "CSVLogger", `{"columns":[1]}`, nil, "callbacks: CSVLogger: the saved state: "},
	} {
		h, err := test.c.Start(&training{})
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if err := h.Load(plan.HandlerState{Kind: test.kind, Values: []byte(test.values), Weights: test.weights}); err != nil {
			got = err.Error()
		}
		if (got == "") != (test.want == "") || !strings.HasPrefix(got, test.want) {
			t.Errorf("%s of %s: error %q, want %q", test.values, test.kind, got, test.want)
		}
	}
}

// The numbers that were best keep their bits.
func TestNumbersKeepTheirBits(t *testing.T) {
	for _, v := range []float64{0, math.Copysign(0, -1), 0.1, -1.5e300, 5e-324, math.Inf(1), math.Inf(-1), math.NaN()} {
		text, err := number(v).MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		var got number
		if err := got.UnmarshalText(text); err != nil || math.Float64bits(float64(got)) != math.Float64bits(v) && v == v || v != v && got == got {
			t.Errorf("%v: %s is read as %v, %v", v, text, got, err)
		}
	}
}
