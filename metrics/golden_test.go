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

// newMetric makes what a recorded case used.
func newMetric(t *testing.T, c golden.Case) plan.Metric {
	t.Helper()
	var config struct {
		Threshold    optional.Value[float32] `json:"threshold"`
		Thresholds   any                     `json:"thresholds"`
		K            int                     `json:"k"`
		TopK         int                     `json:"top_k"`
		ClassID      optional.Value[int]     `json:"class_id"`
		Curve        metrics.Curve           `json:"curve"`
		Summation    metrics.Summation       `json:"summation_method"`
		Divisions    int                     `json:"num_thresholds"`
		FromLogits   bool                    `json:"from_logits"`
		MultiLabel   bool                    `json:"multi_label"`
		NumLabels    int                     `json:"num_labels"`
		Average      metrics.Average         `json:"average"`
		Beta         float64                 `json:"beta"`
		LabelWeights []float32               `json:"label_weights"`
		Smoothing    float32                 `json:"label_smoothing"`
	}
	c.Decode(&config, "config")
	var thresholds []float32
	switch v := config.Thresholds.(type) {
	case float64:
		thresholds = []float32{float32(v)}
	case []any:
		for _, x := range v {
			thresholds = append(thresholds, float32(x.(float64)))
		}
	}
	switch name := c.Text("metric"); name {
	case "BinaryAccuracy":
		return metrics.BinaryAccuracy{Threshold: config.Threshold}
	case "CategoricalAccuracy":
		return metrics.CategoricalAccuracy{}
	case "SparseCategoricalAccuracy":
		return metrics.SparseCategoricalAccuracy{}
	case "Accuracy":
		return metrics.ExactAccuracy{}
	case "TopKCategoricalAccuracy":
		return metrics.TopKCategoricalAccuracy{K: config.K}
	case "SparseTopKCategoricalAccuracy":
		return metrics.SparseTopKCategoricalAccuracy{K: config.K}
	case "Precision":
		return metrics.Precision{Thresholds: thresholds, TopK: config.TopK, ClassID: config.ClassID}
	case "Recall":
		return metrics.Recall{Thresholds: thresholds, TopK: config.TopK, ClassID: config.ClassID}
	case "TruePositives":
		return metrics.TruePositives{Thresholds: thresholds}
	case "FalsePositives":
		return metrics.FalsePositives{Thresholds: thresholds}
	case "TrueNegatives":
		return metrics.TrueNegatives{Thresholds: thresholds}
	case "FalseNegatives":
		return metrics.FalseNegatives{Thresholds: thresholds}
	case "AUC":
		return metrics.AUC{NumThresholds: config.Divisions, Thresholds: thresholds, Curve: config.Curve, Summation: config.Summation,
			MultiLabel: config.MultiLabel, LabelWeights: config.LabelWeights, FromLogits: config.FromLogits}
	case "FBetaScore":
		return metrics.FBetaScore{Average: config.Average, Threshold: config.Threshold, Beta: config.Beta}
	case "F1Score":
		return metrics.F1Score{Average: config.Average, Threshold: config.Threshold}
	case "MeanSquaredError":
		return metrics.MeanSquaredError{}
	case "MeanAbsoluteError":
		return metrics.MeanAbsoluteError{}
	case "RootMeanSquaredError":
		return metrics.RootMeanSquaredError{}
	case "BinaryCrossentropy":
		return metrics.BinaryCrossentropy{FromLogits: config.FromLogits, LabelSmoothing: config.Smoothing}
	case "CategoricalCrossentropy":
		return metrics.CategoricalCrossentropy{FromLogits: config.FromLogits, LabelSmoothing: config.Smoothing}
	case "SparseCategoricalCrossentropy":
		return metrics.SparseCategoricalCrossentropy{FromLogits: config.FromLogits}
	}
	t.Fatalf("the recorded metric %s is not here", c.Text("metric"))
	return nil
}

// values are the results of an accumulator.
func values(a plan.Accumulator) []float64 {
	v, ok := a.(plan.ValuesAccumulator)
	if !ok {
		return []float64{a.Result()}
	}
	var all []float64
	for i := range v.ValueNames() {
		all = append(all, v.Value(i))
	}
	return all
}

