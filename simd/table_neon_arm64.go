//go:build !purego

package simd

// gatherNEON copies rows of table to dst:
//
//	for i, id := range ids {
//		if uint(id) >= uint(rows) {
//			return i
//		}
//		copy(dst[i*dim:][:dim], table[int(id)*dim:])
//	}
//	return len(ids)
//
//go:noescape
func gatherNEON(dst, table []float32, dim, rows int, ids []int32) int

// scatterAddNEON adds rows of src to rows of table:
//
//	for i, id := range ids {
//		if uint(id) >= uint(rows) {
//			return i
//		}
//		for j, v := range src[i*dim:][:dim] {
//			table[int(id)*dim+j] += v
//		}
//	}
//	return len(ids)
//
//go:noescape
func scatterAddNEON(table, src []float32, dim, rows int, ids []int32) int

// bagMeanNEON averages the rows of a bag; dst keeps its value if an id lies
// outside the table, and is 0 if n is:
//
//	for j := range dst {
//		var s [4]float32
//		for i, id := range ids {
//			if uint(id) >= uint(rows) {
//				return i
//			}
//			s[i%4] += float32(counts[i] * table[int(id)*len(dst)+j])
//		}
//		dst[j] = ((s[0] + s[1]) + (s[2] + s[3])) / n
//	}
//	return len(ids)
//
//go:noescape
func bagMeanNEON(dst, table []float32, rows int, ids []int32, counts []float32, n float32) int

// bagScatterNEON adds a gradient, times a count, to the rows of a bag:
//
//	for i, id := range ids {
//		if uint(id) >= uint(rows) {
//			return i
//		}
//		for j, v := range grad {
//			table[int(id)*len(grad)+j] += float32(counts[i] * v)
//		}
//	}
//	return len(ids)
//
//go:noescape
func bagScatterNEON(table, grad []float32, rows int, ids []int32, counts []float32) int

// prefetchNEON asks for the cache lines of x. It computes nothing.
//
//go:noescape
func prefetchNEON(x []float32)
