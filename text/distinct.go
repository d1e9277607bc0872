package text

import (
	"math/bits"
	"slices"
)

// distinct finds the distinct ids of rows, ascending, and how often each occurs. Small vocabularies are counted: a
// number for each id, and bitmaps of the ids and of the bitmap's own words, to find them again in order without a sort.
// Between rows all of these are zero. Ids of large vocabularies are sorted.
type distinct struct {
	times []uint32 // by id; empty when the ids are to be sorted
	ids   []uint64 // bit id%64 of word id/64: the row has the id
	words []uint64 // bit w%64 of word w/64: ids[w] is not 0

	sorted []int32 // a row
}

// counted bounds the vocabularies that are counted however few rows there are: 264 KiB.
const counted = 1 << 16

// prepare makes ready for n ids, in rows, of a vocabulary. The memory is in proportion to n, but for small vocabularies.
func (d *distinct) prepare(vocabulary, n int) {
	if vocabulary > max(counted, n) || vocabulary < 0 {
		d.times = d.times[:0]
		return
	}
	words := (vocabulary + 63) / 64
	d.times = slices.Grow(d.times[:0], vocabulary)[:vocabulary]
	d.ids = slices.Grow(d.ids[:0], words)[:words]
	d.words = slices.Grow(d.words[:0], (words+63)/64)[:(words+63)/64]
}

// distinctPairs appends a pair for each distinct id of a row. It returns false, and appends nothing of use, when one is
// outside the vocabulary.
func distinctPairs[P pair](d *distinct, row []int32, vocabulary int, pairs []P) ([]P, bool) {
	if len(d.times) == 0 {
		return sortedPairs(d, row, vocabulary, pairs)
	}
	start := len(pairs)
	pairs = slices.Grow(pairs, len(row))
	list := pairs[start : start+len(row)]
	n := 0
	times := d.times
	// Padding is a run of one id at an end; counting it one by one would wait for memory each time.
	first, last := 0, len(row)
	for first+1 < last && row[first+1] == row[first] {
		first++
	}
	for last-1 > first && row[last-2] == row[last-1] {
		last--
	}
	for _, id := range row[first:last] {
		if uint(id) >= uint(len(times)) {
			d.clear()
			return pairs, false
		}
		t := times[id]
		times[id] = t + 1
		list[n] = P(id)
		if t == 0 {
			n++
		}
	}
	if len(row) > 0 {
		times[row[first]] += uint32(first)
		times[row[last-1]] += uint32(len(row) - last)
	}
	for _, id := range list[:n] {
		w := uint(id) / 64
		d.ids[w] |= 1 << (uint(id) % 64)
		d.words[w/64] |= 1 << (w % 64)
	}
	list = list[:n]
	k := 0
	for v, words := range d.words {
		for ; words != 0; words &= words - 1 {
			w := v*64 + bits.TrailingZeros64(words)
			for set := d.ids[w]; set != 0; set &= set - 1 {
				id := w*64 + bits.TrailingZeros64(set)
				list[k] = P(id) | P(times[id])<<half[P]()
				times[id] = 0
				k++
			}
			d.ids[w] = 0
		}
		d.words[v] = 0
	}
	return pairs[:start+n], true
}

// clear makes everything zero after a row that was left in the middle.
func (d *distinct) clear() {
	clear(d.times)
	clear(d.ids)
	clear(d.words)
}

// sortedPairs is distinctPairs by a sort.
func sortedPairs[P pair](d *distinct, row []int32, vocabulary int, pairs []P) ([]P, bool) {
	d.sorted = append(d.sorted[:0], row...)
	slices.Sort(d.sorted)
	if n := len(row); n > 0 && (d.sorted[0] < 0 || int(d.sorted[n-1]) >= vocabulary) {
		return pairs, false
	}
	for k := 0; k < len(d.sorted); {
		next := k + 1
		for next < len(d.sorted) && d.sorted[next] == d.sorted[k] {
			next++
		}
		pairs = append(pairs, P(d.sorted[k])|P(next-k)<<half[P]())
		k = next
	}
	return pairs, true
}
