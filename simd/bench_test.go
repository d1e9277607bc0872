package simd

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// benchmark runs call on every path.
func benchmark(b *testing.B, name string, call func(b *testing.B)) {
	for i := range available() {
		k := &available()[i]
		b.Run(name+"/isa="+k.name, func(b *testing.B) {
			use(b, k)
			call(b)
		})
	}
}

func normal(n int) []float32 {
	return fill(rand.New(rand.NewPCG(1, uint64(n))), n, fills[0].make)
}

// benchmarkSlices measures a kernel on slices of several lengths; touched is
// how many slices it reads or writes for each element.
func benchmarkSlices(b *testing.B, touched int, call func(dst, x, y []float32)) {
	for _, n := range []int{64, 1024, 65536} {
		dst, x, y := normal(n), normal(n), normal(n)
		benchmark(b, fmt.Sprintf("n=%d", n), func(b *testing.B) {
			b.SetBytes(int64(4 * n * touched))
			for b.Loop() {
				call(dst, x, y)
			}
		})
	}
}

func BenchmarkAxpy(b *testing.B) {
	benchmarkSlices(b, 3, func(dst, x, y []float32) { Axpy(1e-9, x, dst) })
}
func BenchmarkAdd(b *testing.B) { benchmarkSlices(b, 3, Add) }
func BenchmarkMul(b *testing.B) { benchmarkSlices(b, 3, Mul) }
func BenchmarkScale(b *testing.B) {
	benchmarkSlices(b, 2, func(dst, x, y []float32) { Scale(dst, x, 0.5) })
}
func BenchmarkDot(b *testing.B)  { benchmarkSlices(b, 2, func(dst, x, y []float32) { Dot(x, y) }) }
func BenchmarkSum(b *testing.B)  { benchmarkSlices(b, 1, func(dst, x, y []float32) { Sum(x) }) }
func BenchmarkRelu(b *testing.B) { benchmarkSlices(b, 2, func(dst, x, y []float32) { Relu(dst, x) }) }
func BenchmarkReluGrad(b *testing.B) {
	benchmarkSlices(b, 3, ReluGrad)
}
func BenchmarkExp(b *testing.B) { benchmarkSlices(b, 2, func(dst, x, y []float32) { Exp(dst, x) }) }
func BenchmarkLog(b *testing.B) { benchmarkSlices(b, 2, func(dst, x, y []float32) { Log(dst, x) }) }
func BenchmarkSigmoid(b *testing.B) {
	benchmarkSlices(b, 2, func(dst, x, y []float32) { Sigmoid(dst, x) })
}
func BenchmarkSigmoidGrad(b *testing.B) { benchmarkSlices(b, 3, SigmoidGrad) }
func BenchmarkTanh(b *testing.B)        { benchmarkSlices(b, 2, func(dst, x, y []float32) { Tanh(dst, x) }) }
func BenchmarkTanhGrad(b *testing.B)    { benchmarkSlices(b, 3, TanhGrad) }
func BenchmarkSoftmax(b *testing.B) {
	benchmarkSlices(b, 2, func(dst, x, y []float32) { Softmax(dst, x) })
}
func BenchmarkSoftmaxGrad(b *testing.B) { benchmarkSlices(b, 3, SoftmaxGrad) }
func BenchmarkLogisticLoss(b *testing.B) {
	grad := make([]float32, 65536)
	benchmarkSlices(b, 4, func(dst, x, y []float32) { LogisticLoss(dst, grad[:len(x)], x, y) })
}

// benchmarkRows measures a kernel on matrices of several shapes.
func benchmarkRows(b *testing.B, call func(row, x []float32)) {
	for _, s := range [][2]int{{512, 1}, {512, 16}, {512, 50}, {64, 1024}} {
		row, x := normal(s[1]), normal(s[0]*s[1])
		for j := range row {
			row[j] = 1e-9
		}
		benchmark(b, fmt.Sprintf("rows=%d/width=%d", s[0], s[1]), func(b *testing.B) {
			b.SetBytes(int64(4 * len(x)))
			for b.Loop() {
				call(row, x)
			}
		})
	}
}

func BenchmarkAddBias(b *testing.B) {
	benchmarkRows(b, func(row, x []float32) { AddBias(x, row) })
}
func BenchmarkSumRows(b *testing.B)        { benchmarkRows(b, SumRows) }
func BenchmarkAccumulateRows(b *testing.B) { benchmarkRows(b, AccumulateRows) }
func BenchmarkMeanRows(b *testing.B) {
	benchmarkRows(b, func(row, x []float32) { MeanRows(row, x, 512) })
}

// bags is a batch of bags whose ids are distributed as words are (Zipf).
type bags struct {
	ids    []int32
	counts []float32
	ends   []int
}

