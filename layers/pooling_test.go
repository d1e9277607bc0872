package layers_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/loss"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/optim"
	"github.com/linnet-ml/linnet/tensor"
)

// pools are the layers that an Embedding is fused with.
func pools() []nn.Layer {
	return []nn.Layer{layers.GlobalAveragePooling1D{}, layers.GlobalSumPooling1D{}, layers.GlobalSumPooling1D{SqrtN: true},
		layers.GlobalSumPooling1D{KeepDims: true}, layers.GlobalMaxPooling1D{}, layers.GlobalMaxPooling1D{KeepDims: true}}
}

// Every pooling agrees with central differences, and fused with unfused: outputs, and weights after some training.
func TestPooling(t *testing.T) {
	x, y := touchedRows(t, 40) // with many ids that occur more than once in a row
	for _, pool := range pools() {
		for _, mask := range []bool{false, true} {
			t.Run(fmt.Sprintf("%+v/mask=%t", pool, mask), func(t *testing.T) {
				build := func() *nn.Model {
					m, err := nn.NewSequential(layers.Embedding{Vocabulary: 40, Dim: 5, MaskZero: mask}, pool, layers.Flatten{},
						layers.Dense{Units: 1, Activation: layers.Sigmoid}).Build(t.Context(), nn.Tokens(nn.AnyLength), nn.BuildOptions{Seed: 5})
					must(t, err)
					return m
				}
				for _, noFusion := range []bool{false, true} {
					o := nn.GradientOptions{Loss: loss.BinaryCrossentropy{}, Y: y, NoFusion: noFusion, Threads: 2, Step: 0.001}
					if err := build().CheckGradients(t.Context(), x, o); err != nil {
						t.Errorf("NoFusion %t: %v", noFusion, err)
					}
				}
				for _, o := range []nn.Optimizer{optim.SGD{LearningRate: 0.1}, optim.RMSprop{SquareOccurrences: true}} {
					fused, plain := build(), build()
					fit(t, fused, x, y, nn.FitOptions{Optimizer: o, Epochs: 2})
					fit(t, plain, x, y, nn.FitOptions{Optimizer: o, Epochs: 2, NoFusion: true})
					for i, p := range fused.Parameters() {
						for k, v := range p.Values() {
							if w := plain.Parameters()[i].Values()[k]; math.Abs(float64(v-w)) > 1e-5 {
								t.Fatalf("%T: %s[%d] is %v fused and %v not", o, p.Name(), k, v, w)
							}
						}
					}
				}
			})
		}
	}
}

// Where ids of several workers are equally the largest, no worker changes its rows before the others have seen them.
func TestLargestOfSeveralWorkers(t *testing.T) {
	const vocabulary, dim = 2000, 16 // large enough to be shared out
	x, y := touchedRows(t, vocabulary)
	trained := func(noFusion bool, threads int) []float32 {
		m, err := nn.NewSequential(layers.Embedding{Vocabulary: vocabulary, Dim: dim}, layers.GlobalMaxPooling1D{},
			layers.Dense{Units: 1, Activation: layers.Sigmoid}).Build(t.Context(), nn.Tokens(nn.AnyLength), nn.BuildOptions{Seed: 3})
		if err != nil {
			t.Fatal(err)
		}
		weights := m.Weights(nil)
		for i, v := range weights[0] {
			weights[0][i] = float32(int(v * 100)) // few values, and so many that are equal
		}
		if err := m.SetWeights(weights); err != nil {
			t.Fatal(err)
		}
		fit(t, m, x, y, nn.FitOptions{Optimizer: optim.SGD{LearningRate: 1}, Epochs: 2, Threads: threads, NoFusion: noFusion})
		return m.Weights(nil)[0]
	}
	for _, noFusion := range []bool{false, true} {
		want := trained(noFusion, 1)
		for _, threads := range []int{2, 3} {
			if !slices.Equal(trained(noFusion, threads), want) {
				t.Errorf("NoFusion %t: %d threads give other bits than 1", noFusion, threads)
			}
		}
	}
}

func ExampleGlobalSumPooling1D() {
	ids, _ := tensor.Of([]int32{1, 2, 2, 2}, 1, 4)
	table := []float32{0, 1, 3}
	for _, root := range []bool{false, true} {
		show(nn.Tokens(4), ids, [][]float32{table}, layers.Embedding{Vocabulary: 3, Dim: 1}, layers.GlobalSumPooling1D{SqrtN: root})
	}
	// Output:
	// (None, 1): [10.000]
	// (None, 1): [5.000]
}

func ExampleGlobalMaxPooling1D() {
	x, _ := tensor.Of([]float32{1, 20, 3, 10}, 1, 2, 2)
	model, err := nn.NewSequential(layers.GlobalMaxPooling1D{}).Build(context.Background(), nn.Features(2, 2), nn.BuildOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	out, err := model.PredictInto(context.Background(), nil, x, nn.PredictOptions{})
	fmt.Println(out, err)
	// Output: [3 20] <nil>
}
