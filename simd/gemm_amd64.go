//go:build !purego

package simd

// Modes of the assembly: what a product does with what c holds.
const (
	modeStore    = 0 // overwrites it
	modeContinue = 1 // starts its one chain from it
	modeAdd      = 2 // adds the finished product to it
)

const (
	// gemmDepth is how many rows of B one call takes where there is one chain,
	// which the next call continues: 16 columns of them stay in the L1 cache.
	gemmDepth = 512

	// gemmLimit bounds the multiply-adds of one call, which cannot be preempted:
	// about 20 µs.
	gemmLimit = 1 << 20
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

const (
	// panelDepth is how many rows of B one call takes where there is one chain:
	// 32 columns of them stay in the L1 cache.
	panelDepth = 256
)

// gemmAVX512 multiplies panels of 16 or 32 columns of B with all rows of A.
func gemmAVX512(p product) {
	mode := modeStore
	if p.accumulate {
		mode = modeAdd
	}
	if p.n == 1 {
		gemvAVX2(p, mode)
		return
	}
	if p.n <= 32 {
		panel := gemm2x16AVX512
		if p.n > 16 {
			panel = gemm2x32AVX512
		}
		rows := max(14, gemmLimit/32/p.k/14*14)
		for i := 0; i < p.m; i += rows {
			panel(min(rows, p.m-i), p.k, &p.a[i*p.rowStride], 4*p.rowStride, 4*p.colStride, &p.b[0], 4*p.ldb, &p.c[i*p.ldc], 4*p.ldc, p.n, mode)
		}
		return
	}
	depth := p.k
	if !p.accumulate {
		depth = panelDepth
	}
	for l := 0; l < p.k; l += depth {
		if l > 0 {
			mode = modeContinue
		}
		k := min(depth, p.k-l)
		rows := max(14, gemmLimit/32/k/14*14)
		for i := 0; i < p.m; i += rows {
			m := min(rows, p.m-i)
			for j := 0; j < p.n; {
				a, b, c := &p.a[i*p.rowStride+l*p.colStride], &p.b[l*p.ldb+j], &p.c[i*p.ldc+j]
				columns := p.n - j
				panel := gemm1x32AVX512
				switch {
				case m <= 3 && columns >= 128:
					panel, columns = gemm1x128AVX512, 128
				case m <= 3 && columns > 32:
					panel, columns = gemm1x64AVX512, min(columns, 64)
				case columns <= 16:
					panel = gemm1x16AVX512
				default:
					columns = min(columns, 32)
				}
				panel(m, k, a, 4*p.rowStride, 4*p.colStride, b, 4*p.ldb, c, 4*p.ldc, columns, mode)
				j += columns
			}
		}
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
