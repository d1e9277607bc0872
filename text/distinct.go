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

// row appends the distinct ids of a row and how often they occur. It returns false, and appends nothing of use, when
// one is outside the vocabulary.
func (d *distinct) row(row []int32, vocabulary int, ids []int32, counts []float32) ([]int32, []float32, bool) {
	if len(d.times) == 0 {
		return sorted(row, vocabulary, ids, counts)
	}
	start := len(ids)
	ids = slices.Grow(ids, len(row))
	counts = slices.Grow(counts, len(row))
	list := ids[start : start+len(row)]
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
			return ids, counts, false
		}
		t := times[id]
		times[id] = t + 1
		list[n] = id
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
	number := counts[len(counts) : len(counts)+n]
	k := 0
	for v, words := range d.words {
		for ; words != 0; words &= words - 1 {
			w := v*64 + bits.TrailingZeros64(words)
			for set := d.ids[w]; set != 0; set &= set - 1 {
				id := w*64 + bits.TrailingZeros64(set)
				list[k] = int32(id)
				number[k] = float32(times[id])
				times[id] = 0
				k++
			}
			d.ids[w] = 0
		}
		d.words[v] = 0
	}
	return ids[:start+n], counts[:len(counts)+n], true
}

// clear makes everything zero after a row that was left in the middle.
func (d *distinct) clear() {
	clear(d.times)
	clear(d.ids)
	clear(d.words)
}

// sorted is row by a sort.
func sorted(row []int32, vocabulary int, ids []int32, counts []float32) ([]int32, []float32, bool) {
	start := len(ids)
	ids = append(ids, row...)
	mine := ids[start:]
	slices.Sort(mine)
	if n := len(mine); n > 0 && (mine[0] < 0 || int(mine[n-1]) >= vocabulary) {
		return ids, counts, false
	}
	n := 0
	for k := 0; k < len(mine); {
		next := k + 1
		for next < len(mine) && mine[next] == mine[k] {
			next++
		}
		counts = append(counts, float32(next-k))
		mine[n] = mine[k]
		n++
		k = next
	}
	return ids[:start+n], counts, true
}
