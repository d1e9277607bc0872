package metrics_test

import (
	"math"
	"slices"
	"testing"

	"github.com/linnet-ml/linnet/metrics"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optional"
	"github.com/linnet-ml/linnet/tensor"
	"pgregory.net/rapid"
)

// every has each metric with settings that change what it computes, with shapes of output and labels.
func every() []testedMetric {
	none, one, three, steps := tensor.Shape{}, tensor.Shape{1}, tensor.Shape{3}, tensor.Shape{2, 3}
	thirds := []float32{0, 1. / 3, 2. / 3, 1}
	return []testedMetric{
		{metrics.Accuracy{}, three, one},
		{metrics.BinaryAccuracy{}, three, three},
		{metrics.CategoricalAccuracy{}, three, three},
		{metrics.SparseCategoricalAccuracy{}, three, none},
		{metrics.ExactAccuracy{}, one, none},
		{metrics.Mean{}, three, one},
		{metrics.Precision{}, one, none},
		{metrics.Precision{Thresholds: []float32{0.7, 0.2}}, three, three},
		{metrics.Precision{TopK: 2, ClassID: optional.Of(1)}, three, three},
		{metrics.Recall{}, steps, steps},
		{metrics.Recall{Thresholds: thirds}, three, one},
		{metrics.TruePositives{}, three, three},
		{metrics.FalsePositives{}, three, one},
		{metrics.TrueNegatives{Thresholds: thirds}, one, one},
		{metrics.FalseNegatives{}, three, three},
		{metrics.AUC{}, one, none},
		{metrics.AUC{Curve: metrics.PR, FromLogits: true}, three, one},
		{metrics.AUC{MultiLabel: true, LabelWeights: []float32{1, 2, 0.5}}, three, three},
		{metrics.AUC{LabelWeights: []float32{1, 2, 0.5}, Thresholds: []float32{0.7, 0.2}, Summation: metrics.Majoring}, three, three},
		{metrics.F1Score{}, three, three},
		{metrics.F1Score{Average: metrics.Macro}, three, one},
		{metrics.FBetaScore{Average: metrics.Micro, Beta: 0.5, Threshold: optional.Of[float32](0.4)}, three, three},
		{metrics.FBetaScore{Average: metrics.Weighted}, three, three},
		{metrics.MeanAbsoluteError{}, three, three},
		{metrics.MeanSquaredError{}, one, none},
		{metrics.RootMeanSquaredError{}, steps, steps},
		{metrics.BinaryCrossentropy{}, three, three},
		{metrics.CategoricalCrossentropy{LabelSmoothing: 0.25}, steps, steps},
		{metrics.SparseCategoricalCrossentropy{FromLogits: true}, three, one},
		{metrics.TopKCategoricalAccuracy{K: 2}, three, three},
		{metrics.SparseTopKCategoricalAccuracy{K: 2}, steps, tensor.Shape{2}},
	}
}

type testedMetric struct {
	m              plan.Metric
	output, labels tensor.Shape
}

