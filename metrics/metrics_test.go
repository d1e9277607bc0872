package metrics_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/metrics"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optional"
	"github.com/linnet-ml/linnet/tensor"
)

var zero = optional.Of[float32](0)

func TestStartRefusesWhatDoesNotGoTogether(t *testing.T) {
	one, three := tensor.Shape{1}, tensor.Shape{3}
	for _, test := range []struct {
		m    plan.Metric
		info plan.MetricInfo
		want string
	}{
		{metrics.Accuracy{}, plan.MetricInfo{Output: one, Labels: one, Logits: true},
			"metrics: accuracy of logits needs a threshold: 0 (a probability above one half), or 0.5 as Keras does"},
		{metrics.Accuracy{Threshold: zero}, plan.MetricInfo{Output: one, Labels: one, Logits: true}, ""},
		{metrics.Accuracy{Threshold: optional.Of[float32](0.5)}, plan.MetricInfo{Output: one, Labels: tensor.Shape{}, Logits: true}, ""},
		{metrics.BinaryAccuracy{}, plan.MetricInfo{Output: one, Labels: one, Logits: true},
			"metrics: binary_accuracy of logits needs a threshold: 0 (a probability above one half), or 0.5 as Keras does"},
		{metrics.BinaryAccuracy{As: "accuracy", Threshold: zero}, plan.MetricInfo{Output: one, Labels: one, Logits: true}, ""},
		{metrics.BinaryAccuracy{Threshold: optional.Of(float32(math.NaN()))}, plan.MetricInfo{Output: one, Labels: one},
			"metrics: binary_accuracy: the threshold is NaN"},
		{metrics.BinaryAccuracy{As: "hits"}, plan.MetricInfo{Output: three, Labels: one},
			"metrics: hits: a row of the output has shape (3,) and a row of the labels (1,)"},
		{metrics.BinaryAccuracy{}, plan.MetricInfo{Output: tensor.Shape{0}, Labels: tensor.Shape{0}},
			"metrics: binary_accuracy: a row of the output has shape (0,) and a row of the labels (0,)"},
		{metrics.Accuracy{}, plan.MetricInfo{Output: one, Labels: three},
			"metrics: accuracy: a row of the output has shape (1,) and a row of the labels (3,)"},
		// The largest logit is that of the largest probability: no threshold is wanted.
		{metrics.Accuracy{}, plan.MetricInfo{Output: three, Labels: one, Logits: true}, ""},
		{metrics.Accuracy{}, plan.MetricInfo{Output: three, Labels: tensor.Shape{2}},
			"metrics: accuracy: a row of the output has shape (3,) and a row of the labels (2,)"},
		{metrics.Accuracy{Threshold: zero}, plan.MetricInfo{Output: three, Labels: one}, "metrics: accuracy of 3 classes has no threshold"},
		{metrics.Accuracy{}, plan.MetricInfo{Output: tensor.Shape{tensor.Unknown, 3}, Labels: tensor.Shape{2}},
			"metrics: accuracy: a row of the output has shape (None, 3) and a row of the labels (2,)"},
		{metrics.SparseCategoricalAccuracy{}, plan.MetricInfo{Output: three, Labels: one, Logits: true}, ""},
		{metrics.SparseCategoricalAccuracy{}, plan.MetricInfo{Output: three, Labels: three},
			"metrics: sparse_categorical_accuracy: a row of the output has shape (3,) and a row of the labels (3,)"},
		{metrics.SparseCategoricalAccuracy{As: "hits"}, plan.MetricInfo{Output: tensor.Shape{4, 1}, Labels: tensor.Shape{4}},
			"metrics: hits of a single class is always the same; BinaryAccuracy is for one output"},
		{metrics.SparseCategoricalAccuracy{}, plan.MetricInfo{Output: tensor.Shape{}, Labels: tensor.Shape{}},
			"metrics: sparse_categorical_accuracy: a row of the output has shape () and a row of the labels ()"},
		{metrics.CategoricalAccuracy{}, plan.MetricInfo{Output: three, Labels: three, Logits: true}, ""},
		{metrics.CategoricalAccuracy{}, plan.MetricInfo{Output: three, Labels: one},
			"metrics: categorical_accuracy: a row of the output has shape (3,) and a row of the labels (1,)"},
		{metrics.CategoricalAccuracy{}, plan.MetricInfo{Output: one, Labels: one},
			"metrics: categorical_accuracy of a single class is always the same; BinaryAccuracy is for one output"},
		{metrics.Mean{}, plan.MetricInfo{Output: three, Labels: tensor.Shape{0}},
			"metrics: mean: a row of the output has shape (3,) and a row of the labels (0,)"},
		{metrics.ExactAccuracy{}, plan.MetricInfo{Output: three, Labels: one}, "metrics: accuracy: a row of the output has shape (3,) and a row of the labels (1,)"},
		{metrics.Precision{}, plan.MetricInfo{Output: one, Labels: one, Logits: true},
			"metrics: precision of logits needs a threshold: 0 (a probability above one half), or 0.5 as Keras does"},
		{metrics.Precision{Thresholds: []float32{0}}, plan.MetricInfo{Output: one, Labels: one, Logits: true}, ""},
		{metrics.Precision{Thresholds: []float32{-3}}, plan.MetricInfo{Output: one, Labels: one, Logits: true}, ""},
		{metrics.Precision{Thresholds: []float32{0.5, -3}}, plan.MetricInfo{Output: one, Labels: one}, "metrics: precision: the threshold -3 is not from 0 to 1"},
		{metrics.FalseNegatives{Thresholds: []float32{float32(math.NaN())}}, plan.MetricInfo{Output: one, Labels: one, Logits: true},
			"metrics: false_negatives: a threshold is NaN"},
		{metrics.Recall{TopK: 2}, plan.MetricInfo{Output: three, Labels: three, Logits: true}, ""},
		{metrics.Recall{TopK: 4}, plan.MetricInfo{Output: three, Labels: three}, "metrics: recall: TopK is 4, for an output of 3 classes"},
		{metrics.Recall{TopK: -1}, plan.MetricInfo{Output: three, Labels: three}, "metrics: recall: TopK is -1, for an output of 3 classes"},
		{metrics.Recall{ClassID: optional.Of(3)}, plan.MetricInfo{Output: three, Labels: three},
			"metrics: recall: the output has 3 classes, 0 to 2, and so none with the number 3"},
		{metrics.TruePositives{}, plan.MetricInfo{Output: three, Labels: tensor.Shape{2}},
			"metrics: true_positives: a row of the output has shape (3,) and a row of the labels (2,)"},
		{metrics.TruePositives{}, plan.MetricInfo{Output: one, Labels: three},
			"metrics: true_positives: a row of the output has shape (1,) and a row of the labels (3,)"},
		{metrics.AUC{}, plan.MetricInfo{Output: one, Labels: one, Logits: true},
			"metrics: auc: the loss takes the output as logits, and without FromLogits the metric takes it as probabilities"},
		{metrics.AUC{FromLogits: true}, plan.MetricInfo{Output: one, Labels: one, Logits: true}, ""},
		{metrics.AUC{NumThresholds: 1}, plan.MetricInfo{Output: one, Labels: one}, "metrics: auc: the number of thresholds is 1, and not from 2 to 1048576"},
		{metrics.AUC{NumThresholds: math.MaxInt}, plan.MetricInfo{Output: one, Labels: one},
			fmt.Sprintf("metrics: auc: the number of thresholds is %d, and not from 2 to 1048576", math.MaxInt)},
		{metrics.AUC{NumThresholds: 3, Thresholds: []float32{0.5}}, plan.MetricInfo{Output: one, Labels: one},
			"metrics: auc: Thresholds and NumThresholds are both set"},
		{metrics.AUC{Thresholds: []float32{1.5}}, plan.MetricInfo{Output: one, Labels: one}, "metrics: auc: the threshold 1.5 is not from 0 to 1"},
		{metrics.AUC{Curve: "roc"}, plan.MetricInfo{Output: one, Labels: one}, `metrics: auc: the curve "roc" is none of ["ROC" "PR"]`},
		{metrics.AUC{Summation: "mean"}, plan.MetricInfo{Output: one, Labels: one},
			`metrics: auc: the summation "mean" is none of ["interpolation" "minoring" "majoring"]`},
		{metrics.AUC{MultiLabel: true}, plan.MetricInfo{Output: tensor.Shape{2, 3}, Labels: tensor.Shape{2, 3}},
			"metrics: auc: a row of the output has shape (2, 3) and a row of the labels (2, 3)"},
		{metrics.AUC{LabelWeights: []float32{1}}, plan.MetricInfo{Output: three, Labels: three}, "metrics: auc: 1 label weights for an output of 3 labels"},
		{metrics.AUC{LabelWeights: []float32{1, 2, -1}}, plan.MetricInfo{Output: three, Labels: three}, "metrics: auc: the weight of label 2 is -1"},
		{metrics.F1Score{}, plan.MetricInfo{Output: one, Labels: one},
			"metrics: f1_score of one output needs a threshold, such as 0.5 of probabilities; without one Keras takes every row for positive"},
		{metrics.F1Score{Threshold: zero}, plan.MetricInfo{Output: one, Labels: one}, "metrics: f1_score: the threshold 0 is not above 0 and up to 1"},
		{metrics.F1Score{Threshold: zero}, plan.MetricInfo{Output: one, Labels: one, Logits: true}, ""},
		{metrics.F1Score{Average: "mean"}, plan.MetricInfo{Output: three, Labels: three},
			`metrics: f1_score: the average "mean" is none of ["none" "micro" "macro" "weighted"]`},
		{metrics.F1Score{}, plan.MetricInfo{Output: tensor.Shape{2, 3}, Labels: tensor.Shape{2, 3}},
			"metrics: f1_score: a row of the output has shape (2, 3) and a row of the labels (2, 3)"},
		{metrics.FBetaScore{Beta: -1}, plan.MetricInfo{Output: three, Labels: three}, "metrics: fbeta_score: Beta is -1"},
		{metrics.MeanAbsoluteError{}, plan.MetricInfo{Output: three, Labels: one},
			"metrics: mean_absolute_error: a row of the output has shape (3,) and a row of the labels (1,)"},
		{metrics.MeanSquaredError{}, plan.MetricInfo{Output: one, Labels: tensor.Shape{}, Logits: true}, ""},
		{metrics.RootMeanSquaredError{As: "rmse"}, plan.MetricInfo{Output: three, Labels: one},
			"metrics: rmse: a row of the output has shape (3,) and a row of the labels (1,)"},
		{metrics.BinaryCrossentropy{}, plan.MetricInfo{Output: one, Labels: one, Logits: true},
			"metrics: binary_crossentropy: the loss takes the output as logits, and without FromLogits the metric takes it as probabilities"},
		{metrics.BinaryCrossentropy{LabelSmoothing: 1.5}, plan.MetricInfo{Output: one, Labels: one},
			"metrics: binary_crossentropy: a label smoothing of 1.5 is not from 0 to 1"},
		{metrics.BinaryCrossentropy{}, plan.MetricInfo{Output: three, Labels: one},
			"metrics: binary_crossentropy: a row of the output has shape (3,) and a row of the labels (1,)"},
		{metrics.CategoricalCrossentropy{}, plan.MetricInfo{Output: three, Labels: one},
			"metrics: categorical_crossentropy: a row of the output has shape (3,) and a row of the labels (1,)"},
		{metrics.SparseCategoricalCrossentropy{}, plan.MetricInfo{Output: three, Labels: three},
			"metrics: sparse_categorical_crossentropy: a row of the output has shape (3,) and a row of the labels (3,)"},
		{metrics.SparseCategoricalCrossentropy{}, plan.MetricInfo{Output: three, Labels: one, Logits: true},
			"metrics: sparse_categorical_crossentropy: the loss takes the output as logits, and without FromLogits the metric takes it as probabilities"},
		{metrics.TopKCategoricalAccuracy{K: -1}, plan.MetricInfo{Output: three, Labels: three}, "metrics: top_k_categorical_accuracy: K is -1"},
		{metrics.TopKCategoricalAccuracy{}, plan.MetricInfo{Output: three, Labels: one},
			"metrics: top_k_categorical_accuracy: a row of the output has shape (3,) and a row of the labels (1,)"},
		{metrics.SparseTopKCategoricalAccuracy{}, plan.MetricInfo{Output: three, Labels: three},
			"metrics: sparse_top_k_categorical_accuracy: a row of the output has shape (3,) and a row of the labels (3,)"},
		{metrics.SparseTopKCategoricalAccuracy{}, plan.MetricInfo{Output: three, Labels: one, Logits: true}, ""},
	} {
		a, err := test.m.Start(test.info)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != test.want || (err == nil) != (a != nil) {
			t.Errorf("%+v of %+v: error %q, want %q", test.m, test.info, got, test.want)
		}
	}
}

