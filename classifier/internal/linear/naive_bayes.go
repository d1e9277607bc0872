package linear

import (
	"context"

	"github.com/linnet-ml/linnet/classifier/internal/parallel"
	"github.com/linnet-ml/linnet/simd"
)

// LogRatios returns for each column the logarithm of how much more frequent it is in positive rows than in the others:
// log((p+1)/sum(p+1)) - log((q+1)/sum(q+1)), where p and q count the rows that have the column (Wang and Manning, ACL
// 2012).
func LogRatios(ctx context.Context, x *Matrix, rows []int32, positive []bool) ([]float32, error) {
	p, q := make([]int32, x.Columns), make([]int32, x.Columns)
	present := make([]bool, x.Columns)
	watch := parallel.NewWatch(ctx)
	for _, i := range rows {
		counts := q
		if positive[i] {
			counts = p
		}
		id, _ := x.Row(i)
		if err := watch.Spend(len(id)); err != nil {
			return nil, err
		}
		for _, c := range id {
			counts[c]++
			present[c] = true
		}
	}
	sumP, sumQ := 0, 0
	for c := range p {
		if present[c] {
			sumP += int(p[c]) + 1
			sumQ += int(q[c]) + 1
		}
	}
	ratios := make([]float32, x.Columns)
	if sumP == 0 {
		return ratios, nil
	}
	prior := simd.Log64(float64(sumQ) / float64(sumP))
	for c := range ratios {
		if present[c] {
			ratios[c] = float32(simd.Log64(float64(p[c]+1)/float64(q[c]+1)) + prior)
		}
	}
	return ratios, nil
}

// sumsRoom is how many sums of values by class and column there are at a time: 128 MiB of them.
const sumsRoom = 1 << 24

// Complement computes the weights of complement naive Bayes (Rennie, Shih, Teevan and Karger, ICML 2003), less their average
// over the classes: the less of a column the rows of other classes have, the larger. Class gives the class of each row of X. Sums
// are smoothed by one average value, as counts are by 1.
//
// It calls use once for each class, on several goroutines, with weights that hold until use returns: all of them together may be
// more than there is memory for.
func Complement(ctx context.Context, x *Matrix, rows []int32, class []int32, classes int, use func(ctx context.Context, k int, weights []float32) error) error {
	c := &complement{x: x, rows: rows, class: class, mean: make([]float64, x.Columns), logs: make([]float64, classes)}
	return c.weigh(ctx, min(classes, max(1, sumsRoom/max(x.Columns, 1))), use)
}

// complement is the state of a Complement. The sums of some classes at a time are known.
type complement struct {
	x           *Matrix
	rows, class []int32

	total     []float64 // of each column's values
	base      []float64 // the log of a column's sum in the complement of a class that lacks the column
	smoothing float64
	logs      []float64 // by class, of the sum over all columns
	mean      []float64 // by column, of the weights

	first int         // the first class that has sums
	sums  [][]float64 // by class and column: the log of the sum over the rows of other classes
}

// weigh computes the weights of some classes at a time.
func (b *complement) weigh(ctx context.Context, atOnce int, use func(ctx context.Context, k int, weights []float32) error) error {
	if err := b.count(ctx); err != nil {
		return err
	}
	classes := len(b.logs)
	each := func(do func() error) error {
		for first := 0; first < classes; first += atOnce {
			if err := b.read(ctx, first, min(atOnce, classes-first)); err != nil {
				return err
			}
			if err := do(); err != nil {
				return err
			}
		}
		return nil
	}
	// Averages need the logs of all sums of a column in the order of the classes, so that bits do not depend on atOnce.
	if err := each(func() error { return b.average(ctx) }); err != nil {
		return err
	}
	for c := range b.mean {
		b.mean[c] /= float64(classes)
	}
	return each(func() error {
		return parallel.Team(ctx, len(b.sums), func(ctx context.Context, next func() (int, bool)) error {
			weights := make([]float32, b.x.Columns)
			for i, ok := next(); ok; i, ok = next() {
				k := b.first + i
				for c, t := range b.total {
					weights[c] = 0
					if t > 0 {
						weights[c] = float32(b.logs[k] - b.sums[i][c] - b.mean[c])
					}
				}
				if err := use(ctx, k, weights); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// count adds the values of all rows up.
func (b *complement) count(ctx context.Context) error {
	b.total, b.base = make([]float64, b.x.Columns), make([]float64, b.x.Columns)
	watch := parallel.NewWatch(ctx)
	all, entries := 0.0, 0
	for _, i := range b.rows {
		id, value := b.x.Row(i)
		if err := watch.Spend(len(id)); err != nil {
			return err
		}
		for j, c := range id {
			b.total[c] += float64(value[j])
			all += float64(value[j])
		}
		entries += len(id)
	}
	b.smoothing = all / float64(max(entries, 1))
	for c, t := range b.total {
		if t > 0 {
			b.base[c] = simd.Log64(t + b.smoothing)
		}
	}
	return ctx.Err()
}

// read computes the logs of the sums of n classes, unless they are there, and what all sums of a class add up to.
func (b *complement) read(ctx context.Context, first, n int) error {
	if len(b.sums) == n && b.first == first {
		return nil
	}
	for len(b.sums) < n {
		b.sums = append(b.sums, make([]float64, b.x.Columns))
	}
	b.first, b.sums = first, b.sums[:n]
	for _, s := range b.sums {
		clear(s)
	}
	watch := parallel.NewWatch(ctx)
	for _, i := range b.rows {
		k := int(b.class[i]) - first
		if k < 0 || k >= n {
			if err := watch.Spend(0); err != nil {
				return err
			}
			continue
		}
		id, value := b.x.Row(i)
		if err := watch.Spend(len(id)); err != nil {
			return err
		}
		own := b.sums[k]
		for j, c := range id {
			own[c] += float64(value[j])
		}
	}
	return parallel.Each(ctx, n, func(_ context.Context, k int) error {
		sums, all := b.sums[k], 0.0
		for c, t := range b.total {
			if t <= 0 {
				continue
			}
			own := sums[c]
			rest := max(t-own, 0) + b.smoothing
			all += rest
			if sums[c] = b.base[c]; own != 0 {
				sums[c] = simd.Log64(rest)
			}
		}
		if all > 0 {
			b.logs[first+k] = simd.Log64(all)
		}
		return nil
	})
}

// average adds the weights of the classes that have sums to the mean, in parts of the columns.
func (b *complement) average(ctx context.Context) error {
	const part = 1 << 14
	return parallel.Each(ctx, (b.x.Columns+part-1)/part, func(_ context.Context, p int) error {
		from, to := p*part, min((p+1)*part, b.x.Columns)
		mean := b.mean[from:to]
		for k, sums := range b.sums {
			log := b.logs[b.first+k]
			for c, s := range sums[from:to] {
				mean[c] += log - s
			}
		}
		return nil
	})
}
