package bench

import (
	"context"

	"github.com/linnet-ml/linnet/datasets/imdb"
	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/loss"
	"github.com/linnet-ml/linnet/metrics"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/optim"
	"github.com/linnet-ml/linnet/tensor"
	"github.com/linnet-ml/linnet/text"
)

// The sizes of the first tutorial.
const (
	Words      = 10000
	Length     = 256
	Batch      = 512
	Validating = 10000 // the first of the reviews to train on
)

// Tutorial is the first tutorial's data, padded, and its network.
type Tutorial struct {
	Model                   *nn.Model
	Train, Validation, Test nn.Data
}

// LoadTutorial reads the reviews from a folder and builds the network.
func LoadTutorial(ctx context.Context, folder string) (*Tutorial, error) {
	train, test, err := LoadPadded(ctx, folder)
	if err != nil {
		return nil, err
	}
	t := &Tutorial{Test: test}
	x, y := train.X.(*tensor.Int32), train.Y.(*tensor.Int32)
	t.Validation = nn.Data{X: x.Rows(0, Validating), Y: y.Rows(0, Validating)}
	t.Train = nn.Data{X: x.Rows(Validating, x.Len()), Y: y.Rows(Validating, x.Len())}
	t.Model, err = network(ctx, Words, 16)
	return t, err
}

// LoadPadded reads the reviews and pads them.
func LoadPadded(ctx context.Context, folder string) (train, test nn.Data, err error) {
	a, b, err := imdb.Load(ctx, imdb.Options{Path: folder, NumWords: Words})
	if err != nil {
		return nn.Data{}, nn.Data{}, err
	}
	if train, err = padded(a); err != nil {
		return nn.Data{}, nn.Data{}, err
	}
	test, err = padded(b)
	return train, test, err
}

func padded(s *imdb.Split) (nn.Data, error) {
	x, err := text.PadSequences(s.Reviews, text.PadOptions{Length: Length, Padding: text.Post})
	if err != nil {
		return nn.Data{}, err
	}
	y, err := tensor.Of(s.Labels)
	return nn.Data{X: x, Y: y}, err
}

// network is the tutorial's, of any size.
func network(ctx context.Context, vocabulary, dim int) (*nn.Model, error) {
	return nn.NewSequential(
		layers.Embedding{Vocabulary: vocabulary, Dim: dim},
		layers.GlobalAveragePooling1D{},
		layers.Dense{Units: 16, Activation: layers.ReLU},
		layers.Dense{Units: 1, Activation: layers.Sigmoid},
	).Build(ctx, nn.Tokens(nn.AnyLength), nn.BuildOptions{Seed: 1})
}

// FitOptions are the tutorial's.
func (t *Tutorial) FitOptions(epochs, threads int) nn.FitOptions {
	o := fitOptions(epochs, Batch, threads)
	o.Validation = &t.Validation
	return o
}

func fitOptions(epochs, batch, threads int) nn.FitOptions {
	return nn.FitOptions{Optimizer: optim.Adam{}, Loss: loss.BinaryCrossentropy{}, Metrics: []nn.Metric{metrics.Accuracy{}},
		Epochs: epochs, BatchSize: batch, Threads: threads}
}

// EvaluateOptions are the tutorial's.
func EvaluateOptions(threads int) nn.EvaluateOptions {
	return nn.EvaluateOptions{Loss: loss.BinaryCrossentropy{}, Metrics: []nn.Metric{metrics.Accuracy{}}, BatchSize: Batch, Threads: threads}
}
