package simd

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// eachPath runs test on every path that this processor can run.
func eachPath(t *testing.T, test func(t *testing.T, k *kernels)) {
	paths := available()
	for i := range paths {
		t.Run(paths[i].name, func(t *testing.T) { test(t, &paths[i]) })
	}
}

// use makes k the active path for one test, so that exported functions can be
// tested on it.
func use(t testing.TB, k *kernels) {
	before := active
	active = k
	t.Cleanup(func() { active = before })
}

// sameBits reports whether a and b are the same number: equal bits, or two NaN.
func sameBits(a, b float32) bool {
	return math.Float32bits(a) == math.Float32bits(b) || a != a && b != b
}

func checkBits(t *testing.T, what string, got, want []float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d elements, want %d", what, len(got), len(want))
	}
	for i := range want {
		if !sameBits(got[i], want[i]) {
			t.Fatalf("%s: element %d of %d is %v (%#08x), want %v (%#08x)", what, i, len(want),
				got[i], math.Float32bits(got[i]), want[i], math.Float32bits(want[i]))
		}
	}
}

// guard surrounds each buffer of a test: a kernel that writes outside its slice
// changes it.
const guard = float32(-7.625e9)

const guardLength = 40

// surround copies x into the middle of a larger buffer, offset elements from an
// aligned address, and returns the copy and a function that checks the guards.
func surround(t *testing.T, x []float32, offset int) ([]float32, func(what string)) {
	t.Helper()
	buffer := make([]float32, guardLength+offset+len(x)+guardLength)
	for i := range buffer {
		buffer[i] = guard
	}
	start := guardLength + offset
	end := start + len(x)
	copy(buffer[start:], x)
	return buffer[start:end:end], func(what string) {
		t.Helper()
		for i, v := range buffer {
			if (i < start || i >= end) && v != guard {
				t.Fatalf("%s: wrote %v at index %d of a slice of %d", what, v, i-start, len(x))
			}
		}
	}
}

// special holds numbers on which implementations like to differ.
var special = []float32{
	0, float32(math.Copysign(0, -1)), 1, -1, 0.5, -0.5,
	float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN()),
	math.Float32frombits(0xffc12345), // a negative NaN with a payload
	math.MaxFloat32, -math.MaxFloat32,
	0x1p-126, -0x1p-126, // smallest normal
	0x1p-149, -0x1p-149, 0x1.8p-130, -0x1.8p-130, // denormal
	1e-30, -1e-30, 9.99999e-31, -9.99999e-31, // the optimizers' border
	88.72283, 88.72284, -87.33655, -103.9, -104, -103.97208, 0.625, -0.625, 1e10, -1e10,
}

// fills make the contents of test buffers.
var fills = []struct {
	name string
	make func(r *rand.Rand) float32
}{
	{"normal", func(r *rand.Rand) float32 { return float32(r.NormFloat64()) }},
	{"special", func(r *rand.Rand) float32 {
		if r.IntN(3) == 0 {
			return special[r.IntN(len(special))]
		}
		return float32(r.NormFloat64() * 30)
	}},
	{"bits", func(r *rand.Rand) float32 { return math.Float32frombits(r.Uint32()) }},
}

func fill(r *rand.Rand, n int, value func(r *rand.Rand) float32) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = value(r)
	}
	return x
}

func clone(x [][]float32) [][]float32 {
	y := make([][]float32, len(x))
	for i := range x {
		y[i] = append([]float32(nil), x[i]...)
	}
	return y
}

// repeated are the coefficients of a few steps of Adam.
var repeated = [...][8]float32{{0.001, 0.1, 0.001, 1e-7}, {0.002, 0.1, 0.001, 1e-7}, {0.0015, 0.2, 0.01, 1e-6}}

// sliceKernel is a kernel on some slices of equal length.
type sliceKernel struct {
	name    string
	slices  int
	aliases [][2]int // pairs of arguments that may be the same slice
	call    func(k *kernels, s [][]float32) float32
}

