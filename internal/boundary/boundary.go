// Package boundary is the table of numbers at which sizes, offsets and counts go wrong, and files that have them where a good
// file has others. It serves tests: the fuzz target of every reader that takes a size from its input begins with them.
package boundary

import (
	"encoding/binary"
	"iter"
	"slices"
	"strconv"
)

// Numbers returns the numbers, from the smallest on: those at the ends of whole numbers of 8, 16, 31, 32, 53, 60, 62, 63 and 64
// bits, and the same less or more by what readers add to a size (a trailer, a header, an element). As int64 the upper half
// is negative.
func Numbers() []uint64 {
	list := []uint64{0, 1, 2}
	for _, bits := range []int{8, 16, 31, 32, 53, 60, 62, 63, 64} {
		end := uint64(1) << bits // 0 for 64
		for _, less := range []uint64{0, 1, 2, 5, 6, 8, 48, 53} {
			list = append(list, end-less)
		}
		if bits < 64 {
			list = append(list, end+1)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// Decimals yields the text with one of its decimal numbers replaced by each of [Numbers], and by -1, for each number in it
// that does not belong to a word, as that of F32 does. The slice is a new one each time.
func Decimals(text []byte) iter.Seq[[]byte] {
	digit := func(c byte) bool { return '0' <= c && c <= '9' }
	letter := func(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
	return func(yield func([]byte) bool) {
		for i := 0; i < len(text); {
			end := i
			for end < len(text) && digit(text[end]) {
				end++
			}
			if end == i || i > 0 && letter(text[i-1]) {
				i = max(i+1, end)
				continue
			}
			for _, n := range Numbers() {
				if !yield(slices.Concat(text[:i], strconv.AppendUint(nil, n, 10), text[end:])) {
					return
				}
			}
			if !yield(slices.Concat(text[:i], []byte("-1"), text[end:])) {
				return
			}
			i = end
		}
	}
}

// Words yields the bytes with the width bytes, 1 to 8 of them, at each of the places overwritten by each of [Numbers] that
// fits, lowest byte first. Places outside the bytes are passed over. The slice is a new one each time.
func Words(b []byte, width int, places ...int) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for _, at := range places {
			if at < 0 || at > len(b)-width {
				continue
			}
			for _, n := range Numbers() {
				if n>>(8*width-1)>>1 != 0 {
					continue
				}
				changed := slices.Clone(b)
				word := binary.LittleEndian.AppendUint64(nil, n)
				copy(changed[at:], word[:width])
				if !yield(changed) {
					return
				}
			}
		}
	}
}

// Every yields each k-th of the files. A prime k meets every number and every place in turn.
func Every(k int, files iter.Seq[[]byte]) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		n := 0
		for b := range files {
			if n++; n%k == 0 && !yield(b) {
				return
			}
		}
	}
}
