//go:build !purego

package simd

import (
	"sync"
	"unsafe"
)

// gemmAVX2 multiplies panels of 16 columns of B with all rows of A. B and A are
// read where they lie: copying them pays only for matrices far larger than a
// network's layers.
func gemmAVX2(p product) {
	mode := modeStore
	if p.accumulate {
		mode = modeAdd
	}
	if p.n == 1 {
		gemvAVX2(p, mode)
		return
	}
	chains := chains(p.n)
	depth := p.k
	if chains == 1 && !p.accumulate {
		depth = gemmDepth
	}
	for l := 0; l < p.k; l += depth {
		if l > 0 {
			mode = modeContinue
		}
		k := min(depth, p.k-l)
		rows := max(12, gemmLimit/16/k/12*12)
		for i := 0; i < p.m; i += rows {
			m := min(rows, p.m-i)
			for j := 0; j < p.n; {
				a, b, c := &p.a[i*p.rowStride+l*p.colStride], &p.b[l*p.ldb+j], &p.c[i*p.ldc+j]
				columns := min(16, p.n-j)
				panel := gemm1x16AVX2
				switch {
				case chains == 1 && m <= 3 && p.n-j >= 64:
					panel, columns = gemm1x64AVX2, 64
				case chains == 1 && columns == 16:
				case chains == 1 && columns > 8:
					panel = gemm1x16TailAVX2
				case chains == 1:
					panel = gemm1x8TailAVX2
				case chains == 2 && columns == 16:
					panel = gemm2x16AVX2
				case chains == 2 && columns > 8:
					panel = gemm2x16TailAVX2
				default:
					panel = gemm2x8TailAVX2
				}
				panel(m, k, a, 4*p.rowStride, 4*p.colStride, b, 4*p.ldb, c, 4*p.ldc, columns, mode)
				j += columns
			}
		}
	}
}

// narrowAVX2 is a small product of 2 to 16 columns.
func narrowAVX2(m, k int, a *float32, rowStride, colStride int, b *float32, ldb int, c *float32, ldc, columns, mode int) {
	switch {
	case columns == 16:
		gemm2x16AVX2(m, k, a, rowStride, colStride, b, ldb, c, ldc, columns, mode)
	case columns > 8:
		gemm2x16TailAVX2(m, k, a, rowStride, colStride, b, ldb, c, ldc, columns, mode)
	default:
		gemm2x8TailAVX2(m, k, a, rowStride, colStride, b, ldb, c, ldc, columns, mode)
	}
}

// gemvAVX2 is a product with one column. Where neither A's rows nor its columns
// lie contiguous as the kernels want them, the portable loop does it.
func gemvAVX2(p product, mode int) {
	rows := max(16, gemmLimit/4/p.k/16*16)
	switch {
	case p.colStride == 1 && p.ldb == 1:
		for i := 0; i < p.m; i += rows {
			gemvDotAVX2(min(rows, p.m-i), p.k, &p.a[i*p.rowStride], 4*p.rowStride, &p.b[0], &p.c[i*p.ldc], 4*p.ldc, mode)
		}
	case p.rowStride == 1 && p.ldc == 1:
		for i := 0; i < p.m; i += rows {
			gemvColumnsAVX2(min(rows, p.m-i), p.k, &p.a[i], 4*p.colStride, &p.b[0], 4*p.ldb, &p.c[i], mode)
		}
	default:
		gemmGeneric(p)
	}
}

// transposeAVX2 transposes squares of 8 × 8 and leaves the edges to Go.
func transposeAVX2(dst, src []float32, rows, cols, stride int) {
	wholeRows, wholeCols := rows&^7, cols&^7
	if wholeCols > 0 {
		for i := 0; i < wholeRows; i += 8 {
			transpose8AVX2(&dst[i], &src[i*stride], rows, stride, wholeCols/8)
		}
	} else {
		wholeRows = 0
	}
	for i := range wholeRows {
		for j := wholeCols; j < cols; j++ {
			dst[j*rows+i] = src[i*stride+j]
		}
	}
	for i := wholeRows; i < rows; i++ {
		for j, v := range src[i*stride:][:cols] {
			dst[j*rows+i] = v
		}
	}
}

