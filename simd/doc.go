// Package simd holds linnet's float32 kernels: vector arithmetic, activations,
// embedding tables, matrix products and optimizer steps on plain slices.
//
// # Same bits
//
// Each kernel has a portable definition in Go, and its doc comment states the
// order of its operations. Every other implementation gives the same bits as
// the definition, on every platform and for every way to split the work along
// rows, with one exception: any NaN equals any other NaN, because sign and
// payload of a NaN differ between processors. -0 and +0 are told apart.
//
// Three rules make that possible.
//
//   - Elementwise kernels use correctly rounded operations in one order and
//     never fuse a product with a sum. In Go that is float32(a*b) + c: without
//     the conversion a compiler may fuse.
//   - Reductions ([Dot], [Sum], [Softmax]) add in a fixed number of virtual
//     lanes and a fixed tree: element i of a block of 65,536 goes to lane
//     i mod 32, each lane is added up in ascending order starting from +0, then
//     the upper half of the lanes is added to the lower half (lane j takes
//     lane j+16, then j+8, j+4, j+2, j+1). The sums of blocks are added in
//     order. A lane is as wide as the hardware likes: 32 lanes are four AVX2
//     registers, two AVX-512 registers or eight NEON registers.
//   - Matrix products are made of chains of fused multiply-adds whose number
//     and order depend on the inner dimension and the number of columns alone:
//     see [GemmNN].
//
// Package math serves here for correctly rounded or exact operations only
// (Sqrt, Abs, Floor and the bits of a number); exp, log and tanh are our own,
// as those of package math differ between processors.
//
// # Paths
//
// [Path] names the implementation in use, chosen once at start-up from what the
// processor has: on amd64 "avx512" (AVX-512 F, VL, DQ and BW, with BMI2), else
// "avx2" (AVX2 and FMA); on arm64 "neon"; elsewhere, and with -tags purego
// always, "portable". To run a program on another path of its machine, switch
// features off with Go's own setting:
//
//	GODEBUG=cpu.avx512f=off                 avx2
//	GODEBUG=cpu.avx512f=off,cpu.avx2=off    portable
//	GODEBUG=cpu.all=off                     portable, on every machine
//
// It is read once at start-up, so a test that compares paths starts its own
// program again with it.
//
// # Arguments
//
// Slices of unequal length are a programmer's error and panic with the kernel's
// name and the lengths. Ids come from data and are never trusted: kernels that
// take ids check each one and return how far they came. dst may be the same
// slice as an input where the comment says so; slices that overlap in part are
// not allowed. No kernel allocates or keeps its arguments.
package simd
