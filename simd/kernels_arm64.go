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
	return k
}
