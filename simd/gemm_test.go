package simd

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// form is one of the three products, as exported.
type form int

const (
	formNN form = iota
	formTN
	formNT
)

func (f form) String() string { return [...]string{"NN", "TN", "NT"}[f] }

// shape is a product's size, with the elements by which leading dimensions
// exceed the widths.
type shape struct {
	form             form
	m, n, k          int
	pada, padb, padc int
	accumulate       bool
}

func (s shape) String() string {
	return fmt.Sprintf("%v m=%d n=%d k=%d pads %d %d %d accumulate=%v", s.form, s.m, s.n, s.k, s.pada, s.padb, s.padc, s.accumulate)
}

func (s shape) strides() (arows, lda, brows, ldb, ldc int) {
	arows, lda, brows, ldb = s.m, s.k, s.k, s.n
	if s.form == formTN {
		arows, lda = s.k, s.m
	}
	if s.form == formNT {
		brows, ldb = s.n, s.k
	}
	return arows, lda + s.pada, brows, ldb + s.padb, s.n + s.padc
}

func (s shape) run(a, b, c []float32) {
	_, lda, _, ldb, ldc := s.strides()
	switch s.form {
	case formNN:
		GemmNN(s.m, s.n, s.k, a, lda, b, ldb, c, ldc, s.accumulate)
	case formTN:
		GemmTN(s.m, s.n, s.k, a, lda, b, ldb, c, ldc, s.accumulate)
	case formNT:
		GemmNT(s.m, s.n, s.k, a, lda, b, ldb, c, ldc, s.accumulate, make([]float32, GemmWork(s.n, s.k)))
	}
}

// oracle computes the product element by element as the comment of GemmNN
// says, sharing nothing with the kernels but fma.
func (s shape) oracle(a, b, c []float32) {
	_, lda, _, ldb, ldc := s.strides()
	p := 1
	switch {
	case s.n == 1:
		p = 16
	case s.n <= 32:
		p = 2
	}
	for i := range s.m {
		for j := range s.n {
			chain := make([]float32, p)
			for l := range s.k {
				x, y := i*lda+l, l*ldb+j
				if s.form == formTN {
					x = l*lda + i
				}
				if s.form == formNT {
					y = j*ldb + l
				}
				chain[l%p] = fma(a[x], b[y], chain[l%p])
			}
			for ; len(chain) > 1; chain = chain[:len(chain)/2] {
				h := len(chain) / 2
				for q := range h {
					chain[q] += chain[q+h]
				}
			}
			if s.accumulate {
				c[i*ldc+j] += chain[0]
			} else {
				c[i*ldc+j] = chain[0]
			}
		}
	}
}

func (s shape) check(t *testing.T, r *rand.Rand, value func(*rand.Rand) float32) {
	t.Helper()
	arows, lda, brows, ldb, ldc := s.strides()
	a, checkA := surround(t, fill(r, arows*lda, value), s.pada)
	b, checkB := surround(t, fill(r, brows*ldb, value), s.padb)
	// C ends with its last row's last element; what lies between rows stays.
	size := 0
	if s.m > 0 && s.n > 0 {
		size = (s.m-1)*ldc + s.n
	}
	start := fill(r, size, value)
	c, checkC := surround(t, start, s.padc)
	want := append([]float32(nil), start...)
	s.oracle(a, b, want)
	s.run(a, b, c)
	checkBits(t, s.String(), c, want)
	checkA(s.String())
	checkB(s.String())
	checkC(s.String())
}

