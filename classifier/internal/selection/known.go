package selection

import (
	"context"

	"github.com/linnet-ml/linnet/classifier/internal/features"
	"github.com/linnet-ml/linnet/classifier/internal/linear"
	"github.com/linnet-ml/linnet/classifier/internal/parallel"
)

// known is which n-grams a classifier knows that learns without a fold. The values of a held-out row were scaled together with n-grams
// that such a classifier does not know; its known ones are scaled to length 1 again, as they are when a text is classified.
type known struct {
	column []bool
	scale  [][2]float32 // of each held-out row, what makes the length of the known n-grams of words, and of characters, 1
}

// find finds what is known from the given rows.
func (k *known) find(ctx context.Context, w *Weighted, rows, held []int32) error {
	x := &w.Matrix
	counts := make([]uint8, x.Columns)
	watch := parallel.NewWatch(ctx)
	for _, i := range rows {
		id, _ := x.Row(i)
		if err := watch.Spend(len(id)); err != nil {
			return err
		}
		for _, c := range id {
			counts[c] = min(counts[c], 1) + 1
		}
	}
	least := uint8(min(w.minimum, 2))
	k.column = make([]bool, x.Columns)
	for c, n := range counts {
		k.column[c] = n >= least
	}
	return k.measure(ctx, w, held)
}

// only leaves some columns, in ascending order, of those that are known.
func (k *known) only(columns []uint32) {
	next := 0
	for _, c := range columns {
		clear(k.column[next:c])
		next = int(c) + 1
	}
	clear(k.column[next:])
}

// measure finds what makes the values of held-out rows of length 1 again.
func (k *known) measure(ctx context.Context, w *Weighted, held []int32) error {
	x := &w.Matrix
	watch := parallel.NewWatch(ctx)
	k.scale = make([][2]float32, len(held))
	for j, i := range held {
		var squares [2]float64
		id, value := x.Row(i)
		if err := watch.Spend(len(id)); err != nil {
			return err
		}
		for n, c := range id {
			if k.column[c] {
				squares[block(w.kind[c])] += float64(value[n]) * float64(value[n])
			}
		}
		for b, s := range squares {
			k.scale[j][b] = features.Scale(float32(s))
		}
	}
	return nil
}

// keep sets the weights of what is not known to 0.
func (k *known) keep(weights []float32) {
	for c, ok := range k.column {
		if !ok {
			weights[c] = 0
		}
	}
}

// score is the model's value of a row whose n-grams of words, and of characters, are multiplied by scale.
func (w *Weighted) score(m *linear.Model, row int32, scale [2]float32) float32 {
	if w.blocks == 1 {
		s := m.Score(&w.Matrix, row) - m.Bias
		return float32(s*max(scale[0], scale[1])) + m.Bias
	}
	id, value := w.Matrix.Row(row)
	var sums [2]float32
	for j, c := range id {
		sums[block(w.kind[c])] += float32(m.Weights[c] * value[j])
	}
	return float32(sums[0]*scale[0]) + float32(sums[1]*scale[1]) + m.Bias
}

// scores writes the scores of held-out rows to every columns-th element of dst, from number first on. It sets the weights of what
// is not known to 0.
func (w *Weighted) scores(ctx context.Context, dst []float32, first, columns int, m *linear.Model, held []int32, known *known) error {
	known.keep(m.Weights)
	watch := parallel.NewWatch(ctx)
	for j, i := range held {
		if err := watch.Spend(w.Matrix.Start[i+1] - w.Matrix.Start[i]); err != nil {
			return err
		}
		dst[first+j*columns] = w.score(m, i, known.scale[j])
	}
	return nil
}
