package budget

import (
	"math/big"
	"testing"

	"github.com/linnet-ml/linnet/internal/boundary"
)

// Within agrees with the sum in numbers that do not overflow, at every boundary of every width.
func TestWithin(t *testing.T) {
	numbers := boundary.Numbers()
	for _, a := range numbers {
		for _, b := range numbers {
			for _, c := range []uint64{0, 100, 1<<31 - 1, 1<<63 - 1, 1<<64 - 1} {
				check(t, a, b, c)
				check(t, int64(a), int64(b), int64(c))
				check(t, int(a), int(b), int(c))
				check(t, int32(a), int32(b), int32(c))
				check(t, uint32(a), uint32(b), uint32(c))
			}
		}
	}
}

func check[N int | int32 | int64 | uint32 | uint64](t *testing.T, offset, length, size N) {
	t.Helper()
	exact := func(n N) *big.Int {
		if n < 0 {
			return big.NewInt(int64(n))
		}
		return new(big.Int).SetUint64(uint64(n))
	}
	end := new(big.Int).Add(exact(offset), exact(length))
	want := offset >= 0 && length >= 0 && end.Cmp(exact(size)) <= 0
	if got := Within(offset, length, size); got != want {
		t.Fatalf("%d from %d on in %d: %v, want %v", length, offset, size, got, want)
	}
}
