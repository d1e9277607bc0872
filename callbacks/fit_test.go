package callbacks

import (
	"context"
	"testing"

	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/loss"
	"github.com/linnet-ml/linnet/metrics"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/optim"
	"github.com/linnet-ml/linnet/tensor"
)

// tiny is a model of one weight.
func tiny(tb testing.TB) *nn.Model {
	tb.Helper()
	m, err := nn.NewSequential(layers.Dense{Units: 1, NoBias: true}).Build(nn.Features(1))
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
// callbacks behind it see the recorded logs.
func script(logs func(epoch int) map[string]float64) nn.Callback {
	return nn.HandlerFunc(func(e nn.Event, t *nn.Training) error {
		if e != nn.EpochEnd {
			return nil
		}
		for name, v := range logs(t.Epoch()) {
			t.Logs().Set(name, v)
		}
		return t.Model().SetWeights([][]float32{{float32(t.Epoch())}})
	})
}

// values is a script of one number.
func values(name string, list ...float64) nn.Callback {
	return script(func(epoch int) map[string]float64 { return map[string]float64{name: list[epoch]} })
}
