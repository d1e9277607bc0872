//go:build !purego

package simd

// gemmNEON multiplies panels of 16 columns of B with all rows of A, then panels
// of 4, 2 or one with what is left. B and A are read where they lie.
func gemmNEON(p product) {
	mode := modeStore
	if p.accumulate {
		mode = modeAdd
	}
	if p.n == 1 {
		gemvNEON(p, mode)
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
		rows := max(6, gemmLimit/16/k/6*6)
		for i := 0; i < p.m; i += rows {
			m := min(rows, p.m-i)
			for j := 0; j < p.n; {
				panel, columns := gemmPanel(chains, m, p.n-j)
				panel(m, k, &p.a[i*p.rowStride+l*p.colStride], 4*p.rowStride, 4*p.colStride, &p.b[l*p.ldb+j], 4*p.ldb, &p.c[i*p.ldc+j], 4*p.ldc, mode)
				j += columns
			}
		}
	}
}

// gemmPanel returns the kernel for the next of the given columns, and how many
// it does.
func gemmPanel(chains, rows, columns int) (panel func(m, k int, a *float32, rowStride, colStride int, b *float32, ldb int, c *float32, ldc, mode int), width int) {
	if chains == 2 {
		switch {
		case columns >= 16:
			return gemm2x16NEON, 16
		case columns >= 4:
			return gemm2x4NEON, 4
		case columns >= 2:
			return gemm2x2NEON, 2
		}
		return gemm2x1NEON, 1
	}
	switch {
	case columns >= 64 && rows <= 2:
		return gemm1x64NEON, 64
	case columns >= 16:
		return gemm1x16NEON, 16
	case columns >= 4:
		return gemm1x4NEON, 4
	case columns >= 2:
		return gemm1x2NEON, 2
	}
	return gemm1x1NEON, 1
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
