package simd

// gemmColumns is how many sums the portable product keeps at a time: P chains
// of n columns, or this many columns of one chain.
const gemmColumns = 64

func gemmGeneric(p product) {
	width := p.n
	chains := chains(p.n)
	if chains == 1 {
		width = gemmColumns
	}
	for j := 0; j < p.n; j += width {
		columns := min(width, p.n-j)
		for i := range p.m {
			gemmRowGeneric(p.c[i*p.ldc+j:][:columns], p.a[i*p.rowStride:], p.colStride, p.b[j:], p.ldb, p.k, chains, p.accumulate)
		}
	}
}

// gemmRowGeneric computes len(c) elements of one row of a product.
func gemmRowGeneric(c, a []float32, stride int, b []float32, ldb, k, chains int, accumulate bool) {
	var s [gemmColumns]float32
	n := len(c)
	if chains == 16 {
		fmaChains(&s, a, stride, b, ldb, k)
	} else {
		for l := range k {
			fmaRow(s[l&(chains-1)*n:][:n], b[l*ldb:][:n], a[l*stride])
		}
	}
	for h := chains / 2; h > 0; h /= 2 {
		lower, upper := s[:h*n], s[h*n:2*h*n]
		for j, v := range upper {
			lower[j] += v
		}
	}
	if accumulate {
		for j := range c {
			c[j] += s[j]
		}
		return
	}
	copy(c, s[:n])
}

// fmaRow computes s[j] = fma(a, b[j], s[j]), written out because the compiler
// does not inline fma.
func fmaRow(s, b []float32, a float32) {
	x := float64(a)
	s = s[:len(b)]
	for j, v := range b {
		p, c := x*float64(v), float64(s[j])
		sum := p + c
		s[j] = float32(sum)
		if roundsTwice(sum) {
			s[j] = fmaToOdd(p, c, sum)
		}
	}
}

// fmaChains sums the products of one row and one column in 16 chains.
func fmaChains(s *[gemmColumns]float32, a []float32, stride int, b []float32, ldb, k int) {
	for l := range k {
		p, c := float64(a[l*stride])*float64(b[l*ldb]), float64(s[l&15])
		sum := p + c
		s[l&15] = float32(sum)
		if roundsTwice(sum) {
			s[l&15] = fmaToOdd(p, c, sum)
		}
	}
}

// transposeGeneric writes the transpose of src, rows × cols with stride elements
// from row to row, to dst, cols × rows. Squares keep both sides in cache.
func transposeGeneric(dst, src []float32, rows, cols, stride int) {
	const side = 16
	for i0 := 0; i0 < rows; i0 += side {
		for j0 := 0; j0 < cols; j0 += side {
			for i := i0; i < min(i0+side, rows); i++ {
				for j, v := range src[i*stride+j0:][:min(side, cols-j0)] {
					dst[(j0+j)*rows+i] = v
				}
			}
		}
	}
}
