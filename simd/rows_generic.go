package simd

func addBiasGeneric(dst, bias []float32) {
	for len(dst) >= len(bias) && len(bias) > 0 {
		row := dst[:len(bias)]
		for j, b := range bias {
			row[j] += b
		}
		dst = dst[len(bias):]
	}
}

// sumRowsGeneric sums len(dst) columns of rows that lie stride elements apart.
func sumRowsGeneric(dst, x []float32, rows, stride int, accumulate bool) {
	var buffer [rowColumns]float32
	s := buffer[:len(dst)]
	if !accumulate {
		s = dst
	}
	for i := range rows {
		row := x[i*stride:][:len(s)]
		for j, v := range row {
			s[j] += v
		}
	}
	if accumulate {
		for j, v := range s {
			dst[j] += v
		}
	}
}

// meanRowsGeneric averages len(dst) columns of rows that lie stride elements
// apart.
func meanRowsGeneric(dst, x []float32, rows, stride int, n float32) {
	var s [4][rowColumns]float32
	for i := range rows {
		row := x[i*stride:][:len(dst)]
		a := s[i%4][:len(row)]
		for j, v := range row {
			a[j] += v
		}
	}
	for j := range dst {
		dst[j] = ((s[0][j] + s[1][j]) + (s[2][j] + s[3][j])) / n
	}
}
