package simd

import "fmt"

// AddBias adds bias to each row of dst, a matrix with len(bias) columns:
// dst[i][j] += bias[j].
func AddBias(dst, bias []float32) {
	width := len(bias)
	checkRows("AddBias", len(dst), width)
	if width == 0 {
		return
	}
	if width > block {
		for ; len(dst) > 0; dst = dst[width:] {
			Add(dst[:width], dst[:width], bias)
		}
		return
	}
	step := block / width * width
	for len(dst) > step {
		active.addBias(dst[:step], bias)
		dst = dst[step:]
	}
	active.addBias(dst, bias)
}

// SumRows adds up the rows of x, a matrix with len(dst) columns: dst[j] is the
// sum of column j, added up in the order of the rows starting from +0. It is
// the gradient of a bias.
func SumRows(dst, x []float32) {
	checkRows("SumRows", len(x), len(dst))
	clear(dst)
	sumRows(dst, x, false)
}

// AccumulateRows adds to dst what [SumRows] would give: dst[j] += sum of column
// j, with one rounding after the sum is complete.
func AccumulateRows(dst, x []float32) {
	checkRows("AccumulateRows", len(x), len(dst))
	sumRows(dst, x, true)
}

// sumRows adds up rows starting from what dst holds, or, with accumulate, from
// +0 and adds the finished sum to dst.
func sumRows(dst, x []float32, accumulate bool) {
	width := len(dst)
	if width == 0 {
		return
	}
	rows := len(x) / width
	if accumulate && rows == 0 {
		// x + (+0) turns -0 into +0, whatever the path.
		for j := range dst {
			dst[j] += 0
		}
		return
	}
	for j := 0; j < width; j += rowColumns {
		columns := min(rowColumns, width-j)
		d := dst[j : j+columns]
		if accumulate && rows > rowLimit {
			// The sum cannot be cut into several calls: the portable loop
			// can be preempted.
			sumRowsGeneric(d, x[j:], rows, width, accumulate)
			continue
		}
		for i := 0; i < rows; i += rowLimit {
			active.sumRows(d, x[i*width+j:], min(rowLimit, rows-i), width, accumulate)
		}
	}
}

// rowColumns and rowLimit bound one call of a kernel that walks down columns.
const (
	rowColumns = 64
	rowLimit   = 2048
)

// MeanRows adds up the rows of x, a matrix with len(dst) columns, and divides
// by n: global average pooling. Row i goes to accumulator i mod 4, which starts
// from +0; dst[j] = ((a0+a1) + (a2+a3)) / n. n = 0 gives 0.
func MeanRows(dst, x []float32, n float32) {
	width := len(dst)
	checkRows("MeanRows", len(x), width)
	if width == 0 {
		return
	}
	if n == 0 {
		clear(dst)
		return
	}
	rows := len(x) / width
	if rows == 0 {
		for j := range dst {
			dst[j] = 0 / n
		}
		return
	}
	kernel := active.meanRows
	if rows > rowLimit {
		kernel = meanRowsGeneric
	}
	for j := 0; j < width; j += rowColumns {
		kernel(dst[j:min(j+rowColumns, width)], x[j:], rows, width, n)
	}
}

// checkRows panics unless n elements are whole rows of the given width.
func checkRows(kernel string, n, width int) {
	if width == 0 && n != 0 || width != 0 && n%width != 0 {
		panic(fmt.Sprintf("simd: %s: %d elements are no whole number of rows of width %d", kernel, n, width))
	}
}
