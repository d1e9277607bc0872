package callbacks

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/internal/golden"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optional"
)

// recorded logs what was recorded, epoch by epoch.
func recorded(logs []golden.Value) func(epoch int) map[string]float64 {
	return func(epoch int) map[string]float64 {
		all := map[string]float64{}
		for _, name := range logs[epoch].Keys() {
			if name != "_stop" { // the recorded model stops; columns are filled as ever
				all[name] = logs[epoch].Float(name)
			}
		}
		return all
	}
}

// What Keras decides from the same logs, epoch by epoch.
func TestEarlyStoppingLikeKeras(t *testing.T) {
	golden.Open(t, "callbacks").Run(t, "EarlyStopping/", func(t *testing.T, c golden.Case) {
		var config struct {
			Monitor, Mode      string
			MinDelta           float64 `json:"min_delta"`
			Patience           int
			RestoreBestWeights bool `json:"restore_best_weights"`
			StartFromEpoch     int  `json:"start_from_epoch"`
			Baseline           *float64
		}
		c.Decode(&config, "config")
		spec := EarlyStopping{
			Monitor: config.Monitor, MinDelta: config.MinDelta, Patience: config.Patience, RestoreBest: config.RestoreBestWeights,
			StartFromEpoch: config.StartFromEpoch,
			Mode:           map[string]history.Direction{"min": history.LowerIsBetter, "max": history.HigherIsBetter}[config.Mode],
		}
		if config.Baseline != nil {
			spec.Baseline = optional.Of(*config.Baseline)
		}
		logs := c.List("logs")
		type state struct {
			Epoch, Wait int
			Best        string
			BestEpoch   int
			Stop        bool
		}
		var trace []state
		r := &training{script: recorded(logs)}
		var last earlyStoppingState
		err := r.run(spec, nil, 0, len(logs), func(h *plan.Handler) error {
			saved, err := h.Save()
			if err != nil {
				return err
			}
			if err := loadValues("EarlyStopping", saved, &last); err != nil {
				return err
			}
			s := state{r.epoch, last.Wait, "none", last.BestEpoch, last.Stopped > 0}
			if last.Seen {
				s.Best = fmt.Sprint(float64(last.Best))
			}
			trace = append(trace, s)
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
		for _, v := range c.List("expected", "trace") {
			s := state{v.Int("epoch"), v.Int("wait"), "none", v.Int("best_epoch"), v.Bool("stop")}
			if v.Has("best") {
				s.Best = fmt.Sprint(v.Float("best"))
			}
			want = append(want, s)
		}
		if d := cmp.Diff(want, trace); d != "" {
			t.Error(d)
		}
		if got, want := r.weight, c.Int("expected", "weights_are_of_epoch"); got != float32(want) {
			t.Errorf("the weights are those of epoch %v, want %d", got, want)
		}
		if got, want := last.Stopped, c.Int("expected", "stopped_epoch"); got != want {
			t.Errorf("stopped in epoch %d, want %d", got, want)
		}
		if (r.stopped != "") != want[len(want)-1].Stop || len(trace) != c.Int("expected", "epochs_run") {
			t.Errorf("%d epochs, stopped: %q", len(trace), r.stopped)
		}
	})
}

// What Keras decides from the same logs, epoch by epoch.
func TestReduceLROnPlateauLikeKeras(t *testing.T) {
	ran := 0
	golden.Open(t, "callbacks").Run(t, "ReduceLROnPlateau/", func(t *testing.T, c golden.Case) {
		var config struct {
			Monitor, Mode string
			Factor        float64
			Patience      *int
			MinDelta      *float64 `json:"min_delta"`
			Cooldown      int
			MinRate       float32 `json:"min_lr"`
			Initial       float32 `json:"initial_learning_rate"`
		}
		c.Decode(&config, "config")
		spec := ReduceLROnPlateau{Monitor: config.Monitor, Factor: config.Factor, Cooldown: config.Cooldown, MinRate: config.MinRate,
			Mode: map[string]history.Direction{"min": history.LowerIsBetter, "max": history.HigherIsBetter}[config.Mode]}
		if config.Patience != nil {
			spec.Patience = optional.Of(*config.Patience)
		}
		if config.MinDelta != nil {
			spec.MinDelta = optional.Of(*config.MinDelta)
		}
		logs := c.List("logs")
		type state struct {
			Epoch, Wait, Cooldown int
			Rate                  float64
			Best                  string
		}
		var trace []state
		r := &training{script: recorded(logs), rate: config.Initial}
		var logged []float64
		err := r.run(spec, nil, 0, len(logs), func(h *plan.Handler) error {
			saved, err := h.Save()
			if err != nil {
				return err
			}
			var s reduceLRState
			if err := loadValues("ReduceLROnPlateau", saved, &s); err != nil {
				return err
			}
			trace = append(trace, state{r.epoch, s.Wait, s.Cooldown, float64(r.rate), fmt.Sprint(float64(s.Best))})
			rate, _ := r.logs.Get("learning_rate")
			logged = append(logged, rate)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		var want []state
		// The rate that an epoch ended with, before it was reduced, is in the logs.
		before := []float64{float64(config.Initial)}
		for _, v := range c.List("expected", "trace") {
			want = append(want, state{v.Int("epoch"), v.Int("wait"), v.Int("cooldown"), v.Float("learning_rate"), fmt.Sprint(v.Float("best"))})
			before = append(before, v.Float("learning_rate"))
		}
		if d := cmp.Diff(want, trace); d != "" {
			t.Error(d)
		}
		if d := cmp.Diff(before[:len(logs)], logged); d != "" {
			t.Error(d)
		}
		ran++
	})
	if ran != 10 {
		t.Errorf("%d cases compared, want 10", ran)
	}
}
