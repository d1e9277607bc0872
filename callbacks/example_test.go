package callbacks_test

import (
	"context"
	"fmt"
	"os"

	"github.com/linnet-ml/linnet/callbacks"
	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/loss"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/optim"
	"github.com/linnet-ml/linnet/tensor"
)

func Example() {
	x, _ := tensor.Of([]float32{0, 1, 2, 3}, 4, 1)
	y, _ := tensor.Of([]float32{0, 2, 4, 6}, 4, 1)
	model, err := nn.NewSequential(layers.Dense{Units: 1}).Build(nn.Features(1))
	if err != nil {
		panic(err)
	}
	history, err := model.Fit(context.Background(), nn.Data{X: x, Y: y}, nn.FitOptions{
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
	// early stopping: loss was best in epoch 19 (0.0391) and has not improved for 2
}
