package features

import (
	"context"
	"math"
	"slices"

	"github.com/linnet-ml/linnet/internal/spill"
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

	id    spill.Array[uint32]
	count spill.Array[uint16]
}

// Rows returns the number of texts.
func (c *Corpus) Rows() int { return len(c.Start) - 1 }

// Free gives the memory of entries that are in a file back. The Corpus must not be used any more.
func (c *Corpus) Free() {
	c.id.Free()
	c.count.Free()
}

// Limits say which n-grams a corpus has, and where.
type Limits struct {
	Minimum int          // the number of texts that an n-gram must be in at least
	Columns int          // the largest number of n-grams; 0 for any number
	Space   *spill.Space // where entries are
	// Progress is called after each text, with how many were read and how many will be: each once or twice. Nil for nothing.
	Progress func(done, total int)
}

// Sizes of the first pass.
const (
	// fewBytes is how long texts may be together whose n-grams a bitmap tells apart. A bitmap in proportion to longer ones would
	// not fit into memory.
	fewBytes = 1 << 26
	// sketchLog is the binary logarithm of the number of counters in each of the two rows of a sketch.
	sketchLog = 26
)

// Build reads the texts that rows names, in this order, and numbers the n-grams that are in at least l.Minimum of them. If these are
// more than l.Columns, the minimum is as much higher as is needed. Should that leave less than an eighth of l.Columns, those that
// come first stay of the n-grams below that minimum.
//
// Most n-grams are in one text alone. With a minimum of 2 or more, a first pass notes in a bit map which hashes it has
// seen before, and the second pass keeps only those, so that memory is in proportion to the n-grams that stay. Of texts of
// more than 64 MiB together a sketch counts how many texts each n-gram is in, whatever the minimum, and the second pass keeps
// those that are in enough; should that be more than a quarter more than l.Columns, the ones that come first.
func Build(ctx context.Context, texts Texts, rows []int32, s Settings, l Limits) (*Corpus, error) {
	b := &builder{texts: texts, rows: rows, limits: l, scanner: NewScanner(s), passes: 2}
	size := texts.Bytes(rows)
	if size > fewBytes && l.Columns > 0 {
		return b.sketched(ctx, sketchLog)
	}
	if l.Minimum >= 2 {
		b.sieve = newBitmap(int(size))
		if err := b.sift(ctx); err != nil {
			return nil, err
		}
	} else {
		b.passes = 1
	}
	return b.build(ctx, math.MaxInt)
}

// fewest is which part of the n-grams that there is room for a higher minimum leaves at least.
const fewest = 8

// builder is one Build.
type builder struct {
	texts    Texts
	rows     []int32
	limits   Limits
	scanner  *Scanner
	distinct Distinct
	sieve    sieve // nil if all n-grams may stay
	passes   int   // over the texts
	done     int   // texts that were read
}

// sketched builds with a sketch.
func (b *builder) sketched(ctx context.Context, log int) (*Corpus, error) {
	s := newSketch(log)
	b.sieve = s
	if err := b.sift(ctx); err != nil {
		return nil, err
	}
	s.choose(b.limits.Minimum, b.limits.Columns)
	b.limits.Minimum = max(b.limits.Minimum, int(s.least))
	return b.build(ctx, b.limits.Columns+b.limits.Columns/4)
}

// read calls do for each text, with the hashes of its n-grams.
func (b *builder) read(ctx context.Context, do func(hashes []uint64) error) error {
	for text, err := range b.texts.Read(ctx, b.rows) {
		if err == nil {
			err = do(b.scanner.Scan(Learned(text)))
		}
		if err != nil {
			return err
		}
		if b.done++; b.limits.Progress != nil {
			b.limits.Progress(b.done, b.passes*len(b.rows))
		}
	}
	return ctx.Err()
}

