package features

import (
	"fmt"
	"math"
	"math/bits"
)

// A Table finds the numbers of n-grams by their hashes. Most n-grams of words of a text are in no model, and a bit map that fits into
// the second-level cache says so: the upper bits of a hash number a word, which has a bit for each of 48 places. The other 16
// bits say how many n-grams are before the word. Where to begin to look is that and the number of set bits before the place of the hash;
// the n-gram is there or, where n-grams share a place, soon after.
type Table struct {
	words    []uint64
	sections []uint32 // the number of n-grams before each section of 256 words
	shift    uint     // hash >> shift is the number of a word
	known    uint64   // the bits of a hash that are known
	// entries has a tag in the upper 24 bits, which no two n-grams of a word share. The lower 8 bits are the caller's. As many as reach follow the
	// n-grams', so that every search ends.
	entries []uint32
	tag     uint // hash >> tag is the tag
	n       int  // the number of n-grams
	reach   int  // an n-gram is among as many entries from where to begin on
}

const (
	// TagBits is the number of bits that a tag has.
	TagBits = 24

	places      = 48
	sectionSize = 256 // words
	// maxAlike is how many n-grams may be in a word, so that 16 bits number those of a section.
	maxAlike = math.MaxUint16 / sectionSize
	// vectorReach is the reach of a kernel that compares a vector. Hashes of texts need no more.
	vectorReach = 8
)

// NewTable returns a table of hashes in ascending order. They are numbers of width bits, at least TagBits and those that number one
// n-gram of 16, in the upper bits of 64. The upper known bits of these are known, and the others are 0. Of each n-gram, entry has the lower 8 bits
// of its entry.
func NewTable(hashes []uint64, width, known int, entry func(i int) uint8) (*Table, error) {
	log := width - TagBits
	if n := len(hashes); n>>(log+2) >= 3 { // 12 n-grams a word are too many for 48 places
		log++
	}
	t := &Table{shift: uint(64 - log), known: math.MaxUint64 << (64 - known), tag: uint(64 - width), n: len(hashes), reach: vectorReach}
	t.words = make([]uint64, 1<<log)
	t.sections = make([]uint32, (1<<log-1)/sectionSize+1)
	t.entries = make([]uint32, len(hashes), len(hashes)+maxAlike)
	next := 0
	for w := range t.words {
		if w%sectionSize == 0 {
			t.sections[w/sectionSize] = uint32(next)
		}
		first := next
		for ; next < len(hashes) && hashes[next]>>t.shift == uint64(w); next++ {
			t.entries[next] = uint32(hashes[next]>>t.tag)<<8 | uint32(entry(next))
		}
		if next-first > maxAlike {
			return nil, fmt.Errorf("%d n-grams with hashes like that of n-gram %d, want at most %d", next-first, first, maxAlike)
		}
		t.words[w] = t.word(hashes[first:next]) | uint64(uint32(first)-t.sections[w/sectionSize])<<places
	}
	t.entries = t.entries[:len(hashes)+t.reach]
	return t, nil
}

// word returns the places of a word's n-grams. Where some would be out of the vector's reach, bits without an n-gram bring them nearer.
func (t *Table) word(hashes []uint64) uint64 {
	bitmap := uint64(0)
	for _, h := range hashes {
		bitmap |= 1 << t.place(h)
	}
	for {
		needed := 0          // the largest reach
		far := uint(0)       // the place of the n-gram with it
		free := uint(places) // the first place of which all n-grams after it may begin one later, if it is free
		for i, h := range hashes {
			place := t.place(h)
			reach := i + 1 - bits.OnesCount64(bitmap&(1<<place-1))
			if reach > needed {
				needed, far = reach, place
			}
			if reach == 1 {
				free = place + 1
			}
		}
		if needed <= vectorReach {
			return bitmap
		}
		free += uint(bits.TrailingZeros64(^(bitmap >> free)))
		if free >= far {
			t.reach = max(t.reach, needed)
			return bitmap
		}
		bitmap |= 1 << free
	}
}

// place is the place of a hash in its word.
func (t *Table) place(h uint64) uint { return uint(uint64(uint32(h>>(t.shift-32))) * places >> 32) }

// Entry returns the lower 8 bits of an n-gram's entry.
func (t *Table) Entry(id uint32) uint8 { return uint8(t.entries[id]) }

