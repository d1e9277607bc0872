package optim

import (
	"math"
	"testing"
)

// ulps is how many float32 lie between two numbers.
func ulps(a, b float32) int {
	return int(math.Abs(float64(int64(math.Float32bits(a)) - int64(math.Float32bits(b)))))
}

// The functions are those of package math, rounded to float32, but for the last bit of a few.
func TestFunctionsOfSchedules(t *testing.T) {
	const n = 200_000
	differ := 0
	check := func(name string, x, y, got float32, want float64) {
		if d := ulps(got, float32(want)); d > 1 {
			t.Errorf("%s of %v, %v: %v, want %v", name, x, y, got, float32(want))
		} else {
			differ += d
		}
	}
	u := uint32(1)
	random := func() float32 {
		u = u*1664525 + 1013904223
		return float32(u>>8) / (1 << 24)
	}
	for range n {
		x := (random() - 0.5) * 200
		check("cosine", x, 0, cos32(x), math.Cos(float64(x)))
		x = random() * math.Pi
		check("cosine", x, 0, cos32(x), math.Cos(float64(x)))
		x = random() * 4
		y := (random() - 0.2) * 50
		if want := math.Pow(float64(x), float64(y)); want > 1e-38 && want < math.MaxFloat32 {
			check("power", x, y, pow32(x, y), want)
		}
		check("logarithm", x, 0, log32(x), math.Log(float64(x)))
	}
	if differ > 4*n/1_000_000+2 {
		t.Errorf("%d of %d values differ in the last bit", differ, 4*n)
	}
	for _, c := range [][3]float32{{0, 0, 1}, {0, 2, 0}, {1, 50, 1}, {2, 10, 1024}, {0.5, 3, 0.125}, {0.5, 200, 0}, {7, 1, 7}, {3, 4, 81}} {
		if got := pow32(c[0], c[1]); got != c[2] {
			t.Errorf("%v^%v is %v, want %v", c[0], c[1], got, c[2])
		}
	}
	if got := [3]float32{cos32(0), cos32(math.Pi), cos32(2 * math.Pi)}; got != [3]float32{1, -1, 1} {
		t.Errorf("the cosines of multiples of π are %v", got)
	}
}
