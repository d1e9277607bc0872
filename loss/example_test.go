package loss_test

import (
	"context"
	"fmt"

	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/loss"
	"github.com/linnet-ml/linnet/metrics"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optim"
	"github.com/linnet-ml/linnet/tensor"
)

// Two rows of one probability each: a good answer and a bad one.
func Example() {
	rule, err := loss.BinaryCrossentropy{}.Start(plan.LossInfo{Output: tensor.Shape{1}, Labels: tensor.Shape{}})
	if err != nil {
		fmt.Println(err)
		return
	}
	probabilities, labels := []float32{0.9, 0.9}, []float32{1, 0}
	losses, gradient := make([]float32, 2), make([]float32, 2)
	rule.Rows(losses, gradient, probabilities, labels)
	fmt.Printf("losses   %.4f\n", losses)
	fmt.Printf("gradient %.4f\n", gradient)
	fmt.Println(rule.CheckLabel(2))
	_, err = loss.BinaryCrossentropy{}.Start(plan.LossInfo{Output: tensor.Shape{3}, Labels: tensor.Shape{}})
	fmt.Println(err)
	// Output:
	// losses   [0.1054 2.3026]
	// gradient [-1.1111 10.0000]
	// loss: binary cross-entropy is defined for labels from 0 to 1, not 2
	// loss: binary cross-entropy: a row of the output has shape (3,) and a row of the labels (); labels that are numbers of classes are for SparseCategoricalCrossentropy, or for an output of one unit
}

func ExampleMeanSquaredError() {
	rule, err := loss.MeanSquaredError{}.Start(plan.LossInfo{Output: tensor.Shape{2}, Labels: tensor.Shape{2}})
	if err != nil {
		fmt.Println(err)
		return
	}
	losses := make([]float32, 1)
	rule.Rows(losses, nil, []float32{1, 2}, []float32{1, 5})
	fmt.Println(losses)
	// Output: [4.5]
}

// Three classes, and labels that are their numbers.
func ExampleSparseCategoricalCrossentropy() {
	x, err := tensor.Of([]float32{
		1, 0, 0,
		0, 1, 0,
		0, 0, 1,
	}, 3, 3)
	if err != nil {
		fmt.Println(err)
		return
	}
	y, err := tensor.Of([]int32{2, 0, 1}, 3)
	if err != nil {
		fmt.Println(err)
		return
	}
	model, err := nn.NewSequential(layers.Dense{Units: 3, Activation: layers.Softmax}).Build(context.Background(), nn.Features(3), nn.BuildOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	data, l := nn.Data{X: x, Y: y}, loss.SparseCategoricalCrossentropy{}
	if _, err := model.Fit(context.Background(), data, nn.FitOptions{Optimizer: optim.Adam{LearningRate: 0.1}, Loss: l, Epochs: 100}); err != nil {
		fmt.Println(err)
		return
	}
	logs, err := model.Evaluate(context.Background(), data, nn.EvaluateOptions{Loss: l, Metrics: []nn.Metric{metrics.Accuracy{}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	accuracy, _ := logs.Get("accuracy")
	fmt.Println("accuracy", accuracy)

	wrong, err := tensor.Of([]int32{2, 0, 3}, 3)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = model.Evaluate(context.Background(), nn.Data{X: x, Y: wrong}, nn.EvaluateOptions{Loss: l})
	fmt.Println(err)
	// Output:
	// accuracy 1
	// nn: the label of row 2, column 0: loss: sparse categorical cross-entropy: the output has 3 classes, 0 to 2, and so none with the number 3
}

// Labels that are probabilities of the classes: one that is sure, and one that is not.
func ExampleCategoricalCrossentropy() {
	logits, labels := []float32{2, 0, 0, 2, 0, 0}, []float32{1, 0, 0, 0.5, 0.5, 0}
	rule, err := loss.CategoricalCrossentropy{FromLogits: true}.Start(plan.LossInfo{Output: tensor.Shape{3}, Labels: tensor.Shape{3}})
	if err != nil {
		fmt.Println(err)
		return
	}
	losses, gradient := make([]float32, 2), make([]float32, 6)
	rule.Rows(losses, gradient, logits, labels)
	fmt.Printf("losses   %.4f\n", losses)
	fmt.Printf("gradient %.4f\n", gradient)
	// Output:
	// losses   [0.2395 1.2395]
	// gradient [-0.2130 0.1065 0.1065 0.2870 -0.3935 0.1065]
}
