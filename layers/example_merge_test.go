package layers_test

import (
	"context"
	"fmt"

	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/tensor"
)

// As a model predicts, the running statistics are used: here a mean of 1 and 10, and a variance of 4 and 1.
func ExampleBatchNormalization() {
	x, _ := tensor.Of([]float32{1, 10, 3, 11}, 2, 2)
	gamma, beta, mean, variance := []float32{1, 1}, []float32{0, 5}, []float32{1, 10}, []float32{4, 1}
	show(nn.Features(2), x, [][]float32{gamma, beta, mean, variance}, layers.BatchNormalization{})
	// Output: (None, 2): [0.000 5.000 1.000 6.000]
}

func ExampleLayerNormalization() {
	x, _ := tensor.Of([]float32{1, 2, 3, 10, 20, 30}, 2, 3)
	show(nn.Features(3), x, [][]float32{{1, 1, 1}, {0, 0, 0}}, layers.LayerNormalization{})
	// Output: (None, 3): [-1.224 0.000 1.224 -1.225 0.000 1.225]
}

// A filter that takes a step from the one after it, and the same with a zero before the first step.
func ExampleConv1D() {
	x, _ := tensor.Of([]float32{1, 3, 6, 10}, 1, 4, 1)
	kernel := []float32{-1, 1}
	show(nn.Features(nn.AnyLength, 1), x, [][]float32{kernel, {0}}, layers.Conv1D{Filters: 1, KernelSize: 2})
	show(nn.Features(nn.AnyLength, 1), x, [][]float32{kernel, {0}}, layers.Conv1D{Filters: 1, KernelSize: 2, Padding: layers.Causal})
	// Output:
	// (None, None, 1): [2.000 3.000 4.000]
	// (None, None, 1): [1.000 2.000 3.000 4.000]
}

// Flatten makes one row of each step's matrix.
func ExampleTimeDistributed() {
	x, _ := tensor.Of([]float32{1, 2, 3, 4, 5, 6, 7, 8}, 1, 2, 2, 2)
	show(nn.Features(2, 2, 2), x, nil, layers.TimeDistributed{Layer: layers.Flatten{}})
	// Output: (None, 2, 4): [1.000 2.000 3.000 4.000 5.000 6.000 7.000 8.000]
}

// merge prints what a layer makes of the rows x and of half of what is above 0 in them.
func merge(l plan.Layer, x tensor.Rows) {
	g := &nn.Graph{}
	in := g.Input("x", nn.Features(3))
	positive := g.Apply(layers.Activation{Function: layers.ReLU}, in)
	half := g.Apply(layers.Average{}, positive, g.Apply(layers.Subtract{}, in, in))
	g.Output("merged", g.Apply(l, in, half))
	model, err := g.Build(context.Background(), nn.BuildOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	out, err := model.PredictInto(context.Background(), nil, x, nn.PredictOptions{})
	fmt.Println(l.Kind(), model.OutputShape("merged"), out, err)
}

func ExampleAdd() {
	x, _ := tensor.Of([]float32{-1, 2, 4}, 1, 3)
	for _, l := range []plan.Layer{layers.Add{}, layers.Subtract{}, layers.Average{}, layers.Multiply{}, layers.Maximum{}, layers.Minimum{}} {
		merge(l, x)
	}
	// Output:
	// Add (None, 3) [-1 3 6] <nil>
	// Subtract (None, 3) [-1 1 2] <nil>
	// Average (None, 3) [-0.5 1.5 3] <nil>
	// Multiply (None, 3) [-0 2 8] <nil>
	// Maximum (None, 3) [0 2 4] <nil>
	// Minimum (None, 3) [-1 1 2] <nil>
}

func ExampleConcatenate() {
	x, _ := tensor.Of([]float32{-1, 2, 4}, 1, 3)
	merge(layers.Concatenate{}, x)
	// Output: Concatenate (None, 6) [-1 2 4 0 1 2] <nil>
}

func ExampleL2() {
	w, gradient := []float32{1, -2}, []float32{0, 0}
	fmt.Println(layers.L2{Factor: 0.5}.Penalty(w, gradient), gradient)
	// Output: 2.5 [1 -2]
}

// The first column has norm 5, and the second is short enough.
func ExampleMaxNorm() {
	w := []float32{3, 0.5, 4, 0.5}
	layers.MaxNorm{MaxValue: 1}.Apply(w, tensor.Shape{2, 2})
	fmt.Printf("%.3f\n", w)
	// Output: [0.600 0.500 0.800 0.500]
}
