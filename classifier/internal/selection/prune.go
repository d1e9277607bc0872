package selection

import (
	"cmp"
	"context"
	"slices"
)

// largest returns the columns with a weight, at most n: those whose largest weight of any score is largest, in ascending
// order.
func largest(ctx context.Context, l *Linear, n int) ([]uint32, error) {
	size := make([]float32, len(l.Weights[0]))
	for _, w := range l.Weights {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		for c, v := range w {
			size[c] = max(size[c], v, -v)
		}
	}
	var used []uint32
	for c, v := range size {
		if v > 0 {
			used = append(used, uint32(c))
		}
	}
	if len(used) > n {
		slices.SortFunc(used, func(a, b uint32) int { return cmp.Or(cmp.Compare(size[b], size[a]), cmp.Compare(a, b)) })
		used = used[:n]
		slices.Sort(used)
	}
	return used, ctx.Err()
}
