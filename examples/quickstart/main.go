// Quickstart trains a network to tell good film reviews from bad ones, saves it, and asks the saved one about reviews it
// has not seen.
package main

import (
	"context"
	"fmt"
	"log"

	"github.com/linnet-ml/linnet/datasets/imdb/builtin"
	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/loss"
	"github.com/linnet-ml/linnet/metrics"
	"github.com/linnet-ml/linnet/model"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/optim"
	"github.com/linnet-ml/linnet/tensor"
)

func main() {
	ctx := context.Background()
	train, test, err := builtin.Load()
	check(err)
	trainLabels, err := tensor.Of(train.Labels)
	check(err)
	testLabels, err := tensor.Of(test.Labels)
	check(err)

	network, err := nn.NewSequential(
		layers.Embedding{Vocabulary: builtin.NumWords, Dim: 16},
		layers.GlobalAveragePooling1D{},
		layers.Dense{Units: 16, Activation: layers.ReLU},
		layers.Dense{Units: 1, Activation: layers.Sigmoid},
	).Build(ctx, nn.Tokens(builtin.Length), nn.BuildOptions{Seed: 7})
	check(err)

	history, err := network.Fit(ctx, nn.Data{X: train.Bags, Y: trainLabels}, nn.FitOptions{
		Optimizer: optim.Adam{}, Loss: loss.BinaryCrossentropy{}, Epochs: 15, BatchSize: 512,
	})
	check(err)

	check(model.Save(ctx, "reviews.linnet", network, model.SaveOptions{Info: model.Info{History: history}}))

	// From here on this could be another program: the file is all that it needs.
	file, err := model.Load(ctx, "reviews.linnet", model.LoadOptions{})
	check(err)
	defer file.Close()
	result, err := file.Model.Evaluate(ctx, nn.Data{X: test.Bags, Y: testLabels}, nn.EvaluateOptions{
		Loss: loss.BinaryCrossentropy{}, Metrics: []nn.Metric{metrics.Accuracy{}},
	})
	check(err)
	_, err = fmt.Println("test:", result)
	check(err)

	scores, err := file.Model.Predict(ctx, test.Bags.Rows(0, 3), nn.PredictOptions{})
	check(err)
	_, err = fmt.Println("first reviews:", scores.Data(), "labels:", test.Labels[:3])
	check(err)
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
