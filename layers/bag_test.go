package layers_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/linnet-ml/linnet/internal/golden"
	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/tensor"
	"github.com/linnet-ml/linnet/text"
)

// randomIDs are rows of ids, many of them several times in a row, some padding behind them, some rows padding alone.
func randomIDs(t testing.TB, r *rand.Rand, rows, steps, vocabulary int) *tensor.Int32 {
	t.Helper()
	x := make([]int32, rows*steps)
	for i := range rows {
		for j := range r.IntN(steps + 1) {
			x[i*steps+j] = int32(r.IntN(1 + r.IntN(vocabulary)))
		}
	}
	return array(t, x, rows, steps)
}

// An Embedding with its average is one operation when fused. It gives what the two give, but for rounding; and bags that
// were made before give what the ids give, to the bit.
func TestFusedAverage(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 40 {
		rows, steps, vocabulary, dim := 1+r.IntN(80), 1+r.IntN(40), 2+r.IntN(60), 1+r.IntN(20)
		x := randomIDs(t, r, rows, steps, vocabulary)
		bags, err := text.MakeBags(x, text.BagOptions{Vocabulary: vocabulary})
		must(t, err)
		p := layers.GlobalAveragePooling1D{KeepDims: r.IntN(2) == 0}
		for _, mask := range []bool{false, true} {
			m := build(t, nn.Tokens(nn.AnyLength), layers.Embedding{Vocabulary: vocabulary, Dim: dim, MaskZero: mask}, p)
			shape := m.OutputShape("output")
			shape[0] = rows
			up := make([]float32, rows*dim)
			for i := range up {
				up[i] = float32(r.NormFloat64())
			}
			fused := gradients(t, m, x, up, shape, nn.FitOptions{})["embedding/embeddings"]
			plain := gradients(t, m, x, up, shape, nn.FitOptions{NoFusion: true})["embedding/embeddings"]
			out := predict(t, m, x, nn.PredictOptions{})
			golden.CloseList(t, "output", out, predict(t, m, x, nn.PredictOptions{NoFusion: true}), golden.Tolerance{OfLargest: 2e-6})
			golden.CloseList(t, "gradient", fused, plain, golden.Tolerance{OfLargest: 1e-5})
			if !equalBits(out, predict(t, m, bags, nn.PredictOptions{})) {
				t.Error("the output for bags differs")
			}
			if !equalBits(fused, gradients(t, m, bags, up, shape, nn.FitOptions{})["embedding/embeddings"]) {
				t.Error("the gradient for bags differs")
			}
			if t.Failed() {
				t.Fatalf("%d rows, %d steps, %d ids, %d dimensions, mask %v", rows, steps, vocabulary, dim, mask)
			}
		}
	}
}

// A model takes bags and ids in turn: what it keeps from the one does not show in the other.
func TestBagsAndIDsInTurn(t *testing.T) {
	x := ids(t, 6, 8, 11)
	for _, mask := range []bool{false, true} {
		m := build(t, nn.Tokens(nn.AnyLength), layers.Embedding{Vocabulary: 11, Dim: 3, MaskZero: mask}, layers.GlobalAveragePooling1D{})
		bags, err := text.MakeBags(x, text.BagOptions{Vocabulary: 11})
		must(t, err)
		want := predict(t, m, bags, nn.PredictOptions{})
		for range 2 {
			predict(t, m, ids(t, 3, 5, 9), nn.PredictOptions{})
			if !equalBits(want, predict(t, m, bags, nn.PredictOptions{})) || !equalBits(want, predict(t, m, x, nn.PredictOptions{})) {
				t.Fatal("predictions change")
			}
		}
	}
}

