package classifier

import (
	"fmt"
	"math/bits"
)

// A table finds the number of an n-gram by its hash. Most n-grams of a text are not in the model: a byte of the hash in an
// array of its own, small enough for the second-level cache, tells most of them apart.
type table struct {
	tags    []uint8 // 0 where the slot is empty
	entries []entry
	shift   uint
}

// An entry is the lower half of a hash, and the n-gram's number. With the tag and the slot, 52 bits or more of the hash
// are compared.
type entry struct{ low, id uint32 }

func tag(h uint64) uint8 { return uint8(h>>32) | 1 }

func newTable(hashes []uint64) (*table, error) {
	size := 1 << bits.Len(uint(max(len(hashes)+len(hashes)/2, 64)-1))
	t := &table{make([]uint8, size), make([]entry, size), uint(64 - bits.Len(uint(size-1)))}
	for id, h := range hashes {
		i := h >> t.shift
		for ; t.tags[i] != 0; i = (i + 1) & uint64(size-1) {
			if t.entries[i].low == uint32(h) && hashes[t.entries[i].id] == h {
				return nil, fmt.Errorf("classifier: n-gram %d is n-gram %d again", id, t.entries[i].id)
			}
		}
		t.tags[i], t.entries[i] = tag(h), entry{uint32(h), uint32(id)}
	}
	return t, nil
}

func (t *table) find(h uint64) (id uint32, ok bool) {
	mask := uint64(len(t.tags) - 1)
	want := tag(h)
	for i := h >> t.shift; ; i++ {
		switch i &= mask; t.tags[i] {
		case 0:
			return 0, false
		case want:
			if e := &t.entries[i]; e.low == uint32(h) {
				return e.id, true
			}
		}
	}
}
