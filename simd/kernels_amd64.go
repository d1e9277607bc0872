//go:build !purego

package simd

import "golang.org/x/sys/cpu"

//go:generate go run -C _asm . -part vector -isa avx512 -out ../vector_avx512_amd64.s -stubs ../vector_avx512_amd64.go -pkg simd
//go:generate go run -C _asm . -part vector -out ../vector_avx2_amd64.s -stubs ../vector_avx2_amd64.go -pkg simd
//go:generate go run -C _asm . -part activation -isa avx512 -out ../activation_avx512_amd64.s -stubs ../activation_avx512_amd64.go -pkg simd
//go:generate go run -C _asm . -part activation -out ../activation_avx2_amd64.s -stubs ../activation_avx2_amd64.go -pkg simd
//go:generate go run -C _asm . -part rows -isa avx512 -out ../rows_avx512_amd64.s -stubs ../rows_avx512_amd64.go -pkg simd
//go:generate go run -C _asm . -part rows -out ../rows_avx2_amd64.s -stubs ../rows_avx2_amd64.go -pkg simd
//go:generate go run -C _asm . -part table -isa avx512 -out ../table_avx512_amd64.s -stubs ../table_avx512_amd64.go -pkg simd
//go:generate go run -C _asm . -part table -out ../table_avx2_amd64.s -stubs ../table_avx2_amd64.go -pkg simd
//go:generate go run -C _asm . -part bags -out ../bags_avx2_amd64.s -stubs ../bags_avx2_amd64.go -pkg simd
//go:generate go run -C _asm . -part bags -isa avx512 -out ../bags_avx512_amd64.s -stubs ../bags_avx512_amd64.go -pkg simd
//go:generate go run -C _asm . -part count -isa avx512 -out ../count_avx512_amd64.s -stubs ../count_avx512_amd64.go -pkg simd
//go:generate go run -C _asm . -part gemm -out ../gemm_avx2_amd64.s -stubs ../gemm_avx2_amd64.go -pkg simd
//go:generate go run -C _asm . -part gemm512 -out ../gemm_avx512_amd64.s -stubs ../gemm_avx512_amd64.go -pkg simd
//go:generate go run -C _asm . -part optimizer -isa avx512 -out ../optimizer_avx512_amd64.s -stubs ../optimizer_avx512_amd64.go -pkg simd
//go:generate go run -C _asm . -part optimizer -out ../optimizer_avx2_amd64.s -stubs ../optimizer_avx2_amd64.go -pkg simd

// available returns the paths that this processor can run, best last.
func available() []kernels {
	paths := []kernels{portable}
	if cpu.X86.HasAVX2 && cpu.X86.HasFMA {
		paths = append(paths, avx2)
	}
	if x := &cpu.X86; len(paths) > 1 && x.HasAVX512F && x.HasAVX512VL && x.HasAVX512DQ && x.HasAVX512BW && x.HasBMI2 && x.HasPOPCNT {
		paths = append(paths, avx512)
	}
	return paths
}

// avx2 holds the kernels for processors with AVX2 and FMA.
var avx2 = kernels{
	name: "avx2",

	axpy:  axpyAVX2,
	add:   addAVX2,
	mul:   mulAVX2,
	scale: scaleAVX2,
	maxAt: maxAtAVX2,
	dot:   dotAVX2,
	sum:   sumAVX2,

	relu:         reluAVX2,
	reluGrad:     reluGradAVX2,
	exp:          expAVX2,
	log:          logAVX2,
	sigmoid:      sigmoidAVX2,
	sigmoidGrad:  sigmoidGradAVX2,
	tanh:         tanhAVX2,
	tanhGrad:     tanhGradAVX2,
	max:          maxAVX2,
	expSum:       expSumAVX2,
	divide:       divideAVX2,
	softmaxGrad:  softmaxGradAVX2,
	logisticLoss: logisticLossAVX2,

	addBias:  addBiasRowsAVX2,
	sumRows:  sumRowsAVX2,
	meanRows: meanRowsAVX2,

	gather:     gatherAVX2,
	scatter:    scatterAVX2,
	scatterAdd: scatterAddAVX2,
	bagMean:    bagMeanAVX2,
	prefetch:   prefetchAVX2,
	bagScatter: bagScatterAVX2,

	bagsMean:        bagsMeanAVX2,
	bagsMeanWide:    bagsMeanWideAVX2,
	bagsScatter:     bagsScatterAVX2,
	bagsScatterWide: bagsScatterWideAVX2,

	narrow:    narrowAVX2,
	gemm:      gemmAVX2,
	transpose: transposeAVX2,

	adam:       adamAVX2,
	adamRepeat: adamRepeatAVX2,
	sgd:        sgdAVX2,
	momentum:   momentumAVX2,
	nesterov:   nesterovAVX2,
	rmsprop:    rmspropAVX2,
}

// addBiasRowsAVX2 adds a bias. Rows of one element are one vector; wide rows are
// added one by one, as walking down their columns would miss the cache.
func addBiasRowsAVX2(dst, bias []float32) {
	switch n := len(bias); {
	case n == 1:
		shiftAVX2(dst, dst, bias[0])
	case n >= 128:
		for i := 0; i < len(dst); i += n {
			addAVX2(dst[i:i+n], dst[i:i+n], bias)
		}
	default:
		addBiasAVX2(dst, bias)
	}
}

// avx512 holds the kernels for processors with AVX-512 (F, VL, DQ and BW), BMI2
// and POPCNT: those of avx2 where nothing else is stated.
var avx512 = func() kernels {
	k := avx2
	k.name = "avx512"
	k.narrow = gemm2x16AVX512
	k.gemm = gemmAVX512
	k.transpose = transposeAVX512
	k.axpy = axpyAVX512
	k.add = addAVX512
	k.mul = mulAVX512
	k.scale = scaleAVX512
	k.maxAt = maxAtAVX512
	k.dot = dotAVX512
	k.sum = sumAVX512
	k.relu = reluAVX512
	k.reluGrad = reluGradAVX512
	k.exp = expAVX512
	k.log = logAVX512
	k.sigmoid = sigmoidAVX512
	k.sigmoidGrad = sigmoidGradAVX512
	k.tanh = tanhAVX512
	k.tanhGrad = tanhGradAVX512
	k.max = maxAVX512
	k.expSum = expSumAVX512
	k.divide = divideAVX512
	k.softmaxGrad = softmaxGradAVX512
	k.logisticLoss = logisticLossAVX512
	k.sumRows = sumRowsAVX512
	k.meanRows = meanRowsAVX512
	k.gather = gatherAVX512
	k.scatter = scatterAVX512
	k.scatterAdd = scatterAddAVX512
	k.bagMean = bagMeanAVX512
	k.bagScatter = bagScatterAVX512
	k.adam = adamAVX512
	k.adamRepeat = adamRepeatAVX512
	k.sgd = sgdAVX512
	k.momentum = momentumAVX512
	k.nesterov = nesterovAVX512
	k.rmsprop = rmspropAVX512
	k.countIDs = countIDsAVX512
	k.bagsMean = bagsMeanAVX512
	k.bagsMeanWide = bagsMeanWideAVX512
	k.bagsScatter = bagsScatterAVX512
	k.bagsScatterWide = bagsScatterWideAVX512
	return k
}()