// result is a metric of one batch.
func result(t *testing.T, m plan.Metric, info plan.MetricInfo, labels, output, weights []float32) float64 {
	t.Helper()
	a, err := m.Start(info)
	if err != nil {
		t.Fatal(err)
	}
	a.Add(labels, output, weights)
	return a.Result()
}

// A threshold of 0 is a threshold, not the default of one half.
func TestThresholdZero(t *testing.T) {
	info := plan.MetricInfo{Output: tensor.Shape{1}}
	labels, output := []float32{1, 1, 0, 0}, []float32{0.3, 0.7, -0.1, 0}
	for _, m := range []plan.Metric{metrics.Accuracy{Threshold: zero}, metrics.BinaryAccuracy{Threshold: zero}} {
		if got := result(t, m, info, labels, output, nil); got != 1 {
			t.Errorf("%T with threshold 0: %v, want 1", m, got)
		}
	}
	for _, m := range []plan.Metric{metrics.Accuracy{}, metrics.BinaryAccuracy{}} {
		if got := result(t, m, info, labels, output, nil); got != 0.75 {
			t.Errorf("%T with the default threshold: %v, want 0.75", m, got)
		}
	}
}

// Steps of a sequence count like rows of their own, and a row's weight weighs the mean over its steps.
func TestAccuracyOfSequences(t *testing.T) {
	output := []float32{
		3, 2, 1, 1, 2, 3, // row 0: classes 0 and 2
		0, 1, 0, 1, 0, 0, // row 1: classes 1 and 0
	}
	info := plan.MetricInfo{Output: tensor.Shape{2, 3}, Labels: tensor.Shape{2}}
	if got := result(t, metrics.Accuracy{}, info, []float32{0, 1, 1, 0}, output, []float32{1, 3}); got != 0.875 {
		t.Errorf("labels (rows, steps): %v, want 0.875", got)
	}
	info.Labels = tensor.Shape{2, 3}
	oneHot := []float32{1, 0, 0, 0, 1, 0, 0, 1, 0, 1, 0, 0}
	if got := result(t, metrics.Accuracy{}, info, oneHot, output, []float32{1, 3}); got != 0.875 {
		t.Errorf("labels (rows, steps, classes): %v, want 0.875", got)
	}
}

