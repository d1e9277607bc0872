package metrics_test

import (
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
	} {
		if test.m.Name() != test.want || test.m.Direction() != test.direction {
			t.Errorf("%+v: name %q, direction %v, want %q and %v", test.m, test.m.Name(), test.m.Direction(), test.want, test.direction)
		}
	}
}

// However rows are put into batches, the result has the same bits.
func TestBatchSizeChangesNoBit(t *testing.T) {
	const rows = 101
	var labels, output, weights [rows]float32
	for i := range rows {
		labels[i], output[i], weights[i] = float32(i%2), float32(i*37%101)/101, 0.1+float32(i%7)/6
	}
	info := plan.MetricInfo{Output: tensor.Shape{1}}
	for _, m := range []plan.Metric{metrics.Accuracy{}, metrics.Mean{}} {
		want := result(t, m, info, labels[:], output[:], weights[:])
		for _, size := range []int{1, 8, 32} {
			a, err := m.Start(info)
			if err != nil {
				t.Fatal(err)
			}
			for lo := 0; lo < rows; lo += size {
				hi := min(lo+size, rows)
				a.Add(labels[lo:hi], output[lo:hi], weights[lo:hi])
			}
			if got := a.Result(); got != want {
				t.Errorf("%T in batches of %d: %v, in one %v", m, size, got, want)
			}
		}
	}
}

func TestAddAllocatesNothing(t *testing.T) {
	labels, output, weights := make([]float32, 64), make([]float32, 64*3), make([]float32, 64)
	for _, test := range []struct {
		m    plan.Metric
		info plan.MetricInfo
	}{
		{metrics.Accuracy{}, plan.MetricInfo{Output: tensor.Shape{3}}},
		{metrics.Accuracy{}, plan.MetricInfo{Output: tensor.Shape{3}, Labels: tensor.Shape{3}}},
		{metrics.BinaryAccuracy{}, plan.MetricInfo{Output: tensor.Shape{3}, Labels: tensor.Shape{3}}},
		{metrics.Mean{}, plan.MetricInfo{Output: tensor.Shape{3}}},
	} {
		a, err := test.m.Start(test.info)
		if err != nil {
			t.Fatal(err)
		}
		y, x, w := labels, output, weights
		if len(test.info.Labels) > 0 {
			y, x, w = output, output, weights
		}
		if got := testing.AllocsPerRun(20, func() { a.Add(y, x, w); a.Result() }); got != 0 {
			t.Errorf("%T: %v allocations", test.m, got)
		}
	}
}
