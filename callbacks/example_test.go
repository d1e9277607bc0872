package callbacks_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/linnet-ml/linnet/callbacks"
	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/loss"
	"github.com/linnet-ml/linnet/model"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optim"
	"github.com/linnet-ml/linnet/optional"
	"github.com/linnet-ml/linnet/tensor"
)

// line is a model of a straight line, and points of one.
func line() (*nn.Model, nn.Data) {
	x, _ := tensor.Of([]float32{0, 1, 2, 3}, 4, 1)
	y, _ := tensor.Of([]float32{0, 2, 4, 6}, 4, 1)
	model, err := nn.NewSequential(layers.Dense{Units: 1}).Build(context.Background(), nn.Features(1), nn.BuildOptions{})
	if err != nil {
		panic(err)
	}
	return model, nn.Data{X: x, Y: y}
}

func Example() {
	model, data := line()
	history, err := model.Fit(context.Background(), data, nn.FitOptions{
		Optimizer: optim.SGD{LearningRate: 0.1}, Loss: loss.MeanSquaredError{}, Epochs: 100,
		Callbacks: []nn.Callback{
			callbacks.Progress(os.Stderr),
			callbacks.EarlyStopping{Monitor: "loss", MinDelta: 0.01, Patience: 2, RestoreBest: true},
		},
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(history.Stopped)
	// Output:
	// early stopping: loss was best in epoch 21 (0.0402) and has not improved for 2
}

// A tenth of the rate after two epochs that were not better by 0.01.
func ExampleReduceLROnPlateau() {
	model, data := line()
	history, err := model.Fit(context.Background(), data, nn.FitOptions{
		Optimizer: optim.SGD{LearningRate: 0.1}, Loss: loss.MeanSquaredError{}, Epochs: 30,
		Callbacks: []nn.Callback{callbacks.ReduceLROnPlateau{Monitor: "loss", Patience: optional.Of(2), MinDelta: optional.Of(0.01), MinRate: 0.001}},
	})
	if err != nil {
		panic(err)
	}
	last := 0.0
	for i, rate := range history.Values("learning_rate") {
		if rate != last {
			fmt.Printf("epoch %d: %.3f\n", history.Epochs[i]+1, rate)
		}
		last = rate
	}
	// Output:
	// epoch 1: 0.100
	// epoch 24: 0.010
	// epoch 27: 0.001
}

// The rate is kept for two epochs, then halved each time.
func ExampleLearningRateScheduler() {
	model, data := line()
	history, err := model.Fit(context.Background(), data, nn.FitOptions{
		Optimizer: optim.SGD{LearningRate: 0.125}, Loss: loss.MeanSquaredError{}, Epochs: 4,
		Callbacks: []nn.Callback{callbacks.LearningRateScheduler{Schedule: func(epoch int, rate float32) float32 {
			if epoch < 2 {
				return rate
			}
			return rate / 2
		}}},
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(history.Values("learning_rate"))
	// Output: [0.125 0.125 0.0625 0.03125]
}

// Steps that are far too large end in numbers that are none. The Fit ends without an error, with all of its history.
func ExampleTerminateOnNaN() {
	model, data := line()
	history, err := model.Fit(context.Background(), data, nn.FitOptions{
		Optimizer: optim.SGD{LearningRate: 1e12}, Loss: loss.MeanSquaredError{}, Epochs: 30,
		Callbacks: []nn.Callback{callbacks.TerminateOnNaN{}},
	})
	fmt.Println(err, len(history.Epochs))
	fmt.Println(history.Stopped)
	// Output:
	// <nil> 3
	// terminate on NaN: the loss was +Inf in epoch 3, step 1; the weights are those before this step
}

// Each epoch that is better than all before leaves a file, whose name says how good it was.
func ExampleModelCheckpoint() {
	folder, err := os.MkdirTemp("", "checkpoints")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(folder)
	m, data := line()
	_, err = m.Fit(context.Background(), data, nn.FitOptions{
		Optimizer: optim.SGD{LearningRate: 0.1}, Loss: loss.MeanSquaredError{}, Epochs: 3,
		Callbacks: []nn.Callback{callbacks.ModelCheckpoint{
			Path:   filepath.Join(folder, "line-{epoch:02d}-{loss:.1f}.linnet"),
			Format: model.Format{},
			// The loss of the training data is monitored here, since there are no others.
			SaveBestOnly: true, Monitor: "loss",
		}},
	})
	if err != nil {
		panic(err)
	}
	files, err := os.ReadDir(folder)
	if err != nil {
		panic(err)
	}
	for _, f := range files {
		fmt.Println(f.Name())
	}
	// Output:
	// line-01-30.5.linnet
	// line-02-1.2.linnet
	// line-03-0.4.linnet
}

// The first Fit is interrupted. The second is the same, and goes on where the first was.
func ExampleBackupAndRestore() {
	folder, err := os.MkdirTemp("", "backup")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(folder)
	for range 2 {
		ctx, cancel := context.WithCancel(context.Background())
		m, data := line()
		history, err := m.Fit(ctx, data, nn.FitOptions{
			Optimizer: optim.SGD{LearningRate: 0.1}, Loss: loss.MeanSquaredError{}, Epochs: 5,
			Callbacks: []nn.Callback{
				plan.CallbackFunc(func(e plan.Event, t plan.Training) error {
					if e == plan.EpochBegin {
						fmt.Println("epoch", t.Epoch()+1)
					}
					if e == plan.EpochBegin && t.Epoch() == 3 && t.InitialEpoch() == 0 {
						cancel()
					}
					return nil
				}),
				callbacks.BackupAndRestore{Path: filepath.Join(folder, "line.backup"), Format: model.Format{}},
			},
		})
		fmt.Println(len(history.Epochs), "epochs,", err)
		cancel()
	}
	// Output:
	// epoch 1
	// epoch 2
	// epoch 3
	// epoch 4
	// 3 epochs, context canceled
	// epoch 4
	// epoch 5
	// 5 epochs, <nil>
}