var sliceKernels = []sliceKernel{
	{"axpy", 2, [][2]int{{0, 1}}, func(k *kernels, s [][]float32) float32 { k.axpy(-1.7, s[0], s[1]); return 0 }},
	{"add", 3, [][2]int{{0, 1}, {0, 2}}, func(k *kernels, s [][]float32) float32 { k.add(s[0], s[1], s[2]); return 0 }},
	{"mul", 3, [][2]int{{0, 1}, {0, 2}}, func(k *kernels, s [][]float32) float32 { k.mul(s[0], s[1], s[2]); return 0 }},
	{"scale", 2, [][2]int{{0, 1}}, func(k *kernels, s [][]float32) float32 { k.scale(s[0], s[1], 0.3); return 0 }},
	{"divide", 2, [][2]int{{0, 1}}, func(k *kernels, s [][]float32) float32 { k.divide(s[0], s[1], 0.3); return 0 }},
	{"maxAt", 3, nil, func(k *kernels, s [][]float32) float32 { k.maxAt(s[0], s[1], s[2], 7); return 0 }},
	{"dot", 2, [][2]int{{0, 1}}, func(k *kernels, s [][]float32) float32 { return k.dot(s[0], s[1]) }},
	{"sum", 1, nil, func(k *kernels, s [][]float32) float32 { return k.sum(s[0]) }},
	{"relu", 2, [][2]int{{0, 1}}, func(k *kernels, s [][]float32) float32 { k.relu(s[0], s[1]); return 0 }},
	{"reluGrad", 3, [][2]int{{0, 1}, {0, 2}}, func(k *kernels, s [][]float32) float32 { k.reluGrad(s[0], s[1], s[2]); return 0 }},
	{"exp", 2, [][2]int{{0, 1}}, func(k *kernels, s [][]float32) float32 { k.exp(s[0], s[1]); return 0 }},
	{"log", 2, [][2]int{{0, 1}}, func(k *kernels, s [][]float32) float32 { k.log(s[0], s[1]); return 0 }},
	{"sigmoid", 2, [][2]int{{0, 1}}, func(k *kernels, s [][]float32) float32 { k.sigmoid(s[0], s[1]); return 0 }},
	{"sigmoidGrad", 3, [][2]int{{0, 1}, {0, 2}}, func(k *kernels, s [][]float32) float32 { k.sigmoidGrad(s[0], s[1], s[2]); return 0 }},
	{"tanh", 2, [][2]int{{0, 1}}, func(k *kernels, s [][]float32) float32 { k.tanh(s[0], s[1]); return 0 }},
	{"tanhGrad", 3, [][2]int{{0, 1}, {0, 2}}, func(k *kernels, s [][]float32) float32 { k.tanhGrad(s[0], s[1], s[2]); return 0 }},
	{"max", 1, nil, func(k *kernels, s [][]float32) float32 {
		for _, v := range s[0] {
			if v != v {
				return 0 // not defined
			}
		}
		return k.max(s[0]) + 0 // the sign of zero is not defined
	}},
	{"expSum", 2, [][2]int{{0, 1}}, func(k *kernels, s [][]float32) float32 { return k.expSum(s[0], s[1], 1.5) }},
	{"softmaxGrad", 3, [][2]int{{0, 1}, {0, 2}}, func(k *kernels, s [][]float32) float32 { k.softmaxGrad(s[0], s[1], s[2], 0.2); return 0 }},
	{"logisticLoss", 4, [][2]int{{0, 2}, {0, 3}, {1, 2}, {1, 3}}, func(k *kernels, s [][]float32) float32 { k.logisticLoss(s[0], s[1], s[2], s[3]); return 0 }},
	{"logisticLoss without gradient", 3, [][2]int{{0, 1}, {0, 2}}, func(k *kernels, s [][]float32) float32 { k.logisticLoss(s[0], nil, s[1], s[2]); return 0 }},
	{"adam", 4, nil, func(k *kernels, s [][]float32) float32 {
		k.adam(s[0], s[1], s[2], s[3], 0.001, 0.1, 0.001, 1e-7)
		return 0
	}},
	{"adamRepeat", 3, nil, func(k *kernels, s [][]float32) float32 {
		k.adamRepeat(s[0], s[1], s[2], repeated[:])
		return 0
	}},
	{"sgd", 2, nil, func(k *kernels, s [][]float32) float32 { k.sgd(s[0], s[1], 0.01); return 0 }},
	{"momentum", 3, nil, func(k *kernels, s [][]float32) float32 { k.momentum(s[0], s[1], s[2], 0.01, 0.9); return 0 }},
	{"nesterov", 3, nil, func(k *kernels, s [][]float32) float32 { k.nesterov(s[0], s[1], s[2], 0.01, 0.9); return 0 }},
	{"rmsprop", 3, nil, func(k *kernels, s [][]float32) float32 {
		k.rmsprop(s[0], s[1], s[2], 0.001, 0.9, 0.1, 1e-7)
		return 0
	}},
}

