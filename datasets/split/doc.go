// Package split divides the rows of a data set into those to train on and those to validate with, in a random order that a
// seed decides.
//
// [Shuffled] and [Stratified] return numbers of rows, so that one split serves inputs, labels and weights alike: Take of
// tensor.Array, tensor.Sparse and text.Bags, and [Take] for plain slices, pick the rows.
package split
