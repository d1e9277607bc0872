package simd

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// TestRows protects the bits of bias, row sums and means, on every path.
func TestRows(t *testing.T) {
	eachPath(t, func(t *testing.T, k *kernels) {
		use(t, k)
		r := rand.New(rand.NewPCG(17, 18))
		for width := 1; width <= 140; width++ {
			for _, rows := range []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 33} {
				value := fills[(width+rows)%len(fills)].make
				what := fmt.Sprintf("%d rows of %d", rows, width)
				x, start := fill(r, rows*width, value), fill(r, width, value)

				want := append([]float32(nil), x...)
				for i := range want {
					want[i] += start[i%width]
				}
				got, check := surround(t, x, rows%4)
				bias, checkBias := surround(t, start, width%4)
				AddBias(got, bias)
				checkBits(t, "AddBias: "+what, got, want)
				check("AddBias: " + what)
				checkBias("AddBias: " + what)

				sum := make([]float32, width)
				for i, v := range x {
					sum[i%width] += v
				}
				in, check := surround(t, x, rows%4)
				dst, checkDst := surround(t, start, width%4)
				SumRows(dst, in)
				checkBits(t, "SumRows: "+what, dst, sum)
				copy(dst, start)
				for j := range sum {
					sum[j] = start[j] + sum[j]
				}
				AccumulateRows(dst, in)
				checkBits(t, "AccumulateRows: "+what, dst, sum)

				n := []float32{0, 1, 3.7, -2, float32(math.NaN())}[r.IntN(5)]
				for j := range width {
					var s [4]float32
					for i := range rows {
						s[i%4] += x[i*width+j]
					}
					sum[j] = ((s[0] + s[1]) + (s[2] + s[3])) / n
					if n == 0 {
						sum[j] = 0
					}
				}
				MeanRows(dst, in, n)
				checkBits(t, fmt.Sprintf("MeanRows: %s by %v", what, n), dst, sum)
				check("rows: " + what)
				checkDst("rows: " + what)
			}
		}
	})
}

// TestManyRows protects the cutting of long matrices into several calls.
func TestManyRows(t *testing.T) {
	r := rand.New(rand.NewPCG(19, 20))
	for _, width := range []int{1, 5, 16, 70} {
		rows := 2*rowLimit + 11
		x, bias := fill(r, rows*width, fills[0].make), fill(r, width, fills[0].make)
		run := func(k *kernels) [][]float32 {
			use(t, k)
			biased := append([]float32(nil), x...)
			AddBias(biased, bias)
			sum, accumulated, mean := make([]float32, width), append([]float32(nil), bias...), make([]float32, width)
			SumRows(sum, x)
			AccumulateRows(accumulated, x)
			MeanRows(mean, x, 7)
			return [][]float32{biased, sum, accumulated, mean}
		}
		want := run(&portable)
		eachPath(t, func(t *testing.T, k *kernels) {
			for i, got := range run(k) {
				checkBits(t, fmt.Sprintf("width %d, result %d", width, i), got, want[i])
			}
		})
	}
	x := make([]float32, 3*(block+5))
	AddBias(x, fill(r, block+5, fills[0].make))
	checkBits(t, "wide bias", x[2*(block+5):], x[:block+5])
}
