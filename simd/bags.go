package simd

import "fmt"

// BagsMean is [BagMean] for a batch of bags. Bag i is pairs[from[i]:to[i]]; each
// pair is an id in its low 16 bits and a count in its high 16. Row i of dst, a
// matrix with dim columns, becomes the average of bag i, which divides by n[i]:
// accumulator k mod 4, starting from +0, takes float32(count * row) of the
// bag's pair k; dst = ((a0+a1) + (a2+a3)) / n. n = 0 gives 0. It returns the
// number of bags done: len(from), or the index of the first bag with an id
// outside the table, and leaves that row of dst and those after it as they were.
func BagsMean(dst, table []float32, dim int, pairs []uint32, from, to []int, n []float32) int {
	return bagsMean("BagsMean", active.bagsMean, bagsMeanGeneric, dst, table, dim, pairs, from, to, n)
}

// BagsMeanWide is [BagsMean] for tables of more than 65,536 rows: each pair is
// an id in its low 32 bits and a count, below 2^24, in its high 32.
func BagsMeanWide(dst, table []float32, dim int, pairs []uint64, from, to []int, n []float32) int {
	return bagsMean("BagsMeanWide", active.bagsMeanWide, bagsMeanWideGeneric, dst, table, dim, pairs, from, to, n)
}

// BagsScatter is [BagScatter] for a batch of bags, which are those of
// [BagsMean]: bag by bag and pair by pair, in order, row id of the table +=
// float32(count * row i of grad). grad has dim columns. With its rows divided by
// n beforehand it is the gradient of [BagsMean]. It returns the number of bags
// done: len(from), or the index of the first bag with an id outside the table,
// of which the pairs before that id have been added.
func BagsScatter(table, grad []float32, dim int, pairs []uint32, from, to []int) int {
	return bagsScatter("BagsScatter", active.bagsScatter, table, grad, dim, pairs, from, to)
}

// BagsScatterWide is [BagsScatter] with the pairs of [BagsMeanWide].
func BagsScatterWide(table, grad []float32, dim int, pairs []uint64, from, to []int) int {
	return bagsScatter("BagsScatterWide", active.bagsScatterWide, table, grad, dim, pairs, from, to)
}

// bagsMeanKernel averages bags whose bounds have been checked. last is the last
// row of the table, which has one.
type bagsMeanKernel[P uint32 | uint64] = func(dst, table []float32, dim int, last uint32, pairs []P, from, to []int, n []float32) int

type bagsScatterKernel[P uint32 | uint64] = func(table, grad []float32, dim int, last uint32, pairs []P, from, to []int) int

func bagsMean[P uint32 | uint64](name string, kernel, generic bagsMeanKernel[P], dst, table []float32, dim int, pairs []P, from, to []int, n []float32) int {
	rows := checkTable(name, len(table), dim)
	checkBags(name, "dst", len(dst), dim, len(from), len(to))
	if len(n) != len(from) {
		panic(fmt.Sprintf("simd: %s: %d bags, %d divisors", name, len(from), len(n)))
	}
	for start := 0; start < len(from); {
		end, fits := cutBags(name, len(pairs), from, to, start, dim, rows)
		if end == start {
			return start
		}
		k := kernel
		if !fits || rows == 0 {
			// The sum of one bag cannot be cut into several calls: the
			// portable loop can be preempted. And kernels may read row 0 of
			// the table for a pair that does not exist.
			k = generic
		}
		if done := k(dst[start*dim:end*dim], table, dim, lastRow(rows), pairs, from[start:end], to[start:end], n[start:end]); done < end-start {
			return start + done
		}
		start = end
	}
	return len(from)
}

func bagsScatter[P uint32 | uint64](name string, kernel bagsScatterKernel[P], table, grad []float32, dim int, pairs []P, from, to []int) int {
	rows := checkTable(name, len(table), dim)
	checkBags(name, "grad", len(grad), dim, len(from), len(to))
	for start := 0; start < len(from); {
		end, fits := cutBags(name, len(pairs), from, to, start, dim, rows)
		if end == start {
			return start
		}
		g := grad[start*dim : end*dim]
		if fits {
			if done := kernel(table, g, dim, lastRow(rows), pairs, from[start:end], to[start:end]); done < end-start {
				return start + done
			}
		} else {
			for lo, step := from[start], bagsBlock(dim); lo < to[start]; lo += step {
				part := [2]int{lo, min(lo+step, to[start])}
				if kernel(table, g, dim, lastRow(rows), pairs, part[:1], part[1:]) == 0 {
					return start
				}
			}
		}
		start = end
	}
	return len(from)
}

// bagsBlock is the number of pairs that one assembly call works on: a fair
// number of rows where they are short, fewer where they are long.
func bagsBlock(dim int) int { return max(1, block/max(1, dim/16)) }

// cutBags checks bags from start on and returns the end of those that one call
// may work on. A bag that is too long for a call comes alone and does not fit.
// In a table without rows every pair is outside: end is start then.
func cutBags(name string, pairs int, from, to []int, start, dim, rows int) (end int, fits bool) {
	most := bagsBlock(dim)
	work := 0
	for end = start; end < len(from); end++ {
		lo, hi := from[end], to[end]
		if lo < 0 || hi < lo || hi > pairs {
			panic(fmt.Sprintf("simd: %s: bag %d is [%d:%d] of %d pairs", name, end, lo, hi, pairs))
		}
		if rows == 0 && lo < hi {
			return end, true
		}
		if work += hi - lo; work > most {
			break
		}
		work += 8 // a bag takes time even if it is empty
	}
	if end == start {
		return start + 1, false
	}
	return end, true
}

// lastRow returns the index of a table's last row, as far as ids reach.
func lastRow(rows int) uint32 { return uint32(min(uint64(rows)-1, 1<<32-1)) }

func checkBags(name, matrix string, n, dim, from, to int) {
	if from != to {
		panic(fmt.Sprintf("simd: %s: %d starts and %d ends of bags", name, from, to))
	}
	if n/dim != from || n%dim != 0 {
		panic(fmt.Sprintf("simd: %s: %s holds %d elements, want %d bags × %d", name, matrix, n, from, dim))
	}
}
