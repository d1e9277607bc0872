package callbacks

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/loss"
	"github.com/linnet-ml/linnet/metrics"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optim"
	"github.com/linnet-ml/linnet/tensor"
)

// tiny is a model of one weight.
func tiny(tb testing.TB) *nn.Model {
	tb.Helper()
	m, err := nn.NewSequential(layers.Dense{Units: 1, NoBias: true}).Build(tb.Context(), nn.Features(1), nn.BuildOptions{})
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

// fit trains m on rows of zeros, a row a step, which does not change it.
func fit(m *nn.Model, rows, initial, epochs int, list ...nn.Callback) (*history.History, error) {
	return fitContext(context.Background(), m, rows, initial, epochs, list...)
}

func fitContext(ctx context.Context, m *nn.Model, rows, initial, epochs int, list ...nn.Callback) (*history.History, error) {
	x, err := tensor.New[float32](rows, 1)
	if err != nil {
		return nil, err
	}
	return m.Fit(ctx, nn.Data{X: x, Y: x}, nn.FitOptions{
		Optimizer: optim.SGD{}, Loss: loss.MeanSquaredError{}, Metrics: []nn.Metric{metrics.Accuracy{}},
		Epochs: epochs, InitialEpoch: initial, BatchSize: 1, Threads: 1, Callbacks: list,
	})
}

// script is a callback that makes the model's weight the number of the epoch and logs what it is told to, so that the
// callbacks after it see the recorded logs.
func script(logs func(epoch int) map[string]float64) nn.Callback {
	return plan.CallbackFunc(func(e plan.Event, t plan.Training) error {
		if e != plan.EpochEnd {
			return nil
		}
		for name, v := range logs(t.Epoch()) {
			t.Logs().Set(name, v)
		}
		return t.Model().(*nn.Model).SetWeights([][]float32{{float32(t.Epoch())}})
	})
}

// values is a script of one number.
func values(name string, list ...float64) nn.Callback {
	return script(func(epoch int) map[string]float64 { return map[string]float64{name: list[epoch]} })
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
		plan.CallbackFunc(func(e plan.Event, t plan.Training) error {
			if e == plan.EpochEnd && t.Epoch() == 2 {
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

// A line is in the file as soon as its epoch has ended, however the Fit ends.
func TestCSVLoggerAfterCancel(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.csv")
	ctx, cancel := context.WithCancel(t.Context())
	_, err := fitContext(ctx, tiny(t), 1, 0, 5, CSVLogger{Path: path}, plan.CallbackFunc(func(e plan.Event, training plan.Training) error {
		if e == plan.EpochEnd && training.Epoch() == 1 {
			got, err := os.ReadFile(path)
			if want := "epoch,accuracy,loss,val_accuracy,val_loss\r\n0,1.0,0.0,NA,NA\r\n1,1.0,0.0,NA,NA\r\n"; err != nil || string(got) != want {
				t.Errorf("after epoch 1: %q, %v", got, err)
			}
			cancel()
		}
		return nil
	}))
	if err != context.Canceled {
		t.Errorf("error %v", err)
	}
}

func TestCSVLoggerErrors(t *testing.T) {
	folder := t.TempDir()
	kept := filepath.Join(folder, "kept.csv")
	if err := os.WriteFile(kept, []byte("kept"), 0o600); err != nil {
		t.Fatal(err)
	}
	missing := filepath.Join(folder, "missing", "log.csv")
	for begin, spec := range map[string]CSVLogger{
		"callbacks: CSVLogger: open " + folder + ": ":  {Path: folder},
		"callbacks: CSVLogger: open " + missing + ": ": {Path: missing},
	} {
		history, err := fit(tiny(t), 1, 0, 1, spec)
		if err == nil || !strings.HasPrefix(err.Error(), begin) {
			t.Errorf("got  %v\nwant %s…", err, begin)
		}
		if len(history.Epochs) != 0 {
			t.Error("trained before the file was open")
		}
	}
	// A Fit that cannot begin leaves the file as it was.
	if _, err := fit(tiny(t), 1, 0, 1, CSVLogger{Path: kept}, EarlyStopping{Patience: -1}); err == nil {
		t.Error("no error")
	}
	if got, _ := os.ReadFile(kept); string(got) != "kept" {
		t.Errorf("the file has become %q", got)
	}
}