// sift is the first pass.
func (b *builder) sift(ctx context.Context) error {
	return b.read(ctx, func(hashes []uint64) error {
		b.distinct.Begin()
		for part := range slices.Chunk(hashes, checkHashes) {
			for _, h := range part {
				if _, old := b.distinct.Add(h, 0); !old {
					b.sieve.add(h)
				}
			}
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		return nil
	})
}

// build is the second pass. No more than most n-grams are numbered.
func (b *builder) build(ctx context.Context, most int) (*Corpus, error) {
	c := &Corpus{Start: make([]int, 1, len(b.rows)+1)}
	ids, counts := spill.NewWriter[uint32](b.limits.Space, 0), spill.NewWriter[uint16](b.limits.Space, 0)
	defer ids.Discard()
	defer counts.Discard()
	var dictionary Dictionary
	var id []uint32 // of the text
	var count []uint16
	entries := 0
	err := b.read(ctx, func(hashes []uint64) error {
		b.distinct.Begin()
		id, count = id[:0], count[:0]
		for k := range Kind(Kinds) {
			from, to := b.scanner.Range(k)
			kept := hashes[from:to]
			if b.sieve != nil {
				kept = b.sieve.keep(kept)
			}
			for i, h := range kept {
				if i%checkHashes == 0 && ctx.Err() != nil {
					return ctx.Err()
				}
				if dictionary.Len() >= most && !dictionary.Has(h) {
					continue
				}
				at, old := b.distinct.Add(h, len(id))
				if old {
					if count[at] < math.MaxUint16 {
						count[at]++
					}
					continue
				}
				n, added := dictionary.Add(h)
				if added {
					c.Hash = append(c.Hash, h)
					c.Kind = append(c.Kind, k)
					c.Frequency = append(c.Frequency, 0)
				}
				c.Frequency[n]++
				id = append(id, n)
				count = append(count, 1)
			}
		}
		entries += len(id)
		c.Start = append(c.Start, entries)
		if err := ids.Append(id); err != nil {
			return err
		}
		return counts.Append(count)
	})
	if err != nil {
		return nil, err
	}
	if c.id, err = ids.Array(); err != nil {
		return nil, err
	}
	if c.count, err = counts.Array(); err != nil {
		c.Free()
		return nil, err
	}
	if err := c.renumber(ctx, b.limits); err != nil {
		c.Free()
		return nil, err
	}
	c.ID, c.Count = c.id.Data, c.count.Data
	return c, nil
}

// renumber drops n-grams in fewer texts than the minimum and orders the others by frequency; among equals the one seen
// first stays first.
func (c *Corpus) renumber(ctx context.Context, l Limits) error {
	rows := c.Rows()
	starts := make([]uint32, rows+2) // starts[f]: where the numbers of frequency f begin
	for _, f := range c.Frequency {
		starts[f]++
	}
	minimum := max(l.Minimum, 1)
	n := uint32(0)
	part, room := -1, 0 // as many of the n-grams of frequency part stay as there is room for
	for f := rows; f >= minimum; f-- {
		here := starts[f]
		if all := int(n) + int(here); l.Columns > 0 && all > l.Columns {
			if fewest*int(n) >= l.Columns {
				minimum = f + 1
				break
			}
			part, room, minimum = f, l.Columns-int(n), f
			here = uint32(room)
		}
		n, starts[f] = n+here, n
	}
	const dropped = math.MaxUint32
	to := make([]uint32, len(c.Hash))
	hash, kind, frequency := make([]uint64, n), make([]Kind, n), make([]uint32, n)
	for id, f := range c.Frequency {
		if int(f) == part {
			room--
		}
		if int(f) < minimum || int(f) == part && room < 0 {
			to[id] = dropped
			continue
		}
		i := starts[f]
		starts[f]++
		to[id], hash[i], kind[i], frequency[i] = i, c.Hash[id], c.Kind[id], f
	}
	c.Hash, c.Kind, c.Frequency = hash, kind, frequency
	return c.rewrite(ctx, to, l.Space)
}

// rewrite replaces numbers by to[number] and drops those that are math.MaxUint32.
func (c *Corpus) rewrite(ctx context.Context, to []uint32, space *spill.Space) error {
	if c.id.Mapped() || c.count.Mapped() {
		return c.copy(ctx, to, space)
	}
	id, count := c.id.Data, c.count.Data
	end, from := 0, 0
	for i := range c.Rows() {
		last := c.Start[i+1]
		for j := from; j < last; j++ {
			if n := to[id[j]]; n != math.MaxUint32 {
				id[end], count[end] = n, count[j]
				end++
			}
		}
		from = last
		c.Start[i+1] = end
	}
	c.id.Data, c.count.Data = id[:end], count[:end]
	return nil
}

// copy is rewrite into other arrays.
func (c *Corpus) copy(ctx context.Context, to []uint32, space *spill.Space) error {
	ids, counts := spill.NewWriter[uint32](space, 0), spill.NewWriter[uint16](space, 0)
	defer ids.Discard()
	defer counts.Discard()
	var id []uint32 // of the text
	var count []uint16
	end, from := 0, 0
	for i := range c.Rows() {
		if i%checkEvery == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		id, count = id[:0], count[:0]
		for j := from; j < c.Start[i+1]; j++ {
			if n := to[c.id.Data[j]]; n != math.MaxUint32 {
				id, count = append(id, n), append(count, c.count.Data[j])
			}
		}
		end += len(id)
		from, c.Start[i+1] = c.Start[i+1], end
		if err := ids.Append(id); err != nil {
			return err
		}
		if err := counts.Append(count); err != nil {
			return err
		}
	}
	c.Free()
	var err error
	if c.id, err = ids.Array(); err == nil {
		c.count, err = counts.Array()
	}
	return err
}

// Between two looks at a context as many rows are read, and of one text as many n-grams.
const (
	checkEvery  = 1 << 10
	checkHashes = 1 << 16
)
