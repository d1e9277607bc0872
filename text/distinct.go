package text

import (
	"math/bits"
	"slices"

	"github.com/linnet-ml/linnet/simd"
)

// distinct finds the distinct ids of rows, ascending, and how often each occurs. Ids of small vocabularies are counted,
// a number for each, and a bit for each puts the distinct ones in order; between rows numbers and bits are all zero. Ids
// of large vocabularies are sorted with their repetitions.
type distinct struct {
	// What expect was told, and whether there is memory for it: rows that vectorPairs takes need none.
	vocabulary, n    int
	isWide, prepared bool

	// narrow or wide count the ids, by the size of the pairs; both are empty when the ids are to be sorted.
	narrow []uint16
	wide   []uint32

	// bits has a bit for each id of a row, words one for each 64 of these that are not all zero, and groups one for each 64
	// of those: what is set is then found in a few steps, whatever the vocabulary.
	bits, words, groups []uint64

	list, ordered []uint32 // the distinct ids of a row
}

const (
	// counted bounds the vocabularies that are counted however few rows there are: 256 KiB.
	counted = 1 << 16
	// fewIDs is the number of ids up to which neither bits nor sorting by digits pays.
	fewIDs = 16
)

// expect says what is to come: n ids, in rows, of a vocabulary, for pairs of 8 bytes or of 4.
func (d *distinct) expect(vocabulary, n int, isWide bool) {
	d.vocabulary, d.n, d.isWide, d.prepared = vocabulary, n, isWide, false
}

// prepare makes ready for what is to come. The memory is in proportion to the number of ids, but for small vocabularies.
func (d *distinct) prepare() {
	d.prepared = true
	vocabulary, n, wide := d.vocabulary, d.n, d.isWide
	d.narrow, d.wide = d.narrow[:0], d.wide[:0]
	if vocabulary > max(counted, n) || vocabulary < 0 {
		return
	}
	if wide {
		d.wide = slices.Grow(d.wide, vocabulary)[:vocabulary]
	} else {
		d.narrow = slices.Grow(d.narrow, vocabulary)[:vocabulary]
	}
	d.bits = zeros(d.bits, vocabulary)
	d.words = zeros(d.words, len(d.bits))
	d.groups = zeros(d.groups, len(d.words))
}

// zeros returns words for n bits, in the memory of old ones, which are all zero.
func zeros(old []uint64, n int) []uint64 {
	n = (n + 63) / 64
	return slices.Grow(old[:0], n)[:n]
}

// distinctPairs appends a pair for each distinct id of a row. It returns false, and appends nothing of use, when one is
// outside the vocabulary.
func distinctPairs[P pair](d *distinct, row []int32, pairs []P) ([]P, bool) {
	if !d.prepared {
		d.prepare()
	}
	switch {
	case len(d.narrow) > 0:
		return countPairs(d, d.narrow, row, pairs)
	case len(d.wide) > 0:
		return countPairs(d, d.wide, row, pairs)
	}
	return sortedPairs(d, row, d.vocabulary, pairs)
}

// fewestVectorIDs is the length of rows from which on simd's kernel pays: it takes the same time for all of them.
const fewestVectorIDs = 32

// vectorPairs is distinctPairs by vector instructions, for rows of a few hundred ids. It returns false, and appends
// nothing of use, where there are none for such a row, and when an id is outside the vocabulary.
func vectorPairs(row []int32, vocabulary int, pairs []uint32) ([]uint32, bool) {
	if len(row) < fewestVectorIDs || len(row) > simd.CountedIDs || uint(vocabulary) >= narrowLimit || !simd.CountsIDs() {
		return pairs, false
	}
	start := len(pairs)
	pairs = slices.Grow(pairs, simd.CountIDsRoom)
	n := simd.CountIDs(pairs[start:start+simd.CountIDsRoom], row, vocabulary)
	if n < 0 {
		return pairs, false
	}
	return pairs[:start+n], true
}

