package classifier

import (
	"math"
	"math/bits"

	"github.com/linnet-ml/linnet/classifier/internal/features"
)

// An index finds the numbers of n-grams by their hashes, which are in ascending order. A bit map has a bit for the upper bits of
// every hash: its place. Most n-grams of a text are in no model, and the bit map, which fits into the second-level cache,
// says so. For the others it says where to look: an n-gram's number is about the number of set bits before its place, and more only
// where n-grams share a place.
type index struct {
	filter *features.Filter
	rank   []uint32 // the number of n-grams before each word of the bit map
	shift  uint     // hash >> shift is the place
	// entries has a tag in the upper 24 bits: the last 6 bits of the place, which say where in its word it is, and the bits
	// of the hash below. The lower 8 bits are the weight where the model has one a n-gram. Two entries more than n-grams end
	// every search.
	entries []uint32
	tag     uint   // hash >> tag is the tag
	known   uint32 // the bits of a tag that the model knows, 8 bits up
}

const (
	tagBits  = 24
	wordBits = 6
)

// placeBits is how many bits of a hash are the place of one of n n-grams: at most one place of four is in use.
func placeBits(n int) int { return max(10, bits.Len(uint(n))+2) }

// hashBits is how many of the upper bits of its n-grams' hashes a model of n n-grams knows. An n-gram that is not in the model
// is taken for one that is about once in a million.
func hashBits(n int) int { return placeBits(n) + tagBits - wordBits }

// truncate keeps the upper bits of a hash.
func truncate(h uint64, bits int) uint64 { return h >> (64 - bits) << (64 - bits) }

// newIndex makes an index of hashes of which so many bits are known. Of each n-gram, entry has the lower 8 bits of its entry.
func newIndex(hashes []uint64, known int, entry func(i int) uint8) *index {
	log := placeBits(len(hashes))
	x := &index{filter: features.NewFilter(log), shift: uint(64 - log), tag: uint(64 - hashBits(len(hashes)))}
	x.known = math.MaxUint32 << (8 + hashBits(len(hashes)) - known)
	x.rank = make([]uint32, x.filter.Words()+1)
	x.entries = make([]uint32, len(hashes)+2)
	for i, h := range hashes {
		x.filter.Add(h)
		x.entries[i] = uint32(h>>x.tag)<<8 | uint32(entry(i))
		x.rank[h>>x.shift>>wordBits+1]++
	}
	for i := range x.filter.Words() {
		x.rank[i+1] += x.rank[i]
	}
	return x
}

// batch is how many hashes the index looks for at once.
const batch = 128

// find writes the numbers of those hashes that the index has to the front of ids, and to the front of repeats what repeats has
// for these. It returns how many they are. All three are of the same length, and all hashes have passed the filter.
func (x *index) find(ids []uint32, repeats []uint8, hashes []uint64) int {
	var starts, first [batch]uint32
	n := 0
	for i := 0; i < len(hashes); i += batch {
		now := hashes[i:min(i+batch, len(hashes))]
		x.look(&starts, &first, now)
		n = x.compare(n, ids, repeats, repeats[i:], &starts, &first, now)
	}
	return n
}

// number returns the number of a hash, if the index has it.
func (x *index) number(h uint64) (id uint32, ok bool) {
	if !x.filter.Has(h) {
		return 0, false
	}
	var ids [1]uint32
	ok = x.find(ids[:], make([]uint8, 1), []uint64{h}) > 0
	return ids[0], ok
}

// look writes where to look for hashes, and the entries that are there. No branch and no address depends on an entry, so that the
// processor waits for many of them at once.
//
//go:noinline
func (x *index) look(starts, first *[batch]uint32, hashes []uint64) {
	rank, entries := x.rank, x.entries
	words, shift := x.filter.Bits()
	for j, h := range hashes {
		at := h >> (shift & 63)
		start := rank[at>>wordBits] + uint32(bits.OnesCount64(words[at>>wordBits]&(1<<(at&63)-1)))
		starts[j&(batch-1)] = start
		first[j&(batch-1)] = entries[start]
	}
}

// compare writes the numbers of those hashes that are where look has found, or soon after, to ids from n on, and their repeats
// to those of the ids. No branch depends on whether a hash is there.
//
//go:noinline
func (x *index) compare(n int, ids []uint32, to, repeats []uint8, starts, first *[batch]uint32, hashes []uint64) int {
	shift, known, entries := x.tag&63, x.known, x.entries
	to, repeats = to[:len(ids)], repeats[:len(hashes)]
	for j, h := range hashes {
		tag := uint32(h>>shift) << 8 & known
		start := starts[j&(batch-1)]
		second := entries[start+1]
		here, next := 0, 0
		if first[j&(batch-1)]^tag < 1<<8 {
			here = 1
		}
		if second^tag < 1<<8 {
			next = 1
		}
		ids[n] = start + uint32(next&^here)
		to[n] = repeats[j]
		n += here | next
		if second < tag && here == 0 {
			if id, ok := x.next(start+2, h, tag); ok {
				ids[n], to[n] = id, repeats[j]
				n++
			}
		}
	}
	return n
}

// next looks at the n-grams from start on.
func (x *index) next(start uint32, h uint64, tag uint32) (id uint32, ok bool) {
	end := x.rank[h>>x.shift>>wordBits+1]
	for i := start; i < end; i++ {
		if x.entries[i]^tag < 1<<8 {
			return i, true
		}
	}
	return 0, false
}
