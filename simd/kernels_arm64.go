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
	maxAt: maxAtNEON,
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
	prefetch:   prefetchNEON,
	bagScatter: bagScatterNEON,

	bagsMean:        bagsMeanNEON,
	bagsMeanWide:    bagsMeanWideNEON,
	bagsScatter:     bagsScatterNEON,
	bagsScatterWide: bagsScatterWideNEON,

	gemm:      gemmNEON,
	transpose: transposeNEON,

	adam:       adamNEON,
	adamRepeat: adamRepeatNEON,
	sgd:        sgdNEON,
	momentum:   momentumNEON,
	nesterov:   nesterovNEON,
	rmsprop:    rmspropNEON,
}

// noGradient is read only.
var noGradient [1 << 10]float32

// adamRepeatNEON is a call of adamNEON for each step and piece: the elements stay
// in the L1 cache meanwhile.
func adamRepeatNEON(w, m, v []float32, steps [][8]float32) {
	for at := 0; at < len(w); at += len(noGradient) {
		end := min(at+len(noGradient), len(w))
		for i := range steps {
			s := &steps[i]
			adamNEON(w[at:end], m[at:end], v[at:end], noGradient[:end-at], s[0], s[1], s[2], s[3])
		}
	}
}
