//go:build !purego

package simd

// axpyNEON adds a multiple of x to y:
//
//	for i, v := range x {
//		y[i] += float32(a * v)
//	}
//
//go:noescape
func axpyNEON(a float32, x, y []float32)

// addNEON adds elementwise:
//
//	for i, v := range x {
//		dst[i] = v + y[i]
//	}
//
//go:noescape
func addNEON(dst, x, y []float32)

// mulNEON multiplies elementwise:
//
//	for i, v := range x {
//		dst[i] = v * y[i]
//	}
//
//go:noescape
func mulNEON(dst, x, y []float32)

// scaleNEON multiplies by a number:
//
//	for i, v := range x {
//		dst[i] = a * v
//	}
//
//go:noescape
func scaleNEON(dst, x []float32, a float32)

// shiftNEON adds a number:
//
//	for i, v := range x {
//		dst[i] = v + a
//	}
//
//go:noescape
func shiftNEON(dst, x []float32, a float32)

// maxAtNEON keeps the larger of two numbers, and where it was found:
//
//	for j, v := range x {
//		if v > best[j] {
//			best[j], at[j] = v, i
//		}
//	}
//
//go:noescape
func maxAtNEON(best, at, x []float32, i float32)

// divideNEON divides by a number:
//
//	for i, v := range x {
//		dst[i] = v / a
//	}
//
//go:noescape
func divideNEON(dst, x []float32, a float32)

// dotNEON returns the inner product in 32 lanes:
//
//	for i, v := range x {
//		s[i%32] += float32(v * y[i])
//	}
//	for h := 16; h > 0; h /= 2 {
//		for j := range h {
//			s[j] += s[j+h]
//		}
//	}
//	return s[0]
//
//go:noescape
func dotNEON(x, y []float32) float32

// sumNEON returns the sum in 32 lanes:
//
//	for i, v := range x {
//		s[i%32] += v
//	}
//	for h := 16; h > 0; h /= 2 {
//		for j := range h {
//			s[j] += s[j+h]
//		}
//	}
//	return s[0]
//
//go:noescape
func sumNEON(x []float32) float32

// transpose4NEON transposes squares of 4 × 4, side by side in src, one below
// the other in dst:
//
//	for i := range 4 {
//		for j := range 4 * squares {
//			dst[j*dstStride+i] = src[i*srcStride+j]
//		}
//	}
//
//go:noescape
func transpose4NEON(dst, src *float32, dstStride, srcStride, squares int)
