//go:build !purego

package simd

import "golang.org/x/sys/cpu"

// available returns the paths that this processor can run, best last.
func available() []kernels {
	paths := []kernels{portable}
	if cpu.ARM64.HasASIMD {
		paths = append(paths, neon())
	}
	return paths
}

func neon() kernels {
	k := portable
	k.name = "neon"
	k.axpy = axpyNEON
	k.add = addNEON
	k.mul = mulNEON
	k.scale = scaleNEON
	k.dot = dotNEON
	k.sum = sumNEON
	k.divide = divideNEON
	k.relu = reluNEON
	k.reluGrad = reluGradNEON
	k.exp = expNEON
	k.log = logNEON
	k.sigmoid = sigmoidNEON
	k.sigmoidGrad = sigmoidGradNEON
	k.tanh = tanhNEON
	k.tanhGrad = tanhGradNEON
	k.max = maxNEON
	k.expSum = expSumNEON
	k.softmaxGrad = softmaxGradNEON
	k.logisticLoss = logisticLossNEON
	k.adam = adamNEON
	k.sgd = sgdNEON
	k.momentum = momentumNEON
	k.nesterov = nesterovNEON
	k.rmsprop = rmspropNEON
	k.addBias = addBiasVector
	k.sumRows = sumRowsNEON
	k.meanRows = meanRowsNEON
	k.gather = gatherNEON
	k.scatterAdd = scatterAddNEON
	k.bagMean = bagMeanNEON
	k.bagScatter = bagScatterNEON
	k.prefetchBag = prefetchBagNEON
	k.bagsMean = bagsMeanNEON
	k.bagsMeanWide = bagsMeanWideNEON
	k.bagsScatter = bagsScatterNEON
	k.bagsScatterWide = bagsScatterWideNEON
	return k
}
