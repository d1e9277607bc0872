//go:build (amd64 || arm64) && !purego

package simd

// How the assembly is called.
const (
	// gemmDepth is how many rows of B one call takes where there is one chain,
	// which the next call continues: 16 columns of them stay in the L1 cache.
	gemmDepth = 512

	// gemmLimit bounds the multiply-adds of one call, which cannot be preempted:
	// about 20 µs on a fast processor.
	gemmLimit = 1 << 20
)
