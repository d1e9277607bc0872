package text

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/linnet-ml/linnet/tensor"
)

// CountTexts makes a bag of the ids of each text, with a length that is the number of its tokens. It works on all cores
// (as many as GOMAXPROCS says), and the result is the same with any number of them. What it needs besides the bags is in
// proportion to them and to the longest text.
//
// When ctx is done before it has finished, its error is the context's; it is looked at between texts, and by the tokenizer
// inside long ones. A text of more than 16,777,215 tokens, and one with an id that t.Size excludes, and one for which the
// tokenizer returns an error, are errors that name the text, the first if there are several.
func CountTexts(ctx context.Context, texts []string, t Tokenizer) (*Bags, error) {
	if err := checkTokenizer(ctx, t); err != nil {
		return nil, err
	}
	c := &textCounter{texts: texts, tokenizer: t, options: BagOptions{Vocabulary: t.Size()}}
	size := c.cut()
	workers := max(min(runtime.GOMAXPROCS(0), len(c.parts)), 1)
	// Ids of a large vocabulary are counted where there are so many that a number for each of them is little beside the
	// texts, and sorted where not.
	c.expected = size / workers

	var wait sync.WaitGroup
	for range workers - 1 {
		wait.Go(func() { c.work(ctx) })
	}
	c.work(ctx)
	wait.Wait()
	c.broken.raise()
	// Every part before one with an error was taken by a worker before it, and finished: which error is the first does not
	// depend on who was faster. A context that is done may leave some of them out.
	for i := range c.parts {
		if err := c.parts[i].err; err != nil && !errors.Is(err, ctx.Err()) {
			return nil, err
		}
	}
	if err := ctx.Err(); err != nil && int(c.done.Load()) < len(c.parts) {
		return nil, err
	}
	return c.join(), nil
}

// A textCounter is a call of CountTexts.
type textCounter struct {
	texts     []string
	tokenizer Tokenizer
	options   BagOptions
	expected  int // ids for each worker, or more

	parts []textPart
	next  atomic.Int64 // the first part that no worker has taken
	done  atomic.Int64 // parts without an error

	broken  caught // a panic of the tokenizer
	stopped atomic.Bool
}

// A textPart is some texts in a row, and their bags.
type textPart struct {
	from, to int
	err      error
	offsets  []int
	lengths  []int32
	narrow   []uint32
	wide     []uint64
	isWide   bool
}

const (
	// A part has at least so many bytes or so many texts, so that a core is busy with it for a while, and its ids stay in
	// the core's cache.
	partBytes = 1 << 17
	partTexts = 1 << 10
)

// cut makes the parts, and returns how many bytes the texts have.
func (c *textCounter) cut() (size int) {
	from, bytes := 0, 0
	for i, s := range c.texts {
		bytes += len(s)
		if bytes >= partBytes || i+1-from >= partTexts || i+1 == len(c.texts) {
			c.parts = append(c.parts, textPart{from: from, to: i + 1})
			from = i + 1
			size += bytes
			bytes = 0
		}
	}
	return size
}

// work counts parts until none is left, or there was an error.
func (c *textCounter) work(ctx context.Context) {
	defer c.broken.recover(&c.stopped)
	w := &textWorker{textCounter: c}
	for {
		i := int(c.next.Add(1)) - 1
		if i >= len(c.parts) || c.stopped.Load() {
			return
		}
		part := &c.parts[i]
		if part.err = w.count(ctx, part); part.err != nil {
			c.next.Store(int64(len(c.parts)))
			return
		}
		c.done.Add(1)
	}
}

// A textWorker is what a worker needs for any part.
type textWorker struct {
	*textCounter
	bags Bags
	ids  []int32 // of all texts of a part
	ends []int
}

// count makes the bags of a part.
func (w *textWorker) count(ctx context.Context, part *textPart) error {
	w.ids, w.ends = w.ids[:0], w.ends[:0]
	longest := 0
	for i := part.from; i < part.to; i++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		start := len(w.ids)
		var err error
		if w.ids, err = w.tokenizer.AppendIDs(ctx, w.ids, w.texts[i]); err != nil {
			return fmt.Errorf("text: text %d: %w", i, err)
		}
		n := len(w.ids) - start
		if n >= countLimit {
			return fmt.Errorf("text: %w: text %d of %d tokens is longer than %d", tensor.ErrShape, i, n, countLimit-1)
		}
		longest = max(longest, n)
		w.ends = append(w.ends, len(w.ids))
	}
	b := &w.bags
	b.start(w.options, part.to-part.from, len(w.ids), longest)
	b.distinct.expect(w.options.Vocabulary, max(w.expected, len(w.ids)), b.isWide)
	start := 0
	for k, end := range w.ends {
		if end-start >= watchBytes && ctx.Err() != nil {
			return ctx.Err()
		}
		if err := b.add(w.ids[start:end], part.from+k, w.options); err != nil {
			return err
		}
		start = end
	}
	part.offsets, part.lengths, part.isWide = slices.Clone(b.offsets), slices.Clone(b.lengths), b.isWide
	part.narrow, part.wide = slices.Clone(b.narrow), slices.Clone(b.wide)
	return nil
}

// join makes one of the bags of all parts.
func (c *textCounter) join() *Bags {
	pairs := 0
	all := &Bags{vocabulary: c.options.Vocabulary, isWide: c.options.Vocabulary > narrowLimit}
	for i := range c.parts {
		pairs += len(c.parts[i].narrow) + len(c.parts[i].wide)
		all.isWide = all.isWide || c.parts[i].isWide
	}
	all.offsets, all.lengths = make([]int, 1, len(c.texts)+1), make([]int32, 0, len(c.texts))
	if all.isWide {
		all.wide = make([]uint64, 0, pairs)
	} else {
		all.narrow = make([]uint32, 0, pairs)
	}
	for i := range c.parts {
		part := &c.parts[i]
		before := all.offsets[len(all.offsets)-1]
		for _, end := range part.offsets[1:] {
			all.offsets = append(all.offsets, before+end)
		}
		all.lengths = append(all.lengths, part.lengths...)
		if !all.isWide {
			all.narrow = append(all.narrow, part.narrow...)
			continue
		}
		all.wide = append(all.wide, part.wide...)
		for k := range part.narrow { // of a part without a text so long that it needs the wide ones
			id, count := unpack(part.narrow, k)
			all.wide = append(all.wide, uint64(id)|uint64(count)<<half[uint64]())
		}
	}
	all.measure()
	return all
}
