package nn_test

import (
	"context"
	"fmt"

	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/loss"
	"github.com/linnet-ml/linnet/metrics"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/optim"
	"github.com/linnet-ml/linnet/tensor"
)

// A model of two inputs and two outputs: from a text's words and a number beside it, whether it is good and how many stars
// it gives.
func ExampleGraph() {
	g := &nn.Graph{}
	words, length := g.Input("words", nn.Tokens(nn.AnyLength)), g.Input("length", nn.Features(1))
	both := g.Apply(layers.Concatenate{},
		g.Apply(layers.GlobalAveragePooling1D{}, g.Apply(layers.Embedding{Vocabulary: 9, Dim: 4, MaskZero: true}, words)), length)
	g.Output("good", g.Apply(layers.Dense{Units: 1, Activation: layers.Sigmoid}, both))
	g.Output("stars", g.Apply(layers.Dense{Units: 1}, both))
	model, err := g.Build(context.Background(), nn.BuildOptions{Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}

	texts := sentences()
	lengths, err := tensor.Of([]float32{2, 3, 3, 2, 3, 3}, 6, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	stars, err := tensor.Of([]float32{1, 1, 2, 4, 5, 4}, 6, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	history, err := model.Fit(context.Background(), nn.Data{
		Inputs: map[string]tensor.Rows{"words": texts.X, "length": lengths},
		Labels: map[string]tensor.Rows{"good": texts.Y, "stars": stars},
	}, nn.FitOptions{
		Optimizer: optim.Adam{LearningRate: 0.05},
		Outputs: map[string]nn.OutputOptions{
			"good":  {Loss: loss.BinaryCrossentropy{}, Metrics: []nn.Metric{metrics.Accuracy{}}},
			"stars": {Loss: loss.MeanSquaredError{}, LossWeight: 0.5},
		},
		Epochs: 80,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, name := range history.Names() {
		values := history.Values(name)
		fmt.Printf("%s: from %.2f to %.2f\n", name, values[0], values[len(values)-1])
	}
	// Output:
	// loss: from 14.88 to 0.03
	// good_loss: from 0.71 to 0.02
	// stars_loss: from 28.34 to 0.01
	// good_accuracy: from 0.50 to 1.00
}

// What the layers of a model make of a row.
func ExampleModel_Intermediate() {
	model := trained()
	inner, err := model.Intermediate("global_average_pooling1d", "dense")
	if err != nil {
		fmt.Println(err)
		return
	}
	x, err := tensor.Of([]int32{5, 6, 8}, 1, 3)
	if err != nil {
		fmt.Println(err)
		return
	}
	for out, err := range inner.PredictAll(context.Background(), nn.Data{X: x}, nn.PredictOptions{}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("the mean of the words' vectors: %.2f\n", out["global_average_pooling1d"].Data())
		fmt.Printf("good with probability %.2f\n", out["dense"].Data())
	}
	// Output:
	// the mean of the words' vectors: [1.05 -1.12 1.08 1.25]
	// good with probability [1.00]
}

// A training loop of one's own, which halves the gradients of one parameter.
func ExampleTrainer() {
	ctx := context.Background()
	model, err := nn.NewSequential(
		layers.Embedding{Vocabulary: 9, Dim: 4, MaskZero: true},
		layers.GlobalAveragePooling1D{},
		layers.Dense{Units: 1, Activation: layers.Sigmoid},
	).Build(ctx, nn.Tokens(3), nn.BuildOptions{Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	trainer, err := model.NewTrainer(nn.TrainerOptions{
		Optimizer: optim.Adam{LearningRate: 0.05}, Loss: loss.BinaryCrossentropy{}, Metrics: []nn.Metric{metrics.Accuracy{}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer trainer.Close()
	batch := nn.Batch(sentences())
	for step := range 61 {
		batchLoss, err := trainer.Gradients(ctx, batch)
		if err != nil {
			fmt.Println(err)
			return
		}
		bias, err := trainer.Gradient("dense/bias")
		if err != nil {
			fmt.Println(err)
			return
		}
		for i := range bias {
			bias[i] /= 2
		}
		if err := trainer.Apply(ctx, map[string][]float32{"dense/bias": bias}); err != nil {
			fmt.Println(err)
			return
		}
		if step%20 == 0 {
			fmt.Printf("step %2d: loss %.3f\n", step, batchLoss)
		}
	}
	// Output:
	// step  0: loss 0.701
	// step 20: loss 0.054
	// step 40: loss 0.007
	// step 60: loss 0.003
}

// A program that serves any model asks it what it reads.
func ExampleModel_InputType() {
	g := &nn.Graph{}
	title, numbers := g.Input("title", nn.Tokens(20)), g.Input("numbers", nn.Features(4))
	average := g.Apply(layers.GlobalAveragePooling1D{}, g.Apply(layers.Embedding{Vocabulary: 100, Dim: 8}, title))
	g.Output("price", g.Apply(layers.Dense{Units: 1}, g.Apply(layers.Concatenate{}, average, numbers)))
	model, err := g.Build(context.Background(), nn.BuildOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, name := range model.InputNames() {
		fmt.Println(name, model.InputType(name), model.InputShape(name))
	}
	// Output:
	// title int32 (None, 20)
	// numbers float32 (None, 4)
}

func ExampleModel_SetFrozen() {
	model, err := nn.NewSequential(layers.Dense{Units: 4}, layers.Dense{Units: 1}).Build(context.Background(), nn.Features(8), nn.BuildOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := model.SetTrainable("dense/*", false); err != nil {
		fmt.Println(err)
		return
	}
	frozen := model.Frozen()
	fmt.Println(frozen)
	fmt.Println(model.SetFrozen(nil), model.Frozen()) // everything trains again
	fmt.Println(model.SetFrozen(frozen), model.Frozen())
	// Output:
	// [dense/kernel dense/bias]
	// <nil> []
	// <nil> [dense/kernel dense/bias]
}
