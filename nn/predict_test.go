package nn_test

import (
	"context"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"
	"weak"

	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/tensor"
	"github.com/linnet-ml/linnet/text"
)

// readers are models and rows for them, of each kind of input.
func readers(t testing.TB, rows int) map[string]struct {
	model *nn.Model
	x     tensor.Rows
} {
	t.Helper()
	x := ids(t, rows, 17)
	bags, err := text.MakeBags(x, text.BagOptions{Vocabulary: smallVocabulary})
	must(t, err)
	hot, err := text.MultiHot(rowsOf(x), smallVocabulary)
	must(t, err)
	r := rand.New(rand.NewPCG(5, 5))
	values := make([]float32, rows*3*4)
	for i := range values {
		values[i] = float32(r.NormFloat64())
	}
	dense := sequential(t, nn.Features(12), layers.Dense{Units: 9, Activation: layers.Tanh}, layers.Dropout{Rate: 0.5},
		layers.Dense{Units: 3, Activation: layers.Softmax})
	steps := sequential(t, nn.Features(nn.AnyLength, 4), layers.Dense{Units: 2}, layers.GlobalAveragePooling1D{}, layers.Activation{Function: layers.Sigmoid})
	sparse := sequential(t, nn.SparseFeatures(smallVocabulary), layers.Dense{Units: 5, Activation: layers.ReLU}, layers.Dense{Units: 2})
	masked := sequential(t, nn.Tokens(nn.AnyLength), layers.Embedding{Vocabulary: smallVocabulary, Dim: 3, MaskZero: true},
		layers.Dropout{Rate: 0.5}, layers.GlobalAveragePooling1D{}, layers.Dense{Units: 1})
	return map[string]struct {
		model *nn.Model
		x     tensor.Rows
	}{
		"ids":      {smallText(t), x},
		"bags":     {smallText(t), bags},
		"masked":   {masked, x},
		"features": {dense, array(t, values, rows, 12)},
		"steps":    {steps, array(t, values, rows, 3, 4)},
		"sparse":   {sparse, hot},
	}
}

// part is rows lo to hi-1.
func part(x tensor.Rows, lo, hi int) tensor.Rows {
	switch x := x.(type) {
	case *tensor.Int32:
		return x.Rows(lo, hi)
	case *tensor.Float32:
		return x.Rows(lo, hi)
	case *tensor.Sparse:
		return x.Rows(lo, hi)
	case *text.Bags:
		return x.Rows(lo, hi)
	}
	panic("rows of another kind")
}

// A row's prediction has the same bits alone and in any batch, with any number of threads.
func TestPredictBits(t *testing.T) {
	const rows = 40
	for name, c := range readers(t, rows) {
		t.Run(name, func(t *testing.T) {
			want, err := c.model.PredictInto(t.Context(), nil, c.x, nn.PredictOptions{})
			must(t, err)
			for _, o := range []nn.PredictOptions{{BatchSize: 1}, {BatchSize: 7}, {BatchSize: rows, Threads: 2}, {Threads: 3}, {BatchSize: 16, Threads: 8}, {BatchSize: math.MaxInt}} {
				before := runtime.NumGoroutine()
				got, err := c.model.PredictInto(t.Context(), nil, c.x, o)
				must(t, err)
				noneLeft(t, before)
				equalBits(t, "in batches", got, want)
			}
			var alone []float32
			for i := range rows {
				alone, err = c.model.PredictInto(t.Context(), alone, part(c.x, i, i+1), nn.PredictOptions{})
				must(t, err)
			}
			equalBits(t, "row by row", alone, want)
			if name == "bags" {
				return // not without fusion
			}
			plain, err := c.model.PredictInto(t.Context(), nil, c.x, nn.PredictOptions{NoFusion: true})
			must(t, err)
			for i := range want {
				if math.Abs(float64(plain[i]-want[i])) > 1e-6 {
					t.Fatalf("element %d: %v, not fused %v", i, want[i], plain[i])
				}
			}
		})
	}
}

