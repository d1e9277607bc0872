package metrics_test

import (
	"fmt"

	"github.com/linnet-ml/linnet/metrics"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optional"
	"github.com/linnet-ml/linnet/tensor"
)

// A metric is a spec; Start makes what adds up batches.
func Example() {
	m := metrics.Accuracy{}
	a, err := m.Start(plan.MetricInfo{Output: tensor.Shape{1}, Labels: tensor.Shape{}})
	if err != nil {
		fmt.Println(err)
		return
	}
	a.Add([]float32{1, 0, 1}, []float32{0.9, 0.2, 0.4}, nil)
	a.Add([]float32{0}, []float32{0.1}, nil)
	fmt.Println(m.Name(), a.Result())
	// Output: accuracy 0.75
}

// Of logits, accuracy needs to be told what counts as a 1.
func ExampleAccuracy() {
	logits := plan.MetricInfo{Output: tensor.Shape{1}, Labels: tensor.Shape{}, Logits: true}
	_, err := metrics.Accuracy{}.Start(logits)
	fmt.Println(err)

	a, err := metrics.Accuracy{Threshold: optional.Of[float32](0)}.Start(logits)
	if err != nil {
		fmt.Println(err)
		return
	}
	a.Add([]float32{1, 0}, []float32{0.3, -2}, nil)
	fmt.Println(a.Result())
	// Output:
	// metrics: accuracy of logits needs a threshold: 0 (a probability above one half), or 0.5 as Keras does
	// 1
}

// A custom name lets two metrics of a kind be watched at once.
func ExampleBinaryAccuracy() {
	for _, m := range []plan.Metric{
		metrics.BinaryAccuracy{},
		metrics.BinaryAccuracy{Threshold: optional.Of[float32](0.9), As: "sure"},
	} {
		a, err := m.Start(plan.MetricInfo{Output: tensor.Shape{1}, Labels: tensor.Shape{1}})
		if err != nil {
			fmt.Println(err)
			return
		}
		a.Add([]float32{1, 1}, []float32{0.95, 0.6}, nil)
		fmt.Println(m.Name(), a.Result())
	}
	// Output:
	// binary_accuracy 1
	// sure 0.5
}

// Labels that are numbers of classes, or rows with a single 1: Accuracy takes either kind by its shape.
func ExampleSparseCategoricalAccuracy() {
	probabilities := []float32{
		0.7, 0.2, 0.1,
		0.1, 0.3, 0.6,
	}
	numbers, oneHot := []float32{0, 1}, []float32{1, 0, 0, 0, 1, 0}
	for _, m := range []plan.Metric{metrics.SparseCategoricalAccuracy{}, metrics.Accuracy{}} {
		a, err := m.Start(plan.MetricInfo{Output: tensor.Shape{3}, Labels: tensor.Shape{}})
		if err != nil {
			fmt.Println(err)
			return
		}
		a.Add(numbers, probabilities, nil)
		fmt.Println(m.Name(), a.Result())
	}
	for _, m := range []plan.Metric{metrics.CategoricalAccuracy{}, metrics.Accuracy{}} {
		a, err := m.Start(plan.MetricInfo{Output: tensor.Shape{3}, Labels: tensor.Shape{3}})
		if err != nil {
			fmt.Println(err)
			return
		}
		a.Add(oneHot, probabilities, nil)
		fmt.Println(m.Name(), a.Result())
	}
	// Output:
	// sparse_categorical_accuracy 0.5
	// accuracy 0.5
	// categorical_accuracy 0.5
	// accuracy 0.5
}
