package callbacks

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/internal/golden"
	"github.com/linnet-ml/linnet/loss"
	"github.com/linnet-ml/linnet/metrics"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/optim"
	"github.com/linnet-ml/linnet/optional"
	"github.com/linnet-ml/linnet/tensor"
)

// fitRate trains a tiny model for some epochs of one step that change nothing but what callbacks do.
func fitRate(t *testing.T, o nn.Optimizer, epochs int, list ...nn.Callback) (*history.History, error) {
	t.Helper()
	x, err := tensor.New[float32](1, 1)
	if err != nil {
		t.Fatal(err)
	}
	return tiny(t).Fit(t.Context(), nn.Data{X: x, Y: x}, nn.FitOptions{
		Optimizer: o, Loss: loss.MeanSquaredError{}, Metrics: []nn.Metric{metrics.Accuracy{}}, Epochs: epochs, Callbacks: list,
	})
}

// rates notes the rate of the coming step at the end of each epoch, when the callbacks before it have acted.
func rates(into *[]float64) nn.Callback {
	return nn.HandlerFunc(func(e nn.Event, t *nn.Training) error {
		if e == nn.EpochEnd {
			*into = append(*into, float64(t.LearningRate()))
		}
		return nil
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
		reduce := &started{Callback: spec}
		type state struct {
			Epoch, Wait, Cooldown int
			Rate                  float64
			Best                  string
		}
		var trace []state
		watch := nn.HandlerFunc(func(e nn.Event, t *nn.Training) error {
			if e == nn.EpochEnd {
				h := reduce.handler.(*reduceLR)
				trace = append(trace, state{t.Epoch(), h.wait, h.cooldown, float64(t.LearningRate()), fmt.Sprint(h.best)})
			}
			return nil
		})
		history, err := fitRate(t, optim.SGD{LearningRate: config.Initial}, len(logs), script(func(epoch int) map[string]float64 {
			all := map[string]float64{}
			for _, name := range logs[epoch].Keys() {
				all[name] = logs[epoch].Float(name)
			}
			return all
		}), reduce, watch)
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
		if d := cmp.Diff(before[:len(logs)], history.Values("learning_rate")); d != "" {
			t.Error(d)
		}
		ran++
	})
	if ran != 10 {
		t.Errorf("%d cases compared, want 10", ran)
	}
}

// The defaults are Keras's: after 10 epochs without an improvement by more than 0.0001 a tenth of the rate.
func TestReduceLROnPlateauDefaults(t *testing.T) {
	for _, c := range []struct {
		name string
		spec ReduceLROnPlateau
		step float64 // by which the loss gets better each epoch
		want int     // the epoch that reduces the rate
	}{
		{"defaults", ReduceLROnPlateau{}, 0, 10},
		{"just below MinDelta", ReduceLROnPlateau{}, 0.9e-5, 10},
		{"MinDelta 0", ReduceLROnPlateau{MinDelta: optional.Of(0.0)}, 0.9e-5, -1},
		{"Patience 0", ReduceLROnPlateau{Patience: optional.Of(0)}, 0, 1},
	} {
		var got []float64
		if _, err := fitRate(t, optim.SGD{LearningRate: 0.5}, 12, script(func(epoch int) map[string]float64 {
			return map[string]float64{"val_loss": 0.5 - c.step*float64(epoch)}
		}), c.spec, rates(&got)); err != nil {
			t.Fatal(err)
		}
		first := -1
		for i, rate := range got {
			if rate != 0.5 {
				first = i
				if float32(rate) != 0.05 {
					t.Errorf("%s: the rate becomes %v, want 0.05", c.name, rate)
				}
				break
			}
		}
		if first != c.want {
			t.Errorf("%s: reduced in epoch %d, want %d", c.name, first, c.want)
		}
	}
}

func TestLearningRateSchedulerLikeKeras(t *testing.T) {
	c := golden.Open(t, "callbacks").Case("LearningRateScheduler/halve_after_3")
	want := c.Floats("expected", "learning_rate")
	var got []float64
	var told []string
	history, err := fitRate(t, optim.Adam{LearningRate: float32(c.Float("config", "initial_learning_rate"))}, len(want), LearningRateScheduler{
		Schedule: func(epoch int, rate float32) float32 {
			if epoch < 3 {
				return rate
			}
			return rate * 0.5
		},
		Log: func(format string, args ...any) { told = append(told, fmt.Sprintf(format, args...)) },
	}, rates(&got))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(want, history.Values("learning_rate")); d != "" {
		t.Error(d)
	}
	if len(told) != len(want) || told[3] != "Epoch 4: LearningRateScheduler setting learning rate to 0.05." {
		t.Errorf("told %q", told)
	}
}

