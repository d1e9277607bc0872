package metrics_test

import (
	"strings"
	"testing"

	"github.com/linnet-ml/linnet/internal/golden"
	"github.com/linnet-ml/linnet/metrics"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optional"
	"github.com/linnet-ml/linnet/tensor"
)

// tolerance is the recording's own.
var tolerance = golden.Tolerance{Rel: 1e-6}

// notHere are the recorded metrics that this package does not have. Keras's class Accuracy compares outputs with labels
// as they are; only its name is that of this package's Accuracy.
var notHere = map[string]bool{
	"AUC": true, "Accuracy": true, "BinaryCrossentropy": true, "CategoricalCrossentropy": true, "F1Score": true,
	"FalseNegatives": true, "FalsePositives": true, "MeanAbsoluteError": true, "MeanSquaredError": true, "Precision": true,
	"Recall": true, "RootMeanSquaredError": true, "SparseCategoricalCrossentropy": true,
	"SparseTopKCategoricalAccuracy": true, "TopKCategoricalAccuracy": true, "TrueNegatives": true, "TruePositives": true,
}

// newMetric makes what a recorded case used; it skips the test where that is not in this package.
func newMetric(t *testing.T, c golden.Case) plan.Metric {
	t.Helper()
	name := c.Text("metric")
	if notHere[name] {
		t.Skipf("no metric %s", name)
	}
	var config struct {
		Threshold *float32 `json:"threshold"`
	}
	c.Decode(&config, "config")
	var threshold optional.Value[float32]
	if config.Threshold != nil {
		threshold = optional.Of(*config.Threshold)
	}
	switch name {
	case "BinaryAccuracy":
		return metrics.BinaryAccuracy{Threshold: threshold}
	case "CategoricalAccuracy":
		return metrics.CategoricalAccuracy{}
	case "SparseCategoricalAccuracy":
		return metrics.SparseCategoricalAccuracy{}
	}
	t.Fatalf("the recorded metric %s is neither here nor left out by name", name)
	return nil
}

// floats are an array's elements, whatever their type.
func floats(a golden.Array) []float32 {
	if a.Float32 != nil {
		return a.Float32
	}
	var out []float32
	for _, v := range a.Int32 {
		out = append(out, float32(v))
	}
	for _, v := range a.Int64 {
		out = append(out, float32(v))
	}
	return out
}

func begin(t *testing.T, m plan.Metric, output, labels golden.Array) plan.Accumulator {
	t.Helper()
	a, err := m.Start(plan.MetricInfo{Output: tensor.Shape(output.Shape[1:]), Labels: tensor.Shape(labels.Shape[1:])})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestMetricsMatchKeras(t *testing.T) {
	ran := 0
	golden.Open(t, "metrics").Run(t, "", func(t *testing.T, c golden.Case) {
		if strings.HasPrefix(c.Name, "string_accuracy/") || strings.HasPrefix(c.Name, "Mean/") {
			return // TestAccuracyMatchesKeras, TestMeanMatchesKeras
		}
		m := newMetric(t, c)
		labels, output := c.Array("y_true"), c.Array("y_pred")
		y, x := floats(labels), floats(output)
		var weights []float32
		if c.Has("sample_weight") {
			weights = c.Array("sample_weight").Float32
		}
		a := begin(t, m, output, labels)
		golden.CloseNumber(t, "before", a.Result(), c.Float("expected", "before"), tolerance)
		rows := output.Shape[0]
		yw, xw := len(y)/rows, len(x)/rows
		sizes := c.Ints("batch_sizes")
		at := 0
		var results []float64
		for _, n := range sizes {
			var w []float32
			if weights != nil {
				w = weights[at : at+n]
			}
			a.Add(y[at*yw:(at+n)*yw], x[at*xw:(at+n)*xw], w)
			results = append(results, a.Result())
			at += n
		}
		golden.CloseList(t, "after each batch", results, c.Floats("expected", "after_each_batch"), tolerance)
		a.Reset()
		golden.CloseNumber(t, "after reset", a.Result(), c.Float("expected", "after_reset"), tolerance)
		a.Add(y[:sizes[0]*yw], x[:sizes[0]*xw], nil)
		golden.CloseNumber(t, "first batch again", a.Result(), c.Float("expected", "first_batch_again_unweighted"), tolerance)
		ran++
	})
	if ran != 41 {
		t.Errorf("%d cases compared, want 41", ran)
	}
}

// What Keras makes of the text "accuracy" for outputs and labels of many shapes.
func TestAccuracyMatchesKeras(t *testing.T) {
	golden.Open(t, "metrics").Run(t, "string_accuracy/", func(t *testing.T, c golden.Case) {
		m := metrics.Accuracy{}
		if strings.Contains(c.Name, "threshold_0") {
			m.Threshold = optional.Of[float32](0)
		}
		labels, output := c.Array("y_true"), c.Array("y_pred")
		a := begin(t, m, output, labels)
		a.Add(floats(labels), floats(output), nil)
		golden.CloseNumber(t, "accuracy", a.Result(), c.Float("expected", "accuracy"), tolerance)

		// The kind that Keras chose gives the same.
		var chosen []string
		c.Decode(&chosen, "expected", "chosen")
		switch chosen[0] {
		case "binary_accuracy":
			a = begin(t, metrics.BinaryAccuracy{Threshold: m.Threshold}, output, labels)
		case "categorical_accuracy":
			a = begin(t, metrics.CategoricalAccuracy{}, output, labels)
		case "sparse_categorical_accuracy":
			a = begin(t, metrics.SparseCategoricalAccuracy{}, output, labels)
		default:
			t.Fatalf("Keras chose %v", chosen)
		}
		a.Add(floats(labels), floats(output), nil)
		golden.CloseNumber(t, chosen[0], a.Result(), c.Float("expected", "accuracy"), tolerance)
	})
}

func TestMeanMatchesKeras(t *testing.T) {
	golden.Open(t, "metrics").Run(t, "Mean/", func(t *testing.T, c golden.Case) {
		a, err := metrics.Mean{}.Start(plan.MetricInfo{Output: tensor.Shape{1}})
		if err != nil {
			t.Fatal(err)
		}
		var results []float64
		for _, u := range c.List("updates") {
			var values, weights []float32
			for _, v := range u.Floats("values") {
				values = append(values, float32(v))
			}
			if u.Has("sample_weight") {
				for _, v := range u.Floats("sample_weight") {
					weights = append(weights, float32(v))
				}
			}
			a.Add(make([]float32, len(values)), values, weights)
			results = append(results, a.Result())
		}
		golden.CloseList(t, "after each batch", results, c.Floats("expected", "after_each_batch"), golden.Tolerance{OfLargest: 1e-6})
	})
}
