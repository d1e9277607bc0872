package simd

import "fmt"

// Gather copies rows of table, a matrix with dim columns, to dst: row i of dst
// is row ids[i] of the table. It returns the number of rows copied: len(ids),
// or the index of the first id outside the table, where it stops.
func Gather(dst, table []float32, dim int, ids []int32) int {
	rows := checkTable("Gather", len(table), dim)
	if len(dst)/dim != len(ids) || len(dst)%dim != 0 {
		panic(fmt.Sprintf("simd: Gather: dst holds %d elements, want %d ids × %d", len(dst), len(ids), dim))
	}
	done, step := 0, max(1, block/dim)
	for len(ids) > step {
		n := active.gather(dst[:step*dim], table, dim, rows, ids[:step])
		done += n
		if n < step {
			return done
		}
		dst, ids = dst[step*dim:], ids[step:]
	}
	return done + active.gather(dst, table, dim, rows, ids)
}

// Scatter copies rows of src to rows of table, a matrix with dim columns, in the
// order of the ids: row ids[i] of the table becomes row i of src. It puts back
// what [Gather] has taken. It returns the number of rows copied: len(ids), or the
// index of the first id outside the table, where it stops.
func Scatter(table, src []float32, dim int, ids []int32) int {
	return scatter("Scatter", active.scatter, table, src, dim, ids)
}

// ScatterAdd adds rows of src to rows of table, a matrix with dim columns, in
// the order of the ids: row ids[i] of the table += row i of src. It is the
// gradient of [Gather]. It returns the number of rows added: len(ids), or the
// index of the first id outside the table, where it stops.
func ScatterAdd(table, src []float32, dim int, ids []int32) int {
	return scatter("ScatterAdd", active.scatterAdd, table, src, dim, ids)
}

func scatter(name string, kernel func(table, src []float32, dim, rows int, ids []int32) int, table, src []float32, dim int, ids []int32) int {
	rows := checkTable(name, len(table), dim)
	if len(src)/dim != len(ids) || len(src)%dim != 0 {
		panic(fmt.Sprintf("simd: %s: src holds %d elements, want %d ids × %d", name, len(src), len(ids), dim))
	}
	done, step := 0, max(1, block/dim)
	for len(ids) > step {
		n := kernel(table, src[:step*dim], dim, rows, ids[:step])
		done += n
		if n < step {
			return done
		}
		src, ids = src[step*dim:], ids[step:]
	}
	return done + kernel(table, src, dim, rows, ids)
}

// BagMean averages rows of table, a matrix with dim columns, for one bag of
// ids with counts: accumulator i mod 4, starting from +0, takes
// float32(counts[i] * row ids[i]); dst = ((a0+a1) + (a2+a3)) / n. n = 0 gives
// 0. It returns len(ids), or the index of the first id outside the table, and
// then leaves dst as it was.
func BagMean(dst, table []float32, dim int, ids []int32, counts []float32, n float32) int {
	rows := checkTable("BagMean", len(table), dim)
	if len(dst) != dim {
		panic(fmt.Sprintf("simd: BagMean: dst holds %d elements, want one row of %d", len(dst), dim))
	}
	if len(ids) != len(counts) {
		panic(fmt.Sprintf("simd: BagMean: %d ids, %d counts", len(ids), len(counts)))
	}
	// The sum of one bag cannot be cut into several calls: the portable loop
	// can be preempted.
	if len(ids) > block {
		return bagMeanGeneric(dst, table, rows, ids, counts, n)
	}
	return active.bagMean(dst, table, rows, ids, counts, n)
}

// BagScatter adds one gradient to the rows of a bag, in the order of the ids:
// row ids[i] of table += float32(counts[i] * grad). With grad divided by n
// beforehand it is the gradient of [BagMean]. It returns the number of rows
// done: len(ids), or the index of the first id outside the table, where it
// stops.
func BagScatter(table, grad []float32, dim int, ids []int32, counts []float32) int {
	rows := checkTable("BagScatter", len(table), dim)
	if len(grad) != dim {
		panic(fmt.Sprintf("simd: BagScatter: grad holds %d elements, want one row of %d", len(grad), dim))
	}
	if len(ids) != len(counts) {
		panic(fmt.Sprintf("simd: BagScatter: %d ids, %d counts", len(ids), len(counts)))
	}
	done, step := 0, max(1, block/dim)
	for len(ids) > step {
		n := active.bagScatter(table, grad, rows, ids[:step], counts[:step])
		done += n
		if n < step {
			return done
		}
		ids, counts = ids[step:], counts[step:]
	}
	return done + active.bagScatter(table, grad, rows, ids, counts)
}

// Prefetch asks the processor to fetch x, a few cache lines that will be read or
// written soon: a row of a large table takes longer to come than to compute with.
// It computes nothing.
func Prefetch(x []float32) {
	if len(x) <= block { // more would only drive each other out of the cache
		active.prefetch(x)
	}
}

// checkTable returns the number of rows of a table of n elements.
func checkTable(kernel string, n, dim int) int {
	if dim <= 0 || n%dim != 0 {
		panic(fmt.Sprintf("simd: %s: table of %d elements is no whole number of rows of width %d", kernel, n, dim))
	}
	return n / dim
}
