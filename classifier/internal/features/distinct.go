package features

import "math/bits"

// Distinct finds equal hashes within a text, text by text. It has memory for the distinct hashes of a text, not for all of
// them. Its zero value is ready after Begin. One goroutine at a time may use it.
type Distinct struct {
	slots []slot
	used  int // slots of this text
	stamp uint32
	shift uint
}

type slot struct {
	key   uint64
	stamp uint32 // the text that uses the slot
	at    uint32 // what Add has noted
}

// fewestSlots is how many slots a Distinct begins with.
const fewestSlots = 1 << 10

// Begin starts a text.
func (d *Distinct) Begin() {
	if d.slots == nil {
		d.resize(fewestSlots)
	}
	d.used = 0
	d.stamp++
	if d.stamp == 0 { // all stamps are used up
		clear(d.slots)
		d.stamp = 1
	}
}

// resize replaces the slots by n empty ones, a power of two.
func (d *Distinct) resize(n int) {
	d.slots = make([]slot, n)
	d.shift = uint(64 - bits.Len(uint(n-1)))
}

// Add looks for key in the text. If the text has it already, Add returns what it noted then, and true; else it notes next,
// and returns it and false.
func (d *Distinct) Add(key uint64, next int) (at int, seen bool) {
	s := d.find(key)
	if s.stamp == d.stamp {
		return int(s.at), true
	}
	*s = slot{key, d.stamp, uint32(next)}
	if d.used++; 2*d.used > len(d.slots) {
		d.grow()
	}
	return next, false
}

// find returns the slot of a key, or the one where it belongs.
func (d *Distinct) find(key uint64) *slot {
	mask := uint64(len(d.slots) - 1)
	for i := (key * prime0) >> (d.shift & 63); ; i++ {
		s := &d.slots[i&mask]
		if s.stamp != d.stamp || s.key == key {
			return s
		}
	}
}

// grow doubles the slots.
func (d *Distinct) grow() {
	old := d.slots
	d.resize(2 * len(old))
	for _, s := range old {
		if s.stamp == d.stamp {
			*d.find(s.key) = s
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
