package builtin_test

import (
	"context"
	"testing"

	"github.com/linnet-ml/linnet/callbacks"
	"github.com/linnet-ml/linnet/datasets/imdb"
	"github.com/linnet-ml/linnet/internal/shared"
	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/loss"
	"github.com/linnet-ml/linnet/metrics"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/optim"
	"github.com/linnet-ml/linnet/optional"
	"github.com/linnet-ml/linnet/pretrained/builtin"
	"github.com/linnet-ml/linnet/tensor"
)

// The embedding is good for what it was made for: trained with the rest of the network on 15,000 real reviews, and
// stopped when the loss of 10,000 others no longer falls, it tells the 25,000 test reviews apart.
func TestAccuracy(t *testing.T) {
	path := shared.Path(t, "data/imdb")
	if testing.Short() {
		t.Skip("trains on the real reviews")
	}
	ctx := context.Background()
	train, test, err := imdb.LoadTexts(ctx, imdb.TextOptions{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	table, err := builtin.Open()
	if err != nil {
		t.Fatal(err)
	}
	model, err := nn.NewSequential(
		layers.TextEmbedding{Table: table, Trainable: true},
		layers.Dense{Units: 16, Activation: layers.ReLU},
		layers.Dense{Units: 1},
	).Build(t.Context(), nn.Texts(), nn.BuildOptions{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	data := func(texts []string, labels []int32) nn.Data {
		x, err := tensor.Of(texts)
		if err != nil {
			t.Fatal(err)
		}
		y, err := tensor.Of(labels)
		if err != nil {
			t.Fatal(err)
		}
		return nn.Data{X: x, Y: y}
	}
	entropy := loss.BinaryCrossentropy{FromLogits: true}
	accuracy := []nn.Metric{metrics.BinaryAccuracy{Threshold: optional.Of[float32](0), As: "accuracy"}}
	validation := data(train.Texts[:10000], train.Labels[:10000])
	_, err = model.Fit(ctx, data(train.Texts[10000:], train.Labels[10000:]), nn.FitOptions{
		Optimizer: optim.Adam{}, Loss: entropy, Metrics: accuracy, Epochs: 40, BatchSize: 512, Validation: &validation,
		Callbacks: []nn.Callback{callbacks.EarlyStopping{Patience: 3, RestoreBest: true}},
	})
	if err != nil {
		t.Fatal(err)
	}
	result, err := model.Evaluate(ctx, data(test.Texts, test.Labels), nn.EvaluateOptions{Loss: entropy, Metrics: accuracy})
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := result.Get("accuracy"); got < 0.87 {
		t.Errorf("test accuracy %.4f, want at least 0.87", got)
	} else {
		t.Logf("test accuracy %.4f", got)
	}
}