// countPairs is distinctPairs by counting; times are as many as the vocabulary has ids.
func countPairs[P pair, T uint16 | uint32](d *distinct, times []T, row []int32, pairs []P) ([]P, bool) {
	d.list = slices.Grow(d.list[:0], len(row))[:len(row)]
	list := d.list
	n := 0
	// Forward and nothing else: the processor then has the next ids at hand. Padding is a run of one id, which would
	// wait for its own number each time if it were counted one by one.
	const run = 8
	for i := 0; i < len(row); {
		c := row[i:min(i+run, len(row))]
		i += len(c)
		if len(c) == run {
			v := c[0]
			if (c[1]^v)|(c[2]^v)|(c[3]^v)|(c[4]^v)|(c[5]^v)|(c[6]^v)|(c[7]^v) == 0 && uint(v) < uint(len(times)) {
				t := times[v]
				times[v] = t + run
				list[n] = uint32(v)
				if t == 0 {
					n++
				}
				continue
			}
		}
		for _, id := range c {
			if uint(id) >= uint(len(times)) {
				for _, seen := range list[:n] {
					times[seen] = 0
				}
				return pairs, false
			}
			t := times[id]
			times[id] = t + 1
			list[n] = uint32(id)
			if t == 0 {
				n++
			}
		}
	}
	start := len(pairs)
	pairs = slices.Grow(pairs, n)[:start+n]
	out := pairs[start:]
	if list = list[:n]; n <= fewIDs {
		slices.Sort(list)
		for k, id := range list {
			out[k] = P(id) | P(times[id])<<half[P]()
			times[id] = 0
		}
		return pairs, true
	}
	ids, words, groups := d.bits, d.words, d.groups
	for _, id := range list {
		ids[id>>6] |= 1 << (id & 63)
		words[id>>12] |= 1 << (id >> 6 & 63)
		groups[id>>18] |= 1 << (id >> 12 & 63)
	}
	k := 0
	for g, inGroup := range groups {
		groups[g] = 0
		for ; inGroup != 0; inGroup &= inGroup - 1 {
			w := g<<6 | bits.TrailingZeros64(inGroup)
			inWord := words[w]
			words[w] = 0
			for ; inWord != 0; inWord &= inWord - 1 {
				i := w<<6 | bits.TrailingZeros64(inWord)
				set := ids[i]
				ids[i] = 0
				for ; set != 0; set &= set - 1 {
					id := i<<6 | bits.TrailingZeros64(set)
					out[k] = P(id) | P(times[id])<<half[P]()
					times[id] = 0
					k++
				}
			}
		}
	}
	return pairs, true
}

// sortedPairs is distinctPairs by a sort of the row, by digits.
func sortedPairs[P pair](d *distinct, row []int32, vocabulary int, pairs []P) ([]P, bool) {
	d.list = slices.Grow(d.list[:0], len(row))[:len(row)]
	largest := int32(0)
	for k, id := range row {
		if uint(id) >= uint(vocabulary) {
			return pairs, false
		}
		d.list[k] = uint32(id)
		largest = max(largest, id)
	}
	ids := d.list
	if len(ids) <= fewIDs {
		slices.Sort(ids)
	} else {
		d.ordered = slices.Grow(d.ordered[:0], len(ids))[:len(ids)]
		ids = sortDigits(ids, d.ordered, bits.Len32(uint32(largest)))
	}
	for k := 0; k < len(ids); {
		next := k + 1
		for next < len(ids) && ids[next] == ids[k] {
			next++
		}
		pairs = append(pairs, P(ids[k])|P(next-k)<<half[P]())
		k = next
	}
	return pairs, true
}

// sortDigits sorts numbers of so many bits, at most 32, by digits of up to 8 bits from the last one on, to and fro between
// ids and other, which are of the same length. It returns the one that they are in at the end.
func sortDigits(ids, other []uint32, size int) []uint32 {
	const most = 8
	digits := (size + most - 1) / most
	for k := range digits {
		// Of two digits of a number, or three, none need be longer than the others.
		shift, width := uint(size*k/digits), uint(size*(k+1)/digits-size*k/digits)
		mask := uint32(1)<<width - 1
		var places [1 << most]uint32
		for _, id := range ids {
			places[id>>shift&mask]++
		}
		at := uint32(0)
		for i, n := range places[:1<<width] {
			places[i] = at
			at += n
		}
		for _, id := range ids {
			p := &places[id>>shift&mask]
			other[*p] = id
			*p++
		}
		ids, other = other, ids
	}
	return ids
}