// TestSliceKernels protects the promise of equal bits for every kernel on plain
// slices: each length up to 140, each alignment, numbers of all kinds, and
// nothing written outside.
func TestSliceKernels(t *testing.T) {
	eachPath(t, func(t *testing.T, k *kernels) {
		for _, kernel := range sliceKernels {
			t.Run(kernel.name, func(t *testing.T) {
				r := rand.New(rand.NewPCG(1, 2))
				for _, f := range fills {
					for n := range 141 {
						offset := n % 4
						if n < 40 {
							for offset = range 4 {
								kernel.compare(t, k, r, n, offset, f.make, nil)
							}
							continue
						}
						kernel.compare(t, k, r, n, offset, f.make, nil)
					}
				}
				for _, alias := range kernel.aliases {
					for n := range 70 {
						kernel.compare(t, k, r, n, 1, fills[n%2].make, &alias)
					}
				}
			})
		}
	})
}

func (kernel sliceKernel) compare(t *testing.T, k *kernels, r *rand.Rand, n, offset int, value func(*rand.Rand) float32, alias *[2]int) {
	t.Helper()
	x := make([][]float32, kernel.slices)
	for i := range x {
		x[i] = fill(r, n, value)
	}
	want := clone(x)
	got := make([][]float32, len(x))
	checks := make([]func(string), len(x))
	for i := range x {
		got[i], checks[i] = surround(t, x[i], (offset+i)%4)
	}
	what := fmt.Sprintf("%s of %d at offset %d", kernel.name, n, offset)
	if alias != nil {
		what += fmt.Sprintf(", argument %d = argument %d", alias[0], alias[1])
		want[alias[0]] = want[alias[1]]
		got[alias[0]] = got[alias[1]]
	}
	a, b := kernel.call(k, got), kernel.call(&portable, want)
	if !sameBits(a, b) {
		t.Fatalf("%s: returned %v, want %v", what, a, b)
	}
	for i := range x {
		checkBits(t, fmt.Sprintf("%s: argument %d", what, i), got[i], want[i])
		checks[i](what)
	}
}

// TestLongSlices protects the exported functions' cutting of long slices into
// blocks.
func TestLongSlices(t *testing.T) {
	const n = 2*block + 45
	calls := map[string]struct {
		slices int
		call   func(s [][]float32)
	}{
		"Axpy":         {2, func(s [][]float32) { Axpy(-1.7, s[0], s[1]) }},
		"Add":          {3, func(s [][]float32) { Add(s[0], s[1], s[2]) }},
		"Scale":        {2, func(s [][]float32) { Scale(s[0], s[1], 0.3) }},
		"MaxAt":        {3, func(s [][]float32) { MaxAt(s[0], s[1], s[2], 7) }},
		"Dot":          {2, func(s [][]float32) { s[0][0] = Dot(s[0], s[1]) }},
		"Sum":          {1, func(s [][]float32) { s[0][0] = Sum(s[0]) }},
		"Exp":          {2, func(s [][]float32) { Exp(s[0], s[1]) }},
		"Softmax":      {2, func(s [][]float32) { Softmax(s[0], s[1]) }},
		"SoftmaxGrad":  {3, func(s [][]float32) { SoftmaxGrad(s[0], s[1], s[2]) }},
		"LogisticLoss": {4, func(s [][]float32) { LogisticLoss(s[0], s[1], s[2], s[3]) }},
		"logistic":     {3, func(s [][]float32) { LogisticLoss(s[0], nil, s[1], s[2]) }},
		"Adam":         {4, func(s [][]float32) { Adam(s[0], s[1], s[2], s[3], 0.001, 0.1, 0.001, 1e-7) }},
		"SGD":          {2, func(s [][]float32) { SGD(s[0], s[1], 0.01) }},
		"Momentum":     {3, func(s [][]float32) { Momentum(s[0], s[1], s[2], 0.01, 0.9, false) }},
		"Nesterov":     {3, func(s [][]float32) { Momentum(s[0], s[1], s[2], 0.01, 0.9, true) }},
		"RMSProp":      {3, func(s [][]float32) { RMSProp(s[0], s[1], s[2], 0.001, 0.9, 0.1, 1e-7) }},
	}
	for name, c := range calls {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(3, 4))
			x := make([][]float32, c.slices)
			for i := range x {
				x[i] = fill(r, n, func(r *rand.Rand) float32 { return float32(r.NormFloat64()) })
				x[i][n-2] = 9 // the largest lies in the last block
			}
			want := clone(x)
			use(t, &portable)
			c.call(want)
			for i := range available() {
				use(t, &available()[i])
				got := clone(x)
				c.call(got)
				for j := range got {
					checkBits(t, active.name, got[j], want[j])
				}
			}
		})
	}
}

