package simd

import "fmt"

// GemmNN computes the matrix product C = A·B, or C += A·B where accumulate is
// set. A is (m × k), B (k × n) and C (m × n), row-major with lda, ldb and ldc
// elements from one row to the next. C must not overlap A or B.
//
// The order of additions of an element of C depends on n and k alone, never on
// m, so that rows can be split among threads. The products of an element are
// summed in P interleaved chains: product l goes to chain l mod P; a chain
// starts from +0 and takes each product, in order, with one fused
// multiply-add. The chains are added by halves: chain j takes chain j + P/2,
// and so on. P is 16 for n = 1, 2 for n up to 32 and 1 above: few columns leave
// little to do at once, and one chain would wait for itself.
// accumulate adds the result to C with one rounding. k = 0 gives +0.
func GemmNN(m, n, k int, a []float32, lda int, b []float32, ldb int, c []float32, ldc int, accumulate bool) {
	if !fits(m, k, lda, len(a)) || !fits(k, n, ldb, len(b)) || !fits(m, n, ldc, len(c)) {
		checkMatrix("GemmNN", "a", m, k, lda, len(a))
		checkMatrix("GemmNN", "b", k, n, ldb, len(b))
		checkMatrix("GemmNN", "c", m, n, ldc, len(c))
	}
	if narrow := active.narrow; narrow != nil && isNarrow(m, n, k) {
		mode := modeStore
		if accumulate {
			mode = modeAdd
		}
		narrow(m, k, &a[0], 4*lda, 4, &b[0], 4*ldb, &c[0], 4*ldc, n, mode)
		return
	}
	gemm(product{m: m, n: n, k: k, a: a, rowStride: lda, colStride: 1, b: b, ldb: ldb, c: c, ldc: ldc, accumulate: accumulate})
}

// GemmTN computes C = Aᵀ·B, or C += Aᵀ·B, where A is stored as (k × m): the
// gradient of a layer's weights. Otherwise it is [GemmNN].
func GemmTN(m, n, k int, a []float32, lda int, b []float32, ldb int, c []float32, ldc int, accumulate bool) {
	if !fits(k, m, lda, len(a)) || !fits(k, n, ldb, len(b)) || !fits(m, n, ldc, len(c)) {
		checkMatrix("GemmTN", "a", k, m, lda, len(a))
		checkMatrix("GemmTN", "b", k, n, ldb, len(b))
		checkMatrix("GemmTN", "c", m, n, ldc, len(c))
	}
	if narrow := active.narrow; narrow != nil && isNarrow(m, n, k) {
		mode := modeStore
		if accumulate {
			mode = modeAdd
		}
		narrow(m, k, &a[0], 4, 4*lda, &b[0], 4*ldb, &c[0], 4*ldc, n, mode)
		return
	}
	gemm(product{m: m, n: n, k: k, a: a, rowStride: 1, colStride: lda, b: b, ldb: ldb, c: c, ldc: ldc, accumulate: accumulate})
}

// GemmNT computes C = A·Bᵀ, or C += A·Bᵀ, where B is stored as (n × k): the
// gradient of a layer's input. work takes the transposed B, at least
// GemmWork(n, k) elements that overlap no other argument. Otherwise it is
// [GemmNN].
func GemmNT(m, n, k int, a []float32, lda int, b []float32, ldb int, c []float32, ldc int, accumulate bool, work []float32) {
	if !fits(m, k, lda, len(a)) || !fits(n, k, ldb, len(b)) || !fits(m, n, ldc, len(c)) {
		checkMatrix("GemmNT", "a", m, k, lda, len(a))
		checkMatrix("GemmNT", "b", n, k, ldb, len(b))
		checkMatrix("GemmNT", "c", m, n, ldc, len(c))
	}
	if len(work) < GemmWork(n, k) {
		panic(fmt.Sprintf("simd: GemmNT: work holds %d elements, want %d", len(work), GemmWork(n, k)))
	}
	if m == 0 || n == 0 {
		return
	}
	p := product{m: m, n: n, k: k, a: a, rowStride: lda, colStride: 1, b: b, ldb: ldb, c: c, ldc: ldc, accumulate: accumulate}
	if k > 0 && n > 1 {
		// One row of B is one column of Bᵀ already.
		active.transpose(work, b, n, k, ldb)
		p.b, p.ldb = work, n
	} else {
		p.ldb = 1
	}
	gemm(p)
}

// GemmWork returns how many elements of work space [GemmNT] needs.
func GemmWork(n, k int) int {
	if n < 0 || k < 0 || n > 0 && k > maxInt/n {
		panic(fmt.Sprintf("simd: GemmWork: n %d, k %d", n, k))
	}
	return n * k
}

const maxInt = int(^uint(0) >> 1)

// product is one matrix product. Element (i, l) of A is
// a[i*rowStride + l*colStride]: one of the strides is 1, and which one tells A
// from Aᵀ.
type product struct {
	m, n, k              int
	a                    []float32
	rowStride, colStride int
	b                    []float32
	ldb                  int
	c                    []float32
	ldc                  int
	accumulate           bool
}

// Modes of the assembly: what a product does with what c holds.
const (
	modeStore    = 0 // overwrites it
	modeContinue = 1 // starts its one chain from it
	modeAdd      = 2 // adds the finished product to it
)

// isNarrow reports whether a product has 2 to 16 columns and is so small that it
// goes to the narrow kernel without a detour, which would cost more than it.
func isNarrow(m, n, k int) bool {
	return uint(n-2) <= 14 && uint(m-1) < 1<<10 && uint(k-1) < 1<<10 && m*k <= 1<<16
}

// chains returns P, the number of chains that an element's products are summed
// in, given n columns.
func chains(n int) int {
	switch {
	case n == 1:
		return 16
	case n <= 32:
		return 2
	}
	return 1
}

// fits reports whether a matrix of rows × cols with ld elements from row to row
// surely fits into n elements: false asks for checkMatrix, which divides.
func fits(rows, cols, ld, n int) bool {
	return uint64(rows) < 1<<31 && uint64(ld) < 1<<31 && uint(cols) <= uint(ld) && uint64(rows-1)*uint64(ld)+uint64(cols) <= uint64(n)
}

// checkMatrix panics unless a matrix of rows × cols with ld elements from row
// to row fits into n elements.
func checkMatrix(kernel, name string, rows, cols, ld, n int) {
	if rows < 0 || cols < 0 || ld < cols {
		panic(fmt.Sprintf("simd: %s: %s is %d × %d with leading dimension %d", kernel, name, rows, cols, ld))
	}
	if rows == 0 || cols == 0 {
		return
	}
	// (rows-1)*ld + cols <= n, without overflow.
	if n < cols || (n-cols)/ld < rows-1 {
		panic(fmt.Sprintf("simd: %s: %s holds %d elements, too few for %d × %d with leading dimension %d", kernel, name, n, rows, cols, ld))
	}
}

func gemm(p product) {
	if p.m == 0 || p.n == 0 {
		return
	}
	if p.k == 0 {
		for i := range p.m {
			row := p.c[i*p.ldc:][:p.n]
			if !p.accumulate {
				clear(row)
				continue
			}
			for j := range row {
				row[j] += 0 // -0 becomes +0, as for any other k
			}
		}
		return
	}
	active.gemm(p)
}
