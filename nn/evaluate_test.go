package nn_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/linnet-ml/linnet/loss"
	"github.com/linnet-ml/linnet/metrics"
	"github.com/linnet-ml/linnet/nn"
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
