package layers_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/tensor"
)

// waves fills an array with numbers from -1.1 to 1.1, no two alike and none near 0.
func waves(t testing.TB, shape ...int) *tensor.Float32 {
	t.Helper()
	x := make([]float32, tensor.Shape(shape).Size())
	for i := range x {
		v := math.Sin(1.7*float64(i) + 0.4)
		x[i] = float32(v + math.Copysign(0.1, v))
	}
	return array(t, x, shape...)
}

// ids are token ids below the vocabulary with padding (0) behind them, and row 1 all padding.
func ids(t testing.TB, rows, steps, vocabulary int) *tensor.Int32 {
	t.Helper()
	x := make([]int32, rows*steps)
	for i := range x {
		row, step := i/steps, i%steps
		if row != 1 && step < 1+(row*7+3)%steps {
			x[i] = int32(1 + (i*i+3*row)%(vocabulary-1))
		}
	}
	return array(t, x, rows, steps)
}

// sparse is a matrix of which about a third of the elements is kept, with values or all 1, and no element of row 2.
func sparse(t testing.TB, rows, width int, ones bool) *tensor.Sparse {
	t.Helper()
	offsets, columns, values := []int{0}, []int32{}, []float32{}
	for i := range rows {
		for j := range width {
			if (i*5+j*j)%3 == 0 && i != 2 {
				columns, values = append(columns, int32(j)), append(values, float32(i-j)/4+0.1)
			}
		}
		offsets = append(offsets, len(columns))
	}
	if ones {
		values = nil
	}
	x, err := tensor.NewSparse(width, offsets, columns, values)
	must(t, err)
	return x
}

// Each layer, in each of its forms, against central differences: alone or with what it needs around it.
func TestGradients(t *testing.T) {
	table := layers.RandomUniform{Min: -1, Max: 1}
	flat, steps := waves(t, 5, 6), waves(t, 3, 4, 5)
	mask := [][]int32{{1, 0, 1, 1}, {0, 0, 0, 0}, {0, 1, 0, 0}}
	longMask := [][]int32{{1, 0, 1, 1, 1}, {0, 0, 0, 0, 0}, {0, 1, 0, 0, 1}}
	words := ids(t, 6, 8, 11)
	type check struct {
		name string
		x    tensor.Rows
		in   nn.Input
		spec []nn.Layer
	}
	checks := []check{
		{"Embedding", words, nn.Tokens(8), []nn.Layer{layers.Embedding{Vocabulary: 11, Dim: 3, Init: table}}},
		{"Embedding, MaskZero", words, nn.Tokens(8), []nn.Layer{layers.Embedding{Vocabulary: 11, Dim: 3, Init: table, MaskZero: true}}},
		{"Dense without bias", flat, nn.Features(6), []nn.Layer{layers.Dense{Units: 4, NoBias: true}}},
		{"Dense on sparse rows of ones", sparse(t, 6, 9, true), nn.SparseFeatures(9), []nn.Layer{layers.Dense{Units: 4, Activation: layers.Tanh}}},
		{"Dense on sparse rows", sparse(t, 6, 9, false), nn.SparseFeatures(9), []nn.Layer{layers.Dense{Units: 4}}},
		{"Dense on sparse rows without bias", sparse(t, 6, 9, false), nn.SparseFeatures(9), []nn.Layer{layers.Dense{Units: 4, NoBias: true}}},
		{"Dense on two shards of rows", waves(t, 70, 2), nn.Features(2), []nn.Layer{layers.Dense{Units: 2}}},
		{"Dense of 1 to 1", waves(t, 4, 1), nn.Features(1), []nn.Layer{layers.Dense{Units: 1}}},
		{"Flatten", steps, nn.Features(4, 5), []nn.Layer{layers.Flatten{}}},
		{"Flatten of numbers", waves(t, 5), nn.Features(), []nn.Layer{layers.Flatten{}}},
		{"Dropout", flat, nn.Features(6), []nn.Layer{layers.Dropout{Rate: 0.4}}},
		{"Dropout of steps", steps, nn.Features(4, 5), []nn.Layer{layers.Dense{Units: 3}, layers.Dropout{Rate: 0.4}}},
		{"Dropout, rate 0", flat, nn.Features(6), []nn.Layer{layers.Dropout{}}},
	}
	for _, f := range []layers.ActivationFunc{layers.Linear, layers.ReLU, layers.Sigmoid, layers.Tanh, layers.Softmax} {
		checks = append(checks,
			check{"Dense, " + string(f), flat, nn.Features(6), []nn.Layer{layers.Dense{Units: 4, Activation: f}}},
			check{"Dense of steps, " + string(f), steps, nn.Features(4, 5), []nn.Layer{layers.Dense{Units: 3, Activation: f}}},
			check{"Activation, " + string(f), flat, nn.Features(6), []nn.Layer{layers.Activation{Function: f}}},
			check{"Activation of steps, " + string(f), steps, nn.Features(4, 5), []nn.Layer{layers.Activation{Function: f}}})
	}
	for _, p := range []layers.GlobalAveragePooling1D{{}, {KeepDims: true}, {ChannelsFirst: true}, {KeepDims: true, ChannelsFirst: true}} {
		name, m := fmt.Sprintf("%+v", p), mask
		if p.ChannelsFirst {
			m = longMask
		}
		checks = append(checks,
			check{name, steps, nn.Features(4, 5), []nn.Layer{p}},
			check{name + ", masked", steps, nn.Features(4, 5), []nn.Layer{masked{m}, p}},
			check{name + " behind an Embedding", words, nn.Tokens(8), []nn.Layer{layers.Embedding{Vocabulary: 11, Dim: 3, Init: table}, p}})
		if !p.ChannelsFirst {
			checks = append(checks,
				check{name + " behind an Embedding with MaskZero", words, nn.Tokens(nn.AnyLength), []nn.Layer{layers.Embedding{Vocabulary: 11, Dim: 3, Init: table, MaskZero: true}, p}})
		}
	}
	for _, c := range checks {
		t.Run(c.name, func(t *testing.T) {
			m := build(t, c.in, c.spec...)
			for _, noFusion := range []bool{false, true} {
				for _, threads := range []int{1, 3} {
					if err := m.CheckGradients(t.Context(), c.x, nn.GradientOptions{NoFusion: noFusion, Threads: threads, Seed: 2}); err != nil {
						t.Errorf("NoFusion %v, %d threads: %v", noFusion, threads, err)
					}
				}
			}
		})
	}
}

