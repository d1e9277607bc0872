//go:build !purego

package simd

// addBiasNEON adds bias to each row of dst:
//
//	for len(dst) > 0 {
//		for j, b := range bias {
//			dst[j] += b
//		}
//		dst = dst[len(bias):]
//	}
//
//go:noescape
func addBiasNEON(dst, bias []float32)

// sumRowsNEON adds up len(dst) columns of rows that lie stride elements apart,
// starting from dst, or with accumulate from +0 and then adding the sum to dst:
//
//	for j := range dst {
//		s := dst[j] // with accumulate 0
//		for i := range rows {
//			s += x[i*stride+j]
//		}
//		dst[j] = s // with accumulate +=
//	}
//
//go:noescape
func sumRowsNEON(dst, x []float32, rows, stride int, accumulate bool)

// meanRowsNEON averages len(dst) columns of rows that lie stride elements apart:
//
//	for j := range dst {
//		var s [4]float32
//		for i := range rows {
//			s[i%4] += x[i*stride+j]
//		}
//		dst[j] = ((s[0] + s[1]) + (s[2] + s[3])) / n
//	}
//
//go:noescape
func meanRowsNEON(dst, x []float32, rows, stride int, n float32)

// addBiasVector adds a bias. Rows of one element are one vector; wide rows are
// added one by one, as walking down their columns would miss the cache.
func addBiasVector(dst, bias []float32) {
	switch n := len(bias); {
	case n == 1:
		shiftNEON(dst, dst, bias[0])
	case n >= 128:
		for i := 0; i < len(dst); i += n {
			addNEON(dst[i:i+n], dst[i:i+n], bias)
		}
	default:
		addBiasNEON(dst, bias)
	}
}
