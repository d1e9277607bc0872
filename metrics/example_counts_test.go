package metrics_test

import (
	"fmt"

	"github.com/linnet-ml/linnet/metrics"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optional"
	"github.com/linnet-ml/linnet/tensor"
)

// show prints a metric of some rows, under the names that logs have.
func show(m plan.Metric, output, labels tensor.Shape, y, x []float32) {
	a, err := m.Start(plan.MetricInfo{Output: output, Labels: labels})
	if err != nil {
		fmt.Println(err)
		return
	}
	a.Add(y, x, nil)
	several, ok := a.(plan.ValuesAccumulator)
	if !ok {
		fmt.Printf("%s: %.4g\n", m.Name(), a.Result())
		return
	}
	for i, name := range several.ValueNames() {
		fmt.Printf("%s_%s: %.4g\n", m.Name(), name, several.Value(i))
	}
}

// Four messages and their probabilities of being spam; the second and the third are spam.
var (
	spam        = []float32{0, 1, 1, 0}
	probability = []float32{0.1, 0.9, 0.4, 0.6}
)

// Three rows of three classes, and the numbers of their classes.
var (
	classes       = []float32{0, 1, 2}
	probabilities = []float32{
		0.7, 0.2, 0.1,
		0.5, 0.4, 0.1,
		0.2, 0.1, 0.7,
	}
)

func ExamplePrecision() {
	show(metrics.Precision{}, tensor.Shape{1}, nil, spam, probability)
	show(metrics.Precision{Thresholds: []float32{0.3, 0.7}}, tensor.Shape{1}, nil, spam, probability)
	// Of the rows that are taken for class 0:
	show(metrics.Precision{TopK: 1, ClassID: optional.Of(0), As: "precision_of_0"}, tensor.Shape{3}, nil, classes, probabilities)
	// Output:
	// precision: 0.5
	// precision_0.3: 0.6667
	// precision_0.7: 1
	// precision_of_0: 0.5
}

func ExampleRecall() {
	show(metrics.Recall{}, tensor.Shape{1}, nil, spam, probability)
	show(metrics.Recall{Thresholds: []float32{0.3, 0.7}}, tensor.Shape{1}, nil, spam, probability)
	// Output:
	// recall: 0.5
	// recall_0.3: 1
	// recall_0.7: 0.5
}

func ExampleTruePositives() {
	show(metrics.TruePositives{}, tensor.Shape{1}, nil, spam, probability)
	// Output: true_positives: 1
}

func ExampleFalsePositives() {
	show(metrics.FalsePositives{Thresholds: []float32{0.5, 0.7}}, tensor.Shape{1}, nil, spam, probability)
	// Output:
	// false_positives_0.5: 1
	// false_positives_0.7: 0
}

func ExampleTrueNegatives() {
	show(metrics.TrueNegatives{}, tensor.Shape{1}, nil, spam, probability)
	// Output: true_negatives: 1
}

func ExampleFalseNegatives() {
	show(metrics.FalseNegatives{}, tensor.Shape{1}, nil, spam, probability)
	// Output: false_negatives: 1
}

// One of the four pairs of a spam and another message is in the wrong order.
func ExampleAUC() {
	show(metrics.AUC{}, tensor.Shape{1}, nil, spam, probability)
	show(metrics.AUC{Curve: metrics.PR, As: "auc_pr"}, tensor.Shape{1}, nil, spam, probability)
	// Output:
	// auc: 0.75
	// auc_pr: 0.7973
}

// The classes' scores, and their mean.
func ExampleF1Score() {
	show(metrics.F1Score{}, tensor.Shape{3}, nil, classes, probabilities)
	show(metrics.F1Score{Average: metrics.Macro, As: "macro_f1"}, tensor.Shape{3}, nil, classes, probabilities)
	// Output:
	// f1_score_0: 0.6667
	// f1_score_1: 0
	// f1_score_2: 1
	// macro_f1: 0.5556
}

// A spam filter for which a message lost is worse than a spam seen.
func ExampleFBetaScore() {
	show(metrics.FBetaScore{Average: metrics.Micro, Beta: 0.5, Threshold: optional.Of[float32](0.7)}, tensor.Shape{1}, nil, spam, probability)
	// Output: fbeta_score: 0.8333
}

func ExampleTopKCategoricalAccuracy() {
	oneHot := []float32{1, 0, 0, 0, 1, 0, 0, 0, 1}
	show(metrics.TopKCategoricalAccuracy{K: 2}, tensor.Shape{3}, tensor.Shape{3}, oneHot, probabilities)
	// Output: top_k_categorical_accuracy: 1
}

func ExampleSparseTopKCategoricalAccuracy() {
	for k := range 3 {
		show(metrics.SparseTopKCategoricalAccuracy{K: k + 1, As: fmt.Sprintf("top_%d", k+1)}, tensor.Shape{3}, nil, classes, probabilities)
	}
	// Output:
	// top_1: 0.6667
	// top_2: 1
	// top_3: 1
}

func ExampleExactAccuracy() {
	show(metrics.ExactAccuracy{}, tensor.Shape{1}, nil, []float32{2, 0, 5}, []float32{2, 0, 4})
	// Output: accuracy: 0.6667
}

func ExampleMeanAbsoluteError() {
	show(metrics.MeanAbsoluteError{}, tensor.Shape{1}, nil, []float32{1, 2, 3}, []float32{1, 3, 0})
	// Output: mean_absolute_error: 1.333
}

func ExampleMeanSquaredError() {
	show(metrics.MeanSquaredError{}, tensor.Shape{1}, nil, []float32{1, 2, 3}, []float32{1, 3, 0})
	// Output: mean_squared_error: 3.333
}

func ExampleRootMeanSquaredError() {
	show(metrics.RootMeanSquaredError{}, tensor.Shape{1}, nil, []float32{1, 2, 3}, []float32{1, 3, 0})
	// Output: root_mean_squared_error: 1.826
}

func ExampleBinaryCrossentropy() {
	show(metrics.BinaryCrossentropy{As: "log_loss"}, tensor.Shape{1}, nil, spam, probability)
	// Output: log_loss: 0.5108
}

func ExampleCategoricalCrossentropy() {
	oneHot := []float32{1, 0, 0, 0, 1, 0, 0, 0, 1}
	show(metrics.CategoricalCrossentropy{}, tensor.Shape{3}, tensor.Shape{3}, oneHot, probabilities)
	// Output: categorical_crossentropy: 0.5432
}

func ExampleSparseCategoricalCrossentropy() {
	show(metrics.SparseCategoricalCrossentropy{As: "log_loss"}, tensor.Shape{3}, nil, classes, probabilities)
	// Output: log_loss: 0.5432
}

func ExampleMean() {
	show(metrics.Mean{}, tensor.Shape{1}, nil, spam, probability)
	// Output: mean: 0.5
}
