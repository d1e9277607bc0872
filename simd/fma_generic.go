package simd

import "math"

// fma returns a*b + c with one rounding, on any platform.
//
// The product of two float32 is exact in float64, so p + c has one rounding to
// 53 bits and a second to 24. The second goes wrong only where the float64 sum
// lies exactly between two float32 values, or where the result is so small
// that it has fewer than 24 bits: fmaToOdd handles those.
func fma(a, b, c float32) float32 {
	p := float64(a) * float64(b)
	s := p + float64(c)
	if roundsTwice(s) {
		return fmaToOdd(p, float64(c), s)
	}
	return float32(s)
}

// roundsTwice reports whether float32(s) may differ from the rounded exact sum.
func roundsTwice(s float64) bool {
	u := math.Float64bits(s)
	// u<<1 drops the sign, and a zero sum wraps round to the largest value:
	// a float64 sum is 0 only if the exact one is.
	return uint32(u)&midpointMask == midpoint || u<<1-1 < smallest<<1
}

const (
	// A float64 lies exactly between two normal float32 where the 29 bits that
	// float32 lacks are a one followed by zeros.
	midpointMask = 1<<29 - 1
	midpoint     = 1 << 28

	// smallest holds the bits of the float64 2^-126, the smallest normal float32.
	smallest = (1023 - 126) << 52
)

// fmaToOdd rounds p + c, whose float64 sum is s, to float32. It rounds the sum
// to odd first: if s is inexact and its last bit is even, s moves by one unit
// towards the exact sum. A number rounded to odd at 53 bits rounds correctly
// to 24 bits or fewer (S. Boldo, G. Melquiond, "Emulation of FMA and correctly
// rounded sums: proved algorithms using rounding to odd", 2008).
func fmaToOdd(p, c, s float64) float32 {
	t := s - p
	e := (p - (s - t)) + (c - t) // exact s + e = p + c (Knuth's TwoSum)
	u := math.Float64bits(s)
	if u&1 == 0 {
		switch {
		case e > 0 && s > 0, e < 0 && s < 0:
			u++
		case e < 0 && s > 0, e > 0 && s < 0:
			u--
		}
	}
	return float32(math.Float64frombits(u))
}
