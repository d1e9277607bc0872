package nn_test

import (
	"testing"

	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
)

// signs is a layer that makes ids out of values: 1 for a positive one, 0 for another.
type signs struct{}

func (signs) Kind() string { return "Signs" }

func (signs) Build(b *plan.Builder, in []plan.Symbol) ([]plan.Symbol, error) {
	return b.Add(isPositive, in)
}

// Ids that a layer makes do not lie in the model's input: an embedding after it must not look for them there.
func TestEmbeddingBehindALayer(t *testing.T) {
	m := sequential(t, nn.Features(3, 1), signs{}, layers.Embedding{Vocabulary: 2, Dim: 2}, layers.GlobalAveragePooling1D{})
	must(t, m.SetWeights([][]float32{{0, 3, 6, 9}}))
	x := array(t, []float32{1, -1, 2, -3, -1, -2}, 2, 3, 1)
	for _, noFusion := range []bool{false, true} {
		got, err := m.PredictInto(t.Context(), nil, x, nn.PredictOptions{NoFusion: noFusion})
		must(t, err)
		equalBits(t, "averages", got, []float32{4, 7, 0, 3})
	}
}
