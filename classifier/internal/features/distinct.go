package features

import "math/bits"

// Distinct counts equal numbers in the rows of a collection, row by row. Its zero value is ready. One goroutine at a time
// may use it.
type Distinct[K uint32 | uint64] struct {
	slots []slot[K]
	stamp uint32
	shift uint
}

type slot[K uint32 | uint64] struct {
	key   K
	stamp uint32 // the row that uses the slot
	at    uint32 // the index in the row's result
}

// Begin starts a row of at most n numbers.
func (d *Distinct[K]) Begin(n int) {
	if size := 1 << bits.Len(uint(max(2*n, 64)-1)); len(d.slots) < size {
		d.slots = make([]slot[K], size)
		d.shift = uint(64 - bits.Len(uint(size-1)))
		d.stamp = 0
	}
	d.stamp++
	if d.stamp == 0 { // all stamps are used up
		clear(d.slots)
		d.stamp = 1
	}
}

// Add looks for key in the row. It returns the index that the row's first Add of this key was given, and true; or it notes
// next as this index and returns it, and false.
func (d *Distinct[K]) Add(key K, next int) (at int, seen bool) {
	mask := uint64(len(d.slots) - 1)
	for i := (uint64(key) * prime0) >> (d.shift & 63); ; i++ {
		s := &d.slots[i&mask]
		if s.stamp != d.stamp {
			*s = slot[K]{key, d.stamp, uint32(next)}
			return next, false
		}
		if s.key == key {
			return int(s.at), true
		}
	}
}
