package features

import "math/bits"

// A Dictionary numbers hashes from 0 in the order in which they are added. Its zero value is empty.
type Dictionary struct {
	slots []numbered
	n     int
	shift uint
}

type numbered struct {
	hash uint64
	id   uint32 // number + 1; 0 where the slot is empty
}

// Len returns the number of hashes.
func (d *Dictionary) Len() int { return d.n }

// Add returns the number of a hash, which it adds if it is new.
func (d *Dictionary) Add(hash uint64) (id uint32, added bool) {
	if 8*(d.n+1) > 5*len(d.slots) {
		d.grow()
	}
	mask := uint64(len(d.slots) - 1)
	for i := hash >> d.shift; ; i++ {
		s := &d.slots[i&mask]
		switch {
		case s.id == 0:
			d.n++
			*s = numbered{hash, uint32(d.n)}
			return uint32(d.n - 1), true
		case s.hash == hash:
			return s.id - 1, false
		}
	}
}

// Has returns whether a hash was added.
func (d *Dictionary) Has(hash uint64) bool {
	if d.n == 0 {
		return false
	}
	mask := uint64(len(d.slots) - 1)
	for i := hash >> d.shift; ; i++ {
		switch s := &d.slots[i&mask]; {
		case s.id == 0:
			return false
		case s.hash == hash:
			return true
		}
	}
}

func (d *Dictionary) grow() {
	old := d.slots
	size := max(1024, 2*len(old))
	d.slots = make([]numbered, size)
	d.shift = uint(64 - bits.Len(uint(size-1)))
	mask := uint64(size - 1)
	for _, s := range old {
		if s.id == 0 {
			continue
		}
		i := s.hash >> d.shift
		for d.slots[i&mask].id != 0 {
			i++
		}
		d.slots[i&mask] = s
	}
}
