package simd

// narrowShift and wideShift are where the count of a pair begins.
const (
	narrowShift = 16
	wideShift   = 32
)

func bagsMeanGeneric(dst, table []float32, dim int, last uint32, pairs []uint32, from, to []int, n []float32) int {
	for i := range from {
		if !bagOfPairs(dst[i*dim:][:dim], table, last, pairs[from[i]:to[i]], narrowShift, n[i]) {
			return i
		}
	}
	return len(from)
}

func bagsMeanWideGeneric(dst, table []float32, dim int, last uint32, pairs []uint64, from, to []int, n []float32) int {
	for i := range from {
		if !bagOfPairs(dst[i*dim:][:dim], table, last, pairs[from[i]:to[i]], wideShift, n[i]) {
			return i
		}
	}
	return len(from)
}

// bagOfPairs averages one bag. It reports false, and leaves dst as it was, if an
// id lies outside the table.
func bagOfPairs[P uint32 | uint64](dst, table []float32, last uint32, bag []P, shift uint, n float32) bool {
	ids := P(1)<<shift - 1
	for _, p := range bag {
		if uint32(p&ids) > last {
			return false
		}
	}
	if n == 0 {
		clear(dst)
		return true
	}
	dim := len(dst)
	for j := 0; j < dim; j += bagColumns {
		d := dst[j:min(j+bagColumns, dim)]
		var s [4][bagColumns]float32
		for k, p := range bag {
			count := float32(int32(p >> shift))
			a := s[k%4][:len(d)]
			row := table[int(p&ids)*dim+j:][:len(a)]
			for c, v := range row {
				a[c] += float32(count * v)
			}
		}
		for c := range d {
			d[c] = ((s[0][c] + s[1][c]) + (s[2][c] + s[3][c])) / n
		}
	}
	return true
}

func bagsScatterGeneric(table, grad []float32, dim int, last uint32, pairs []uint32, from, to []int) int {
	for i := range from {
		if !scatterPairs(table, grad[i*dim:][:dim], last, pairs[from[i]:to[i]], narrowShift) {
			return i
		}
	}
	return len(from)
}

func bagsScatterWideGeneric(table, grad []float32, dim int, last uint32, pairs []uint64, from, to []int) int {
	for i := range from {
		if !scatterPairs(table, grad[i*dim:][:dim], last, pairs[from[i]:to[i]], wideShift) {
			return i
		}
	}
	return len(from)
}

// scatterPairs adds a gradient to the rows of one bag. It reports false at an id
// outside the table.
func scatterPairs[P uint32 | uint64](table, grad []float32, last uint32, bag []P, shift uint) bool {
	ids, dim := P(1)<<shift-1, len(grad)
	for _, p := range bag {
		if uint32(p&ids) > last {
			return false
		}
		count := float32(int32(p >> shift))
		row := table[int(p&ids)*dim:][:dim]
		for j, v := range grad {
			row[j] += float32(count * v)
		}
	}
	return true
}
