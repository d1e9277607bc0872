package selection

import (
	"context"
	"math"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/linnet-ml/linnet/classifier/internal/features"
	"github.com/linnet-ml/linnet/classifier/internal/linear"
	"github.com/linnet-ml/linnet/internal/spill"
)

// Settings of the solver. Recipes are compared with a tolerance that changes their log losses by less than a hundredth, and the
// model is learned with that of liblinear, for which more passes change hardly a decision.
const (
	rough   = 0.3
	precise = 0.1
	epochs  = 40
	bias    = 1
)

// A Weighted is a collection of texts with values by a recipe.
type Weighted struct {
	Matrix  linear.Matrix
	Inverse []uint8 // the inverse frequency of each column
	kind    []features.Kind
	blocks  int    // 2 if columns are n-grams of words and of characters, else 1
	minimum uint32 // the lowest number of texts that a column is in

	id    spill.Array[uint32] // unless they are the corpus's
	value spill.Array[float32]
}

// Free gives the memory of values that are in a file back. The Weighted must not be used any more.
func (w *Weighted) Free() {
	if w != nil {
		w.id.Free()
		w.value.Free()
	}
}

// Weigh gives the n-grams of a corpus that the recipe wants their values. They lie in the space.
func Weigh(ctx context.Context, c *features.Corpus, r Recipe, space *spill.Space) (*Weighted, error) {
	w := &Weighted{Inverse: make([]uint8, len(c.Hash)), kind: c.Kind, blocks: 1, minimum: math.MaxUint32}
	if r.Features.WordMax > 0 && r.Features.CharMax > 0 {
		w.blocks = 2
	}
	for f, n := range c.Frequency {
		w.minimum = min(w.minimum, n)
		w.Inverse[f] = features.InverseFrequency(c.Rows(), n)
	}
	wanted, all := [features.Kinds]bool{}, true
	for k := range wanted {
		wanted[k] = r.Features.Has(features.Kind(k))
	}
	for _, k := range c.Kind {
		all = all && wanted[k]
	}
	w.Matrix = linear.Matrix{Columns: len(c.Hash), Start: c.Start}
	ids, values := spill.NewWriter[uint32](space, 0), spill.NewWriter[float32](space, len(c.ID))
	defer ids.Discard()
	defer values.Discard()
	if !all {
		ids = spill.NewWriter[uint32](space, len(c.ID))
		w.Matrix.Start = make([]int, 1, len(c.Start))
	}
	weigher := features.NewWeigher(r.Weighting())
	var id []uint32 // of the row
	var value []float32
	entries := 0
	for i := range c.Rows() {
		if i%checkEvery == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		id, value = id[:0], value[:0]
		var sums [2]float32
		for j := c.Start[i]; j < c.Start[i+1]; j++ {
			f := c.ID[j]
			if !wanted[c.Kind[f]] {
				continue
			}
			v := weigher.Value(uint32(c.Count[j]), w.Inverse[f])
			sums[block(c.Kind[f])] += float32(v * v)
			id = append(id, f)
			value = append(value, v)
		}
		scale := [2]float32{features.Scale(sums[0]), features.Scale(sums[1])}
		for j, f := range id {
			value[j] *= scale[block(c.Kind[f])]
		}
		entries += len(id)
		if err := values.Append(value); err != nil {
			return nil, err
		}
		if !all {
			w.Matrix.Start = append(w.Matrix.Start, entries)
			if err := ids.Append(id); err != nil {
				return nil, err
			}
		}
	}
	var err error
	if w.value, err = values.Array(); err != nil {
		return nil, err
	}
	w.Matrix.ID, w.Matrix.Value, w.Matrix.Mapped = c.ID, w.value.Data, w.value.Mapped()
	if !all {
		if w.id, err = ids.Array(); err != nil {
			w.Free()
			return nil, err
		}
		w.Matrix.ID = w.id.Data
	}
	return w, nil
}

// checkEvery is how many rows are read between two looks at a context.
const checkEvery = 1 << 10