func TestNames(t *testing.T) {
	for _, test := range []struct {
		m         plan.Metric
		want      string
		direction history.Direction
	}{
		{metrics.Accuracy{}, "accuracy", history.HigherIsBetter},
		{metrics.Accuracy{As: "acc"}, "acc", history.HigherIsBetter},
		{metrics.BinaryAccuracy{}, "binary_accuracy", history.HigherIsBetter},
		{metrics.BinaryAccuracy{As: "accuracy"}, "accuracy", history.HigherIsBetter},
		{metrics.CategoricalAccuracy{}, "categorical_accuracy", history.HigherIsBetter},
		{metrics.CategoricalAccuracy{As: "hits"}, "hits", history.HigherIsBetter},
		{metrics.SparseCategoricalAccuracy{}, "sparse_categorical_accuracy", history.HigherIsBetter},
		{metrics.SparseCategoricalAccuracy{As: "hits"}, "hits", history.HigherIsBetter},
		{metrics.Mean{}, "mean", history.NoDirection},
		{metrics.Mean{As: "positive"}, "positive", history.NoDirection},
		{metrics.ExactAccuracy{}, "accuracy", history.HigherIsBetter},
		{metrics.Precision{}, "precision", history.HigherIsBetter},
		{metrics.Recall{}, "recall", history.HigherIsBetter},
		{metrics.Recall{As: "found"}, "found", history.HigherIsBetter},
		{metrics.TruePositives{}, "true_positives", history.NoDirection},
		{metrics.FalsePositives{}, "false_positives", history.NoDirection},
		{metrics.TrueNegatives{}, "true_negatives", history.NoDirection},
		{metrics.FalseNegatives{}, "false_negatives", history.NoDirection},
		{metrics.AUC{}, "auc", history.HigherIsBetter},
		{metrics.F1Score{}, "f1_score", history.HigherIsBetter},
		{metrics.FBetaScore{}, "fbeta_score", history.HigherIsBetter},
		{metrics.MeanAbsoluteError{}, "mean_absolute_error", history.LowerIsBetter},
		{metrics.MeanSquaredError{}, "mean_squared_error", history.LowerIsBetter},
		{metrics.RootMeanSquaredError{}, "root_mean_squared_error", history.LowerIsBetter},
		{metrics.BinaryCrossentropy{}, "binary_crossentropy", history.LowerIsBetter},
		{metrics.CategoricalCrossentropy{}, "categorical_crossentropy", history.LowerIsBetter},
		{metrics.SparseCategoricalCrossentropy{}, "sparse_categorical_crossentropy", history.LowerIsBetter},
		{metrics.TopKCategoricalAccuracy{}, "top_k_categorical_accuracy", history.HigherIsBetter},
		{metrics.SparseTopKCategoricalAccuracy{}, "sparse_top_k_categorical_accuracy", history.HigherIsBetter},
	} {
		if test.m.Name() != test.want || test.m.Direction() != test.direction {
			t.Errorf("%+v: name %q, direction %v, want %q and %v", test.m, test.m.Name(), test.m.Direction(), test.want, test.direction)
		}
	}
}

