package plan

import (
	"math"
	"testing"
)

// Every half-precision number is read exactly and comes back as itself.
func TestFloat16IsExact(t *testing.T) {
	for h := range 1 << 16 {
		v := float16(uint16(h))
		if v != v {
			if toFloat16(v)&0x7fff <= 0x7c00 {
				t.Fatalf("%#04x, a NaN, becomes %#04x", h, toFloat16(v))
			}
			continue
		}
		// The definition: (-1)^s · 2^(e-15) · (1 + f/1024), and 2^-14 · f/1024 where e is 0.
		e, f := h>>10&0x1f, float64(h&0x3ff)/1024
		want := math.Ldexp(1+f, e-15)
		switch e {
		case 0:
			want = math.Ldexp(f, -14)
		case 0x1f:
			want = math.Inf(1)
		}
		if h&0x8000 != 0 {
			want = -want
		}
		if float64(v) != want || math.Signbit(float64(v)) != math.Signbit(want) {
			t.Fatalf("%#04x is %v, want %v", h, v, want)
		}
		if back := toFloat16(v); back != uint16(h) {
			t.Fatalf("%#04x comes back as %#04x", h, back)
		}
	}
}

// Values between two numbers of a type go to the nearer, and in the middle to the even one.
func TestHalfRounding(t *testing.T) {
	for h := range uint16(0x7bff) {
		low, high := float16(h), float16(h+1)
		middle := float32((float64(low) + float64(high)) / 2)
		want := h + h&1
		if got := toFloat16(middle); got != want {
			t.Fatalf("the middle of %#04x and the next is %#04x, want %#04x", h, got, want)
		}
		if got := toFloat16(math.Nextafter32(middle, low)); got != h {
			t.Fatalf("below the middle of %#04x and the next: %#04x", h, got)
		}
		if got := toFloat16(math.Nextafter32(middle, high)); got != h+1 {
			t.Fatalf("above the middle of %#04x and the next: %#04x", h, got)
		}
	}
	one := math.Float32bits(1)
	for add, want := range map[uint32]uint32{0: 0, 0x7fff: 0, 0x8000: 0, 0x8001: 1, 0xffff: 1, 0x18000: 2} {
		s := NewBFloat16Storage([]float32{math.Float32frombits(one + add)})
		if got := uint32(s[0]) - one>>16; got != want {
			t.Errorf("bfloat16 of 1 and %#x more is %d steps above 1, want %d", add, got, want)
		}
	}
	if s := NewBFloat16Storage([]float32{float32(math.NaN())}); !math.IsNaN(float64(read(s)[0])) {
		t.Error("NaN does not stay NaN")
	}
	if _, err := NewFloat16Storage([]float32{1, 65520}); err == nil {
		t.Error("65520 fits into float16")
	}
	if s, err := NewFloat16Storage([]float32{65519, float32(math.Inf(-1))}); err != nil || read(s)[0] != 65504 || !math.IsInf(float64(read(s)[1]), -1) {
		t.Errorf("%v, %v", s, err)
	}
}

// An element of 8 bits is off by at most half a 127th of the row's largest.
func TestInt8Storage(t *testing.T) {
	values := []float32{0, 0, 0, -1, 0.5, 0.25, 1e-3, 2e-3, -3e-3}
	s, err := NewInt8Storage(values, 3)
	if err != nil {
		t.Fatal(err)
	}
	got := read(s)
	for i, v := range values {
		largest := []float64{0, 1, 3e-3}[i/3]
		if off := math.Abs(float64(got[i] - v)); off > largest/254+1e-9 {
			t.Errorf("element %d is %v, want %v", i, got[i], v)
		}
	}
	part := make([]float32, 4)
	s.Read(part, 2)
	for i := range part {
		if part[i] != got[2+i] {
			t.Errorf("element %d of a part is %v, want %v", i, part[i], got[2+i])
		}
	}
	for _, bad := range [][]float32{{1}, {1, 2, float32(math.NaN())}, {float32(math.Inf(1)), 0, 0}} {
		if _, err := NewInt8Storage(bad, 3); err == nil {
			t.Errorf("%v in rows of 3 is no error", bad)
		}
	}
	if _, err := NewInt8Storage(values, 0); err == nil {
		t.Error("rows of 0 elements are no error")
	}
	if err := (&Int8Storage{Values: make([]int8, 6), Scales: make([]float32, 1), Width: 3}).Check(); err == nil {
		t.Error("a scale too few is no error")
	}
}

func read(s Storage) []float32 {
	all := make([]float32, s.Len())
	s.Read(all, 0)
	return all
}