// What Keras 3.15 logs and prints with both callbacks: the rate that an epoch ended with, before it is reduced.
func TestRateIsLoggedLast(t *testing.T) {
	var b bytes.Buffer
	var told []string
	history, err := fitRate(t, optim.SGD{LearningRate: 0.001}, 3,
		ProgressLine{To: &b, Style: Plain}, // before the others: it shows the rate all the same
		LearningRateScheduler{Schedule: func(_ int, rate float32) float32 { return rate / 2 }},
		ReduceLROnPlateau{Monitor: "loss", Patience: optional.Of(0), MinDelta: optional.Of(100.0), Factor: 0.5,
			Log: func(format string, args ...any) { told = append(told, fmt.Sprintf(format, args...)) }})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]float64{0.0005000000237487257, 0.0002500000118743628, 6.25000029685907e-05}, history.Values("learning_rate")); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"loss", "accuracy", "learning_rate"}, history.Names()); d != "" {
		t.Error(d)
	}
	for i, line := range strings.Split(strings.TrimSpace(b.String()), "\n") {
		want := []string{" - learning_rate: 5.0000e-04", " - learning_rate: 2.5000e-04", " - learning_rate: 6.2500e-05"}[i]
		if !strings.HasSuffix(line, want) {
			t.Errorf("%s does not end in %s", line, want)
		}
	}
	if d := cmp.Diff([]string{"Epoch 2: ReduceLROnPlateau reducing learning rate to 0.000125.", "Epoch 3: ReduceLROnPlateau reducing learning rate to 3.125e-05."}, told); d != "" {
		t.Error(d)
	}
}

