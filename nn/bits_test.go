package nn_test

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"testing"

	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/loss"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/optim"
	"github.com/linnet-ml/linnet/simd"
	"github.com/linnet-ml/linnet/tensor"
)

// TestSameBits trains small networks for a few steps and compares the digest of their weights with what every platform,
// kernel path and number of threads must give. When a definition changes on purpose, so do the digests here, and
// CHANGELOG.md says so.
func TestSameBits(t *testing.T) {
	ids, y := scattered(t, 200, 40, 500)
	features, err := tensor.New[float32](200, 33)
	must(t, err)
	for i := range features.Data() {
		features.Data()[i] = float32(ids.Data()[i%len(ids.Data())]%97)/50 - 1
	}
	for _, c := range []struct {
		name   string
		in     nn.Input
		x      tensor.Rows
		layers []nn.Layer
		o      nn.FitOptions
		want   string
	}{
		{"tutorial", nn.Tokens(nn.AnyLength), ids, []nn.Layer{
			layers.Embedding{Vocabulary: 500, Dim: 16}, layers.GlobalAveragePooling1D{},
			layers.Dense{Units: 16, Activation: layers.ReLU}, layers.Dense{Units: 1, Activation: layers.Sigmoid},
		}, nn.FitOptions{Optimizer: optim.Adam{}, Loss: loss.BinaryCrossentropy{}},
			"b2f3afb02f970d9c"},
		{"masked, unfused, with dropout", nn.Tokens(nn.AnyLength), ids, []nn.Layer{
			layers.Embedding{Vocabulary: 500, Dim: 50, MaskZero: true}, layers.GlobalAveragePooling1D{},
			layers.Dense{Units: 70, Activation: layers.Tanh}, layers.Dropout{Rate: 0.3}, layers.Dense{Units: 1},
		}, nn.FitOptions{Optimizer: optim.RMSprop{Momentum: 0.5}, Loss: loss.BinaryCrossentropy{FromLogits: true}, NoFusion: true},
			"8bb2e97236efd39e"},
		{"largest", nn.Tokens(nn.AnyLength), ids, []nn.Layer{
			layers.Embedding{Vocabulary: 500, Dim: 20}, layers.GlobalMaxPooling1D{}, layers.Dense{Units: 1, Activation: layers.Sigmoid},
		}, nn.FitOptions{Optimizer: optim.Adam{SquareOccurrences: true}, Loss: loss.MeanSquaredError{}},
			"277744d9245230d2"},
		{"features", nn.Features(33), features, []nn.Layer{
			layers.Dense{Units: 24, Activation: layers.Sigmoid}, layers.Dense{Units: 7, Activation: layers.Softmax}, layers.Dense{Units: 1},
		}, nn.FitOptions{Optimizer: optim.SGD{LearningRate: 0.1, Momentum: 0.9, Nesterov: true}, Loss: loss.MeanSquaredError{}},
			"78592ca4c3b146d2"},
	} {
		for _, threads := range []int{1, 2, 3, 8} {
			t.Run(fmt.Sprintf("%s/threads=%d/isa=%s", c.name, threads, simd.Path()), func(t *testing.T) {
				m, err := nn.NewSequential(c.layers...).Build(t.Context(), c.in, nn.BuildOptions{Seed: 11})
				must(t, err)
				o := c.o
				o.Epochs, o.BatchSize, o.Threads = 2, 72, threads
				_, err = m.Fit(t.Context(), nn.Data{X: c.x, Y: y}, o)
				must(t, err)
				if got := weightsDigest(m)[:16]; got != c.want {
					t.Errorf("digest %s, want %s", got, c.want)
				}
			})
		}
	}
}

// scattered are rows of ids, low ones more often, with labels.
func scattered(t *testing.T, rows, steps, vocabulary int) (*tensor.Int32, *tensor.Float32) {
	t.Helper()
	x, err := tensor.New[int32](rows, steps)
	must(t, err)
	y, err := tensor.New[float32](rows)
	must(t, err)
	u := uint32(7)
	next := func() uint32 {
		u = u*1664525 + 1013904223
		return u >> 16
	}
	for i := range x.Data() {
		x.Data()[i] = int32(next() % uint32(vocabulary) * (next() % 8) / 8)
	}
	for i := range y.Data() {
		y.Data()[i] = float32(next() % 2)
	}
	return x, y
}

// weightsDigest is the sha256 of all parameters, in order, float32 little-endian.
func weightsDigest(m *nn.Model) string {
	h := sha256.New()
	for _, w := range m.Weights(nil) {
		for _, v := range w {
			h.Write(binary.LittleEndian.AppendUint32(nil, math.Float32bits(v)))
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}
