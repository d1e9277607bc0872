// Command make trains the model that examples/embed carries and the classifier of examples/embed/classifier, and writes
// their files:
//
//	go run ./examples/embed/make
//
// The model learns from the built-in copy of the IMDB reviews, without their order of words. Its weights are stored in 8
// bits. The classifier learns from the invented messages in docs/data.
// The same program gives the same bytes, on any platform.
package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/linnet-ml/linnet/datasets/imdb"
	"github.com/linnet-ml/linnet/datasets/imdb/builtin"
	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/loss"
	"github.com/linnet-ml/linnet/metrics"
	"github.com/linnet-ml/linnet/model"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/optim"
	"github.com/linnet-ml/linnet/tensor"
	"github.com/linnet-ml/linnet/text"
)

const (
	words  = 10000
	dim    = 8
	units  = 8
	epochs = 8
)

func main() {
	out := flag.String("o", filepath.Join("examples", "embed"), "folder to write to")
	flag.Parse()
	ctx := context.Background()
	err := build(ctx, filepath.Join(*out, "reviews.linnet"))
	if err == nil {
		err = buildClassifier(ctx, filepath.Join("docs", "data", "messages.csv"), filepath.Join(*out, "classifier", "messages.linnet"))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func build(ctx context.Context, out string) error {
	train, test, err := builtin.Texts()
	if err != nil {
		return err
	}
	tokens, err := text.Vectorizer{MaxTokens: words}.Adapt(ctx, train.Texts)
	if err != nil {
		return err
	}
	// The first vectors are those of an Embedding: random, from -0.05 to 0.05.
	random := rand.New(rand.NewPCG(1, 1))
	first := make([]float32, tokens.Size()*dim)
	for i := range first {
		first[i] = (random.Float32() - 0.5) / 10
	}
	vectors, err := tensor.Of(first, tokens.Size(), dim)
	if err != nil {
		return err
	}
	m, err := nn.NewSequential(
		layers.TextEmbedding{Table: layers.VectorTable{Words: tokens, By: text.Mean, Vectors: vectors}, Trainable: true},
		layers.Dense{Units: units, Activation: layers.ReLU},
		layers.Dense{Units: 1, Activation: layers.Sigmoid},
	).Build(ctx, nn.Texts(), nn.BuildOptions{Seed: 1})
	if err != nil {
		return err
	}
	learn, err := data(ctx, train, tokens)
	if err != nil {
		return err
	}
	if _, err := m.Fit(ctx, learn, nn.FitOptions{Optimizer: optim.Adam{LearningRate: 0.003}, Loss: loss.BinaryCrossentropy{}, Epochs: epochs, BatchSize: 512}); err != nil {
		return err
	}
	small, _, err := model.Convert(ctx, m, model.ConvertOptions{Storage: model.Int8})
	if err != nil {
		return err
	}
	unseen, err := data(ctx, test, tokens)
	if err != nil {
		return err
	}
	for _, c := range []struct {
		storage model.Storage
		model   *nn.Model
	}{{model.Float32, m}, {model.Int8, small}} {
		result, err := c.model.Evaluate(ctx, unseen, nn.EvaluateOptions{Loss: loss.BinaryCrossentropy{}, Metrics: []nn.Metric{metrics.Accuracy{}}, BatchSize: 512})
		if err != nil {
			return err
		}
		if _, err := fmt.Printf("test, weights in %v: %v\n", c.storage, result); err != nil {
			return err
		}
	}
	return model.Save(ctx, out, small, model.SaveOptions{Info: model.Info{
		Labels:     map[string][]string{"output": {"negative", "positive"}},
		Thresholds: map[string][]float64{"output": {0.5}},
	}})
}

func data(ctx context.Context, s *imdb.TextSplit, t text.Tokenizer) (nn.Data, error) {
	x, err := text.CountTexts(ctx, s.Texts, t)
	if err != nil {
		return nn.Data{}, err
	}
	y, err := tensor.Of(s.Labels)
	return nn.Data{X: x, Y: y}, err
}
