package features

import "math/bits"

// A sieve is what the first pass over texts learns about n-grams, so that the second pass numbers only those that may stay.
type sieve interface {
	// add notes that a text has an n-gram.
	add(hash uint64)
	// keep moves the hashes that may stay to the front and returns them.
	keep(hashes []uint64) []uint64
}

// A bitmap notes hashes that were added twice. It may take more for such: a hash is two bits, which others share.
type bitmap struct {
	words []uint64
	shift uint
}

// newBitmap returns a bitmap of at least n pairs of bits.
func newBitmap(n int) *bitmap {
	size := 1 << bits.Len(uint(max(n, 1024)-1))
	return &bitmap{make([]uint64, size/32), uint(64 - bits.Len(uint(size-1)))}
}

// keep moves the hashes that were added twice to the front and returns them. No branch waits for the memory.
func (b *bitmap) keep(hashes []uint64) []uint64 {
	n := 0
	for _, h := range hashes {
		i := h >> b.shift
		hashes[n] = h
		n += int(b.words[i>>5] >> (i&31*2 + 1) & 1)
	}
	return hashes[:n]
}

// add sets the lower bit of a hash that is new, and the upper bit of one that is not.
func (b *bitmap) add(h uint64) {
	i := h >> b.shift
	w := &b.words[i>>5]
	*w |= (*w>>(i&31*2)&1)<<(i&31*2+1) | 1<<(i&31*2)
}

// A sketch counts hashes in a memory of fixed size, up to 255: each has two counters, which others share, and its count is at
// most the lower one (a count-min sketch with conservative updates: Cormode and Muthukrishnan, 2005; Estan and Varghese,
// 2002). What it says depends on what was added and in which order, on nothing else.
type sketch struct {
	first, second []uint8
	shift         uint
	least         uint8 // the count from which n-grams stay, once all are added
}

// newSketch returns a sketch of two rows of 2^log counters.
func newSketch(log int) *sketch {
	return &sketch{first: make([]uint8, 1<<log), second: make([]uint8, 1<<log), shift: uint(64 - log)}
}

func (s *sketch) add(h uint64) {
	a, b := &s.first[h>>s.shift], &s.second[h*prime1>>s.shift]
	n := min(*a, *b)
	if n == 255 {
		return
	}
	if *a == n {
		*a++
	}
	if *b == n {
		*b++
	}
}

// choose sets the count from which n-grams stay: at least minimum, and so that no more than about most of them do.
func (s *sketch) choose(minimum, most int) {
	var counters [256]int
	for _, n := range s.first {
		counters[n]++
	}
	least, left := 255, counters[255]
	for least > max(minimum, 1) && left+counters[least-1] <= most {
		least--
		left += counters[least]
	}
	s.least = uint8(least)
}

func (s *sketch) keep(hashes []uint64) []uint64 {
	n := 0
	for _, h := range hashes {
		hashes[n] = h
		if s.first[h>>s.shift] >= s.least && s.second[h*prime1>>s.shift] >= s.least {
			n++
		}
	}
	return hashes[:n]
}