func (c testedMetric) start(t rapid.TB) plan.Accumulator {
	t.Helper()
	a, err := c.m.Start(plan.MetricInfo{Output: c.output, Labels: c.labels})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// rows are labels, outputs and weights of some rows. Labels are 0 and 1; outputs have ties.
func (c testedMetric) rows(t *rapid.T, n int) (labels, output, weights []float32) {
	x := rapid.Map(rapid.IntRange(-2, 22), func(i int) float32 { return float32(i) / 20 })
	labels = rapid.SliceOfN(rapid.Map(rapid.IntRange(0, 1), func(i int) float32 { return float32(i) }), n*c.labels.Size(), n*c.labels.Size()).Draw(t, "labels")
	output = rapid.SliceOfN(x, n*c.output.Size(), n*c.output.Size()).Draw(t, "output")
	weights = rapid.SliceOfN(rapid.Float32Range(0, 2), n, n).Draw(t, "weights")
	return labels, output, weights
}

// However rows are put into batches, each result has the same bits.
func TestBatchesChangeNoBit(t *testing.T) {
	for _, c := range every() {
		rapid.Check(t, func(t *rapid.T) {
			const n = 23
			labels, output, weights := c.rows(t, n)
			if rapid.Bool().Draw(t, "unweighted") {
				weights = nil
			}
			whole, parts := c.start(t), c.start(t)
			whole.Add(labels, output, weights)
			for lo := 0; lo < n; {
				hi := min(n, lo+rapid.IntRange(0, 9).Draw(t, "size"))
				var w []float32
				if weights != nil {
					w = weights[lo:hi]
				}
				parts.Add(labels[lo*c.labels.Size():hi*c.labels.Size()], output[lo*c.output.Size():hi*c.output.Size()], w)
				lo = hi
			}
			for i, v := range values(whole) {
				if got := values(parts)[i]; math.Float64bits(got) != math.Float64bits(v) {
					t.Fatalf("%#v: value %d is %v in batches and %v in one", c.m, i, got, v)
				}
			}
		})
	}
}

// A row of weight 0 does not count, whatever its label and output; a weight of 2 is the row twice.
func TestWeightsCountRows(t *testing.T) {
	for _, c := range every() {
		rapid.Check(t, func(t *rapid.T) {
			const n = 9
			labels, output, weights := c.rows(t, n)
			x, y := c.output.Size(), c.labels.Size()
			repeated := c.start(t)
			for i := range weights {
				weights[i] = float32(int(weights[i] * 1.4)) // 0, 1 or 2
				for range int(weights[i]) {
					repeated.Add(labels[i*y:(i+1)*y], output[i*x:(i+1)*x], nil)
				}
				if weights[i] == 0 && rapid.Bool().Draw(t, "padding") {
					for k := range y {
						labels[i*y+k] = rapid.SampledFrom([]float32{-1, float32(math.NaN())}).Draw(t, "label")
					}
					for k := range x {
						output[i*x+k] = float32(math.NaN())
					}
				}
			}
			weighted := c.start(t)
			weighted.Add(labels, output, weights)
			for i, want := range values(repeated) {
				if got := values(weighted)[i]; !(math.Abs(got-want) <= 1e-12*math.Max(1, math.Abs(want))) && !(math.IsNaN(got) && math.IsNaN(want)) { // of zeros alone
					t.Fatalf("%#v: value %d is %v with weights %v, and %v of repeated rows", c.m, i, got, weights, want)
				}
			}
		})
	}
}

// Labels that are numbers of classes give the bits of rows with a single 1.
func TestClassNumbersAreOneHotRows(t *testing.T) {
	three := tensor.Shape{3}
	for _, m := range []plan.Metric{
		metrics.Precision{}, metrics.Recall{ClassID: optional.Of(2)}, metrics.TrueNegatives{}, metrics.AUC{}, metrics.AUC{MultiLabel: true},
		metrics.F1Score{}, metrics.FBetaScore{Average: metrics.Weighted, Beta: 3},
	} {
		rapid.Check(t, func(t *rapid.T) {
			const n = 8
			numbers, oneHot := testedMetric{m, three, tensor.Shape{}}, testedMetric{m, three, three}
			_, output, weights := numbers.rows(t, n)
			classes := rapid.SliceOfN(rapid.IntRange(0, 2), n, n).Draw(t, "classes")
			var labels, rows []float32
			for _, c := range classes {
				labels = append(labels, float32(c))
				row := []float32{0, 0, 0}
				row[c] = 1
				rows = append(rows, row...)
			}
			a, b := numbers.start(t), oneHot.start(t)
			a.Add(labels, output, weights)
			b.Add(rows, output, weights)
			if !slices.Equal(values(a), values(b)) {
				t.Fatalf("%#v: %v of numbers, %v of rows", m, values(a), values(b))
			}
		})
	}
}

// Counts at any thresholds are those of comparing each output with each threshold.
func TestCountsAreThoseOfComparing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const n = 12
		thresholds := rapid.SliceOfN(rapid.Float32Range(0, 1), 1, 6).Draw(t, "thresholds")
		shape := tensor.Shape{3}
		labels, output, weights := testedMetric{nil, shape, shape}.rows(t, n)
		var counts [4][]float64 // tp, fp, tn, fn
		for k := range counts {
			counts[k] = make([]float64, len(thresholds))
		}
		for i, x := range output {
			for j, threshold := range thresholds {
				k := 0
				switch positive := labels[i] != 0; {
				case x > threshold && !positive:
					k = 1
				case x <= threshold && !positive:
					k = 2
				case x <= threshold:
					k = 3
				}
				counts[k][j] += float64(weights[i/3])
			}
		}
		check := func(m plan.Metric, want func(j int) float64) {
			a := testedMetric{m, shape, shape}.start(t)
			a.Add(labels, output, weights)
			for j, got := range values(a) {
				if w := want(j); !(math.Abs(got-w) <= 1e-12*math.Max(1, w)) {
					t.Fatalf("%#v: value %d is %v, want %v", m, j, got, w)
				}
			}
		}
		of := func(a, b []float64) func(int) float64 {
			return func(j int) float64 {
				if a[j]+b[j] == 0 {
					return 0
				}
				return a[j] / (a[j] + b[j])
			}
		}
		check(metrics.TruePositives{Thresholds: thresholds}, func(j int) float64 { return counts[0][j] })
		check(metrics.FalsePositives{Thresholds: thresholds}, func(j int) float64 { return counts[1][j] })
		check(metrics.TrueNegatives{Thresholds: thresholds}, func(j int) float64 { return counts[2][j] })
		check(metrics.FalseNegatives{Thresholds: thresholds}, func(j int) float64 { return counts[3][j] })
		check(metrics.Precision{Thresholds: thresholds}, of(counts[0], counts[1]))
		check(metrics.Recall{Thresholds: thresholds}, of(counts[0], counts[3]))
	})
}

