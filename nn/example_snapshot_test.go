package nn_test

import (
	"context"
	"fmt"

	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/loss"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optim"
	"github.com/linnet-ml/linnet/tensor"
)

// This callback gives the model the weights of the epoch with the lowest loss. Of a large table it
// holds the rows that moved, and no others.
func Example_snapshot() {
	x, _ := tensor.Of([]float32{0, 1, 2, 3}, 4, 1)
	model, err := nn.NewSequential(layers.Dense{Units: 1}).Build(context.Background(), nn.Features(1), nn.BuildOptions{})
	if err != nil {
		panic(err)
	}
	lowest := 0.0
	var best plan.Snapshot
	keep := plan.CallbackFunc(func(e plan.Event, t plan.Training) error {
		switch e {
		case plan.EpochEnd:
			if v, _ := t.Logs().Get("loss"); best == nil || v < lowest {
				lowest, best = v, t.Snapshot(best)
			}
		case plan.TrainEnd:
			return t.Restore(best)
		}
		return nil
	})
	past, err := model.Fit(context.Background(), nn.Data{X: x, Y: x}, nn.FitOptions{
		// Steps of a rate that grows become too large.
		Optimizer: optim.SGD{Schedule: optim.ExponentialDecay{InitialLearningRate: 0.05, DecaySteps: 2, DecayRate: 2}},
		Loss:      loss.MeanSquaredError{}, Epochs: 20, Callbacks: []nn.Callback{keep},
	})
	if err != nil {
		panic(err)
	}
	fmt.Println("best epoch:", past.Epochs[past.Best("loss", history.LowerIsBetter)]+1)
	last := past.Values("loss")
	result, err := model.Evaluate(context.Background(), nn.Data{X: x, Y: x}, nn.EvaluateOptions{Loss: loss.MeanSquaredError{}})
	if err != nil {
		panic(err)
	}
	now, _ := result.Get("loss")
	fmt.Println("better than the last epoch:", now < last[len(last)-1])
	// Output:
	// best epoch: 8
	// better than the last epoch: true
}
