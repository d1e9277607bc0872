//go:build !purego

package simd

// gemm1x16NEON multiplies m rows with 16 columns in one chain. Strides are in
// bytes; mode 0 stores, 1 starts the chain from c, 2 adds to c:
//
//	for i := range m {
//		for j := range 16 {
//			var s float32 // mode 1: c[i*ldc+j]
//			for l := range k {
//				s = fma(a[i*rowStride+l*colStride], b[l*ldb+j], s)
//			}
//			c[i*ldc+j] = s // mode 2: +=
//		}
//	}
//
//go:noescape
func gemm1x16NEON(m, k int, a *float32, rowStride, colStride int, b *float32, ldb int, c *float32, ldc, mode int)

// gemm1x64NEON is gemm1x16NEON with 64 columns, for few rows.
//
//go:noescape
func gemm1x64NEON(m, k int, a *float32, rowStride, colStride int, b *float32, ldb int, c *float32, ldc, mode int)

// gemm1x4NEON is gemm1x16NEON with 4 columns.
//
//go:noescape
func gemm1x4NEON(m, k int, a *float32, rowStride, colStride int, b *float32, ldb int, c *float32, ldc, mode int)

// gemm1x2NEON is gemm1x16NEON with 2 columns.
//
//go:noescape
func gemm1x2NEON(m, k int, a *float32, rowStride, colStride int, b *float32, ldb int, c *float32, ldc, mode int)

// gemm1x1NEON is gemm1x16NEON with one column.
//
//go:noescape
func gemm1x1NEON(m, k int, a *float32, rowStride, colStride int, b *float32, ldb int, c *float32, ldc, mode int)

// gemm2x16NEON multiplies m rows with 16 columns in two chains. Strides are in
// bytes; mode 0 stores, 2 adds to c:
//
//	for i := range m {
//		for j := range 16 {
//			var s [2]float32
//			for l := range k {
//				s[l%2] = fma(a[i*rowStride+l*colStride], b[l*ldb+j], s[l%2])
//			}
//			c[i*ldc+j] = s[0] + s[1] // mode 2: +=
//		}
//	}
//
//go:noescape
func gemm2x16NEON(m, k int, a *float32, rowStride, colStride int, b *float32, ldb int, c *float32, ldc, mode int)

// gemm2x4NEON is gemm2x16NEON with 4 columns.
//
//go:noescape
func gemm2x4NEON(m, k int, a *float32, rowStride, colStride int, b *float32, ldb int, c *float32, ldc, mode int)

// gemm2x2NEON is gemm2x16NEON with 2 columns.
//
//go:noescape
func gemm2x2NEON(m, k int, a *float32, rowStride, colStride int, b *float32, ldb int, c *float32, ldc, mode int)

// gemm2x1NEON is gemm2x16NEON with one column.
//
//go:noescape
func gemm2x1NEON(m, k int, a *float32, rowStride, colStride int, b *float32, ldb int, c *float32, ldc, mode int)

// gemvDotNEON multiplies m contiguous rows with one contiguous column in 16
// chains. Strides are in bytes; mode 0 stores, 2 adds to c:
//
//	for i := range m {
//		var s [16]float32
//		for l := range k {
//			s[l%16] = fma(a[i*rowStride+l], b[l], s[l%16])
//		}
//		for h := 8; h > 0; h /= 2 {
//			for j := range h {
//				s[j] += s[j+h]
//			}
//		}
//		c[i*ldc] = s[0] // mode 2: +=
//	}
//
//go:noescape
func gemvDotNEON(m, k int, a *float32, rowStride int, b, c *float32, ldc, mode int)

// gemvDot1NEON is gemvDotNEON for one row.
//
//go:noescape
func gemvDot1NEON(m, k int, a *float32, rowStride int, b, c *float32, ldc, mode int)

// gemvColumns4NEON multiplies m rows, a multiple of 4, with one column in 16
// chains, where it is A's columns that are contiguous, and c is. Strides are in
// bytes; mode 0 stores, 2 adds to c:
//
//	for i := range m {
//		var s [16]float32
//		for l := range k {
//			s[l%16] = fma(a[l*colStride+i], b[l*ldb], s[l%16])
//		}
//		for h := 8; h > 0; h /= 2 {
//			for j := range h {
//				s[j] += s[j+h]
//			}
//		}
//		c[i] = s[0] // mode 2: +=
//	}
//
//go:noescape
func gemvColumns4NEON(m, k int, a *float32, colStride int, b *float32, ldb int, c *float32, mode int)

// gemvColumns1NEON is gemvColumns4NEON for any number of rows, one by one.
//
//go:noescape
func gemvColumns1NEON(m, k int, a *float32, colStride int, b *float32, ldb int, c *float32, mode int)
