// Package npz reads NumPy's .npz archives as far as data sets of sequences need them: arrays of integers, and object
// arrays of lists of integers.
//
// NumPy writes an object array as a pickle, a program for a small stack machine that can call any Python function.
// The machine here runs only what numpy.save writes for lists of integers and refuses every other instruction and
// every other function, naming its offset. No size that a file claims is believed: memory stays in proportion to the
// file, members must not overlap, and checksums are verified.
package npz