func TestAddAllocatesNothing(t *testing.T) {
	for _, c := range every() {
		a := c.start(t)
		labels, output, weights := make([]float32, 64*c.labels.Size()), make([]float32, 64*c.output.Size()), make([]float32, 64)
		v, several := a.(plan.ValuesAccumulator)
		if got := testing.AllocsPerRun(20, func() {
			a.Add(labels, output, weights)
			a.Result()
			if several {
				v.Value(0)
			}
		}); got != 0 {
			t.Errorf("%#v: %v allocations", c.m, got)
		}
	}
}

// Labels that are no class: never among the largest, and without a loss unless their weight is 0.
func TestLabelsThatAreNoClass(t *testing.T) {
	info := plan.MetricInfo{Output: tensor.Shape{3}, Labels: tensor.Shape{}}
	labels, output := []float32{-1, 3, 1}, []float32{0.2, 0.3, 0.5, 0.2, 0.3, 0.5, 0.2, 0.3, 0.5}
	if got := result(t, metrics.SparseTopKCategoricalAccuracy{K: 3}, info, labels, output, nil); got != 1./3 {
		t.Errorf("top 3: %v, want 1/3", got)
	}
	if got := result(t, metrics.SparseCategoricalCrossentropy{}, info, labels, output, nil); !math.IsNaN(got) {
		t.Errorf("cross-entropy: %v, want NaN", got)
	}
	if got, want := result(t, metrics.SparseCategoricalCrossentropy{}, info, labels, output, []float32{0, 0, 1}), -math.Log(0.3); math.Abs(got-want) > 1e-6 {
		t.Errorf("cross-entropy of the label with weight 1: %v, want %v", got, want)
	}
}

// The area of label 1 alone, where the others weigh nothing.
func TestAUCOfOneLabel(t *testing.T) {
	both := plan.MetricInfo{Output: tensor.Shape{2}, Labels: tensor.Shape{2}}
	labels, output := []float32{0, 0, 1, 1, 0, 0, 1, 1}, []float32{0.9, 0.1, 0.8, 0.6, 0.9, 0.7, 0.1, 0.8}
	want := result(t, metrics.AUC{}, plan.MetricInfo{Output: tensor.Shape{1}, Labels: tensor.Shape{}}, []float32{0, 1, 0, 1}, []float32{0.1, 0.6, 0.7, 0.8}, nil)
	for _, m := range []metrics.AUC{{MultiLabel: true, LabelWeights: []float32{0, 2}}, {LabelWeights: []float32{0, 1}}} {
		if got := result(t, m, both, labels, output, nil); got != want || got != 0.75 {
			t.Errorf("%+v: %v, want %v", m, got, want)
		}
	}
}