func newBags(rows, batch, distinct int) bags {
	r := rand.New(rand.NewPCG(1, 2))
	zipf := rand.NewZipf(r, 1.001, 1, uint64(rows-1))
	var s bags
	for range batch {
		seen := make([]bool, rows)
		for n := 0; n < distinct; {
			if id := zipf.Uint64(); !seen[id] {
				seen[id] = true
				n++
			}
		}
		for id, ok := range seen {
			if ok {
				s.ids = append(s.ids, int32(id))
				s.counts = append(s.counts, 1)
			}
		}
		s.ends = append(s.ends, len(s.ids))
	}
	return s
}

// benchmarkTable measures a kernel on a batch of 512 bags of 130 distinct ids,
// and reports the time of one id.
func benchmarkTable(b *testing.B, call func(table []float32, dim int, flat, row []float32, ids []int32, counts []float32)) {
	s := newBags(10000, 512, 130)
	for _, dim := range []int{16, 50, 64} {
		table, flat, row := normal(10000*dim), normal(130*dim), normal(dim)
		for i := range row {
			row[i] *= 1e-9
		}
		benchmark(b, fmt.Sprintf("rows=10000/dim=%d", dim), func(b *testing.B) {
			b.SetBytes(int64(4 * dim * len(s.ids)))
			for b.Loop() {
				start := 0
				for _, end := range s.ends {
					call(table, dim, flat, row, s.ids[start:end], s.counts[start:end])
					start = end
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(s.ids)), "ns/id")
		})
	}
}

func BenchmarkGather(b *testing.B) {
	benchmarkTable(b, func(table []float32, dim int, flat, row []float32, ids []int32, counts []float32) {
		Gather(flat, table, dim, ids)
	})
}
func BenchmarkScatter(b *testing.B) {
	benchmarkTable(b, func(table []float32, dim int, flat, row []float32, ids []int32, counts []float32) {
		Scatter(table, flat, dim, ids)
	})
}
func BenchmarkScatterAdd(b *testing.B) {
	benchmarkTable(b, func(table []float32, dim int, flat, row []float32, ids []int32, counts []float32) {
		ScatterAdd(table, flat, dim, ids)
	})
}
func BenchmarkBagMean(b *testing.B) {
	benchmarkTable(b, func(table []float32, dim int, flat, row []float32, ids []int32, counts []float32) {
		BagMean(row, table, dim, ids, counts, 256)
	})
}
func BenchmarkBagScatter(b *testing.B) {
	benchmarkTable(b, func(table []float32, dim int, flat, row []float32, ids []int32, counts []float32) {
		BagScatter(table, row, dim, ids, counts)
	})
}

// benchmarkBags measures a kernel on a training step's bags as they lie after a
// shuffle, 512 at a time of 20,000, and reports the time of one pair.
func benchmarkBags(b *testing.B, call func(matrix, table []float32, dim int, narrow []uint32, wide []uint64, from, to []int, n []float32)) {
	const rows, batch, distinct, copies = 10000, 512, 110, 40
	s := newBags(rows, batch, distinct)
	var narrow []uint32
	var wide []uint64
	for range copies {
		for i, id := range s.ids {
			narrow = append(narrow, uint32(id)|uint32(s.counts[i])<<16)
			wide = append(wide, uint64(id)|uint64(s.counts[i])<<32)
		}
	}
	order := rand.New(rand.NewPCG(1, 1)).Perm(copies * batch)
	from, to := make([]int, len(order)), make([]int, len(order))
	for i, bag := range order {
		from[i], to[i] = bag*distinct, (bag+1)*distinct
	}
	n := fill(rand.New(rand.NewPCG(1, 1)), batch, func(*rand.Rand) float32 { return 256 })
	for _, dim := range []int{8, 16, 32, 50, 64} {
		table, matrix := normal(rows*dim), make([]float32, batch*dim)
		benchmark(b, fmt.Sprintf("rows=%d/dim=%d", rows, dim), func(b *testing.B) {
			b.SetBytes(int64(4 * dim * len(narrow)))
			for b.Loop() {
				for i := 0; i < len(order); i += batch {
					call(matrix, table, dim, narrow, wide, from[i:i+batch], to[i:i+batch], n)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(narrow)), "ns/pair")
		})
	}
}

