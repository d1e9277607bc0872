package simd

func gatherGeneric(dst, table []float32, dim, rows int, ids []int32) int {
	for i, id := range ids {
		if uint(id) >= uint(rows) {
			return i
		}
		copy(dst[i*dim:][:dim], table[int(id)*dim:][:dim])
	}
	return len(ids)
}

func scatterGeneric(table, src []float32, dim, rows int, ids []int32) int {
	for i, id := range ids {
		if uint(id) >= uint(rows) {
			return i
		}
		copy(table[int(id)*dim:][:dim], src[i*dim:][:dim])
	}
	return len(ids)
}

func scatterAddGeneric(table, src []float32, dim, rows int, ids []int32) int {
	for i, id := range ids {
		if uint(id) >= uint(rows) {
			return i
		}
		row := table[int(id)*dim:][:dim]
		for j, v := range src[i*dim:][:dim] {
			row[j] += v
		}
	}
	return len(ids)
}

func bagMeanGeneric(dst, table []float32, rows int, ids []int32, counts []float32, n float32) int {
	for i, id := range ids {
		if uint(id) >= uint(rows) {
			return i
		}
	}
	dim := len(dst)
	for j := 0; j < dim; j += bagColumns {
		bagColumnsGeneric(dst[j:min(j+bagColumns, dim)], table, dim, j, ids, counts, n)
	}
	return len(ids)
}

// bagColumns is how many columns the portable bag sums at a time.
const bagColumns = 16

// bagColumnsGeneric computes up to bagColumns columns of a bag, from the given one on.
func bagColumnsGeneric(dst, table []float32, dim, column int, ids []int32, counts []float32, n float32) {
	if n == 0 {
		clear(dst)
		return
	}
	var s [4][bagColumns]float32
	for i, id := range ids {
		count := counts[i]
		a := s[i%4][:len(dst)]
		row := table[int(id)*dim+column:][:len(a)]
		for j, v := range row {
			a[j] += float32(count * v)
		}
	}
	for j := range dst {
		dst[j] = ((s[0][j] + s[1][j]) + (s[2][j] + s[3][j])) / n
	}
}

func bagScatterGeneric(table, grad []float32, rows int, ids []int32, counts []float32) int {
	dim := len(grad)
	for i, id := range ids {
		if uint(id) >= uint(rows) {
			return i
		}
		count := counts[i]
		row := table[int(id)*dim:][:dim]
		for j, v := range grad {
			row[j] += float32(count * v)
		}
	}
	return len(ids)
}
