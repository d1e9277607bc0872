package evaluation

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
)

// sortStable gives what slices.SortStableFunc does, for lengths around its runs, and ends with the context.
func TestSortStable(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	type pair struct{ key, place int }
	compare := func(a, b pair) int { return cmp.Compare(a.key, b.key) }
	for _, n := range []int{0, 1, 2, 4095, 4096, 4097, 8192, 12_288, 20_000, 50_001} {
		x := make([]pair, n)
		for i := range x {
			x[i] = pair{random.IntN(1 + n/3), i}
		}
		want := slices.Clone(x)
		slices.SortStableFunc(want, compare)
		if err := sortStable(t.Context(), x, compare); err != nil || !slices.Equal(x, want) {
			t.Errorf("%d elements are in another order: %v", n, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	x := make([]pair, 100_000)
	compared := 0
	err := sortStable(ctx, x, func(a, b pair) int {
		if compared++; compared == 300_000 {
			cancel()
		}
		return compare(a, b)
	})
	if !errors.Is(err, context.Canceled) || compared > 400_000 {
		t.Errorf("after %d comparisons: %v", compared, err)
	}
}