func block(k features.Kind) int {
	if _, chars := k.Length(); chars {
		return 1
	}
	return 0
}

// A Linear is what a recipe learns: a weight of each column for each score.
type Linear struct {
	Weights [][]float32
	Bias    []float32
}

// Score writes the scores of row i of x.
func (l *Linear) Score(dst []float32, x *linear.Matrix, i int32) {
	for k := range dst {
		m := linear.Model{Weights: l.Weights[k], Bias: l.Bias[k]}
		dst[k] = m.Score(x, i)
	}
}

// A fitting is one fit of a recipe: the rows of the matrix to learn from, and the task's row of each row of the matrix.
type fitting struct {
	task   *Task
	x      *linear.Matrix
	of     []int32
	rows   []int32
	recipe Recipe
	seed   uint64
	start  [][]float32 // dual variables to begin with, by score and row of the matrix; nil for none

	tolerance float64
}

// column fits score k. It also returns the dual variables by row of the matrix.
func (f *fitting) column(ctx context.Context, k int) (*linear.Model, []float32, error) {
	p := &linear.Problem{
		X: f.x, Rows: f.rows, Positive: make([]bool, f.x.Rows()), Cost: make([]float32, f.x.Rows()), Bias: bias,
		Seed: f.seed, Tolerance: f.tolerance, Epochs: epochs,
		Passed: f.task.Meter.model(),
	}
	if f.start != nil {
		p.Start = f.start[k]
	}
	n := 0
	for i, row := range f.of {
		p.Positive[i] = f.task.Is(row, k)
	}
	for _, i := range f.rows {
		if p.Positive[i] {
			n++
		}
	}
	yes, no := f.recipe.C, f.recipe.C
	if f.recipe.Balanced && n > 0 && n < len(f.rows) {
		yes *= float32(len(f.rows)) / float32(2*n)
		no *= float32(len(f.rows)) / float32(2*(len(f.rows)-n))
	}
	for i, positive := range p.Positive {
		p.Cost[i] = no
		if positive {
			p.Cost[i] = yes
		}
	}
	var ratios []float32
	if f.recipe.NaiveBayes {
		var err error
		if ratios, err = linear.LogRatios(ctx, f.x, f.rows, p.Positive); err != nil {
			return nil, nil, err
		}
		p.X = f.x.Scaled(ratios)
	}
	m, err := linear.SquaredHinge(ctx, p)
	if err != nil {
		return nil, nil, err
	}
	for c, r := range ratios {
		m.Weights[c] *= r
	}
	p.Passed(1)
	dual := make([]float32, f.x.Rows())
	for j, i := range f.rows {
		dual[i] = float32(m.Dual[j])
	}
	return m, dual, nil
}

// fit fits all scores. Complement naive Bayes enters with the given factor for each score.
func (f *fitting) fit(ctx context.Context, complement float32) (*Linear, error) {
	columns := f.task.Columns()
	l := &Linear{make([][]float32, columns), make([]float32, columns)}
	err := parallel(ctx, columns, func(ctx context.Context, k int) error {
		m, _, err := f.column(ctx, k)
		if err == nil {
			l.Weights[k], l.Bias[k] = m.Weights, m.Bias
		}
		return err
	})
	if err != nil || complement == 0 {
		return l, err
	}
	bayes, err := f.complement(ctx)
	if err != nil {
		return nil, err
	}
	for k, w := range bayes {
		for c, v := range w {
			l.Weights[k][c] += float32(complement * v)
		}
	}
	return l, nil
}

func (f *fitting) complement(ctx context.Context) ([][]float32, error) {
	class := make([]int32, len(f.of))
	for i, row := range f.of {
		class[i] = f.task.Class[row]
	}
	return linear.Complement(ctx, f.x, f.rows, class, f.task.Classes)
}

// parallel calls do for 0 to n-1, on as many goroutines as there are processors. No result may depend on which comes
// first.
func parallel(ctx context.Context, n int, do func(ctx context.Context, i int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n || ctx.Err() != nil {
					return
				}
				if err := do(ctx, i); err != nil {
					cancel(err)
					return
				}
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}