func BenchmarkBagsMean(b *testing.B) {
	benchmarkBags(b, func(matrix, table []float32, dim int, narrow []uint32, wide []uint64, from, to []int, n []float32) {
		BagsMean(matrix, table, dim, narrow, from, to, n)
	})
}
func BenchmarkBagsMeanWide(b *testing.B) {
	benchmarkBags(b, func(matrix, table []float32, dim int, narrow []uint32, wide []uint64, from, to []int, n []float32) {
		BagsMeanWide(matrix, table, dim, wide, from, to, n)
	})
}
func BenchmarkBagsScatter(b *testing.B) {
	benchmarkBags(b, func(matrix, table []float32, dim int, narrow []uint32, wide []uint64, from, to []int, n []float32) {
		BagsScatter(table, matrix, dim, narrow, from, to)
	})
}
func BenchmarkBagsScatterWide(b *testing.B) {
	benchmarkBags(b, func(matrix, table []float32, dim int, narrow []uint32, wide []uint64, from, to []int, n []float32) {
		BagsScatterWide(table, matrix, dim, wide, from, to)
	})
}

// BenchmarkGemm measures the shapes of the tutorial's layers and of larger
// ones: C is (m × n), k is summed over.
func BenchmarkGemm(b *testing.B) {
	for _, s := range []shape{
		{form: formNN, m: 512, k: 16, n: 16},
		{form: formNN, m: 512, k: 16, n: 1},
		{form: formNN, m: 1, k: 16, n: 16},
		{form: formNN, m: 512, k: 50, n: 16},
		{form: formNN, m: 512, k: 16, n: 50},
		{form: formNN, m: 512, k: 256, n: 128},
		{form: formNN, m: 1, k: 1024, n: 64},
		{form: formNN, m: 1, k: 1024, n: 1},
		{form: formNN, m: 16, k: 16, n: 16},
		{form: formNN, m: 64, k: 64, n: 64},
		{form: formNN, m: 512, k: 64, n: 24},
		{form: formNN, m: 256, k: 256, n: 256},
		{form: formNN, m: 1024, k: 1024, n: 1024},
		{form: formTN, m: 16, k: 512, n: 16},
		{form: formTN, m: 16, k: 512, n: 1},
		{form: formTN, m: 50, k: 512, n: 16},
		{form: formTN, m: 256, k: 512, n: 128},
		{form: formNT, m: 512, k: 16, n: 16},
		{form: formNT, m: 512, k: 1, n: 16},
		{form: formNT, m: 512, k: 16, n: 50},
		{form: formNT, m: 512, k: 128, n: 256},
	} {
		arows, lda, brows, ldb, ldc := s.strides()
		x, y, c, work := normal(arows*lda), normal(brows*ldb), make([]float32, s.m*ldc), make([]float32, GemmWork(s.n, s.k))
		benchmark(b, fmt.Sprintf("form=%v/m=%d/k=%d/n=%d", s.form, s.m, s.k, s.n), func(b *testing.B) {
			for b.Loop() {
				switch s.form {
				case formNN:
					GemmNN(s.m, s.n, s.k, x, lda, y, ldb, c, ldc, false)
				case formTN:
					GemmTN(s.m, s.n, s.k, x, lda, y, ldb, c, ldc, false)
				case formNT:
					GemmNT(s.m, s.n, s.k, x, lda, y, ldb, c, ldc, false, work)
				}
			}
			b.ReportMetric(2*float64(s.m)*float64(s.n)*float64(s.k)*float64(b.N)/float64(b.Elapsed().Nanoseconds()), "GFLOP/s")
		})
	}
}

// benchmarkOptimizer measures a step and reports the time of one parameter.
func benchmarkOptimizer(b *testing.B, slices int, call func(w, m, v, grad []float32)) {
	for _, n := range []int{4096, 160289, 4000000} {
		w, m, v, grad := normal(n), normal(n), normal(n), normal(n)
		for i := range v {
			v[i] *= v[i]
		}
		benchmark(b, fmt.Sprintf("n=%d", n), func(b *testing.B) {
			b.SetBytes(int64(4 * n * slices))
			for b.Loop() {
				call(w, m, v, grad)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/parameter")
		})
	}
}

func BenchmarkAdam(b *testing.B) {
	benchmarkOptimizer(b, 7, func(w, m, v, grad []float32) { Adam(w, m, v, grad, 1e-9, 0.1, 0.001, 1e-7) })
}
func BenchmarkSGD(b *testing.B) {
	benchmarkOptimizer(b, 3, func(w, m, v, grad []float32) { SGD(w, grad, 1e-9) })
}
func BenchmarkMomentum(b *testing.B) {
	benchmarkOptimizer(b, 5, func(w, m, v, grad []float32) { Momentum(w, m, grad, 1e-9, 0.9, false) })
}
func BenchmarkNesterov(b *testing.B) {
	benchmarkOptimizer(b, 5, func(w, m, v, grad []float32) { Momentum(w, m, grad, 1e-9, 0.9, true) })
}
func BenchmarkRMSProp(b *testing.B) {
	benchmarkOptimizer(b, 5, func(w, m, v, grad []float32) { RMSProp(w, v, grad, 1e-9, 0.9, 0.1, 1e-7) })
}
