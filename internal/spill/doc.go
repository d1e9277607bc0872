// Package spill keeps arrays that may be larger than memory: those up to a size on the heap, larger ones in files without a
// name in the folder for temporary files, which are mapped. The pages of a mapping do not count as memory of the program, and
// the system takes them back when it needs them. Where files cannot be mapped and unlinked while they are open, all arrays
// are on the heap.
package spill