// TestSumOrder protects the documented order of a long sum.
func TestSumOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, n := range []int{0, 1, 31, 32, 33, 1000, block, block + 1, 3*block - 7} {
		x, y := fill(r, n, fills[0].make), fill(r, n, fills[0].make)
		var sum, dot float32
		for i := 0; i < max(n, 1); i += block {
			var s, d [32]float32
			for j := i; j < min(i+block, n); j++ {
				s[j%32] += x[j]
				d[j%32] += float32(x[j] * y[j])
			}
			for h := 16; h > 0; h /= 2 {
				for j := range h {
					s[j] += s[j+h]
					d[j] += d[j+h]
				}
			}
			sum += s[0]
			dot += d[0]
		}
		if got := Sum(x); !sameBits(got, sum) {
			t.Errorf("Sum of %d = %v, want %v", n, got, sum)
		}
		if got := Dot(x, y); !sameBits(got, dot) {
			t.Errorf("Dot of %d = %v, want %v", n, got, dot)
		}
	}
}

// TestRelu protects what relu and its gradient do with the numbers that max
// treats differently on different processors.
func TestRelu(t *testing.T) {
	nan, inf, minus0 := float32(math.NaN()), float32(math.Inf(1)), float32(math.Copysign(0, -1))
	eachPath(t, func(t *testing.T, k *kernels) {
		x := []float32{-2, minus0, 0, 3, nan, inf, -inf}
		got := make([]float32, len(x))
		k.relu(got, x)
		checkBits(t, "relu", got, []float32{0, minus0, 0, 3, nan, inf, 0})
		dy := []float32{1, 2, 3, 4, 5, 6, minus0}
		k.reluGrad(got, dy, []float32{-2, minus0, 0, 3, nan, inf, 1})
		checkBits(t, "relu gradient", got, []float32{0, 0, 0, 4, 0, 6, minus0})
	})
}

// TestSoftmax protects the documented results for rows with NaN and infinities.
func TestSoftmax(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	eachPath(t, func(t *testing.T, k *kernels) {
		use(t, k)
		for _, c := range []struct{ x, want []float32 }{
			{[]float32{}, []float32{}},
			{[]float32{5}, []float32{1}},
			{[]float32{1, 1, 1, 1}, []float32{0.25, 0.25, 0.25, 0.25}},
			{[]float32{-inf, 3, -inf}, []float32{0, 1, 0}},
			{[]float32{1e30, 0, -1e30}, []float32{1, 0, 0}},
			{[]float32{-inf, -inf}, []float32{nan, nan}},
			{[]float32{1, inf}, []float32{nan, nan}},
			{[]float32{1, nan, 2}, []float32{nan, nan, nan}},
		} {
			got := append([]float32(nil), c.x...)
			Softmax(got, got)
			checkBits(t, fmt.Sprintf("softmax of %v", c.x), got, c.want)
		}
	})
}

