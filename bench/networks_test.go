package bench

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/simd"
)

// Sizes of Keras's examples with these layers ("Bidirectional LSTM on IMDB", "Text classification with Transformer").
const (
	networkWords  = 20000
	networkLength = 200
	networkBatch  = 32
)

// networkOverWords is a network that reads words in order.
type networkOverWords struct {
	name   string
	layers []plan.Layer
}

// networks are lstm, an Embedding of 128 and an LSTM of 64, and attention, an Embedding of 64, MultiHeadAttention with 4
// heads of 16 and its average. Both end in a Dense layer of one unit.
func networks() []networkOverWords {
	return []networkOverWords{
		{"lstm", []plan.Layer{layers.Embedding{Vocabulary: networkWords, Dim: 128}, layers.LSTM{Units: 64}}},
		{"attention", []plan.Layer{layers.Embedding{Vocabulary: networkWords, Dim: 64},
			layers.MultiHeadAttention{NumHeads: 4, KeyDim: 16}, layers.GlobalAveragePooling1D{}}},
	}
}

func (n networkOverWords) build(ctx context.Context) (*nn.Model, error) {
	return nn.NewSequential(append(slices.Clone(n.layers), layers.Dense{Units: 1, Activation: layers.Sigmoid})...).
		Build(ctx, nn.Tokens(networkLength), nn.BuildOptions{Seed: 1})
}

// networkData are eight batches of made-up reviews.
func networkData(b *testing.B) nn.Data {
	b.Helper()
	x, y, err := reviews(8*networkBatch, networkLength, networkWords)
	check(b, err)
	return nn.Data{X: x, Y: y}
}

// BenchmarkNetworkStep is a training step of networks that read words in order: 32 made-up reviews of 200 ids of 20,000.
func BenchmarkNetworkStep(b *testing.B) {
	d := networkData(b)
	for _, n := range networks() {
		m, err := n.build(b.Context())
		check(b, err)
		for _, threads := range []int{1, 2} {
			b.Run(fmt.Sprintf("%s/threads=%d/isa=%s", n.name, threads, simd.Path()), func(b *testing.B) {
				b.ReportAllocs()
				between(b, m, d, fitOptions(0, networkBatch, threads), plan.BatchBegin)
			})
		}
	}
}
