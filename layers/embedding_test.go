package layers_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/loss"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optim"
	"github.com/linnet-ml/linnet/tensor"
)

// less is a layer that takes its second input from its first.
type less struct{}

func (less) Kind() string { return "Less" }

func (less) Build(b *plan.Builder, in []plan.Symbol) ([]plan.Symbol, error) {
	return b.Add(plan.Op{
		Outputs: same,
		Forward: func(f *plan.Frame, at plan.Span) {
			out, y := f.Out(0, at), f.In(1, at)
			for i, x := range f.In(0, at) {
				out[i] = x - y[i]
			}
		},
		Backward: func(f *plan.Frame, at plan.Span) {
			for i, sign := range []float32{1, -1} {
				g := f.InGrad(i, at)
				for k := range g {
					g[k] = sign * f.OutGrad(0, at)[k]
				}
			}
		},
	}, in)
}

// One table looks up two inputs: its gradient is the sum of both, and a large table trains to the bits of a small one.
func TestSharedEmbedding(t *testing.T) {
	const small, large, dim = 300, 1 << 17, 16
	x, y := touchedRows(t, small)
	other, err := tensor.New[int32](x.Len(), 7)
	must(t, err)
	for i := range other.Data() {
		other.Data()[i] = int32(i*i+3) % small
	}
	for _, pool := range []nn.Layer{layers.GlobalAveragePooling1D{}, layers.GlobalMaxPooling1D{}} {
		shared := func(vocabulary int) *nn.Model {
			g := &nn.Graph{}
			a, b := g.Input("a", nn.Tokens(nn.AnyLength)), g.Input("b", nn.Tokens(nn.AnyLength))
			embed := g.Node(layers.Embedding{Vocabulary: vocabulary, Dim: dim})
			both := g.Apply(less{}, g.Apply(pool, embed.Apply(a)), g.Apply(pool, embed.Apply(b)))
			g.Output("out", g.Apply(layers.Dense{Units: 1, Activation: layers.Sigmoid}, both))
			m, err := g.Build(t.Context(), nn.BuildOptions{Seed: 4})
			must(t, err)
			return m
		}
		d := nn.Data{Inputs: map[string]tensor.Rows{"a": x, "b": other}, Y: y}
		if n := len(shared(small).Parameters()); n != 3 {
			t.Fatalf("%d parameters", n)
		}
		for _, unfused := range []bool{false, true} {
			trained := func(vocabulary, threads int) []float32 {
				m := shared(vocabulary)
				first := shared(small).Parameters()
				table := m.Parameter("embedding/embeddings").Values()
				copy(table, first[0].Values())
				must(t, m.SetParameter("embedding/embeddings", table))
				_, err := m.Fit(t.Context(), d, nn.FitOptions{Optimizer: optim.Adam{LearningRate: 0.01}, Loss: loss.BinaryCrossentropy{},
					Epochs: 3, BatchSize: 32, Threads: threads, NoFusion: unfused})
				must(t, err)
				return m.Parameter("embedding/embeddings").Values()[:small*dim]
			}
			want := trained(small, 1)
			for _, threads := range []int{1, 2, 3} {
				if !equalBits(trained(large, threads), want) {
					t.Errorf("%s, NoFusion %t, %d threads: the large table differs from the small one", pool.Kind(), unfused, threads)
				}
			}
		}
	}
}

// A large table in front of layers that it is not fused with trains to the bits of a small one.
func TestLargeTableUnfused(t *testing.T) {
	const small, large, dim = 300, 1 << 17, 16
	x, y := touchedRows(t, small)
	for _, mask := range []bool{false, true} {
		trained := func(vocabulary, threads int) ([]float32, *plan.TrainingState) {
			m := build(t, nn.Tokens(20), layers.Embedding{Vocabulary: vocabulary, Dim: dim, MaskZero: mask}, layers.Flatten{},
				layers.Dense{Units: 1, Activation: layers.Sigmoid})
			table := m.Parameter("embedding/embeddings").Values()
			copy(table, build(t, nn.Tokens(20), layers.Embedding{Vocabulary: small, Dim: dim}).Parameters()[0].Values())
			must(t, m.SetParameter("embedding/embeddings", table))
			state := &plan.TrainingState{}
			fit(t, m, x, y, nn.FitOptions{Optimizer: optim.Adam{LearningRate: 0.01}, Epochs: 3, Threads: threads, State: state})
			return m.Parameter("embedding/embeddings").Values()[:small*dim], state
		}
		want, _ := trained(small, 1)
		for _, threads := range []int{1, 2, 3} {
			got, state := trained(large, threads)
			if !equalBits(got, want) {
				t.Errorf("MaskZero %t, %d threads: the large table differs from the small one", mask, threads)
			}
			if rows := state.Rows["embedding/embeddings"]; rows == nil || len(rows.Rows) >= small {
				t.Error("slots are not those of the rows that have had a gradient")
			}
		}
	}
}

// rounded is a layer that makes ids of numbers.
type rounded struct{}

func (rounded) Kind() string { return "Rounded" }

func (rounded) Build(b *plan.Builder, in []plan.Symbol) ([]plan.Symbol, error) {
	return b.Add(plan.Op{
		Outputs: func(in []plan.Signature) ([]plan.Signature, error) {
			return []plan.Signature{{Type: tensor.TypeInt32, Shape: in[0].Shape}}, nil
		},
		Forward: func(f *plan.Frame, at plan.Span) {
			ids := f.OutIDs(0, at)
			for i, v := range f.In(0, at) {
				ids[i] = int32(v)
			}
		},
	}, in)
}

// Ids that a layer makes are looked up and trained on like those of the input; those outside the vocabulary are an error
// of the batch that has them.
func TestEmbeddingOfMadeIDs(t *testing.T) {
	for _, pool := range []nn.Layer{layers.Flatten{}, layers.GlobalAveragePooling1D{}} {
		m := build(t, nn.Features(3), rounded{}, layers.Embedding{Vocabulary: 9, Dim: 2}, pool)
		of := build(t, nn.Tokens(3), layers.Embedding{Vocabulary: 9, Dim: 2}, pool)
		must(t, of.SetWeights(m.Weights(nil)))
		x, same := array(t, []float32{1, 8, 1, 0, 2, 2}, 2, 3), array(t, []int32{1, 8, 1, 0, 2, 2}, 2, 3)
		if !equalBits(predict(t, m, x, nn.PredictOptions{}), predict(t, of, same, nn.PredictOptions{NoFusion: true})) {
			t.Errorf("%s: made ids are looked up otherwise", pool.Kind())
		}
		must(t, m.CheckGradients(t.Context(), x, nn.GradientOptions{Threads: 2}))
		for _, bad := range []float32{9, -1} {
			wrong := array(t, []float32{1, 8, 1, 0, bad, 2}, 2, 3)
			_, err := m.Predict(t.Context(), wrong, nn.PredictOptions{})
			want := fmt.Sprintf("row 1 of a batch, column 1: id %v is outside the vocabulary 0 to 8", bad)
			if err == nil || !strings.HasSuffix(err.Error(), want) {
				t.Errorf("%s: %v", pool.Kind(), err)
			}
		}
	}
}
