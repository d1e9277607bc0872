//go:build !purego

package simd

import "golang.org/x/sys/cpu"

// available returns the paths that this processor can run, best last.
func available() []kernels {
	paths := []kernels{portable}
	if cpu.ARM64.HasASIMD {
		paths = append(paths, neon)
	}
	return paths
}

// neon holds the kernels for 64-bit ARM processors, written by hand.
var neon = kernels{
	name: "neon",

	axpy:  axpyNEON,
	add:   addNEON,
	mul:   mulNEON,
	scale: scaleNEON,
	dot:   dotNEON,
	sum:   sumNEON,

	relu:         reluNEON,
	reluGrad:     reluGradNEON,
	exp:          expNEON,
	log:          logNEON,
	sigmoid:      sigmoidNEON,
	sigmoidGrad:  sigmoidGradNEON,
	tanh:         tanhNEON,
	tanhGrad:     tanhGradNEON,
	max:          maxNEON,
	expSum:       expSumNEON,
	divide:       divideNEON,
	softmaxGrad:  softmaxGradNEON,
	logisticLoss: logisticLossNEON,

	addBias:  addBiasVector,
	sumRows:  sumRowsNEON,
	meanRows: meanRowsNEON,

	gather:     gatherNEON,
	scatter:    scatterGeneric,
	scatterAdd: scatterAddNEON,
	bagMean:    bagMeanNEON,
	bagScatter: bagScatterNEON,

	bagsMean:        bagsMeanNEON,
	bagsMeanWide:    bagsMeanWideNEON,
	bagsScatter:     bagsScatterNEON,
	bagsScatterWide: bagsScatterWideNEON,

	gemm:      gemmNEON,
	transpose: transposeNEON,

	adam:     adamNEON,
	sgd:      sgdNEON,
	momentum: momentumNEON,
	nesterov: nesterovNEON,
	rmsprop:  rmspropNEON,
}
