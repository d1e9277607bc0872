package layers

import "github.com/linnet-ml/linnet/simd"

// Until package simd has them.

func bagsMean[P uint32 | uint64](dst, table []float32, dim int, pairs []P, half uint, from, to []int, n []float32) {
	var ids []int32
	var counts []float32
	for i := range from {
		ids, counts = ids[:0], counts[:0]
		for _, p := range pairs[from[i]:to[i]] {
			ids, counts = append(ids, int32(p&(1<<half-1))), append(counts, float32(p>>half))
		}
		simd.BagMean(dst[i*dim:(i+1)*dim], table, dim, ids, counts, n[i])
	}
}

func bagsScatter[P uint32 | uint64](table, grad []float32, dim int, pairs []P, half uint, from, to []int) {
	var ids []int32
	var counts []float32
	for i := range from {
		ids, counts = ids[:0], counts[:0]
		for _, p := range pairs[from[i]:to[i]] {
			ids, counts = append(ids, int32(p&(1<<half-1))), append(counts, float32(p>>half))
		}
		simd.BagScatter(table, grad[i*dim:(i+1)*dim], dim, ids, counts)
	}
}