// start returns where to begin to look for a hash, and whether there may be an n-gram.
func (t *Table) start(h uint64) (start uint32, ok bool) {
	at, place := h>>t.shift, t.place(h)
	word := t.words[at]
	start = t.sections[at/sectionSize] + uint32(word>>places) + uint32(bits.OnesCount64(word&(1<<place-1)))
	return start, word>>place&1 != 0
}

// Find returns the number of a hash, if the table has it.
func (t *Table) Find(h uint64) (id uint32, ok bool) {
	h &= t.known
	start, ok := t.start(h)
	if !ok {
		return 0, false
	}
	tag := uint32(h>>t.tag) << 8
	for i, e := range t.entries[start : int(start)+t.reach] {
		if e^tag < 1<<8 {
			id = start + uint32(i)
			return id, int(id) < t.n
		}
	}
	return 0, false
}

// siftChunk is how many n-grams are looked for at once: what is known of them stays in the first-level cache.
const siftChunk = 1024

// candidates are hashes that may be in a table, and where to begin to look for them.
type candidates struct {
	hashes [siftChunk]uint64
	starts [siftChunk]uint32
}

// kernels are loops that have assembly on some processors. All do the same.
type kernels struct {
	name string
	// sift makes the hashes of grams one unit longer, as longer does, and writes those that may be in the table to c. It returns how
	// many these are. There are no more than siftChunk.
	sift func(c *candidates, t *Table, grams, last []uint64) int
	// find writes the numbers of those of the first n candidates that the table has to ids, which has room for n, and
	// returns how many these are.
	find func(ids []uint32, c *candidates, t *Table, n int) int
	// mark describes whole blocks of 64 bytes, one for each of masks.
	mark func(masks []mask, text string, marks bool)
	// ends writes the places where words begin and have ended in blocks, as distances from the first of them, and returns how many began and
	// how many ended. There is one more of masks than blocks, and room for 64 of out for each block and one more. Before is 1 if the byte before is
	// part of a word, whose beginning out[0] has, and else 0. It is nil where words are hashed while their ends are found.
	ends func(out [][2]int32, masks []mask, before int) (began, ended int)
	// words writes the hashes of words with these ends, distances from base. At least eight bytes follow the last one.
	words func(out []uint64, text string, base int, ends [][2]int32, fold uint64)
	// count writes the distinct ids and how often each is there, MaxCount at most, to found, which has room for all, and returns how many
	// these are. There are 1 to countMost, and slots, all 0, are a power of two that is at least twice as many. It is nil where a table of
	// counts is as fast.
	count func(found []Count, slots []uint16, ids []uint32) int
}

// portable are the kernels in Go.
var portable = kernels{"portable", siftPortable, findPortable, markPortable, nil, nil, nil}

// siftPortable writes every hash and moves on only after one that may be in the table: no branch waits for the memory.
func siftPortable(c *candidates, t *Table, grams, last []uint64) int {
	grams = grams[:len(last)]
	known, shift, fraction, words := t.known, t.shift&63, (t.shift-32)&63, t.words
	kept := uint(0)
	for i, x := range last {
		h := grams[i]*prime2 + x
		grams[i] = h
		c.hashes[kept&(siftChunk-1)] = h & known
		place := uint64(uint32(h&known>>fraction)) * places >> 32
		kept += uint(words[h&known>>shift] >> (place & 63) & 1)
	}
	for i, h := range c.hashes[:kept] {
		c.starts[i], _ = t.start(h)
	}
	return int(kept)
}

// findPortable reads the entries first: no branch depends on them, so that the processor waits for many at once.
func findPortable(ids []uint32, c *candidates, t *Table, n int) int {
	var first [siftChunk]uint32
	entries, shift := t.entries, t.tag&63
	for i, start := range c.starts[:n] {
		first[i] = entries[start]
	}
	found := 0
	for i, h := range c.hashes[:n] {
		tag := uint32(h>>shift) << 8
		start := c.starts[i]
		id := start
		if first[i]^tag >= 1<<8 {
			for id++; int(id-start) < t.reach && entries[id]^tag >= 1<<8; id++ {
			}
			if int(id-start) == t.reach || int(id) >= t.n {
				continue
			}
		} else if int(id) >= t.n {
			continue
		}
		ids[found] = id
		found++
	}
	return found
}
