package numpy

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestPermutation has the numbers of numpy.random.RandomState.
func TestPermutation(t *testing.T) {
	for seed, want := range map[uint32][]int32{
		113:  {9, 3, 6, 1, 0, 7, 4, 8, 2, 5},
		42:   {11, 9, 0, 8, 5, 2, 1, 12, 4, 7, 10, 3, 6},
		1337: {5, 3, 1, 0, 4, 6, 11, 2, 10, 9, 12, 8, 7},
	} {
		if d := cmp.Diff(want, NewRandomState(seed).Permutation(len(want))); d != "" {
			t.Error(seed, d)
		}
	}
	random := NewRandomState(113)
	for i, want := range []string{
		"[7798 13226 18078 793 17499 23003 574 19638 5181 23045 1161 23406]",
		"[22748 4083 8015 13688 5310 4466 736 22654 23614 10255 11260 13207]",
	} {
		if got := fmt.Sprint(random.Permutation(25000)[:12]); got != want {
			t.Errorf("permutation %d of one generator begins %s, want %s", i, got, want)
		}
	}
}