// Large parameters are shared out among workers by rows, and batches are summed in shards: neither changes a bit.
func TestThreadsChangeNoBit(t *testing.T) {
	const rows = 150 // three shards, the last one short
	words := ids(t, rows, 12, 1500)
	for _, c := range []struct {
		name string
		x    tensor.Rows
		in   nn.Input
		spec []nn.Layer
	}{
		{"Embedding", words, nn.Tokens(12), []nn.Layer{layers.Embedding{Vocabulary: 1500, Dim: 16}}},
		{"Embedding with its average", words, nn.Tokens(12), []nn.Layer{layers.Embedding{Vocabulary: 1500, Dim: 16}, layers.GlobalAveragePooling1D{}}},
		{"Embedding with its masked average", words, nn.Tokens(12), []nn.Layer{layers.Embedding{Vocabulary: 1500, Dim: 16, MaskZero: true}, layers.GlobalAveragePooling1D{}}},
		{"Dense, wide", waves(t, rows, 131), nn.Features(131), []nn.Layer{layers.Dense{Units: 133}}},
		{"Dense, wide, of steps", waves(t, rows, 3, 131), nn.Features(3, 131), []nn.Layer{layers.Dense{Units: 133, Activation: layers.Softmax}}},
		{"Dense, large bias", waves(t, rows, 2), nn.Features(2), []nn.Layer{layers.Dense{Units: 1<<14 + 5}}},
		{"Dense on sparse rows", sparse(t, rows, 1100, false), nn.SparseFeatures(1100), []nn.Layer{layers.Dense{Units: 17}}},
		{"Dense on sparse rows of ones", sparse(t, rows, 1100, true), nn.SparseFeatures(1100), []nn.Layer{layers.Dense{Units: 17}}},
		{"masked average", waves(t, rows, 4, 7), nn.Features(4, 7), []nn.Layer{layers.Dense{Units: 5}, layers.GlobalAveragePooling1D{ChannelsFirst: true}, layers.Dense{Units: 3}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, noFusion := range []bool{false, true} {
				var first map[string][]float32
				var out []float32
				for _, threads := range []int{1, 2, 3} {
					m := build(t, c.in, c.spec...)
					o := predict(t, m, c.x, nn.PredictOptions{Threads: threads, NoFusion: noFusion, BatchSize: 64})
					shape := m.OutputShape("output")
					shape[0] = rows
					up := waves(t, shape...)
					got := gradients(t, m, c.x, up.Data(), shape, nn.FitOptions{Threads: threads, NoFusion: noFusion})
					if first == nil {
						first, out = got, o
					}
					if !equalBits(o, out) {
						t.Errorf("NoFusion %v: predictions with %d threads differ", noFusion, threads)
					}
					for name, g := range got {
						if !equalBits(g, first[name]) {
							t.Errorf("NoFusion %v: the gradient of %s with %d threads differs", noFusion, name, threads)
						}
					}
				}
			}
		})
	}
}

func equalBits(a, b []float32) bool {
	return slices.EqualFunc(a, b, func(x, y float32) bool { return math.Float32bits(x) == math.Float32bits(y) })
}
