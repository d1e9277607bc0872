package plan

import (
	"fmt"
	"math"
)

// Float16Storage holds elements as IEEE 754 half-precision numbers. Reading is exact.
type Float16Storage []uint16

// Len is the number of elements.
func (s Float16Storage) Len() int { return len(s) }

// Read converts elements.
func (s Float16Storage) Read(dst []float32, at int) {
	for i, h := range s[at : at+len(dst)] {
		dst[i] = float16(h)
	}
}

// NewFloat16Storage rounds values to the nearest half-precision numbers, ties to even. A value beyond 65504 becomes
// infinite, which is an error.
func NewFloat16Storage(values []float32) (Float16Storage, error) {
	s := make(Float16Storage, len(values))
	for i, v := range values {
		if s[i] = toFloat16(v); s[i]&0x7fff == 0x7c00 && !math.IsInf(float64(v), 0) {
			return nil, fmt.Errorf("plan: element %d, %v, is beyond the range of float16", i, v)
		}
	}
	return s, nil
}

// BFloat16Storage holds elements as the upper 16 bits of a float32. Reading is exact.
type BFloat16Storage []uint16

// Len is the number of elements.
func (s BFloat16Storage) Len() int { return len(s) }

// Read converts elements.
func (s BFloat16Storage) Read(dst []float32, at int) {
	for i, h := range s[at : at+len(dst)] {
		dst[i] = math.Float32frombits(uint32(h) << 16)
	}
}

// NewBFloat16Storage rounds values to the nearest bfloat16, ties to even.
func NewBFloat16Storage(values []float32) BFloat16Storage {
	s := make(BFloat16Storage, len(values))
	for i, v := range values {
		bits := math.Float32bits(v)
		if v != v {
			s[i] = uint16(bits>>16) | 0x40 // a NaN stays one
			continue
		}
		s[i] = uint16((bits + 0x7fff + bits>>16&1) >> 16)
	}
	return s
}

// float16 converts a half-precision number.
func float16(h uint16) float32 {
	sign, exponent, fraction := uint32(h&0x8000)<<16, uint32(h>>10&0x1f), uint32(h&0x3ff)
	switch exponent {
	case 0:
		// A subnormal number: fraction · 2^-24, which is exact.
		v := float32(fraction) * (1.0 / (1 << 24))
		return math.Float32frombits(math.Float32bits(v) | sign)
	case 0x1f:
		return math.Float32frombits(sign | 0x7f800000 | fraction<<13)
	}
	return math.Float32frombits(sign | (exponent+112)<<23 | fraction<<13)
}

// toFloat16 rounds to the nearest half-precision number, ties to even.
func toFloat16(v float32) uint16 {
	bits := math.Float32bits(v)
	sign, magnitude := uint16(bits>>16&0x8000), bits&0x7fffffff
	switch {
	case magnitude > 0x7f800000:
		return sign | 0x7e00 | uint16(magnitude>>13&0x3ff)
	case magnitude >= 0x477ff000: // rounds to 65520 or more
		return sign | 0x7c00
	case magnitude < 0x38800000: // below 2^-14: a multiple of 2^-24
		return sign | uint16(math.RoundToEven(float64(math.Float32frombits(magnitude))*(1<<24)))
	}
	magnitude += 0xfff + magnitude>>13&1
	return sign | uint16((magnitude-112<<23)>>13)
}
