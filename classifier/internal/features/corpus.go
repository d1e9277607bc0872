package features

import (
	"context"
	"math"
	"math/bits"
)

// A Corpus is the n-grams of a collection of texts, numbered by how many texts they are in, the most frequent first.
type Corpus struct {
	Hash      []uint64 // by number
	Kind      []Kind
	Frequency []uint32 // the number of texts

	// The n-grams of row i are entries Start[i] to Start[i+1]-1 of ID and Count: each number once, and how often it is in the text (at
	// most 65535).
	Start []int
	ID    []uint32
	Count []uint16
}

// Rows returns the number of texts.
func (c *Corpus) Rows() int { return len(c.Start) - 1 }

// Build reads the texts that rows names, in this order, and numbers the n-grams that are in at least minimum of them.
//
// Most n-grams are in one text alone. With a minimum of 2 or more, a first pass notes in a bit map which hashes it has
// seen before, and the second pass keeps only those, so that memory is in proportion to the n-grams that stay.
func Build(ctx context.Context, texts []string, rows []int32, s Settings, minimum int) (*Corpus, error) {
	scanner := NewScanner(s)
	var distinct Distinct[uint64]
	seen, err := again(ctx, texts, rows, scanner, &distinct, minimum)
	if err != nil {
		return nil, err
	}
	c := &Corpus{Start: make([]int, 1, len(rows)+1)}
	var dictionary Dictionary
	for _, row := range rows {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		hashes := scanner.Scan(texts[row])
		distinct.Begin(len(hashes))
		first := len(c.ID)
		for k := range Kind(Kinds) {
			from, to := scanner.Range(k)
			kept := hashes[from:to]
			if seen != nil {
				kept = seen.keep(kept)
			}
			for _, h := range kept {
				at, old := distinct.Add(h, len(c.ID)-first)
				if old {
					if n := &c.Count[first+at]; *n < math.MaxUint16 {
						*n++
					}
					continue
				}
				id, added := dictionary.Add(h)
				if added {
					c.Hash = append(c.Hash, h)
					c.Kind = append(c.Kind, k)
					c.Frequency = append(c.Frequency, 0)
				}
				c.Frequency[id]++
				c.ID = append(c.ID, id)
				c.Count = append(c.Count, 1)
			}
		}
		c.Start = append(c.Start, len(c.ID))
	}
	c.renumber(minimum)
	return c, nil
}

// again returns the hashes that were seen in two texts at least, or nil if all may stay.
func again(ctx context.Context, texts []string, rows []int32, scanner *Scanner, distinct *Distinct[uint64], minimum int) (*bitmap, error) {
	if minimum < 2 {
		return nil, nil
	}
	size := 0
	for _, row := range rows {
		size += len(texts[row])
	}
	seen := newBitmap(size)
	for _, row := range rows {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		hashes := scanner.Scan(texts[row])
		distinct.Begin(len(hashes))
		for _, h := range hashes {
			if _, old := distinct.Add(h, 0); old {
				continue
			}
			seen.add(h)
		}
	}
	return seen, nil
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

// renumber drops n-grams in fewer texts than the minimum and orders the others by frequency; among equals the one seen
// first stays first.
func (c *Corpus) renumber(minimum int) {
	rows := c.Rows()
	starts := make([]uint32, rows+2) // starts[f]: where the numbers of frequency f begin
	for _, f := range c.Frequency {
		if int(f) >= minimum {
			starts[f]++
		}
	}
	n := uint32(0)
	for f := rows; f >= 0; f-- {
		n, starts[f] = n+starts[f], n
	}
	const dropped = math.MaxUint32
	to := make([]uint32, len(c.Hash))
	hash, kind, frequency := make([]uint64, n), make([]Kind, n), make([]uint32, n)
	for id, f := range c.Frequency {
		if int(f) < minimum {
			to[id] = dropped
			continue
		}
		i := starts[f]
		starts[f]++
		to[id], hash[i], kind[i], frequency[i] = i, c.Hash[id], c.Kind[id], f
	}
	c.Hash, c.Kind, c.Frequency = hash, kind, frequency
	c.rewrite(to)
}

// rewrite replaces numbers by to[number] and drops those that are math.MaxUint32.
func (c *Corpus) rewrite(to []uint32) {
	end, from := 0, 0
	for i := range c.Rows() {
		last := c.Start[i+1]
		for j := from; j < last; j++ {
			if id := to[c.ID[j]]; id != math.MaxUint32 {
				c.ID[end], c.Count[end] = id, c.Count[j]
				end++
			}
		}
		from = last
		c.Start[i+1] = end
	}
	c.ID, c.Count = c.ID[:end], c.Count[:end]
}
