//go:build !purego

package simd

// bagsMeanNEON averages the rows of each bag; it returns the first bag with an
// id outside the table, of which dst keeps its value:
//
//	for i := range from {
//		var s [4][dim]float32
//		for k, p := range pairs[from[i]:to[i]] {
//			id, count := uint16(p), float32(int32(p>>16))
//			if id > last {
//				return i
//			}
//			for j := range dim {
//				s[k%4][j] += float32(count * table[id*dim+j])
//			}
//		}
//		for j := range dim {
//			dst[i*dim+j] = ((s[0][j] + s[1][j]) + (s[2][j] + s[3][j])) / n[i] // 0 if n[i] is
//		}
//	}
//	return len(from)
//
//go:noescape
func bagsMeanNEON(dst, table []float32, dim int, last uint32, pairs []uint32, from, to []int, n []float32) int

// bagsMeanWideNEON is bagsMeanNEON with wider pairs:
//
//	id, count := uint32(p), float32(int32(p>>32))
//
//go:noescape
func bagsMeanWideNEON(dst, table []float32, dim int, last uint32, pairs []uint64, from, to []int, n []float32) int

// bagsScatterNEON adds the gradient of each bag, times a count, to the bag's
// rows; it returns the first bag with an id outside the table, having added the
// pairs before it:
//
//	for i := range from {
//		for _, p := range pairs[from[i]:to[i]] {
//			id, count := uint16(p), float32(int32(p>>16))
//			if id > last {
//				return i
//			}
//			for j := range dim {
//				table[id*dim+j] += float32(count * grad[i*dim+j])
//			}
//		}
//	}
//	return len(from)
//
//go:noescape
func bagsScatterNEON(table, grad []float32, dim int, last uint32, pairs []uint32, from, to []int) int

// bagsScatterWideNEON is bagsScatterNEON with wider pairs:
//
//	id, count := uint32(p), float32(int32(p>>32))
//
//go:noescape
func bagsScatterWideNEON(table, grad []float32, dim int, last uint32, pairs []uint64, from, to []int) int