func TestLearningRateErrors(t *testing.T) {
	nan := func(int, float32) float32 { return float32(math.NaN()) }
	same := func(_ int, rate float32) float32 { return rate }
	scheduled := optim.SGD{Schedule: optim.CosineDecay{InitialLearningRate: 1, DecaySteps: 9}}
	for want, c := range map[string]struct {
		o    nn.Optimizer
		spec nn.Callback
	}{
		"callbacks: ReduceLROnPlateau: Factor 1 is not between 0 and 1":                                                        {optim.SGD{}, ReduceLROnPlateau{Factor: 1}},
		"callbacks: ReduceLROnPlateau: Factor -0.5 is not between 0 and 1":                                                     {optim.SGD{}, ReduceLROnPlateau{Factor: -0.5}},
		"callbacks: ReduceLROnPlateau: Patience -1 and Cooldown 0 must not be negative":                                        {optim.SGD{}, ReduceLROnPlateau{Patience: optional.Of(-1)}},
		"callbacks: ReduceLROnPlateau: Patience 10 and Cooldown -1 must not be negative":                                       {optim.SGD{}, ReduceLROnPlateau{Cooldown: -1}},
		"callbacks: ReduceLROnPlateau: MinRate NaN is not a rate":                                                              {optim.SGD{}, ReduceLROnPlateau{MinRate: float32(math.NaN())}},
		"callbacks: ReduceLROnPlateau: MinDelta is NaN":                                                                        {optim.SGD{}, ReduceLROnPlateau{MinDelta: optional.Of(math.NaN())}},
		"callbacks: ReduceLROnPlateau: Mode 7 is no direction":                                                                 {optim.SGD{}, ReduceLROnPlateau{Mode: 7}},
		`callbacks: ReduceLROnPlateau: "los" is not logged; there are loss, accuracy, learning_rate`:                           {optim.SGD{}, ReduceLROnPlateau{Monitor: "los"}},
		"callbacks: ReduceLROnPlateau cannot set a learning rate that follows the optimizer's schedule, optim.CosineDecay":     {scheduled, ReduceLROnPlateau{}},
		"callbacks: LearningRateScheduler cannot set a learning rate that follows the optimizer's schedule, optim.CosineDecay": {scheduled, LearningRateScheduler{Schedule: same}},
		"callbacks: LearningRateScheduler needs a Schedule":                                                                    {optim.SGD{}, LearningRateScheduler{}},
		"callbacks: LearningRateScheduler: epoch 0 (counted from 0): nn: a learning rate of NaN":                               {optim.SGD{}, LearningRateScheduler{Schedule: nan}},
	} {
		if _, err := fitRate(t, c.o, 2, c.spec); err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

// given is a loss that is the label, whatever the output.
type given struct{ loss.MeanSquaredError }

func (given) CheckLabel(float32) error { return nil }

func (given) Rows(losses, gradient, _, labels []float32) {
	copy(losses, labels)
	for i := range gradient {
		gradient[i] = 1
	}
}

// fitLosses trains on rows with the given losses, a row a step, in order; the weight falls by 1 in each step.
func fitLosses(t *testing.T, m *nn.Model, losses []float32, list ...nn.Callback) (*history.History, error) {
	t.Helper()
	ones := make([]float32, len(losses))
	for i := range ones {
		ones[i] = 1
	}
	x, err := tensor.Of(ones, len(ones), 1)
	if err != nil {
		t.Fatal(err)
	}
	y, err := tensor.Of(losses, len(losses), 1)
	if err != nil {
		t.Fatal(err)
	}
	valid, err := tensor.Of([]float32{0.25}, 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.SetWeights([][]float32{{0}}); err != nil {
		t.Fatal(err)
	}
	return m.Fit(context.Background(), nn.Data{X: x, Y: y}, nn.FitOptions{
		Optimizer: optim.SGD{LearningRate: 1}, Loss: given{}, Epochs: 2, BatchSize: 1, NoShuffle: true, Callbacks: list,
		Validation: &nn.Data{X: valid, Y: valid},
	})
}

func TestTerminateOnNaNLikeKeras(t *testing.T) {
	ran := 0
	golden.Open(t, "callbacks").Run(t, "TerminateOnNaN/", func(t *testing.T, c golden.Case) {
		var losses []float32
		for _, v := range c.Floats("losses") {
			losses = append(losses, float32(v))
		}
		stops := -1
		if c.Has("expected", "stops_at_batch") {
			stops = c.Int("expected", "stops_at_batch")
		}
		batches, told, ended := 0, "", false
		count := nn.HandlerFunc(func(e nn.Event, _ *nn.Training) error {
			batches += map[nn.Event]int{nn.BatchEnd: 1}[e]
			ended = ended || e == nn.TrainEnd
			return nil
		})
		m := tiny(t)
		history, err := fitLosses(t, m, losses, count, TerminateOnNaN{Log: func(format string, args ...any) { told += fmt.Sprintf(format, args...) }})
		if err != nil || !ended {
			t.Fatal(err, ended)
		}
		weight := -m.Parameters()[0].Values()[0]
		if stops < 0 {
			if batches != 2*len(losses) || weight != float32(2*len(losses)) || history.Stopped != "" || told != "" {
				t.Errorf("%d batches, %v steps, stopped: %s, told: %s", batches, weight, history.Stopped, told)
			}
			return
		}
		if batches != stops+1 || weight != float32(stops) || told != fmt.Sprintf("Batch %d: Invalid loss, terminating training", stops) {
			t.Errorf("%d batches, %v steps, told: %s; want the stop at %d", batches, weight, told, stops)
		}
		want := fmt.Sprintf("terminate on NaN: the loss was %v in epoch 1, step %d; the weights are those before this step", losses[stops], stops+1)
		if history.Stopped != want {
			t.Errorf("stopped: %s\nwant %s", history.Stopped, want)
		}
		last := history.Values("loss")
		if len(history.Epochs) != 1 || !math.IsNaN(last[0]) && !math.IsInf(last[0], 0) || history.Values("val_loss")[0] != 0.25 {
			t.Errorf("the history is %v, %v", last, history.Values("val_loss"))
		}
		// Without the callback it is an error.
		var lost *nn.LossError
		if _, err := fitLosses(t, tiny(t), losses); !errors.As(err, &lost) || lost.Step != stops {
			t.Errorf("without the callback: %v", err)
		}
		ran++
	})
	if ran != 3 {
		t.Errorf("%d cases stopped, want 3", ran)
	}
}

// EarlyStopping gives back the best weights of a Fit that a loss of NaN has ended.
func TestTerminateOnNaNRestoresBest(t *testing.T) {
	m := tiny(t)
	before := m.Parameters()[0].Values()[0]
	history, err := fit(m, 3, 0, 9, nn.HandlerFunc(func(e nn.Event, t *nn.Training) error {
		if e == nn.EpochBegin && t.Epoch() == 2 {
			return t.Model().SetWeights([][]float32{{float32(math.NaN())}})
		}
		return nil
	}), EarlyStopping{Monitor: "loss", RestoreBest: true, Patience: 9}, TerminateOnNaN{})
	if err != nil || len(history.Epochs) != 3 || !strings.HasPrefix(history.Stopped, "terminate on NaN: the loss was NaN in epoch 3, step 1;") {
		t.Errorf("%d epochs, stopped: %s, %v", len(history.Epochs), history.Stopped, err)
	}
	if got := m.Parameters()[0].Values()[0]; got != before {
		t.Errorf("the weight is %v, want %v", got, before)
	}
}
