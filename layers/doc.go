// Package layers holds linnet's layers, one file each: the spec that a user writes, and beside it the forward and
// backward steps that it builds. Names and defaults are Keras's.
package layers