// TestLengths protects callers from silent damage: slices that do not fit panic.
func TestLengths(t *testing.T) {
	x, y := make([]float32, 4), make([]float32, 3)
	ids := make([]int32, 2)
	pairs, ends := make([]uint32, 2), []int{0, 1, 3}
	for name, call := range map[string]func(){
		"Axpy":             func() { Axpy(1, x, y) },
		"Add":              func() { Add(x, x, y) },
		"Dot":              func() { Dot(x, y) },
		"Exp":              func() { Exp(y, x) },
		"LogisticLoss":     func() { LogisticLoss(x, y, x, x) },
		"AddBias":          func() { AddBias(x, y) },
		"SumRows":          func() { SumRows(y, x) },
		"SumRows empty":    func() { SumRows(nil, x) },
		"MeanRows":         func() { MeanRows(y, x, 1) },
		"Gather dst":       func() { Gather(y, x, 2, ids) },
		"Gather table":     func() { Gather(x, y, 2, ids) },
		"Gather dim":       func() { Gather(x, x, 0, ids) },
		"ScatterAdd":       func() { ScatterAdd(x, y, 2, ids) },
		"BagMean dst":      func() { BagMean(y, x, 2, ids, y[:2], 1) },
		"BagMean counts":   func() { BagMean(y[:2], x, 2, ids, y, 1) },
		"BagScatter":       func() { BagScatter(x, y, 2, ids, y[:2]) },
		"BagScatter count": func() { BagScatter(x, y[:2], 2, ids, y) },
		"BagsMean dst":     func() { BagsMean(y, x, 2, pairs, ends[:2], ends[:2], x[:2]) },
		"BagsMean n":       func() { BagsMean(x, x, 2, pairs, ends[:2], ends[:2], y) },
		"BagsMean order":   func() { BagsMean(x, x, 2, pairs, ends[1:3], ends[:2], x[:2]) },
		"BagsMean end":     func() { BagsMean(x, x, 2, pairs, ends[:2], ends[1:3], x[:2]) },
		"BagsMean start":   func() { BagsMean(x, x, 2, pairs, []int{-1, 0}, ends[:2], x[:2]) },
		"BagsScatter grad": func() { BagsScatter(x, y, 2, pairs, ends[:2], ends[:2]) },
		"BagsScatter to":   func() { BagsScatter(x, x, 2, pairs, ends[:2], ends[:1]) },
		"GemmNN a":         func() { GemmNN(2, 2, 2, y, 2, x, 2, x, 2, false) },
		"GemmNN b":         func() { GemmNN(2, 2, 2, x, 2, y, 2, x, 2, false) },
		"GemmNN c":         func() { GemmNN(2, 2, 2, x, 2, x, 2, y, 2, false) },
		"GemmNN stride":    func() { GemmNN(2, 2, 2, x, 1, x, 2, x, 2, false) },
		"GemmNN negative":  func() { GemmNN(-1, 2, 2, x, 2, x, 2, x, 2, false) },
		"GemmNN overflow":  func() { GemmNN(3, 2, 2, x, maxInt, x, 2, make([]float32, 6), 2, false) },
		"GemmTN a":         func() { GemmTN(1, 2, 4, y, 1, make([]float32, 8), 2, x, 2, false) },
		"GemmNT work":      func() { GemmNT(2, 2, 2, x, 2, x, 2, make([]float32, 4), 2, false, y) },
		"GemmWork":         func() { GemmWork(maxInt, 2) },
		"Adam":             func() { Adam(x, x, y, x, 1, 1, 1, 1) },
		"SGD":              func() { SGD(x, y, 1) },
		"Momentum":         func() { Momentum(x, x, y, 1, 1, false) },
		"RMSProp":          func() { RMSProp(x, y, x, 1, 1, 1, 1) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("did not panic")
				}
			}()
			call()
		})
	}
}

// TestNoAllocation protects training steps and predictions, which must not
// allocate, from kernels that do.
func TestNoAllocation(t *testing.T) {
	x, y, z, u := make([]float32, 256), make([]float32, 256), make([]float32, 256), make([]float32, 256)
	ids := []int32{1, 2, 3}
	pairs, ends := []uint32{1 << 16, 2<<16 + 1}, []int{0, 2}
	eachPath(t, func(t *testing.T, k *kernels) {
		use(t, k)
		for name, call := range map[string]func(){
			"Dot":             func() { Dot(x, y) },
			"Softmax":         func() { Softmax(x, y) },
			"LogisticLoss":    func() { LogisticLoss(x, nil, y, z) },
			"AddBias":         func() { AddBias(x, y[:16]) },
			"AccumulateRows":  func() { AccumulateRows(y[:16], x) },
			"MeanRows":        func() { MeanRows(y[:16], x, 3) },
			"Gather":          func() { Gather(x[:48], y, 16, ids) },
			"BagMean":         func() { BagMean(x[:16], y, 16, ids, z[:3], 3) },
			"BagScatter":      func() { BagScatter(y, x[:16], 16, ids, z[:3]) },
			"Prefetch":        func() { Prefetch(x) },
			"BagsMean":        func() { BagsMean(x[:16], y, 16, pairs, ends[:1], ends[1:], z[:1]) },
			"BagsScatter":     func() { BagsScatter(y, x[:16], 16, pairs, ends[:1], ends[1:]) },
			"GemmNN":          func() { GemmNN(16, 16, 16, x, 16, y, 16, z, 16, false) },
			"GemmTN":          func() { GemmTN(16, 1, 16, x, 16, y, 1, z, 1, true) },
			"GemmNT":          func() { GemmNT(16, 16, 16, x, 16, y, 16, z, 16, false, u) },
			"GemmNN, columns": func() { GemmNN(4, 64, 4, x, 4, y, 64, z, 64, false) },
			"Adam":            func() { Adam(x, y, z, u, 1, 1, 1, 1) },
		} {
			if n := testing.AllocsPerRun(5, call); n != 0 {
				t.Errorf("%s allocates %v times a call", name, n)
			}
		}
	})
}
