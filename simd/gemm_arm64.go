//go:build !purego

package simd

func gemmNEON(p product) {
	if p.n == 1 {
		gemvNEON(p, p.mode())
		return
	}
	gemmPanels(&p, 6, panelNEON)
}

// panelNEON multiplies the next of the given columns, and returns how many it
// has done.
func panelNEON(m, k int, a *float32, rowStride, colStride int, b *float32, ldb int, c *float32, ldc, columns, chains, mode int) int {
	panel, width := gemm1x1NEON, 1
	switch {
	case chains == 1 && m <= 2 && columns >= 64:
		panel, width = gemm1x64NEON, 64
	case chains == 1 && columns >= 16:
		panel, width = gemm1x16NEON, 16
	case chains == 1 && columns >= 4:
		panel, width = gemm1x4NEON, 4
	case chains == 1 && columns >= 2:
		panel, width = gemm1x2NEON, 2
	case chains == 1:
	case columns >= 16:
		panel, width = gemm2x16NEON, 16
	case columns >= 4:
		panel, width = gemm2x4NEON, 4
	case columns >= 2:
		panel, width = gemm2x2NEON, 2
	default:
		panel = gemm2x1NEON
	}
	panel(m, k, a, rowStride, colStride, b, ldb, c, ldc, mode)
	return width
}

// gemvNEON is a product with one column. Where neither A's rows nor its columns
// lie contiguous as the kernels want them, the portable loop does it.
func gemvNEON(p product, mode int) {
	rows := max(16, gemmLimit/4/p.k/16*16)
	switch {
	case p.colStride == 1 && p.ldb == 1:
		for i := 0; i < p.m; i += rows {
			kernel, m := gemvDotNEON, min(rows, p.m-i)
			if m == 1 {
				kernel = gemvDot1NEON
			}
			kernel(m, p.k, &p.a[i*p.rowStride], 4*p.rowStride, &p.b[0], &p.c[i*p.ldc], 4*p.ldc, mode)
		}
	case p.rowStride == 1 && p.ldc == 1:
		for i := 0; i < p.m; i += rows {
			m := min(rows, p.m-i)
			whole := m &^ 3
			if whole > 0 {
				gemvColumns4NEON(whole, p.k, &p.a[i], 4*p.colStride, &p.b[0], 4*p.ldb, &p.c[i], mode)
			}
			if whole < m {
				gemvColumns1NEON(m-whole, p.k, &p.a[i+whole], 4*p.colStride, &p.b[0], 4*p.ldb, &p.c[i+whole], mode)
			}
		}
	default:
		gemmGeneric(p)
	}
}

// transposeNEON transposes squares of 4 × 4 and leaves the edges to Go.
func transposeNEON(dst, src []float32, rows, cols, stride int) {
	wholeRows, wholeCols := rows&^3, cols&^3
	if wholeCols > 0 {
		for i := 0; i < wholeRows; i += 4 {
			transpose4NEON(&dst[i], &src[i*stride], rows, stride, wholeCols/4)
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
