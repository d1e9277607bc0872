package selection

import (
	"context"
	"math"
	"runtime"

	"github.com/linnet-ml/linnet/classifier/internal/features"
	"github.com/linnet-ml/linnet/classifier/internal/linear"
	"github.com/linnet-ml/linnet/classifier/internal/parallel"
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
	watch := parallel.NewWatch(ctx)
	for i := range c.Rows() {
		if err := watch.Spend(c.Start[i+1] - c.Start[i]); err != nil {
			return nil, err
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

// Keep leaves the weights of the given columns alone, which have the numbers from 0 then, in this order.
func (l *Linear) Keep(columns []uint32) {
	for k, w := range l.Weights {
		kept := make([]float32, len(columns))
		for i, c := range columns {
			kept[i] = w[c]
		}
		l.Weights[k] = kept
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
	models int         // how many are fitted side by side, if there are as many processors

	tolerance float64
}

// copiedValues is how many values of a matrix all goroutines together may copy, to scale them faster than one by one.
const copiedValues = 1 << 26

// column fits score k.
func (f *fitting) column(ctx context.Context, k int) (*linear.Model, error) {
	p := &linear.Problem{
		X: f.x, Rows: f.rows, Positive: make([]bool, f.x.Rows()), Cost: f.recipe.C, PositiveCost: f.recipe.C, Bias: bias,
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
	if f.recipe.Balanced && n > 0 && n < len(f.rows) {
		p.PositiveCost *= float32(len(f.rows)) / float32(2*n)
		p.Cost *= float32(len(f.rows)) / float32(2*(len(f.rows)-n))
	}
	var ratios []float32
	if f.recipe.NaiveBayes {
		var err error
		if ratios, err = linear.LogRatios(ctx, f.x, f.rows, p.Positive); err != nil {
			return nil, err
		}
		p.X = f.x.Scaled(ratios, copiedValues/min(runtime.GOMAXPROCS(0), max(f.models, 1)))
	}
	m, err := linear.SquaredHinge(ctx, p)
	if err != nil {
		return nil, err
	}
	for c, r := range ratios {
		m.Weights[c] *= r
	}
	p.Passed(1)
	return m, nil
}

// dual is the dual variables of a model by row of the matrix.
func (f *fitting) dual(m *linear.Model) []float32 {
	dual := make([]float32, f.x.Rows())
	for j, i := range f.rows {
		dual[i] = float32(m.Dual[j])
	}
	return dual
}

// fit fits all scores. Complement naive Bayes enters with the given factor for each score.
func (f *fitting) fit(ctx context.Context, complement float32) (*Linear, error) {
	columns := f.task.Columns()
	l := &Linear{make([][]float32, columns), make([]float32, columns)}
	err := parallel.Each(ctx, columns, func(ctx context.Context, k int) error {
		m, err := f.column(ctx, k)
		if err == nil {
			l.Weights[k], l.Bias[k] = m.Weights, m.Bias
		}
		return err
	})
	if err != nil || complement == 0 {
		return l, err
	}
	return l, f.complement(ctx, func(_ context.Context, k int, weights []float32) error {
		for c, v := range weights {
			l.Weights[k][c] += float32(complement * v)
		}
		return nil
	})
}

// complement calls use with the weights of complement naive Bayes, class by class.
func (f *fitting) complement(ctx context.Context, use func(ctx context.Context, k int, weights []float32) error) error {
	class := make([]int32, len(f.of))
	for i, row := range f.of {
		class[i] = f.task.Class[row]
	}
	return linear.Complement(ctx, f.x, f.rows, class, f.task.Classes, use)
}
