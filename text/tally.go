package text

import (
	"bytes"
	"cmp"
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
)

// tally counts n-grams, and in how many documents each occurs. Its memory is in proportion to the distinct ones.
type tally struct {
	hasher *Vocabulary // without words: its hash is all that is used
	slots  []uint32    // a hash table with linear probing of places in counts, plus 1; at most half is in use
	counts []tallied
	bytes  []byte // the n-grams, one after the other
	watch  watch
}

// tallied is an n-gram with its counts.
type tallied struct {
	hash      uint64
	start     int // its first byte; it ends where the next one begins
	count     int64
	documents int64
	last      int // the document in which it occurred last
}

// newHasher makes what all tallies of one text must share. The seed keeps whoever writes the texts from choosing words
// that all fall into one slot.
func newHasher() *Vocabulary {
	return &Vocabulary{seed: [2]uint64{rand.Uint64(), rand.Uint64() | 1}}
}

// hashBytes is [Vocabulary.hash] of bytes.
func hashBytes(v *Vocabulary, word []byte) uint64 {
	n := len(word)
	if n > short {
		return hashLong(v, word)
	}
	if cap(word) < short {
		word = append(make([]byte, 0, short), word...)
	}
	// What stands after the word is not part of it; a shift by 64 or more keeps all bytes.
	a := load(word[:short], 0) &^ (math.MaxUint64 << (8 * uint(n)))
	b := load(word[:short], 8) &^ (math.MaxUint64 << (8 * uint(max(n-8, 0))))
	return v.hashShort(a, b, n)
}

// len is the number of distinct n-grams.
func (t *tally) len() int { return len(t.counts) }

// gram is the bytes of n-gram i.
func (t *tally) gram(i int) []byte {
	end := len(t.bytes)
	if i+1 < len(t.counts) {
		end = t.counts[i+1].start
	}
	return t.bytes[t.counts[i].start:end]
}

// reset forgets all n-grams, but not the memory.
func (t *tally) reset() {
	clear(t.slots)
	t.counts, t.bytes = t.counts[:0], t.bytes[:0]
}

// place returns the counts of an n-gram, which are zero if it is new.
func place[S string | []byte](t *tally, h uint64, gram S) *tallied {
	if 2*len(t.counts) >= len(t.slots) {
		t.grow()
	}
	mask := len(t.slots) - 1
	k := int(h) & mask
	for t.slots[k] != 0 {
		i := int(t.slots[k]) - 1
		if c := &t.counts[i]; c.hash == h && string(t.gram(i)) == string(gram) {
			return c
		}
		k = (k + 1) & mask
	}
	t.counts = append(t.counts, tallied{hash: h, start: len(t.bytes), last: -1})
	t.bytes = append(t.bytes, gram...)
	t.slots[k] = uint32(len(t.counts))
	return &t.counts[len(t.counts)-1]
}

func (t *tally) grow() {
	t.slots = make([]uint32, max(2*len(t.slots), 64))
	mask := len(t.slots) - 1
	for i := range t.counts {
		if i > 0 && t.watch.at(i) {
			return // the rest will not be found, and nobody will look for it
		}
		k := int(t.counts[i].hash) & mask
		for t.slots[k] != 0 {
			k = (k + 1) & mask
		}
		t.slots[k] = uint32(i + 1)
	}
}

// saw counts an n-gram of a document once.
func (c *tallied) saw(document int) {
	c.count++
	if c.last != document {
		c.last = document
		c.documents++
	}
}

// add counts the tokens of a document, or some of them where the context is done: t.watch.err then says so.
func (t *tally) add(r *tokenRule, g *joined, s string, document int) {
	s = r.first(&t.watch, g, s)
	if !r.simple() {
		r.join(&t.watch, g, s)
		spent := 0
		for p := (gram{}); ; {
			b, ok := g.next(r, &p)
			if !ok || t.watch.err != nil {
				return
			}
			if spent += len(b) + tokenCost; spent >= spentPerLook {
				spent = 0
				if t.watch.stop() {
					return
				}
			}
			place(t, hashBytes(t.hasher, b), b).saw(document)
		}
	}
	for i := 0; i < len(s); {
		end := r.piece(s, i)
		if end == i {
			_, i, g.text = r.longWord(&t.watch, s, i, g.text, len(s))
			if len(g.text) > 0 {
				place(t, hashBytes(t.hasher, g.text), g.text).saw(document)
			}
		} else {
			t.addWords(r, g, s[:end], i, document)
			i = end
		}
		if i < len(s) && t.watch.stop() {
			return
		}
	}
}

// addWords counts the words of s from i on.
func (t *tally) addWords(r *tokenRule, g *joined, s string, i, document int) {
	for {
		from, to, changedTo := r.word(s, i, g.text, len(s))
		switch {
		case from == to:
			return
		case len(changedTo) > 0:
			place(t, hashBytes(t.hasher, changedTo), changedTo).saw(document)
		default:
			place(t, t.hasher.hash(s[from:to]), s[from:to]).saw(document)
		}
		i, g.text = to, changedTo
	}
}

