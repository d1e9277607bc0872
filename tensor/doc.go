// Package tensor holds the data that models read and write: shapes, and row-major arrays of float32, int32 and
// string over plain Go slices. It does no arithmetic; package simd does.
//
// The first dimension of an array counts its rows (samples). A model reads anything that satisfies [Rows]:
// an [Array], or a [Sparse] matrix.
package tensor
