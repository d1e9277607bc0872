package simd

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// ulps returns the distance of got from the exact value in units of the last
// place of a float32 of its size.
func ulps(got float32, exact float64) float64 {
	_, e := math.Frexp(exact)
	unit := math.Ldexp(1, max(e-24, -149))
	return math.Abs(float64(got)-exact) / unit
}

// TestAccuracy protects the stated error bounds of the activations, measured
// against package math in float64, on a sweep over all float32 that visits each
// exponent thousands of times.
func TestAccuracy(t *testing.T) {
	sigmoid := func(x float64) float64 {
		if x < 0 {
			return math.Exp(x) / (1 + math.Exp(x))
		}
		return 1 / (1 + math.Exp(-x))
	}
	for _, f := range []struct {
		name  string
		f     func(float32) float32
		exact func(float64) float64
		from  float32
		to    float32
		bound float64
	}{
		{"exp", Exp32, math.Exp, -110, 88.7, 1.1},
		{"log", Log32, math.Log, 0x1p-149, math.MaxFloat32, 1},
		{"log1p", Log1p32, math.Log1p, 0, 1, 2.1},
		{"sigmoid", Sigmoid32, sigmoid, -110, 110, 2.5},
		{"tanh", Tanh32, math.Tanh, -20, 20, 1.5},
	} {
		worst, at := 0.0, float32(0)
		visit := func(x float32) {
			if x < f.from || x > f.to || x != x {
				return
			}
			if e := ulps(f.f(x), f.exact(float64(x))); e > worst || e != e {
				worst, at = e, x
			}
		}
		step := uint64(8191)
		if testing.Short() {
			step = 65521
		}
		for u := uint64(0); u < 1<<32; u += step {
			visit(math.Float32frombits(uint32(u)))
		}
		r := rand.New(rand.NewPCG(23, 24))
		for range 200000 {
			visit(float32(r.NormFloat64() * 3))
		}
		t.Logf("%s: %.3f units at %v", f.name, worst, at)
		if !(worst <= f.bound) {
			t.Errorf("%s(%v) = %v, want %v: off by %.3f units, bound %v", f.name, at, f.f(at), f.exact(float64(at)), worst, f.bound)
		}
	}
}

// TestScalarLimits protects the values at the ends of the functions' ranges.
func TestScalarLimits(t *testing.T) {
	inf, nan, minus0 := float32(math.Inf(1)), float32(math.NaN()), float32(math.Copysign(0, -1))
	for _, c := range []struct {
		name string
		f    func(float32) float32
		x    float32
		want float32
	}{
		{"exp", Exp32, 0, 1}, {"exp", Exp32, minus0, 1}, {"exp", Exp32, inf, inf}, {"exp", Exp32, -inf, 0},
		{"exp", Exp32, 88.73, inf}, {"exp", Exp32, -104, 0}, {"exp", Exp32, -103.9, 0x1p-149}, {"exp", Exp32, nan, nan},
		{"log", Log32, 1, 0}, {"log", Log32, 0, -inf}, {"log", Log32, minus0, -inf}, {"log", Log32, inf, inf},
		{"log", Log32, -1, nan}, {"log", Log32, -inf, nan}, {"log", Log32, nan, nan},
		{"log1p", Log1p32, 0, 0}, {"log1p", Log1p32, nan, nan},
		{"sigmoid", Sigmoid32, 0, 0.5}, {"sigmoid", Sigmoid32, minus0, 0.5}, {"sigmoid", Sigmoid32, inf, 1}, {"sigmoid", Sigmoid32, -inf, 0}, {"sigmoid", Sigmoid32, nan, nan},
		{"tanh", Tanh32, 0, 0}, {"tanh", Tanh32, minus0, minus0}, {"tanh", Tanh32, inf, 1}, {"tanh", Tanh32, -inf, -1}, {"tanh", Tanh32, nan, nan}, {"tanh", Tanh32, 0x1p-149, 0x1p-149},
	} {
		if got := c.f(c.x); !sameBits(got, c.want) {
			t.Errorf("%s(%v) = %v, want %v", c.name, c.x, got, c.want)
		}
	}
}