// recorded are the numbers of a result, one or a list.
func recorded(c golden.Value) []float64 {
	if _, ok := c.Any().([]any); ok {
		return c.Floats()
	}
	return []float64{c.Float()}
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
		y, x, rows := floats(labels), floats(output), output.Shape[0]
		a := begin(t, m, output, labels)
		if before := c.At("expected", "before"); before.Any() == "error" { // Keras has no F1 score before the first batch
			for _, v := range values(a) {
				golden.CloseNumber(t, "before", v, 0, tolerance)
			}
		} else {
			golden.CloseList(t, "before", values(a), recorded(before), tolerance)
		}
		first := addBatches(t, a, c, tolerance)
		a.Reset()
		golden.CloseList(t, "after reset", values(a), recorded(c.At("expected", "after_reset")), tolerance)
		a.Add(y[:first*len(y)/rows], x[:first*len(x)/rows], nil)
		golden.CloseList(t, "first batch again", values(a), recorded(c.At("expected", "first_batch_again_unweighted")), tolerance)
		ran++
	})
	if ran != 133 {
		t.Errorf("%d cases compared, want 133", ran)
	}
}

// addBatches compares the results after each of a case's batches, and returns how many rows the first has.
func addBatches(t *testing.T, a plan.Accumulator, c golden.Case, tolerance golden.Tolerance) (first int) {
	t.Helper()
	y, x, rows := floats(c.Array("y_true")), floats(c.Array("y_pred")), c.Array("y_pred").Shape[0]
	yw, xw := len(y)/rows, len(x)/rows
	at := 0
	for i, n := range c.Ints("batch_sizes") {
		var w []float32
		if c.Has("sample_weight") {
			w = c.Array("sample_weight").Float32[at : at+n]
		}
		a.Add(y[at*yw:(at+n)*yw], x[at*xw:(at+n)*xw], w)
		golden.CloseList(t, "after each batch", values(a), recorded(c.At("expected", "after_each_batch", i)), tolerance)
		at += n
	}
	return c.Ints("batch_sizes")[0]
}

// Options, infinite outputs and sequences, and the name that Keras gives a metric.
func TestMetricOptionsMatchKeras(t *testing.T) {
	golden.Open(t, "metrics_options").Run(t, "", func(t *testing.T, c golden.Case) {
		m := newMetric(t, c)
		a := begin(t, m, c.Array("y_pred"), c.Array("y_true"))
		within := tolerance
		if strings.HasPrefix(c.Name, "AUC/PR_interpolation") {
			within.Abs = 5e-7 // Keras's own rounding: large terms cancel
		}
		addBatches(t, a, c, within)
		if name := c.Text("expected", "name"); strings.TrimRight(name, "_0123456789") != m.Name() {
			t.Errorf("%s is %s in Keras", m.Name(), name)
		}
	})
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

// Keras's metrics of the names of cross-entropies compute what the losses of these names record.
func TestCrossentropiesMatchKeras(t *testing.T) {
	ran := 0
	golden.Open(t, "losses").Run(t, "", func(t *testing.T, c golden.Case) {
		if !strings.HasSuffix(c.Name, "/plain") || strings.HasPrefix(c.Name, "through_model/") || c.Has("config", "ignore_class") {
			return
		}
		var config struct {
			FromLogits     bool    `json:"from_logits"`
			LabelSmoothing float32 `json:"label_smoothing"`
		}
		var m plan.Metric
		switch c.Text("loss") {
		case "BinaryCrossentropy":
			c.Decode(&config, "config")
			m = metrics.BinaryCrossentropy{FromLogits: config.FromLogits, LabelSmoothing: config.LabelSmoothing}
		case "CategoricalCrossentropy":
			c.Decode(&config, "config")
			m = metrics.CategoricalCrossentropy{FromLogits: config.FromLogits, LabelSmoothing: config.LabelSmoothing}
		case "SparseCategoricalCrossentropy":
			c.Decode(&config, "config")
			m = metrics.SparseCategoricalCrossentropy{FromLogits: config.FromLogits}
		case "MeanSquaredError":
			m = metrics.MeanSquaredError{}
		case "MeanAbsoluteError":
			m = metrics.MeanAbsoluteError{}
		default:
			return
		}
		labels, output := c.Array("y_true"), c.Array("y_pred")
		a := begin(t, m, output, labels)
		a.Add(floats(labels), floats(output), nil)
		golden.CloseNumber(t, "value", a.Result(), float64(c.Array("expected", "sum_over_batch_size", "value").Float32[0]), golden.Tolerance{Rel: 1e-6, Abs: 1e-7})
		ran++
	})
	if ran != 99 {
		t.Errorf("%d cases compared, want 99", ran)
	}
}