// TestGemm protects the bits of the matrix product, on every path, by the
// order of additions that its comment promises.
func TestGemm(t *testing.T) {
	eachPath(t, func(t *testing.T, k *kernels) {
		use(t, k)
		r := rand.New(rand.NewPCG(9, 10))
		sizes := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 16, 17}
		for _, f := range []form{formNN, formTN, formNT} {
			for _, m := range sizes {
				for _, k := range sizes {
					for _, n := range []int{0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 23, 24, 25, 31, 32, 33, 40, 41, 50, 64, 65} {
						s := shape{form: f, m: m, n: n, k: k}
						if (m+n+k)%2 == 1 {
							s.pada, s.padb, s.padc = 1, 3, 2
						}
						s.accumulate = (m+n/2+k/3)%3 == 0
						s.check(t, r, fills[(m+n+k)%2].make)
					}
				}
			}
			for range 60 {
				s := shape{
					form: f, m: r.IntN(70), n: r.IntN(140), k: r.IntN(300),
					pada: r.IntN(4), padb: r.IntN(4), padc: r.IntN(4), accumulate: r.IntN(2) == 0,
				}
				s.check(t, r, fills[0].make)
			}
			// One column and one row, with many products, and contiguous C.
			for _, k := range []int{15, 16, 31, 32, 33, 100, 1000, 1500} {
				for _, accumulate := range []bool{false, true} {
					shape{form: f, m: 21, n: 1, k: k, accumulate: accumulate}.check(t, r, fills[0].make)
					shape{form: f, m: 1, n: 150, k: k, accumulate: accumulate}.check(t, r, fills[0].make)
					shape{form: f, m: 3, n: 40, k: k, accumulate: accumulate}.check(t, r, fills[0].make)
				}
			}
			// Long enough to be cut into several calls.
			shape{form: f, m: 700, n: 1, k: 1200}.check(t, r, fills[0].make)
			shape{form: f, m: 300, n: 5, k: 1000}.check(t, r, fills[0].make)
			// Sixteen rows, and B large enough to be copied.
			for k := range 40 {
				shape{form: f, m: 16, n: 1 + k%17, k: k, padc: k % 3, accumulate: k%2 == 0}.check(t, r, fills[k%2].make)
			}
			shape{form: f, m: 59, n: 75, k: 600, padb: 2}.check(t, r, fills[0].make)
		}
		// Large enough for A to be copied, in several parts.
		shape{form: formTN, m: 149, n: 71, k: 530, padc: 1}.check(t, r, fills[0].make)
		shape{form: formNN, m: 61, n: 88, k: 260, accumulate: true}.check(t, r, fills[0].make)
		shape{form: formNN, m: 1100, n: 33, k: 1030}.check(t, r, fills[0].make)
	})
}

// TestGemmUnderflow protects the sign of zero where products underflow: chains
// without a product must stay as they are.
func TestGemmUnderflow(t *testing.T) {
	eachPath(t, func(t *testing.T, k *kernels) {
		use(t, k)
		r := rand.New(rand.NewPCG(11, 12))
		for k := range 40 {
			for _, n := range []int{1, 2, 20, 40} {
				for _, f := range []form{formNN, formTN, formNT} {
					shape{form: f, m: 5, n: n, k: k}.check(t, r, func(r *rand.Rand) float32 {
						if r.IntN(40) == 0 {
							return 1e-30
						}
						return math.Float32frombits(r.Uint32()&(1<<31) | 1)
					})
					minus := shape{form: f, m: 5, n: n, k: k}
					arows, lda, brows, ldb, ldc := minus.strides()
					a, b := make([]float32, arows*lda), make([]float32, brows*ldb)
					for i := range a {
						a[i] = 1e-30
					}
					for i := range b {
						b[i] = -1e-30
					}
					got, want := make([]float32, minus.m*ldc), make([]float32, minus.m*ldc)
					minus.run(a, b, got)
					minus.oracle(a, b, want)
					checkBits(t, minus.String(), got, want)
				}
			}
		}
	})
}

