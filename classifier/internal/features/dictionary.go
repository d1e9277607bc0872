package features

import "math/bits"

// A Dictionary numbers hashes from 0 in the order in which they are added. Its zero value is empty.
type Dictionary struct {
	keys  []uint64
	ids   []uint32 // id + 1; 0 where the slot is empty
	n     int
	shift uint
}

// Len returns the number of hashes.
func (d *Dictionary) Len() int { return d.n }

// Find returns the number of a hash.
func (d *Dictionary) Find(hash uint64) (id uint32, ok bool) {
	if d.n == 0 {
		return 0, false
	}
	mask := uint64(len(d.keys) - 1)
	for i := hash >> d.shift; ; i++ {
		switch i &= mask; {
		case d.ids[i] == 0:
			return 0, false
		case d.keys[i] == hash:
			return d.ids[i] - 1, true
		}
	}
}

// Add returns the number of a hash, which it adds if it is new.
func (d *Dictionary) Add(hash uint64) (id uint32, added bool) {
	if 8*(d.n+1) > 5*len(d.keys) {
		d.grow()
	}
	mask := uint64(len(d.keys) - 1)
	for i := hash >> d.shift; ; i++ {
		switch i &= mask; {
		case d.ids[i] == 0:
			d.n++
			d.keys[i], d.ids[i] = hash, uint32(d.n)
			return uint32(d.n - 1), true
		case d.keys[i] == hash:
			return d.ids[i] - 1, false
		}
	}
}

func (d *Dictionary) grow() {
	keys, ids := d.keys, d.ids
	size := max(1024, 2*len(keys))
	d.keys, d.ids = make([]uint64, size), make([]uint32, size)
	d.shift = uint(64 - bits.Len(uint(size-1)))
	mask := uint64(size - 1)
	for j, id := range ids {
		if id == 0 {
			continue
		}
		i := keys[j] >> d.shift
		for d.ids[i&mask] != 0 {
			i++
		}
		d.keys[i&mask], d.ids[i&mask] = keys[j], id
	}
}
