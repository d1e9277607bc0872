package nn_test

import (
	"context"
	"errors"
	"iter"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/linnet-ml/linnet/loss"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/optim"
	"github.com/linnet-ml/linnet/tensor"
)

// numbered are batches of one row, 0 to n-1, and then an error, if there is one.
func numbered(t *testing.T, n int, err error) nn.Source {
	return nn.SourceFunc(func(context.Context, int) iter.Seq2[nn.Batch, error] {
		return func(yield func(nn.Batch, error) bool) {
			for i := range n {
				if !yield(nn.Batch{X: array(t, []float32{float32(i)})}, nil) {
					return
				}
			}
			if err != nil {
				yield(nn.Batch{}, err)
			}
		}
	})
}

// Batches that are made ahead come in their order, with the error at their end; whoever leaves early, or is cancelled,
// leaves no goroutine.
func TestReadAhead(t *testing.T) {
	before := runtime.NumGoroutine()
	broken := errors.New("broken")
	for _, depth := range []int{-1, 1, 3, 100} {
		for _, leave := range []int{1, 4, 100} {
			var got, want []float32
			var failed error
			for b, err := range nn.ReadAhead(numbered(t, 9, broken), depth).Batches(t.Context(), 0) {
				if err != nil {
					failed = err
					continue
				}
				got = append(got, b.X.(*tensor.Float32).Data()...)
				if len(got) == leave {
					break
				}
			}
			for i := range min(9, leave) {
				want = append(want, float32(i))
			}
			if diff := cmp.Diff(want, got); diff != "" || (failed == broken) != (leave > 9) {
				t.Errorf("depth %d, %d batches: %v, error %v", depth, leave, got, failed)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		n := 0
		var failed error
		for _, err := range nn.ReadAhead(numbered(t, 1000, nil), depth).Batches(ctx, 0) {
			if n++; n == 3 {
				cancel()
			}
			if failed = err; err != nil {
				break
			}
		}
		cancel()
		if n >= 1000 || (failed != nil && !errors.Is(failed, context.Canceled)) {
			t.Errorf("depth %d: %d batches after the context was cancelled, error %v", depth, n, failed)
		}
	}
	noneLeft(t, before)
}

// A stream that is read ahead trains to the same bits.
func TestReadAheadTrains(t *testing.T) {
	d := someReviews(t)
	_, want := fitted(t, noisyText(t), &sliced{d: d, rows: 8}, streamRun())
	_, got := fitted(t, noisyText(t), nn.ReadAhead(&sliced{d: d, rows: 8}, 2), streamRun())
	sameBits(t, "weights", got, want)
}

// Errors about data have a type of their own, with the input, the row and the column.
func TestInputErrors(t *testing.T) {
	m := smallText(t)
	wrong := ids(t, 5, 4)
	wrong.Row(3)[2] = -7
	right := ids(t, 5, 4)
	labels := sides(t, right)
	bad := array(t, []float32{0, 1, 0, 2, 0})
	for name, c := range map[string]struct {
		call        func() error
		row, column int
	}{
		"id, Predict": {func() error { return second2(m.Predict(t.Context(), wrong, nn.PredictOptions{})) }, 3, 2},
		"id, Evaluate": {func() error {
			return second2(m.Evaluate(t.Context(), nn.Data{X: wrong, Y: labels}, nn.EvaluateOptions{Loss: trains().Loss}))
		}, 3, 2},
		"id, Fit":    {func() error { return second2(m.Fit(t.Context(), nn.Data{X: wrong, Y: labels}, trains())) }, 3, 2},
		"label, Fit": {func() error { return second2(m.Fit(t.Context(), nn.Data{X: right, Y: bad}, trains())) }, 3, 0},
		"shape":      {func() error { return second2(m.Predict(t.Context(), array(t, []float32{1}), nn.PredictOptions{})) }, -1, -1},
	} {
		var in *nn.InputError
		if err := c.call(); !errors.As(err, &in) || in.Row != c.row || in.Column != c.column || in.Input != "" {
			t.Errorf("%s: error %v (%+v), want row %d, column %d", name, err, in, c.row, c.column)
		}
	}
}

// A source that is nil is the same error wherever it is.
func TestNilSources(t *testing.T) {
	var none nn.SourceFunc
	for name, src := range map[string]nn.Source{
		"nil": nil, "a nil function": none, "read ahead": nn.ReadAhead(nil, 2), "a nil function, read ahead": nn.ReadAhead(none, 2), "read ahead twice": nn.ReadAhead(nn.ReadAhead(nil, 1), 2),
	} {
		m := lines(t)
		_, fit := m.Fit(t.Context(), src, nn.FitOptions{Optimizer: optim.Adam{}, Loss: loss.MeanSquaredError{}, Epochs: 1})
		_, evaluate := m.Evaluate(t.Context(), src, nn.EvaluateOptions{Loss: loss.MeanSquaredError{}})
		var predict error
		for _, err := range m.PredictAll(t.Context(), src, nn.PredictOptions{}) {
			predict = err
		}
		for call, err := range map[string]error{"Fit": fit, "Evaluate": evaluate, "PredictAll": predict} {
			if err == nil || err.Error() != "nn: there is no data: the source is nil" {
				t.Errorf("%s of %s: %v", call, name, err)
			}
		}
	}
}
