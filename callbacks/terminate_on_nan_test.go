package callbacks

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/internal/golden"
	"github.com/linnet-ml/linnet/loss"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optim"
	"github.com/linnet-ml/linnet/tensor"
)

// given is a loss that is the label, whatever the output.
type given struct{ loss.MeanSquaredError }

func (given) Start(plan.LossInfo) (plan.LossRule, error) {
	return plan.LossRule{Rows: func(losses, gradient, _, labels []float32) {
		copy(losses, labels)
		for i := range gradient {
			gradient[i] = 1
		}
	}}, nil
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
	return m.Fit(t.Context(), nn.Data{X: x, Y: y}, nn.FitOptions{
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
		count := plan.CallbackFunc(func(e plan.Event, _ plan.Training) error {
			batches += map[plan.Event]int{plan.BatchEnd: 1}[e]
			ended = ended || e == plan.TrainEnd
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
		var lost *plan.LossError
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
	history, err := fit(m, 3, 0, 9, plan.CallbackFunc(func(e plan.Event, t plan.Training) error {
		if e == plan.EpochBegin && t.Epoch() == 2 {
			lost, err := t.SnapshotOf(map[string][]float32{t.Model().Parameters()[0].Name(): {float32(math.NaN())}})
			if err != nil {
				return err
			}
			return t.Restore(lost)
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
