package callbacks

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/internal/golden"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/optional"
)

// started notes the handler that a callback starts.
type started struct {
	nn.Callback
	handler nn.Handler
}

func (s *started) Start(t *nn.Training) (nn.Handler, error) {
	h, err := s.Callback.Start(t)
	s.handler = h
	return h, err
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
		early := &started{Callback: spec}
		type state struct {
			Epoch, Wait int
			Best        string
			BestEpoch   int
			Stop        bool
		}
		var trace []state
		watch := nn.HandlerFunc(func(e nn.Event, t *nn.Training) error {
			if e == nn.EpochEnd {
				h := early.handler.(*earlyStopping)
				s := state{t.Epoch(), h.wait, "none", h.epoch, h.stopped > 0}
				if h.seen {
					s.Best = fmt.Sprint(h.best)
				}
				trace = append(trace, s)
			}
			return nil
		})
		m := tiny(t)
		history, err := fit(m, 1, 0, len(logs), script(func(epoch int) map[string]float64 {
			all := map[string]float64{}
			for _, name := range logs[epoch].Keys() {
				all[name] = logs[epoch].Float(name)
			}
			return all
		}), early, watch)
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
		if got, want := m.Parameters()[0].Values()[0], c.Int("expected", "weights_are_of_epoch"); got != float32(want) {
			t.Errorf("the weights are those of epoch %v, want %d", got, want)
		}
		if got, want := early.handler.(*earlyStopping).stopped, c.Int("expected", "stopped_epoch"); got != want {
			t.Errorf("stopped in epoch %d, want %d", got, want)
		}
		if (history.Stopped != "") != want[len(want)-1].Stop || len(history.Epochs) != c.Int("expected", "epochs_run") {
			t.Errorf("%d epochs, stopped: %q", len(history.Epochs), history.Stopped)
		}
	})
}

func TestEarlyStoppingSaysWhy(t *testing.T) {
	var told []string
	spec := EarlyStopping{RestoreBest: true, Patience: 2, Log: func(format string, args ...any) { told = append(told, fmt.Sprintf(format, args...)) }}
	want := []string{"Epoch 4: early stopping", "Restoring model weights from the end of the best epoch: 2."}
	m := tiny(t)
	// One spec may serve several Fits: nothing of the first is left in the second.
	for range 2 {
		told = nil
		history, err := fit(m, 1, 0, 9, values("val_loss", 0.5, 0.25, 0.3, 0.25, 0, 0), spec)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, told); d != "" {
			t.Error(d)
		}
		if want := "early stopping: val_loss was best in epoch 2 (0.2500) and has not improved for 2"; history.Stopped != want {
			t.Errorf("stopped: %s", history.Stopped)
		}
	}
}

func TestEarlyStoppingErrors(t *testing.T) {
	for want, spec := range map[string]EarlyStopping{
		`callbacks: early stopping: "val_loss" is not logged; there are loss, accuracy, x (the Fit has no validation data)`:                      {},
		`callbacks: early stopping: "los" is not logged; there are loss, accuracy, x`:                                                            {Monitor: "los", StartFromEpoch: 5},
		`callbacks: early stopping: it is not known which values of "x" are better; set Mode to history.LowerIsBetter or history.HigherIsBetter`: {Monitor: "x"},
		"callbacks: early stopping: Patience -1 and StartFromEpoch 0 must not be negative":                                                       {Patience: -1},
		"callbacks: early stopping: MinDelta is NaN":                                                                                             {MinDelta: math.NaN()},
		"callbacks: early stopping: Mode 7 is no direction":                                                                                      {Mode: 7},
	} {
		_, err := fit(tiny(t), 1, 0, 3, values("x", 1, 2, 3), spec)
		if err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

// After an error the weights are those that the Fit left, as Fit promises.
func TestEarlyStoppingRestoresNothingAfterAnError(t *testing.T) {
	m := tiny(t)
	broken := errors.New("broken")
	_, err := fit(m, 1, 0, 5, values("val_loss", 1, 2, 3, 4, 5), EarlyStopping{Patience: 9, RestoreBest: true},
		nn.HandlerFunc(func(e nn.Event, t *nn.Training) error {
			if e == nn.EpochEnd && t.Epoch() == 2 {
				return broken
			}
			return nil
		}))
	if w := m.Parameters()[0].Values()[0]; !errors.Is(err, broken) || w != 2 {
		t.Errorf("the weights are those of epoch %v; error %v", w, err)
	}
}

// The direction comes from the metric, for the validation data too.
func TestEarlyStoppingKnowsMetrics(t *testing.T) {
	for _, name := range []string{"accuracy", "val_accuracy"} {
		history, err := fit(tiny(t), 1, 0, 9, values(name, 0.5, 0.6, 0.7, 0.7), EarlyStopping{Monitor: name})
		if err != nil || len(history.Epochs) != 4 || !strings.HasPrefix(history.Stopped, "early stopping: "+name+" was best in epoch 3") {
			t.Errorf("%s: %d epochs, %s, %v", name, len(history.Epochs), history.Stopped, err)
		}
	}
}