const (
	// Between two looks at the context n-grams of spentPerLook bytes are hashed, each counted as tokenCost bytes longer.
	spentPerLook, tokenCost = 1 << 18, 16

	// parts is the number of parts of a sharedTally, by the high bits of the hash.
	parts    = 16
	partBits = 4
	// fewGrams is the number of distinct n-grams with which a goroutine's own tally is added to the shared one.
	fewGrams = 1 << 15
)

// sharedTally is what the tallies of all goroutines are added to. Each of these stays small: all of them together take
// memory for the distinct n-grams once, not once for each goroutine. Sums do not depend on the order.
type sharedTally [parts]struct {
	sync.Mutex
	tally
}

// add adds the counts of own, of whole documents, and leaves it without any; first says which part it begins with, so
// that goroutines do not wait for one another.
func (s *sharedTally) add(own *tally, first int) {
	for k := range parts {
		p := (first + k) % parts
		part := &s[p]
		part.Lock()
		for i := range own.counts {
			if i > 0 && own.watch.at(i) {
				part.Unlock()
				return
			}
			if c := &own.counts[i]; c.hash>>(64-partBits) == uint64(p) {
				sum := place(&part.tally, c.hash, own.gram(i))
				sum.count += c.count
				sum.documents += c.documents
			}
		}
		part.Unlock()
	}
	own.reset()
}

// ranked is an n-gram in the order of a vocabulary.
type ranked struct {
	count     int64
	prefix    uint64 // its first eight bytes, the first the highest
	part, way uint32 // where it is in a sharedTally
}

// most returns the n-grams that occur most often, at most limit of them unless that is negative: the most frequent
// first, and of those that occur equally often the one that comes last in the order of bytes. The n-grams that without
// names are not among them.
func (s *sharedTally) most(ctx context.Context, limit int, without ...string) ([]ranked, error) {
	n := 0
	for p := range s {
		n += s[p].len()
	}
	all := make([]ranked, 0, n)
	for p := range s {
		t := &s[p].tally
		for i := range t.counts {
			b := t.gram(i)
			if len(b) <= longestSpecial && slices.Contains(without, string(b)) {
				continue
			}
			var first [8]byte
			copy(first[:], b)
			all = append(all, ranked{t.counts[i].count, bigEndian(first), uint32(p), uint32(i)})
		}
	}
	if limit >= 0 && limit < len(all) {
		// Only what occurs as often as the last of them has to be put in order.
		counts := make([]int64, len(all))
		for i, w := range all {
			counts[i] = w.count
		}
		if err := sortWatched(ctx, counts, cmp.Compare[int64]); err != nil {
			return nil, err
		}
		least := counts[len(counts)-max(limit, 1)]
		all = slices.DeleteFunc(all, func(w ranked) bool { return w.count < least })
	}
	err := sortWatched(ctx, all, func(a, b ranked) int {
		return cmp.Or(cmp.Compare(b.count, a.count), cmp.Compare(b.prefix, a.prefix), bytes.Compare(s.gram(b), s.gram(a)))
	})
	if limit >= 0 && limit < len(all) {
		all = all[:limit]
	}
	return all, err
}

// sortWatched sorts s, unless ctx is done: parts of it at a time, which are then merged two by two.
func sortWatched[E any](ctx context.Context, s []E, compare func(a, b E) int) error {
	w := watch{ctx: ctx}
	for from := 0; from < len(s); from += watchBytes {
		if w.stop() {
			return w.err
		}
		slices.SortFunc(s[from:min(from+watchBytes, len(s))], compare)
	}
	if len(s) <= watchBytes {
		return nil
	}
	from, to := s, make([]E, len(s))
	for run := watchBytes; run < len(s); run *= 2 {
		for lo := 0; lo < len(s); lo += 2 * run {
			middle, hi := min(lo+run, len(s)), min(lo+2*run, len(s))
			for a, b, k := lo, middle, lo; k < hi; k++ {
				if w.at(k) {
					return w.err
				}
				if b == hi || a < middle && compare(from[a], from[b]) <= 0 {
					to[k] = from[a]
					a++
				} else {
					to[k] = from[b]
					b++
				}
			}
		}
		from, to = to, from
	}
	copy(s, from)
	return nil
}

// gram is the bytes of an n-gram.
func (s *sharedTally) gram(w ranked) []byte { return s[w.part].gram(int(w.way)) }

// documents is the number of documents in which an n-gram occurs.
func (s *sharedTally) documents(w ranked) int64 { return s[w.part].counts[w.way].documents }

func bigEndian(b [8]byte) uint64 {
	w := uint64(0)
	for _, c := range b {
		w = w<<8 | uint64(c)
	}
	return w
}
