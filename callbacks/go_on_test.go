package callbacks

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/loss"
	"github.com/linnet-ml/linnet/metrics"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optim"
	"github.com/linnet-ml/linnet/optional"
	"github.com/linnet-ml/linnet/tensor"
)

// n epochs, the training state and the rest of the epochs with another model give the weights, the history and the file
// of one Fit, with all callbacks that remember something.
func TestFitsGoOn(t *testing.T) {
	const rows, epochs = 40, 9
	losses := []float64{0.9, 0.5, 0.6, 0.7, 0.4, 0.6, 0.6, 0.5, 0.6}
	x, err := tensor.New[float32](rows, 3)
	if err != nil {
		t.Fatal(err)
	}
	for i := range x.Data() {
		x.Data()[i] = float32(i*37%101) / 101
	}
	y, err := tensor.New[float32](rows)
	if err != nil {
		t.Fatal(err)
	}
	for i := range y.Data() {
		y.Data()[i] = float32(i % 2)
	}
	type outcome struct {
		Weights  [][]float32
		Rates    []float64
		Stopped  string
		File     string
		Finished int
	}
	// run trains from a state on, and returns the state at the end of epoch number keep-1.
	run := func(path string, from *plan.TrainingState, keep, until int) (outcome, *plan.TrainingState) {
		m, err := nn.NewSequential(layers.Dense{Units: 1, Activation: layers.Sigmoid}).Build(t.Context(), nn.Features(3), nn.BuildOptions{Seed: 3})
		if err != nil {
			t.Fatal(err)
		}
		var kept *plan.TrainingState
		h, err := m.Fit(t.Context(), nn.Data{X: x, Y: y}, nn.FitOptions{
			Optimizer: optim.Adam{LearningRate: 0.1}, Loss: loss.BinaryCrossentropy{}, Epochs: until, BatchSize: 16, Threads: 2, State: from,
			Callbacks: []nn.Callback{
				plan.CallbackFunc(func(e plan.Event, t plan.Training) error {
					if e == plan.EpochEnd {
						t.Logs().Set("val_loss", losses[t.Epoch()])
					}
					return nil
				}),
				EarlyStopping{Patience: 4, RestoreBest: true},
				ReduceLROnPlateau{Patience: optional.Of(2), Cooldown: 1, Factor: 0.5},
				CSVLogger{Path: path},
				plan.CallbackFunc(func(e plan.Event, t plan.Training) (err error) {
					if e == plan.EpochDone && t.Epoch() == keep-1 {
						kept, err = t.State()
					}
					return err
				}),
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		file, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return outcome{m.Weights(nil), h.Values("learning_rate"), h.Stopped, string(file), len(h.Epochs)}, kept
	}
	want, _ := run(filepath.Join(t.TempDir(), "log.csv"), nil, 0, epochs)
	if want.Stopped == "" || want.Finished != epochs || want.Rates[epochs-1] == want.Rates[0] {
		t.Fatalf("the callbacks do nothing: %+v", want)
	}
	for n := 1; n < epochs; n++ {
		path := filepath.Join(t.TempDir(), "log.csv")
		_, state := run(path, nil, n, n)
		got, _ := run(path, state, 0, epochs)
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("from epoch %d on: %s", n, d)
		}
	}
}

// A metric whose name is that of the column of the epochs is refused before anything runs.
func TestCSVLoggerRefusesAMetricEpoch(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.csv")
	x, err := tensor.New[float32](2, 1)
	if err != nil {
		t.Fatal(err)
	}
	_, err = tiny(t).Fit(t.Context(), nn.Data{X: x, Y: x}, nn.FitOptions{
		Optimizer: optim.SGD{}, Loss: loss.MeanSquaredError{}, Metrics: []nn.Metric{metrics.Mean{As: "epoch"}}, Callbacks: []nn.Callback{CSVLogger{Path: path}},
	})
	if want := `nn: a metric cannot be named "epoch": in files that is the column of epochs`; err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("the file was made: %v", err)
	}
}