// The area under the ROC curve is the share of pairs of a positive and a negative row whose outputs are in the right order,
// where the thresholds tell all outputs apart. Minoring and majoring bound it.
func TestAUCIsTheShareOfPairs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const n = 15
		c := testedMetric{metrics.AUC{}, tensor.Shape{1}, tensor.Shape{1}}
		labels, output, _ := c.rows(t, n)
		for i, x := range output {
			output[i] = min(max(x, 0), 1)
		}
		right, pairs := 0.0, 0.0
		for i := range n {
			for j := range n {
				if labels[i] == 1 && labels[j] == 0 {
					pairs++
					switch {
					case output[i] > output[j]:
						right++
					case output[i] == output[j]:
						right += 0.5
					}
				}
			}
		}
		area := func(m metrics.AUC) float64 {
			c.m = m
			a := c.start(t)
			a.Add(labels, output, nil)
			return a.Result()
		}
		want := 0.0
		if pairs > 0 {
			want = right / pairs
		}
		if got := area(metrics.AUC{}); math.Abs(got-want) > 1e-12 {
			t.Fatalf("area %v, want %v", got, want)
		}
		if low, high := area(metrics.AUC{Summation: metrics.Minoring}), area(metrics.AUC{Summation: metrics.Majoring}); low > want+1e-12 || high < want-1e-12 {
			t.Fatalf("area %v is not from %v to %v", want, low, high)
		}
	})
}

// F1 is the harmonic mean of precision and recall of the class, but for Keras's 1e-7.
func TestF1IsTheHarmonicMean(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := testedMetric{metrics.F1Score{Threshold: optional.Of[float32](0.5)}, tensor.Shape{3}, tensor.Shape{3}}
		labels, output, _ := c.rows(t, 20)
		a := c.start(t)
		a.Add(labels, output, nil)
		for class, got := range values(a) {
			var each [2]float64
			for k, m := range []plan.Metric{metrics.Precision{ClassID: optional.Of(class)}, metrics.Recall{ClassID: optional.Of(class)}} {
				c.m = m
				b := c.start(t)
				b.Add(labels, output, nil)
				each[k] = b.Result()
			}
			want := 0.0
			if each[0]+each[1] > 0 {
				want = 2 * each[0] * each[1] / (each[0] + each[1])
			}
			if math.Abs(got-want) > 2e-6 {
				t.Fatalf("class %d: %v, want %v", class, got, want)
			}
		}
	})
}
