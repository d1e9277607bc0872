package callbacks

import (
	"slices"
	"testing"

	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/loss"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optim"
	"github.com/linnet-ml/linnet/tensor"
)

// With a table so large that it is trained by the rows that are touched, RestoreBest gives the weights that a Fit of as
// many epochs as the best one gives, to the bit.
func TestRestoreBestOfALargeTable(t *testing.T) {
	const vocabulary, dim, rows, steps = 1 << 17, 16, 64, 9
	x, err := tensor.New[int32](rows, steps)
	if err != nil {
		t.Fatal(err)
	}
	for i := range x.Data() {
		x.Data()[i] = int32(i*i*31) % vocabulary
	}
	y, err := tensor.New[float32](rows)
	if err != nil {
		t.Fatal(err)
	}
	for i := range y.Data() {
		y.Data()[i] = float32(i % 2)
	}
	run := func(epochs int, list ...nn.Callback) ([][]float32, *history.History) {
		m, err := nn.NewSequential(layers.Embedding{Vocabulary: vocabulary, Dim: dim}, layers.GlobalAveragePooling1D{},
			layers.Dense{Units: 1, Activation: layers.Sigmoid}).Build(t.Context(), nn.Tokens(steps), nn.BuildOptions{Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		h, err := m.Fit(t.Context(), nn.Data{X: x, Y: y}, nn.FitOptions{
			Optimizer: optim.Adam{LearningRate: 0.01}, Loss: loss.BinaryCrossentropy{}, Epochs: epochs, BatchSize: 16, Threads: 2, Callbacks: list,
		})
		if err != nil {
			t.Fatal(err)
		}
		return m.Weights(nil), h
	}
	want, _ := run(3)
	scripted := plan.CallbackFunc(func(e plan.Event, t plan.Training) error {
		if e == plan.EpochEnd {
			t.Logs().Set("val_loss", []float64{0.5, 0.6, 0.4, 0.45, 0.44, 0.43}[t.Epoch()])
		}
		return nil
	})
	got, h := run(6, scripted, EarlyStopping{Patience: 3, RestoreBest: true})
	if len(h.Epochs) != 6 || h.Stopped == "" {
		t.Errorf("%d epochs, stopped: %q", len(h.Epochs), h.Stopped)
	}
	last, _ := run(6)
	if slices.Equal(last[0], got[0]) {
		t.Error("the weights are those of the last epoch")
	}
	for i := range want {
		if !slices.Equal(got[i], want[i]) {
			t.Errorf("parameter %d is not that of the best epoch", i)
		}
	}
}
