package nn_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/loss"
	"github.com/linnet-ml/linnet/metrics"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/tensor"
)

// The loss comes first, then the metrics, then the weighted ones. The loss is the mean of the rows' weighted losses.
func TestEvaluate(t *testing.T) {
	d := nn.Data{X: array(t, []float32{1, 2, 3}, 3, 1), Y: array(t, []float32{2, 0, 7}), Weights: []float32{1, 0.5, 4}}
	got, err := lines(t).Evaluate(t.Context(), d, nn.EvaluateOptions{Loss: loss.MeanSquaredError{}, BatchSize: 2,
		Metrics: []nn.Metric{metrics.Mean{}}, WeightedMetrics: []nn.Metric{metrics.Mean{As: "weighted"}}})
	must(t, err)
	want := fmt.Sprintf("loss: %.4f - mean: 4.0000 - weighted: %.4f", (0*1+16*0.5+1*4)/3, (2*1+4*0.5+6*4)/5.5)
	if got.String() != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// Neither batch size nor threads change a bit of a result, though the rows' losses are of very different sizes, so that
// the order in which they are added shows.
func TestEvaluateBits(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	x := array(t, make([]float32, 1000), 1000, 1)
	for i := range x.Data() {
		x.Data()[i] = float32(math.Exp(r.Float64()*14 - 7))
	}
	m := lines(t)
	d := nn.Data{X: x, Y: array(t, make([]float32, 1000)), Weights: make([]float32, 1000)}
	for i := range d.Weights {
		d.Weights[i] = r.Float32()
	}
	evaluate := func(m *nn.Model, d nn.Data, l nn.Loss, batch, threads int) map[string]uint64 {
		before := runtime.NumGoroutine()
		logs, err := m.Evaluate(t.Context(), d, nn.EvaluateOptions{Loss: l, BatchSize: batch, Threads: threads,
			Metrics: []nn.Metric{metrics.Mean{}}, WeightedMetrics: []nn.Metric{metrics.Mean{As: "weighted"}}})
		must(t, err)
		noneLeft(t, before)
		bits := map[string]uint64{}
		for name, v := range logs.All() {
			bits[name] = math.Float64bits(v)
		}
		return bits
	}
	text := someReviews(t)
	want, wantText := evaluate(m, d, loss.MeanSquaredError{}, 0, 1), evaluate(smallText(t), text, loss.BinaryCrossentropy{}, 0, 1)
	for _, c := range [][2]int{{1, 1}, {7, 1}, {1000, 1}, {math.MaxInt, 1}, {32, 2}, {100, 3}, {50, 8}} {
		got, gotText := evaluate(m, d, loss.MeanSquaredError{}, c[0], c[1]), evaluate(smallText(t), text, loss.BinaryCrossentropy{}, c[0], c[1])
		for name := range want {
			if got[name] != want[name] || gotText[name] != wantText[name] {
				t.Errorf("batches of %d, %d threads: %s differs", c[0], c[1], name)
			}
		}
	}
}

// What Fit shows of the validation data is what Evaluate says of them.
func TestEvaluateAgreesWithFit(t *testing.T) {
	d := someReviews(t)
	x, y := d.X.(*tensor.Int32), d.Y.(*tensor.Int32)
	for _, noFusion := range []bool{false, true} {
		o := longRun()
		o.NoFusion = noFusion
		m := noisyText(t)
		h, err := m.Fit(t.Context(), d, o)
		must(t, err)
		logs, err := m.Evaluate(t.Context(), nn.Data{X: x.Rows(36, 45), Y: y.Rows(36, 45)},
			nn.EvaluateOptions{Loss: o.Loss, Metrics: o.Metrics, BatchSize: 5, NoFusion: noFusion})
		must(t, err)
		for name, v := range logs.All() {
			if want := h.Values("val_" + name)[2]; v != want {
				t.Errorf("fused %t: %s is %v, and val_%s %v", !noFusion, name, v, name, want)
			}
		}
	}
}

func TestEvaluateOfAnEndedContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	before := runtime.NumGoroutine()
	if _, err := smallText(t).Evaluate(ctx, someReviews(t), nn.EvaluateOptions{Loss: loss.BinaryCrossentropy{}, Threads: 3}); err != context.Canceled {
		t.Errorf("error %v", err)
	}
	noneLeft(t, before)
}

// severalMetrics have one value, several values, and none of them a loss.
func severalMetrics() []nn.Metric {
	return []nn.Metric{metrics.Accuracy{}, metrics.Precision{Thresholds: []float32{0.3, 0.6}}, metrics.AUC{Curve: metrics.PR}, metrics.BinaryCrossentropy{}}
}