// TestFloat64 protects the accuracy of the double-precision functions.
func TestFloat64(t *testing.T) {
	r := rand.New(rand.NewPCG(25, 26))
	near := func(name string, x, got, want, bound float64) {
		t.Helper()
		if got == want || got != got && want != want {
			return
		}
		_, e := math.Frexp(want)
		if d := math.Abs(got-want) / math.Ldexp(1, max(e-53, -1074)); !(d <= bound) {
			t.Errorf("%s(%v) = %v, want %v: off by %.2f units", name, x, got, want, d)
		}
	}
	for range 100000 {
		x := r.NormFloat64() * []float64{0.1, 5, 300}[r.IntN(3)]
		if math.Abs(x) < 700 { // math.Exp overflows too early on amd64
			near("Exp64", x, Exp64(x), math.Exp(x), 2)
		}
		near("Log64", math.Abs(x), Log64(math.Abs(x)), math.Log(math.Abs(x)), 2)
		if x > -1 {
			near("Log1p64", x, Log1p64(x), math.Log1p(x), 4)
		}
	}
	inf := math.Inf(1)
	for _, c := range []struct{ x, exp, log float64 }{
		{0, 1, -inf}, {1, math.E, 0}, {-1, 1 / math.E, math.NaN()}, {inf, inf, inf}, {-inf, 0, math.NaN()}, {math.NaN(), math.NaN(), math.NaN()},
		{709.78, 1.7928227943945155e308, math.Log(709.78)}, {710, inf, math.Log(710)}, {-745.2, 0, math.NaN()}, {-745.1, 0x1p-1074, math.NaN()},
		{0x1p-1074, 1, -1074 * math.Ln2}, {0x1p-1030, 1, -1030 * math.Ln2},
	} {
		near("Exp64", c.x, Exp64(c.x), c.exp, 2)
		near("Log64", c.x, Log64(c.x), c.log, 2)
	}
	near("Log1p64", 1e-20, Log1p64(1e-20), 1e-20, 0)
	near("Log1p64", inf, Log1p64(inf), inf, 0)

	for _, n := range []int{0, 1, 2, 3, 10, 1000, 30000} {
		exact := new(big.Float).SetPrec(20000).SetInt64(1)
		base := new(big.Float).SetFloat64(0.999)
		for range n {
			exact.Mul(exact, base)
			exact.SetPrec(200)
		}
		want, _ := exact.Float64()
		if got := Pow64(0.999, n); math.Abs(got-want) > 1e-11*want {
			t.Errorf("Pow64(0.999, %d) = %v, want %v", n, got, want)
		}
	}
	if got := Pow64(2, -3); got != 0.125 {
		t.Errorf("Pow64(2, -3) = %v", got)
	}
	for _, c := range []struct {
		base float64
		n    int
		want float64
	}{
		{0.5, math.MinInt, inf}, {2, math.MinInt, 0}, {1, math.MinInt, 1}, {-1, math.MinInt, 1}, {-1, math.MaxInt, -1},
		{0.999, math.MaxInt, 0}, {2, math.MaxInt, inf}, {0, -1, inf}, {0, 0, 1},
	} {
		if got := Pow64(c.base, c.n); got != c.want {
			t.Errorf("Pow64(%v, %d) = %v, want %v", c.base, c.n, got, c.want)
		}
	}
}

// LogisticLoss32 has the bits of LogisticLoss, on whichever path that runs.
func TestLogisticLoss32(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	z := []float32{0, float32(math.Copysign(0, -1)), 1, -1, 88, -88, 104, -104, inf, -inf, nan, 0x1p-149}
	r := rand.New(rand.NewPCG(1, 2))
	for range 4096 {
		z = append(z, float32(r.NormFloat64()*8))
	}
	for _, label := range []float32{0, 0.3, 1} {
		loss, y := make([]float32, len(z)), make([]float32, len(z))
		for i := range y {
			y[i] = label
		}
		LogisticLoss(loss, nil, z, y)
		for i, want := range loss {
			if got := LogisticLoss32(z[i], label); math.Float32bits(got) != math.Float32bits(want) && !(got != got && want != want) {
				t.Fatalf("LogisticLoss32(%v, %v) = %v, want %v", z[i], label, got, want)
			}
		}
	}
}
