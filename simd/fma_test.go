package simd

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// bigFMA is a*b + c for finite numbers, rounded once.
func bigFMA(a, b, c float32) float32 {
	x := new(big.Float).SetPrec(600).SetFloat64(float64(a))
	x.Mul(x, new(big.Float).SetFloat64(float64(b)))
	x.Add(x, new(big.Float).SetFloat64(float64(c)))
	if x.Sign() == 0 {
		return float32(float64(a)*float64(b) + float64(c)) // for the sign of zero
	}
	f, _ := x.Float32()
	return f
}

func checkFMA(t *testing.T, a, b, c float32) {
	t.Helper()
	if got, want := fma(a, b, c), bigFMA(a, b, c); !sameBits(got, want) {
		t.Fatalf("fma(%x, %x, %x) = %x, want %x", a, b, c, got, want)
	}
	// The product's inner loop holds the same code again.
	s := [2]float32{c}
	gemmRowGeneric(s[1:], []float32{1, a}, 1, []float32{c, b}, 1, 2, 1, false)
	if want := bigFMA(a, b, bigFMA(1, c, 0)); !sameBits(s[1], want) {
		t.Fatalf("chain 1*%x + %x*%x = %x, want %x", c, a, b, s[1], want)
	}
}

// TestFMA protects the rounding of the portable fused multiply-add: sums that
// lie at, or next to, the middle of two float32, and results that are
// subnormal, underflow or overflow.
func TestFMA(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	random := func(low, high int) float32 { // an exponent from low to high
		m := math.Float32frombits(r.Uint32()&(1<<23-1) | 127<<23)
		switch r.IntN(3) {
		case 0:
			m = 1 + float32(r.IntN(8))/8 // few bits: exact sums and ties
		case 1:
			m = math.Float32frombits(math.Float32bits(m) &^ (1<<uint(r.IntN(23)) - 1))
		}
		v := float32(math.Ldexp(float64(m), low+r.IntN(high-low+1)))
		if r.IntN(2) == 0 {
			v = -v
		}
		return v
	}
	for range 30000 {
		checkFMA(t, random(-20, 20), random(-20, 20), random(-60, 60))
		checkFMA(t, random(-149, 127), random(-149, 127), random(-149, 127))
		// Subnormal products and sums.
		a := random(-80, -60)
		checkFMA(t, a, random(-75, -60), random(-149, -120))
		// A product whose last bits pull the sum off a tie: c has 24 bits,
		// half a unit of it is added exactly, and a speck more.
		c := random(-10, 10)
		_, e := math.Frexp(float64(c))
		half := float32(math.Ldexp(1, e-25))
		for _, speck := range []float32{0, 0x1p-23, -0x1p-24} {
			checkFMA(t, half, 1+speck, c)
			checkFMA(t, -half, 1+speck, c)
			checkFMA(t, half, (1+speck)*(1+0x1p-12), c)
		}
		// (1+2^-12)(1-2^-12) and its like: bits far below the sum's.
		tiny := float32(math.Ldexp(1, -1-r.IntN(23)))
		checkFMA(t, 1+tiny, 1-tiny, random(-30, 30))
		checkFMA(t, (1+tiny)*half, 1-tiny, c)
	}
	checkFMA(t, 0x1p-100, -0x1p-100, 0) // -0
	checkFMA(t, math.MaxFloat32, 1+0x1p-23, 0)
	checkFMA(t, math.MaxFloat32, 1, 0x1p103)
	checkFMA(t, math.MaxFloat32, 1, 0x1.fffffep102)
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	for _, c := range []struct{ a, b, c, want float32 }{
		{inf, 1, 1, inf}, {inf, 0, 1, nan}, {inf, 1, -inf, nan}, {1, 1, -inf, -inf}, {nan, 1, 1, nan}, {1, 1, nan, nan},
		{float32(math.Copysign(0, -1)), 1, float32(math.Copysign(0, -1)), float32(math.Copysign(0, -1))},
	} {
		if got := fma(c.a, c.b, c.c); !sameBits(got, c.want) {
			t.Errorf("fma(%v, %v, %v) = %v, want %v", c.a, c.b, c.c, got, c.want)
		}
	}
}
