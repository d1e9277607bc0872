package regions

import "github.com/linnet-ml/linnet/simd"

// Regions are of these sizes. Of a small one the place of each word counts; a large one is a bag of words.
const (
	small = 3
	large = 20
)

// fresh is after how many regions the sum of a large one is computed from its words again, so that errors of rounding do
// not add up.
const fresh = 256

// units are some units that look at regions of one size, and all that belongs to them.
type units struct {
	size   int       // of the regions
	n      int       // units
	words  int       // of the vocabulary
	weight []float32 // (tables, words+1, n): of each word, in a table for each place of a small region; words that are unknown have zeros
	bias   []float32 // (n)
	out    []float32 // (n, k): of the output layer
}

// tables is the number of tables.
func (u *units) tables() int {
	if u.size == small {
		return small
	}
	return 1
}

// row returns the weights of a word in a table.
func (u *units) row(table int, id int32) []float32 {
	return u.weight[(table*(u.words+1)+int(id))*u.n:][:u.n:u.n]
}

// regions is the number of regions of a text of so many words. A text shorter than a region is one.
func (u *units) regions(words int) int { return max(1, words-u.size+1) }

// forward writes the largest sum of weights over all regions of the text to best, and the region's number to at. s
// is memory; all three have n elements.  The bias is not added: it is the same for all regions.
func (u *units) forward(best, at, s []float32, ids []int32) {
	count := u.regions(len(ids))
	for p := range count {
		switch {
		case u.size == large && p%fresh == 0:
			clear(s)
			for _, id := range ids[p:min(p+large, len(ids))] {
				simd.Add(s, s, u.row(0, id))
			}
		case u.size == large:
			if before, after := ids[p-1], ids[p+large-1]; before != after {
				simd.Add(s, s, u.row(0, after))
				simd.Axpy(-1, u.row(0, before), s)
			}
		case len(ids) >= small:
			simd.Add(s, u.row(0, ids[p]), u.row(1, ids[p+1]))
			simd.Add(s, s, u.row(2, ids[p+2]))
		default:
			clear(s)
			for j, id := range ids {
				simd.Add(s, s, u.row(j, id))
			}
		}
		if p == 0 {
			copy(best, s)
			clear(at)
			continue
		}
		simd.MaxAt(best, at, s, float32(p))
	}
}