// Only the Embedding's own mask is fused: an average over other steps stays as it was written.
func TestFusionKeepsOtherMasks(t *testing.T) {
	x := array(t, []int32{1, 2, 0, 3, 0, 1}, 2, 3)
	mask := [][]int32{{0, 1, 1}, {1, 0, 0}}
	for _, maskZero := range []bool{false, true} {
		m := build(t, nn.Tokens(3), layers.Embedding{Vocabulary: 4, Dim: 1, MaskZero: maskZero}, masked{mask}, layers.GlobalAveragePooling1D{})
		copy(m.Parameters()[0].Values(), []float32{1, 10, 100, 1000})
		for _, noFusion := range []bool{false, true} {
			if got := predict(t, m, x, nn.PredictOptions{NoFusion: noFusion}); got[0] != 50.5 || got[1] != 1000 {
				t.Errorf("MaskZero %v, NoFusion %v: %v", maskZero, noFusion, got)
			}
		}
	}
}

// oddWords is an Embedding that masks even ids in place of 0.
type oddWords struct{ layers.Embedding }

func (o oddWords) Build(b *plan.Builder, in []plan.Symbol) ([]plan.Symbol, error) {
	out, err := o.Embedding.Build(b, in)
	if err != nil {
		return nil, err
	}
	mask, err := b.Add(plan.Op{Outputs: same, Forward: func(f *plan.Frame, at plan.Span) {
		odd := f.OutIDs(0, at)
		for i, id := range f.InIDs(0, at) {
			odd[i] = id % 2
		}
	}}, in)
	if err != nil {
		return nil, err
	}
	return out, b.WithMask(out[0], mask[0])
}

// That holds for masks that are made from the ids, too.
func TestFusionKeepsOtherMasksOfIDs(t *testing.T) {
	x := array(t, []int32{1, 2, 0, 3, 0, 1}, 2, 3)
	for _, maskZero := range []bool{false, true} {
		m := build(t, nn.Tokens(3), oddWords{layers.Embedding{Vocabulary: 4, Dim: 1, MaskZero: maskZero}}, layers.GlobalAveragePooling1D{})
		copy(m.Parameters()[0].Values(), []float32{1, 10, 100, 1000})
		for _, noFusion := range []bool{false, true} {
			if got := predict(t, m, x, nn.PredictOptions{NoFusion: noFusion}); got[0] != 10 || got[1] != 505 {
				t.Errorf("MaskZero %v, NoFusion %v: %v", maskZero, noFusion, got)
			}
		}
	}
}

func TestBagErrors(t *testing.T) {
	bags, err := text.MakeBags(array(t, []int32{1, 4, 4, 0}, 2, 2), text.BagOptions{Vocabulary: 6})
	must(t, err)
	average := build(t, nn.Tokens(nn.AnyLength), layers.Embedding{Vocabulary: 5, Dim: 2}, layers.GlobalAveragePooling1D{})
	flat := build(t, nn.Tokens(2), layers.Embedding{Vocabulary: 9, Dim: 2}, layers.Flatten{})
	outside := array(t, []int32{1, 2, 3, -1}, 2, 2)
	for _, c := range []struct {
		m    *nn.Model
		x    tensor.Rows
		o    nn.PredictOptions
		want string
	}{
		{average, bags, nn.PredictOptions{}, `nn: layer "embedding": bags with ids from 0 to 5 do not fit the vocabulary 0 to 4`},
		{average, bags, nn.PredictOptions{NoFusion: true}, `bags of ids, which have lost their order, serve only an Embedding that is fused with the average behind it`},
		{flat, bags, nn.PredictOptions{}, `bags of ids, which have lost their order, serve only an Embedding that is fused with the average behind it`},
		{average, outside, nn.PredictOptions{}, `nn: layer "embedding": row 1, column 1: id -1 is outside the vocabulary 0 to 4`},
		{average, outside, nn.PredictOptions{NoFusion: true}, `nn: layer "embedding": row 1, column 1: id -1 is outside the vocabulary 0 to 4`},
		{flat, outside, nn.PredictOptions{}, `nn: layer "embedding": row 1, column 1: id -1 is outside the vocabulary 0 to 8`},
	} {
		_, err := c.m.PredictInto(t.Context(), nil, c.x, c.o)
		if err == nil || !strings.HasSuffix(err.Error(), c.want) {
			t.Errorf("got  %v\nwant %s", err, c.want)
		}
	}
}
