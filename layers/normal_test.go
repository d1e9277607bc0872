package layers

import (
	"math"
	"testing"
)

// The quantile's probability is that which it is the quantile of, out to both ends.
func TestNormalQuantile(t *testing.T) {
	check := func(p float64) {
		x := normalQuantile(p)
		// Near 1 the error function cannot say: the distribution is symmetric.
		q, tail := x, p
		if p > 0.5 {
			q, tail = -x, 1-p
		}
		got := 0.5 * math.Erfc(-q/math.Sqrt2)
		density := math.Exp(-q*q/2) / math.Sqrt(2*math.Pi)
		if off := math.Abs(got-tail) / density; !(off < 1e-14*max(1, math.Abs(x))) {
			t.Fatalf("the quantile of %v is %v, off by %v", p, x, off)
		}
	}
	for i := range 100_000 {
		check((float64(i) + 0.5) / 100_000)
	}
	for e := 1; e <= 33; e++ {
		check(math.Ldexp(1, -e))
		check(1 - math.Ldexp(1, -e))
	}
}
