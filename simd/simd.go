package simd

import "fmt"

// kernels is one implementation of every kernel: the portable definition, or
// one made for an instruction set. The exported functions check arguments, cut
// long slices into blocks, and call the table in use; the entries may rely on
// both. An entry for which a path has nothing of its own is the portable one.
type kernels struct {
	name string

	axpy  func(a float32, x, y []float32)
	add   func(dst, x, y []float32)
	mul   func(dst, x, y []float32)
	scale func(dst, x []float32, a float32)
	maxAt func(best, at, x []float32, i float32)
	dot   func(x, y []float32) float32
	sum   func(x []float32) float32

	relu         func(dst, x []float32)
	reluGrad     func(dst, dy, y []float32)
	exp          func(dst, x []float32)
	log          func(dst, x []float32)
	sigmoid      func(dst, x []float32)
	sigmoidGrad  func(dst, dy, y []float32)
	tanh         func(dst, x []float32)
	tanhGrad     func(dst, dy, y []float32)
	max          func(x []float32) float32
	expSum       func(dst, x []float32, max float32) float32
	divide       func(dst, x []float32, a float32)
	softmaxGrad  func(dst, dy, y []float32, s float32)
	logisticLoss func(loss, grad, z, y []float32)

	addBias  func(dst, bias []float32)
	sumRows  func(dst, x []float32, rows, stride int, accumulate bool)
	meanRows func(dst, x []float32, rows, stride int, n float32)

	gather     func(dst, table []float32, dim, rows int, ids []int32) int
	scatter    func(table, src []float32, dim, rows int, ids []int32) int
	scatterAdd func(table, src []float32, dim, rows int, ids []int32) int
	bagMean    func(dst, table []float32, rows int, ids []int32, counts []float32, n float32) int
	prefetch   func(x []float32)
	bagScatter func(table, grad []float32, rows int, ids []int32, counts []float32) int

	// countIDs may be nil: the portable one then serves.
	countIDs func(out []uint32, row []int32, vocabulary int) int

	bagsMean        bagsMeanKernel[uint32]
	bagsMeanWide    bagsMeanKernel[uint64]
	bagsScatter     bagsScatterKernel[uint32]
	bagsScatterWide bagsScatterKernel[uint64]

	// narrow is a product of few rows and 2 to 16 columns, with strides in bytes
	// and the modes of the assembly. It may be nil: gemm does them all.
	narrow    func(m, k int, a *float32, rowStride, colStride int, b *float32, ldb int, c *float32, ldc, columns, mode int)
	gemm      func(p product)
	transpose func(dst, src []float32, rows, cols, stride int)

	adam       func(w, m, v, grad []float32, alpha, c1, c2, eps float32)
	adamRepeat func(w, m, v []float32, steps [][8]float32)
	sgd        func(w, grad []float32, lr float32)
	momentum   func(w, vel, grad []float32, lr, momentum float32)
	nesterov   func(w, vel, grad []float32, lr, momentum float32)
	rmsprop    func(w, v, grad []float32, lr, rho, c, eps float32)
}

// portable is the definition of every kernel.
var portable = kernels{
	name: "portable",

	axpy:  axpyGeneric,
	add:   addGeneric,
	mul:   mulGeneric,
	scale: scaleGeneric,
	maxAt: maxAtGeneric,
	dot:   dotGeneric,
	sum:   sumGeneric,

	relu:         reluGeneric,
	reluGrad:     reluGradGeneric,
	exp:          expGeneric,
	log:          logGeneric,
	sigmoid:      sigmoidGeneric,
	sigmoidGrad:  sigmoidGradGeneric,
	tanh:         tanhGeneric,
	tanhGrad:     tanhGradGeneric,
	max:          maxGeneric,
	expSum:       expSumGeneric,
	divide:       divideGeneric,
	softmaxGrad:  softmaxGradGeneric,
	logisticLoss: logisticLossGeneric,

	addBias:  addBiasGeneric,
	sumRows:  sumRowsGeneric,
	meanRows: meanRowsGeneric,

	gather:     gatherGeneric,
	scatter:    scatterGeneric,
	scatterAdd: scatterAddGeneric,
	bagMean:    bagMeanGeneric,
	prefetch:   func([]float32) {},
	bagScatter: bagScatterGeneric,

	bagsMean:        bagsMeanGeneric,
	bagsMeanWide:    bagsMeanWideGeneric,
	bagsScatter:     bagsScatterGeneric,
	bagsScatterWide: bagsScatterWideGeneric,

	gemm:      gemmGeneric,
	transpose: transposeGeneric,

	adam:       adamGeneric,
	adamRepeat: adamRepeatGeneric,
	sgd:        sgdGeneric,
	momentum:   momentumGeneric,
	nesterov:   nesterovGeneric,
	rmsprop:    rmspropGeneric,
}

// active is the last, best path that this processor can run.
var active = func() *kernels {
	paths := available()
	return &paths[len(paths)-1]
}()

// Path names the implementation in use: "avx512", "avx2", "neon" or "portable".
func Path() string { return active.name }

// block is the longest piece of a slice that one assembly call works on.
// Assembly cannot be preempted: 65,536 elements take about 30 µs, which is how
// long a kernel may delay the garbage collector.
const block = 1 << 16

// checkLengths2 panics unless two lengths are equal. These three are inlined:
// a prediction of one row is made of calls that take a few nanoseconds.
func checkLengths2(kernel string, a, b int) {
	if a != b {
		panicLengths(kernel, a, b)
	}
}

func checkLengths3(kernel string, a, b, c int) {
	if a != b || a != c {
		panicLengths(kernel, a, b, c)
	}
}

func checkLengths4(kernel string, a, b, c, d int) {
	if a != b || a != c || a != d {
		panicLengths(kernel, a, b, c, d)
	}
}

//go:noinline
func panicLengths(kernel string, lengths ...int) {
	// A copy: lengths themselves would escape to the heap on every call.
	panic(fmt.Sprintf("simd: %s: slices of lengths %v, want equal lengths", kernel, append([]int(nil), lengths...)))
}
