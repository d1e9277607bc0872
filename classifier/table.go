package classifier

import (
	"fmt"
	"math/bits"
)

// A table finds the numbers of n-grams by their hashes. Most n-grams of a text are not in the model, so a filter that
// fits into the second-level cache comes first: one bit of sixteen or so is set, and no branch waits for it.
type table struct {
	filter      []uint64
	filterShift uint
	entries     []entry
	shift       uint
}

// An entry is the lower half of a hash, and the n-gram's number plus 1; 0 where the slot is empty. With the slot, 48 bits
// or more of the hash are compared.
type entry struct{ low, id uint32 }

func newTable(hashes []uint64) (*table, error) {
	// At most 3 of 8 slots are in use.
	size := 1 << max(16, bits.Len(uint(len(hashes)+2*len(hashes)-len(hashes)/3-1)))
	t := &table{entries: make([]entry, size), shift: uint(64 - bits.Len(uint(size-1)))}
	filter := 4 * size
	t.filter, t.filterShift = make([]uint64, filter/64), t.shift-2
	mask := uint64(size - 1)
	for id, h := range hashes {
		i := h >> t.shift
		for ; t.entries[i].id != 0; i = (i + 1) & mask {
			if e := t.entries[i]; e.low == uint32(h) && hashes[e.id-1] == h {
				return nil, fmt.Errorf("classifier: n-gram %d is n-gram %d again", id, e.id-1)
			}
		}
		t.entries[i] = entry{uint32(h), uint32(id) + 1}
		f := h >> t.filterShift
		t.filter[f>>6] |= 1 << (f & 63)
	}
	return t, nil
}

// find appends the numbers of those hashes that the table has to ids. It uses the slice of hashes as memory.
func (t *table) find(ids []uint32, hashes []uint64) []uint32 {
	n := 0
	filter, shift := t.filter, t.filterShift
	for _, h := range hashes {
		f := h >> (shift & 63)
		hashes[n] = h
		n += int(filter[f>>6] >> (f & 63) & 1)
	}
	mask := uint64(len(t.entries) - 1)
	for _, h := range hashes[:n] {
		for i := h >> (t.shift & 63); ; i++ {
			e := t.entries[i&mask]
			if e.low == uint32(h) && e.id != 0 {
				ids = append(ids, e.id-1)
				break
			}
			if e.id == 0 {
				break
			}
		}
	}
	return ids
}
