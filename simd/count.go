package simd

import (
	"fmt"
	"slices"
)

const (
	// CountedIDs is the longest row that [CountIDs] takes.
	CountedIDs = 256
	// CountIDsRoom is how long the slice must be that [CountIDs] writes to: kernels write whole vectors.
	CountIDsRoom = 288
)

// CountIDs finds the distinct ids of a row of at most [CountedIDs] and how often each occurs. It writes them to out,
// ascending, each with its count in the upper 16 bits, and returns how many there are, or -1 for an id outside the
// vocabulary 0 to vocabulary-1, which must be below 65,536. What lies in out beyond them is overwritten.
func CountIDs(out []uint32, row []int32, vocabulary int) int {
	if len(out) < CountIDsRoom || len(row) > CountedIDs || uint(vocabulary) >= 1<<16 {
		panicCountIDs(len(out), len(row), vocabulary)
	}
	if active.countIDs == nil {
		return countIDsGeneric(out, row, vocabulary)
	}
	return active.countIDs(out, row, vocabulary)
}

// CountsIDs reports whether [CountIDs] has a kernel on the path in use: one that is faster than a table of counts, which
// the portable loop is not.
func CountsIDs() bool { return active.countIDs != nil }

func countIDsGeneric(out []uint32, row []int32, vocabulary int) int {
	var sorted [CountedIDs]int32
	ids := sorted[:copy(sorted[:], row)]
	slices.Sort(ids)
	n := 0
	for i := 0; i < len(ids); {
		id := ids[i]
		if id < 0 || int(id) >= vocabulary {
			return -1
		}
		first := i
		for i < len(ids) && ids[i] == id {
			i++
		}
		out[n] = uint32(id) | uint32(i-first)<<16
		n++
	}
	return n
}

//go:noinline
func panicCountIDs(out, row, vocabulary int) {
	panic(fmt.Sprintf("simd: CountIDs: row of %d ids of a vocabulary of %d into %d elements; want at most %d, less than 65536, at least %d",
		row, vocabulary, out, CountedIDs, CountIDsRoom))
}