// gemmAVX512 multiplies panels of 32 columns of B, or fewer, with all rows of A.
func gemmAVX512(p product) {
	mode := modeStore
	if p.accumulate {
		mode = modeAdd
	}
	switch {
	case p.n == 1:
		gemvAVX512(p, mode)
	case p.n <= 32:
		rows := rowsAVX512(p.k)
		for i := 0; i < p.m; i += rows {
			m, a, c := min(rows, p.m-i), &p.a[i*p.rowStride], &p.c[i*p.ldc]
			if p.n <= 16 {
				gemm2x16AVX512(m, p.k, a, 4*p.rowStride, 4*p.colStride, &p.b[0], 4*p.ldb, c, 4*p.ldc, p.n, mode)
			} else {
				gemm2x32AVX512(m, p.k, a, 4*p.rowStride, 4*p.colStride, &p.b[0], 4*p.ldb, c, 4*p.ldc, p.n, mode)
			}
		}
	case p.m <= 3:
		for j := 0; j < p.n; {
			columns := min(128, p.n-j)
			if columns == 128 {
				gemm1x128AVX512(p.m, p.k, &p.a[0], 4*p.rowStride, 4*p.colStride, &p.b[j], 4*p.ldb, &p.c[j], 4*p.ldc, columns, mode)
			} else {
				columns = min(64, columns)
				gemm1x64AVX512(p.m, p.k, &p.a[0], 4*p.rowStride, 4*p.colStride, &p.b[j], 4*p.ldb, &p.c[j], 4*p.ldc, columns, mode)
			}
			j += columns
		}
	case p.accumulate || p.m < copyRows || p.k*p.ldb < copySize:
		// B stays in the L1 cache, or is not used often enough to be copied.
		for j := 0; j < p.n; j += 32 {
			panelsAVX512(p.m, p.k, &p.a[0], p.rowStride, p.colStride, &p.b[j], p.ldb, &p.c[j], p.ldc, p.n-j, mode, &p.b[0], 0)
		}
	default:
		gemmCopyAVX512(&p)
	}
}

// gemvAVX512 is a product with one column: 16 rows at a time, where all lies
// contiguous, and the others as gemvAVX2 does them.
func gemvAVX512(p product, mode int) {
	if p.colStride == 1 && p.ldb == 1 && p.ldc == 1 {
		step := max(16, gemmLimit/4/p.k/16*16)
		for p.m >= 16 {
			rows := min(step, p.m&^15)
			gemvDotAVX512(rows/16, p.k, &p.a[0], 4*p.rowStride, &p.b[0], &p.c[0], mode)
			p.m -= rows
			if p.m == 0 {
				return
			}
			p.a, p.c = p.a[rows*p.rowStride:], p.c[rows:]
		}
	}
	gemvAVX2(p, mode)
}

// panelsAVX512 multiplies one panel of columns, at most 32, in calls that are
// short enough. The first fetches the k rows from next on that lie nextStride
// elements apart.
func panelsAVX512(m, k int, a *float32, rowStride, colStride int, b *float32, ldb int, c *float32, ldc, columns, mode int, next *float32, nextStride int) {
	columns = min(columns, 32)
	limit := rowsAVX512(k)
	rows := limit
	if nextStride > 0 {
		rows = 14
	}
	for i := 0; i < m; i, rows = i+rows, limit {
		if i > 0 {
			next, nextStride = b, 0
		}
		a := (*float32)(unsafe.Add(unsafe.Pointer(a), 4*i*rowStride))
		c := (*float32)(unsafe.Add(unsafe.Pointer(c), 4*i*ldc))
		if columns <= 16 {
			gemm1x16AVX512(min(rows, m-i), k, a, 4*rowStride, 4*colStride, b, 4*ldb, c, 4*ldc, columns, mode)
		} else {
			gemm1x32AVX512(min(rows, m-i), k, a, 4*rowStride, 4*colStride, b, 4*ldb, c, 4*ldc, columns, mode, next, 4*nextStride)
		}
	}
}

// rowsAVX512 returns how many rows one call takes.
func rowsAVX512(k int) int { return max(14, gemmLimit/16/k/14*14) }