// Without a loss only metrics are reported, and they are those beside a loss, with any threads and sizes of batches. The
// model never had a loss.
func TestEvaluateWithoutLoss(t *testing.T) {
	m, d := smallText(t), someReviews(t)
	d.Weights = make([]float32, 45)
	for i := range d.Weights {
		d.Weights[i] = float32(i%4) / 2
	}
	evaluate := func(l nn.Loss, batch, threads int) *history.Logs {
		logs, err := m.Evaluate(t.Context(), d, nn.EvaluateOptions{Loss: l, Metrics: severalMetrics(), BatchSize: batch, Threads: threads,
			WeightedMetrics: []nn.Metric{metrics.Recall{}}})
		must(t, err)
		return logs
	}
	want := evaluate(nil, 0, 1)
	var names []string
	for name := range want.All() {
		names = append(names, name)
	}
	if d := cmp.Diff([]string{"accuracy", "precision_0.3", "precision_0.6", "auc", "binary_crossentropy", "recall"}, names); d != "" {
		t.Fatal(d)
	}
	for _, got := range []*history.Logs{evaluate(nil, 1, 1), evaluate(nil, 7, 2), evaluate(nil, 45, 3), evaluate(nil, 16, 8), evaluate(loss.BinaryCrossentropy{}, 7, 2)} {
		for name, v := range want.All() {
			if g, _ := got.Get(name); math.Float64bits(g) != math.Float64bits(v) {
				t.Errorf("%s is %v, and elsewhere %v", name, v, g)
			}
		}
	}
	_, err := m.Evaluate(t.Context(), d, nn.EvaluateOptions{})
	wantError(t, err, "nn: Evaluate needs a loss or a metric")
}

// Each value of a metric is in the History, with the metric's direction, and is what a metric of that value alone has.
func TestSeveralValues(t *testing.T) {
	o := longRun()
	o.Metrics = severalMetrics()
	h, err := noisyText(t).Fit(t.Context(), someReviews(t), o)
	must(t, err)
	for _, name := range []string{"precision_0.3", "val_precision_0.6", "val_auc"} {
		if n := len(h.Values(name)); n != 3 || h.Direction(name) != history.HigherIsBetter {
			t.Errorf("%s: %d values, direction %v", name, n, h.Direction(name))
		}
	}
	if h.Direction("val_binary_crossentropy") != history.LowerIsBetter || h.Direction("val_loss") != history.LowerIsBetter {
		t.Error("the direction of a loss")
	}
	m := smallText(t)
	logs, err := m.Evaluate(t.Context(), someReviews(t), nn.EvaluateOptions{Metrics: []nn.Metric{
		metrics.Precision{Thresholds: []float32{0.3, 0.6}}, metrics.Precision{Thresholds: []float32{0.3}, As: "sure"}, metrics.Precision{Thresholds: []float32{0.6}, As: "surer"}}})
	must(t, err)
	for several, alone := range map[string]string{"precision_0.3": "sure", "precision_0.6": "surer"} {
		a, _ := logs.Get(several)
		if b, ok := logs.Get(alone); !ok || a != b {
			t.Errorf("%s is %v, and alone %v", several, a, b)
		}
	}
}

// valueNames is a metric whose values have these names.
type valueNames []string

func (valueNames) Kind() string                                      { return "ValueNames" }
func (valueNames) Name() string                                      { return "metric" }
func (valueNames) Direction() history.Direction                      { return history.NoDirection }
func (n valueNames) ValueNames() []string                            { return n }
func (valueNames) Value(i int) float64                               { return float64(i + 1) }
func (valueNames) Result() float64                                   { return 7 }
func (valueNames) Add(_, _, _ []float32)                             {}
func (valueNames) Reset()                                            {}
func (valueNames) Sums() []float64                                   { return nil }
func (valueNames) SetSums([]float64) error                           { return nil }
func (n valueNames) Start(plan.MetricInfo) (plan.Accumulator, error) { return n, nil }

func TestNamesOfValues(t *testing.T) {
	evaluate := func(n valueNames) (*history.Logs, error) {
		return smallText(t).Evaluate(t.Context(), someReviews(t), nn.EvaluateOptions{Metrics: []nn.Metric{n}})
	}
	logs, err := evaluate(valueNames{"b", "a"})
	must(t, err)
	if got := logs.String(); got != "metric_b: 1.0000 - metric_a: 2.0000" {
		t.Error(got)
	}
	_, err = evaluate(valueNames{"a", "a"})
	wantError(t, err, `nn: two logs are named "metric_a"`)
	_, err = evaluate(valueNames{})
	wantError(t, err, "nn: the metric ValueNames has no values")
}

// Steps that a mask leaves out count in no metric, whatever their labels.
func TestMaskReachesCounts(t *testing.T) {
	m := sequential(t, nn.Tokens(nn.AnyLength), layers.Embedding{Vocabulary: 3, Dim: 1, MaskZero: true})
	must(t, m.SetWeights([][]float32{{0.9, 0.8, 0.1}}))
	x, err := tensor.Of([]int32{1, 2, 0, 1, 0, 0}, 2, 3)
	must(t, err)
	y := array(t, []float32{1, 1, 1, 0, 1, -1}, 2, 3, 1)
	logs, err := m.Evaluate(t.Context(), nn.Data{X: x, Y: y}, nn.EvaluateOptions{Metrics: []nn.Metric{metrics.TruePositives{}, metrics.FalsePositives{},
		metrics.TrueNegatives{}, metrics.FalseNegatives{}, metrics.Precision{}, metrics.MeanAbsoluteError{}}})
	must(t, err)
	want := "true_positives: 1.0000 - false_positives: 1.0000 - true_negatives: 0.0000e+00 - false_negatives: 1.0000 - precision: 0.5000 - mean_absolute_error: 0.6333"
	if got := logs.String(); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
