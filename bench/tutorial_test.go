// Package bench measures linnet's work on the first tutorial: what a user waits for.
package bench

import (
	"fmt"
	"testing"

	"github.com/linnet-ml/linnet/datasets/imdb"
	"github.com/linnet-ml/linnet/internal/shared"
	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/loss"
	"github.com/linnet-ml/linnet/metrics"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/optim"
	"github.com/linnet-ml/linnet/simd"
	"github.com/linnet-ml/linnet/tensor"
	"github.com/linnet-ml/linnet/text"
)

// tutorial is the first tutorial's data and network.
type tutorial struct {
	model               *nn.Model
	train, val, test    nn.Data
	trainX, testX       *tensor.Int32
	trainBags, testBags *text.Bags
}

func load(b *testing.B) *tutorial {
	b.Helper()
	train, test, err := imdb.Load(b.Context(), imdb.Options{Path: shared.Path(b, "data/imdb"), NumWords: 10000})
	check(b, err)
	var t tutorial
	pad := text.PadOptions{Length: 256, Padding: text.Post}
	t.trainX, err = text.PadSequences(train.Reviews, pad)
	check(b, err)
	t.testX, err = text.PadSequences(test.Reviews, pad)
	check(b, err)
	y, err := tensor.Of(train.Labels)
	check(b, err)
	z, err := tensor.Of(test.Labels)
	check(b, err)
	t.val = nn.Data{X: t.trainX.Rows(0, 10000), Y: y.Rows(0, 10000)}
	t.train = nn.Data{X: t.trainX.Rows(10000, 25000), Y: y.Rows(10000, 25000)}
	t.test = nn.Data{X: t.testX, Y: z}
	t.testBags, err = text.MakeBags(t.testX, text.BagOptions{Vocabulary: 10000})
	check(b, err)
	t.model, err = nn.NewSequential(
		layers.Embedding{Vocabulary: 10000, Dim: 16},
		layers.GlobalAveragePooling1D{},
		layers.Dense{Units: 16, Activation: layers.ReLU},
		layers.Dense{Units: 1, Activation: layers.Sigmoid},
	).Build(nn.Tokens(nn.AnyLength), nn.Seed(1))
	check(b, err)
	return &t
}

func check(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func (t *tutorial) options(epochs, threads int) nn.FitOptions {
	return nn.FitOptions{Optimizer: optim.Adam{}, Loss: loss.BinaryCrossentropy{}, Metrics: []nn.Metric{metrics.Accuracy{}},
		Epochs: epochs, BatchSize: 512, Validation: &t.val, Threads: threads}
}

// BenchmarkFit is the tutorial's 40 epochs with validation, bags made inside.
func BenchmarkFit(b *testing.B) {
	t := load(b)
	for _, threads := range []int{1, 2} {
		b.Run(fmt.Sprintf("threads=%d/isa=%s", threads, simd.Path()), func(b *testing.B) {
			for b.Loop() {
				_, err := t.model.Fit(b.Context(), t.train, t.options(40, threads))
				check(b, err)
			}
		})
	}
}

// BenchmarkEvaluate measures the 25,000 test reviews, from padded ids.
func BenchmarkEvaluate(b *testing.B) {
	t := load(b)
	for _, x := range []struct {
		name string
		x    tensor.Rows
	}{{"padded", t.testX}, {"bags", t.testBags}} {
		b.Run(fmt.Sprintf("x=%s/isa=%s", x.name, simd.Path()), func(b *testing.B) {
			for b.Loop() {
				_, err := t.model.Evaluate(b.Context(), nn.Data{X: x.x, Y: t.test.Y}, nn.EvaluateOptions{Loss: loss.BinaryCrossentropy{}, BatchSize: 512})
				check(b, err)
			}
		})
	}
}

// BenchmarkPredict predicts 1,000 different reviews in turn, one at a time, and 512 at once.
func BenchmarkPredict(b *testing.B) {
	t := load(b)
	dst := make([]float32, 0, 512)
	for _, rows := range []int{1, 512} {
		var x []*tensor.Int32
		for i := range 1000 / rows {
			x = append(x, t.testX.Rows(i*rows, (i+1)*rows))
		}
		b.Run(fmt.Sprintf("rows=%d/isa=%s", rows, simd.Path()), func(b *testing.B) {
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				_, err := t.model.Predict(b.Context(), dst, x[i%len(x)])
				check(b, err)
				i++
			}
		})
	}
}

// BenchmarkLoad reads the data set and pads it.
func BenchmarkLoad(b *testing.B) {
	path := shared.Path(b, "data/imdb")
	for b.Loop() {
		train, test, err := imdb.Load(b.Context(), imdb.Options{Path: path, NumWords: 10000})
		check(b, err)
		for _, s := range []*imdb.Split{train, test} {
			_, err := text.PadSequences(s.Reviews, text.PadOptions{Length: 256, Padding: text.Post})
			check(b, err)
		}
	}
}
