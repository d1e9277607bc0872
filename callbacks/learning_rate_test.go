package callbacks

import (
	"bytes"
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
	"github.com/linnet-ml/linnet/nn/plan"
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
	return plan.CallbackFunc(func(e plan.Event, t plan.Training) error {
		if e == plan.EpochEnd {
			*into = append(*into, float64(t.LearningRate()))
		}
		return nil
	})
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
		"callbacks: ReduceLROnPlateau: Patience -1 must not be negative":                                                       {optim.SGD{}, ReduceLROnPlateau{Patience: optional.Of(-1)}},
		"callbacks: ReduceLROnPlateau: Cooldown -1 must not be negative":                                                       {optim.SGD{}, ReduceLROnPlateau{Cooldown: -1}},
		"callbacks: ReduceLROnPlateau: MinRate NaN is not a rate":                                                              {optim.SGD{}, ReduceLROnPlateau{MinRate: float32(math.NaN())}},
		"callbacks: ReduceLROnPlateau: MinDelta is NaN":                                                                        {optim.SGD{}, ReduceLROnPlateau{MinDelta: optional.Of(math.NaN())}},
		"callbacks: ReduceLROnPlateau: Mode 7 is no direction":                                                                 {optim.SGD{}, ReduceLROnPlateau{Mode: 7}},
		`callbacks: ReduceLROnPlateau: "los" is not logged; there are loss, accuracy, learning_rate`:                           {optim.SGD{}, ReduceLROnPlateau{Monitor: "los"}},
		"callbacks: ReduceLROnPlateau cannot set a learning rate that follows the optimizer's schedule, optim.CosineDecay":     {scheduled, ReduceLROnPlateau{}},
		"callbacks: LearningRateScheduler cannot set a learning rate that follows the optimizer's schedule, optim.CosineDecay": {scheduled, LearningRateScheduler{Schedule: same}},
		"callbacks: LearningRateScheduler needs a Schedule":                                                                    {optim.SGD{}, LearningRateScheduler{}},
		"callbacks: LearningRateScheduler: epoch 1: nn: a learning rate of NaN":                                                {optim.SGD{}, LearningRateScheduler{Schedule: nan}},
	} {
		if _, err := fitRate(t, c.o, 2, c.spec); err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}