func TestPredictAppends(t *testing.T) {
	m, x := smallText(t), ids(t, 4, 5)
	want, err := m.PredictInto(t.Context(), nil, x, nn.PredictOptions{})
	must(t, err)
	dst := make([]float32, 2, 6)
	dst[0], dst[1] = 8, 9
	got, err := m.PredictInto(t.Context(), dst, x, nn.PredictOptions{})
	must(t, err)
	equalBits(t, "after two elements", got, append([]float32{8, 9}, want...))
	if &got[0] != &dst[0] {
		t.Error("new memory where there was room")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got, err = m.PredictInto(ctx, dst, x, nn.PredictOptions{}); err != context.Canceled || len(got) != 2 {
		t.Errorf("error %v, and %d elements", err, len(got))
	}
}

// Any number of goroutines may predict on one model at once, rows of any length.
func TestPredictConcurrently(t *testing.T) {
	const rows = 24
	for name, c := range readers(t, rows) {
		t.Run(name, func(t *testing.T) {
			want, err := c.model.PredictInto(t.Context(), nil, c.x, nn.PredictOptions{})
			must(t, err)
			width := len(want) / rows
			short := ids(t, 3, 4)
			var wantShort []float32
			if c.model.InputShape("input").String() == "(None, None)" {
				wantShort, err = c.model.PredictInto(t.Context(), nil, short, nn.PredictOptions{})
				must(t, err)
			}
			var all sync.WaitGroup
			for g := range 64 {
				all.Go(func() {
					var dst []float32
					for turn := range 3 {
						lo := (g + turn*5) % rows
						hi := lo + 1 + (g+turn)%(rows-lo)
						var err error
						if dst, err = c.model.PredictInto(context.Background(), dst[:0], part(c.x, lo, hi), nn.PredictOptions{BatchSize: 1 + g%9, Threads: g % 3}); err != nil {
							t.Error(err)
							return
						}
						for i, v := range want[lo*width : hi*width] {
							if math.Float32bits(dst[i]) != math.Float32bits(v) {
								t.Errorf("goroutine %d: rows %d to %d differ", g, lo, hi)
								return
							}
						}
						if wantShort == nil {
							continue
						}
						if dst, err = c.model.PredictInto(context.Background(), dst[:0], short, nn.PredictOptions{}); err != nil || dst[0] != wantShort[0] {
							t.Errorf("goroutine %d: short rows give %v, error %v", g, dst, err)
							return
						}
					}
				})
			}
			all.Wait()
		})
	}
}

// After the first calls a prediction allocates nothing: not for one row, not for many, not when lengths and numbers of
// rows change among those that came before.
func TestPredictDoesNotAllocate(t *testing.T) {
	const rows = 512
	for name, c := range readers(t, rows) {
		t.Run(name, func(t *testing.T) {
			inputs := []tensor.Rows{c.x, part(c.x, 3, 4), part(c.x, 0, 33)}
			if _, ok := c.x.(*tensor.Int32); ok {
				inputs = append(inputs, ids(t, 1, 256), ids(t, 9, 5), ids(t, 512, 64))
			}
			dst := make([]float32, 0, rows*3)
			predict := func() {
				for _, x := range inputs {
					if _, err := c.model.PredictInto(context.Background(), dst, x, nn.PredictOptions{}); err != nil {
						t.Fatal(err)
					}
				}
			}
			predict()
			if n := testing.AllocsPerRun(10, predict); n != 0 {
				t.Errorf("%v allocations in %d calls", n, len(inputs))
			}
		})
	}
}

// One model predicts rows of any length without a new Build: the average is over that many steps.
func TestPredictRowsOfAnyLength(t *testing.T) {
	m := sequential(t, nn.Tokens(nn.AnyLength), layers.Embedding{Vocabulary: 4, Dim: 1}, layers.GlobalAveragePooling1D{})
	must(t, m.SetWeights([][]float32{{0, 1, 10, 100}}))
	for _, steps := range []int{5, 256, 17, 1, 5, 0} {
		x, err := tensor.New[int32](2, steps)
		must(t, err)
		sum := [2]float64{}
		for i := range x.Data() {
			x.Data()[i] = int32((i*i + i/7) % 4)
			sum[i/max(steps, 1)] += []float64{0, 1, 10, 100}[x.Data()[i]]
		}
		for _, noFusion := range []bool{false, true} {
			got, err := m.PredictInto(t.Context(), nil, x, nn.PredictOptions{NoFusion: noFusion})
			must(t, err)
			for i, v := range got {
				want := sum[i] / float64(max(steps, 1)) // of no steps: 0
				if !(math.Abs(float64(v)-want) <= 1e-5) {
					t.Errorf("row %d of %d steps, fused %t: %v, want %v", i, steps, !noFusion, v, want)
				}
			}
		}
	}
}

// Predict keeps no hold of the caller's rows.
func TestPredictForgetsTheRows(t *testing.T) {
	m := smallText(t)
	gone := make(chan struct{})
	func() {
		bags, err := text.MakeBags(ids(t, 3, 4), text.BagOptions{Vocabulary: smallVocabulary})
		must(t, err)
		runtime.AddCleanup(bags, func(c chan struct{}) { close(c) }, gone)
		_, err = m.PredictInto(t.Context(), nil, bags, nn.PredictOptions{})
		must(t, err)
	}()
	for range 100 {
		runtime.GC()
		select {
		case <-gone:
			runtime.KeepAlive(m)
			return
		case <-time.After(10 * time.Millisecond):
		}
	}
	t.Error("the rows are still there after the prediction")
}

// A model keeps nothing of the context of a prediction.
func TestContextIsNotKept(t *testing.T) {
	m := smallText(t)
	type big struct{ _ [1 << 16]byte }
	type name struct{}
	p := new(big)
	w := weak.Make(p)
	_, err := m.Predict(context.WithValue(t.Context(), name{}, p), someReviews(t).X, nn.PredictOptions{})
	must(t, err)
	p = nil
	for range 20 {
		runtime.GC()
		if w.Value() == nil {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	if w.Value() != nil {
		t.Error("the context of a prediction is kept")
	}
	runtime.KeepAlive(m)
}