const (
	// copySize and copyRows are from how many elements and rows of A on B is
	// copied, panel by panel.
	copySize = 1 << 13
	copyRows = 56

	// copySizeA is from how many elements on A is copied too.
	copySizeA = 1 << 19

	// padding is how much further apart than their length copied rows lie: not a
	// power of two, which would make them compete for the same few lines of the
	// caches.
	padding = 16

	// copyLimit bounds the elements of one call that copies: about 20 µs.
	copyLimit = 1 << 17
)

// What a product copies a panel of B and rows of A to. Products of two workers
// run at once, and no kernel allocates once each has had its turn.
type (
	panelCopy [1024 * 32]float32
	rowsCopy  [518 * (1024 + padding)]float32
)

var (
	panelCopies = sync.Pool{New: func() any { return new(panelCopy) }}
	rowsCopies  = sync.Pool{New: func() any { return new(rowsCopy) }}
)

// gemmCopyAVX512 multiplies all rows of A with one panel of B after the other,
// each of which it copies first; where k is large, part by part.
func gemmCopyAVX512(p *product) {
	panel := panelCopies.Get().(*panelCopy)
	defer panelCopies.Put(panel)
	if p.colStride != 1 || p.m*p.k <= copySizeA {
		depth := evenly(p.k, 512, 16)
		for l := 0; l < p.k; l += depth {
			gemmPartAVX512(p, panel, 0, p.m, l, min(depth, p.k-l), &p.a[l*p.colStride], p.rowStride)
		}
		return
	}
	a := rowsCopies.Get().(*rowsCopy)
	defer rowsCopies.Put(a)
	depth := evenly(p.k, 1024, 16)
	for l := 0; l < p.k; l += depth {
		k := min(depth, p.k-l)
		stride := k + padding
		rows := evenly(p.m, len(a)/stride/14*14, 14)
		for i := 0; i < p.m; i += rows {
			m := min(rows, p.m-i)
			step := copyLimit / k
			for r := 0; r < m; r += step {
				copyMatrixAVX512(&a[r*stride], &p.a[(i+r)*p.rowStride+l], 4*stride, 4*p.rowStride, min(step, m-r), k)
			}
			gemmPartAVX512(p, panel, i, m, l, k, &a[0], stride)
		}
	}
}

// evenly returns how long equal parts of n are that are at most limit long, a
// multiple of unit as limit is.
func evenly(n, limit, unit int) int {
	parts := (n + limit - 1) / limit
	return min(limit, ((n+parts-1)/parts+unit-1)/unit*unit)
}

// gemmPartAVX512 takes the products l to l + k of rows i to i + m. a is where
// those of A begin.
func gemmPartAVX512(p *product, panel *panelCopy, i, m, l, k int, a *float32, rowStride int) {
	mode := modeStore
	if l > 0 {
		mode = modeContinue
	}
	for j := 0; j < p.n; j += 32 {
		copyMatrixAVX512(&panel[0], &p.b[l*p.ldb+j], 4*32, 4*p.ldb, k, min(32, p.n-j))
		next, nextStride := &panel[0], 0
		if j+32 < p.n {
			next, nextStride = &p.b[l*p.ldb+j+32], p.ldb
		}
		panelsAVX512(m, k, a, rowStride, p.colStride, &panel[0], 32, &p.c[i*p.ldc+j], p.ldc, p.n-j, mode, next, nextStride)
	}
}

// transposeAVX512 transposes squares of 16 × 16 and leaves the edges to AVX2
// and Go.
func transposeAVX512(dst, src []float32, rows, cols, stride int) {
	wholeRows, wholeCols := rows&^15, cols&^15
	if wholeRows == 0 || wholeCols == 0 {
		transposeAVX2(dst, src, rows, cols, stride)
		return
	}
	for i := 0; i < wholeRows; i += 16 {
		transpose16AVX512(&dst[i], &src[i*stride], 4*rows, 4*stride, wholeCols/16)
	}
	for i := range wholeRows {
		for j := wholeCols; j < cols; j++ {
			dst[j*rows+i] = src[i*stride+j]
		}
	}
	for i := wholeRows; i < rows; i++ {
		for j, v := range src[i*stride:][:cols] {
			dst[j*rows+i] = v
		}
	}
}
