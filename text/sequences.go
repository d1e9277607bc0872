package text

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
)

// Sequences returns the ids of the tokens of each text, in order, without padding: at most the first most of them, or all
// when most is 0. It works on all cores, GOMAXPROCS of them, with the same result for any number. [PadSequences] makes rows
// of one length of them, [CountSequences] bags.
//
// When ctx is done before it has finished, its error is the context's. An error of the tokenizer names the text, the first
// if there are several.
func Sequences(ctx context.Context, texts []string, t Tokenizer, most int) ([][]int32, error) {
	if err := checkTokenizer(ctx, t); err != nil {
		return nil, err
	}
	if most < 0 {
		return nil, fmt.Errorf("text: Sequences: %d ids at most: there may be 0, which is all, or more", most)
	}
	if most == 0 {
		most = math.MaxInt
	}
	return sequences(ctx, texts, t, most)
}

func sequences(ctx context.Context, texts []string, t Tokenizer, most int) ([][]int32, error) {
	rows := make([][]int32, len(texts))
	s := newShares(texts)
	own := make([]struct {
		ids  []int32
		ends []int
	}, s.workers)
	failed := make([]error, len(s.ends))
	err := s.do(ctx, func(worker, k, from, to int) error {
		w := &own[worker]
		w.ids, w.ends = w.ids[:0], w.ends[:0]
		for i := from; i < to; i++ {
			start := len(w.ids)
			var err error
			if w.ids, err = t.AppendIDs(ctx, w.ids, texts[i]); err != nil {
				failed[k] = fmt.Errorf("text: text %d: %w", i, err)
				return failed[k]
			}
			w.ids = w.ids[:min(len(w.ids), start+min(most, math.MaxInt-start))]
			w.ends = append(w.ends, len(w.ids))
		}
		// One piece of memory, of the size that it must have, for all rows of a share.
		share := slices.Clone(w.ids)
		start := 0
		for i, end := range w.ends {
			rows[from+i] = share[start:end:end]
			start = end
		}
		return nil
	})
	// Shares are taken in order: one before another with an error was finished, unless the context is done.
	for _, e := range failed {
		if e != nil && !errors.Is(e, ctx.Err()) {
			return nil, e
		}
	}
	if err != nil {
		return nil, err
	}
	return rows, nil
}