// TestGemmAccuracy protects against an oracle and kernels that are wrong
// together: results lie within the error bound of the exact product.
func TestGemmAccuracy(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 14))
	for _, n := range []int{1, 10, 20, 50} {
		const m, k = 7, 200
		a, b, c := fill(r, m*k, fills[0].make), fill(r, k*n, fills[0].make), make([]float32, m*n)
		GemmNN(m, n, k, a, k, b, n, c, n, false)
		for i := range m {
			for j := range n {
				var want, size float64
				for l := range k {
					p := float64(a[i*k+l]) * float64(b[l*n+j])
					want += p
					size += math.Abs(p)
				}
				if d := math.Abs(float64(c[i*n+j]) - want); d > k*0x1p-24*size {
					t.Fatalf("n=%d: element (%d, %d) is %v, want %v", n, i, j, c[i*n+j], want)
				}
			}
		}
	}
}

// TestGemmRows protects the promise that a product may be cut along its rows.
func TestGemmRows(t *testing.T) {
	r := rand.New(rand.NewPCG(15, 16))
	for _, n := range []int{1, 16, 32, 50} {
		const m, k = 50, 33
		a, b := fill(r, m*k, fills[0].make), fill(r, k*n, fills[0].make)
		want, got := make([]float32, m*n), make([]float32, m*n)
		GemmNN(m, n, k, a, k, b, n, want, n, false)
		for i := 0; i < m; {
			rows := min(1+r.IntN(9), m-i)
			GemmNN(rows, n, k, a[i*k:], k, b, n, got[i*n:], n, false)
			i += rows
		}
		checkBits(t, fmt.Sprintf("n=%d", n), got, want)
	}
}

// TestGemmBlocks protects large products, which go block by block, with the
// bits of the same products cut into so few rows that nothing is copied.
func TestGemmBlocks(t *testing.T) {
	eachPath(t, func(t *testing.T, k *kernels) {
		if k.name != "avx2" && k.name != "avx512" {
			t.Skip("does not go block by block")
		}
		use(t, k)
		r := rand.New(rand.NewPCG(17, 18))
		for _, s := range []shape{
			{form: formNN, m: 700, n: 1100, k: 800, padc: 3},         // two blocks of columns
			{form: formTN, m: 530, n: 1041, k: 1030, pada: 1},        // three of products, a narrow last panel
			{form: formNT, m: 400, n: 70, k: 1500, padb: 5},          // fewer columns than AVX-512's copies need
			{form: formNN, m: 120, n: 200, k: 5000},                  // one block of rows
			{form: formNN, m: 169, n: 64, k: 3200, pada: 2, padb: 9}, // two uneven ones
			{form: formTN, m: 150, n: 73, k: 509, accumulate: true},  // what C holds is added once
			{form: formNN, m: 57, n: 88, k: 512, accumulate: true},   // the same in the last call there is
			{form: formNN, m: 145, n: 90, k: 1100, accumulate: true}, // too many products for that
			{form: formTN, m: 56, n: 64, k: 257, pada: 3, padb: 1},   // the least that AVX2 copies
			{form: formNT, m: 293, n: 79, k: 211, accumulate: true},  // an odd number of products
		} {
			arows, lda, brows, ldb, ldc := s.strides()
			a, b := fill(r, arows*lda, fills[0].make), fill(r, brows*ldb, fills[0].make)
			c := fill(r, s.m*ldc, fills[0].make)
			want := append([]float32(nil), c...)
			s.run(a, b, c)
			for i := 0; i < s.m; i += 50 {
				m := min(50, s.m-i)
				switch work := make([]float32, GemmWork(s.n, s.k)); s.form {
				case formNN:
					GemmNN(m, s.n, s.k, a[i*lda:], lda, b, ldb, want[i*ldc:], ldc, s.accumulate)
				case formTN:
					GemmTN(m, s.n, s.k, a[i:], lda, b, ldb, want[i*ldc:], ldc, s.accumulate)
				case formNT:
					GemmNT(m, s.n, s.k, a[i*lda:], lda, b, ldb, want[i*ldc:], ldc, s.accumulate, work)
				}
			}
			checkBits(t, s.String(), c, want)
		}
	})
}
