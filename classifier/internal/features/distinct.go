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

// A Counter counts equal numbers of n-grams. One goroutine at a time may use it.
type Counter struct {
	kernels kernels
	n       int
	slots   []uint16
	counts  []uint8  // a number for each n-gram; all are 0 between calls
	there   []uint64 // a bit for each n-gram; all are 0 between calls
	found   []Count
}

// A Count is the number of an n-gram and how often it was there, [MaxCount] at most.
type Count struct{ ID, N uint32 }

// NewCounter returns a Counter for numbers below n.
func NewCounter(n int) *Counter { return &Counter{kernels: best(), n: n} }

// countMost is how many numbers are counted in a hash table. It stays in the first-level cache, and its slots are 16 bits.
const countMost = 1 << 14

// Count returns the distinct ones of ids, in the order in which they are there first. The result holds until the next call.
func (c *Counter) Count(ids []uint32) []Count {
	if len(ids) == 0 {
		return nil
	}
	if cap(c.found) < len(ids) {
		c.found = make([]Count, 2*len(ids))
	}
	found := c.found[:len(ids)]
	if c.kernels.count != nil && len(ids) <= countMost {
		slots := 2 << bits.Len(uint(len(ids)-1))
		if len(c.slots) < slots {
			c.slots = make([]uint16, slots)
		}
		clear(c.slots[:slots])
		return found[:c.kernels.count(found, c.slots[:slots], ids)]
	}
	if c.counts == nil {
		c.counts = make([]uint8, c.n)
	}
	return found[:countDistinct(found, c.counts, ids)]
}

// Sum adds up the values of the distinct ones of ids, which t has, and returns how many these are. An n-gram's value is that of its
// entry.
func (c *Counter) Sum(ids []uint32, t *Table, values *[256]int32) (sum int64, distinct int) {
	if c.there == nil {
		c.there = make([]uint64, c.n/64+1)
	}
	return sumDistinct(c.there, ids, t.entries, values)
}

// sumDistinct adds the value of a number that was there before as 0: no branch depends on that.
//
//go:noinline
func sumDistinct(there []uint64, ids, entries []uint32, values *[256]int32) (sum int64, distinct int) {
	n := uint64(0)
	for _, id := range ids {
		w := &there[id/64]
		fresh := ^*w >> (id & 63) & 1
		*w |= 1 << (id & 63)
		n += fresh
		sum += int64(values[uint8(entries[id])]) & -int64(fresh)
	}
	for _, id := range ids {
		there[id/64] = 0
	}
	return sum, int(n)
}

// countDistinct writes the distinct ids and how often each is there, and returns how many these are. It writes every id and
// moves on only after a new one: no branch depends on that.
//
//go:noinline
func countDistinct(to []Count, counts []uint8, ids []uint32) int {
	to = to[:len(ids)]
	n := uint(0)
	for _, id := range ids {
		to[n].ID = id
		k := counts[id]
		fresh := uint(0)
		if k == 0 {
			fresh = 1
		}
		n += fresh
		counts[id] = uint8(min(uint(k)+1, MaxCount))
	}
	for i := range to[:n] {
		x := &to[i]
		x.N = uint32(counts[x.ID])
		counts[x.ID] = 0
	}
	return int(n)
}
