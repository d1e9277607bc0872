package bench

import (
	"errors"
	"fmt"
	"testing"

	"github.com/linnet-ml/linnet/internal/shared"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/simd"
	"github.com/linnet-ml/linnet/tensor"
	"github.com/linnet-ml/linnet/text"
)

func load(b *testing.B) *Tutorial {
	b.Helper()
	t, err := LoadTutorial(b.Context(), shared.Path(b, "data/imdb"))
	check(b, err)
	return t
}

func check(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// forms are the data as a user may hand them over.
func forms(b *testing.B, t *Tutorial, x tensor.Rows) []form {
	bags, err := t.Model.Prepare(b.Context(), x)
	check(b, err)
	return []form{{"padded", x.(*tensor.Int32), nil}, {"bags", nil, bags.(*text.Bags)}}
}

type form struct {
	name   string
	padded *tensor.Int32
	bags   *text.Bags
}

func (f form) rows(lo, hi int) tensor.Rows {
	if f.bags != nil {
		return f.bags.Rows(lo, hi)
	}
	return f.padded.Rows(lo, hi)
}

func (f form) len() int {
	if f.bags != nil {
		return f.bags.Len()
	}
	return f.padded.Len()
}

var errMeasured = errors.New("measured")

// between fits until b.Loop, asked at each event but those of the first epoch, ends the measurement.
func between(b *testing.B, m *nn.Model, d nn.Data, o nn.FitOptions, event plan.Event) {
	b.Helper()
	o.Epochs = 1 << 30
	o.Callbacks = []nn.Callback{plan.CallbackFunc(func(e plan.Event, t plan.Training) error {
		if e == event && t.Epoch() > 0 && !b.Loop() {
			return errMeasured
		}
		return nil
	})}
	if _, err := m.Fit(b.Context(), d, o); !errors.Is(err, errMeasured) {
		b.Fatal(err)
	}
}

// wholeBatches is the part of bags and labels that fills batches.
func wholeBatches(d nn.Data) nn.Data {
	rows := d.X.Len() / Batch * Batch
	return nn.Data{X: d.X.(*text.Bags).Rows(0, rows), Y: d.Y.(*tensor.Int32).Rows(0, rows)}
}

// BenchmarkStep is a training step of 512 reviews.
func BenchmarkStep(b *testing.B) {
	t := load(b)
	bags, err := t.Model.Prepare(b.Context(), t.Train.X)
	check(b, err)
	d := wholeBatches(nn.Data{X: bags, Y: t.Train.Y})
	for _, threads := range []int{1, 2} {
		b.Run(fmt.Sprintf("threads=%d/isa=%s", threads, simd.Path()), func(b *testing.B) {
			b.ReportAllocs()
			o := t.FitOptions(0, threads)
			o.Validation = nil
			between(b, t.Model, d, o, plan.BatchBegin)
		})
	}
}

// BenchmarkEpoch is 30 steps and the validation, the bags made before.
func BenchmarkEpoch(b *testing.B) {
	t := load(b)
	for _, threads := range []int{1, 2} {
		b.Run(fmt.Sprintf("threads=%d/isa=%s", threads, simd.Path()), func(b *testing.B) {
			between(b, t.Model, t.Train, t.FitOptions(0, threads), plan.EpochBegin)
		})
	}
}

// BenchmarkFit is the tutorial's 40 epochs with validation, bags made inside.
func BenchmarkFit(b *testing.B) {
	t := load(b)
	for _, threads := range []int{1, 2} {
		b.Run(fmt.Sprintf("threads=%d/isa=%s", threads, simd.Path()), func(b *testing.B) {
			for b.Loop() {
				_, err := t.Model.Fit(b.Context(), t.Train, t.FitOptions(40, threads))
				check(b, err)
			}
		})
	}
}

// BenchmarkEvaluate is the 25,000 test reviews.
func BenchmarkEvaluate(b *testing.B) {
	t := load(b)
	for _, f := range forms(b, t, t.Test.X) {
		for _, threads := range []int{1, 2} {
			b.Run(fmt.Sprintf("x=%s/threads=%d/isa=%s", f.name, threads, simd.Path()), func(b *testing.B) {
				for b.Loop() {
					_, err := t.Model.Evaluate(b.Context(), nn.Data{X: f.rows(0, f.len()), Y: t.Test.Y}, EvaluateOptions(threads))
					check(b, err)
				}
			})
		}
	}
}

// BenchmarkPredict predicts so many different reviews in turn, into the caller's slice: 1,000 one by one, 512 at once
// from all, and all at once.
func BenchmarkPredict(b *testing.B) {
	t := load(b)
	for _, f := range forms(b, t, t.Test.X) {
		for _, c := range []struct{ rows, of int }{{1, 1000}, {512, 25000}, {25000, 25000}} {
			var x []tensor.Rows
			for lo := 0; lo+c.rows <= c.of; lo += c.rows {
				x = append(x, f.rows(lo, lo+c.rows))
			}
			dst := make([]float32, 0, c.rows)
			b.Run(fmt.Sprintf("rows=%d/x=%s/isa=%s", c.rows, f.name, simd.Path()), func(b *testing.B) {
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					_, err := t.Model.PredictInto(b.Context(), dst, x[i%len(x)], nn.PredictOptions{})
					check(b, err)
				}
			})
		}
	}
}

// BenchmarkLoad reads the data set and pads it.
func BenchmarkLoad(b *testing.B) {
	path := shared.Path(b, "data/imdb")
	for b.Loop() {
		_, _, err := LoadPadded(b.Context(), path)
		check(b, err)
	}
}
