package text

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
)

// shares are texts cut into parts of about equal work, one after the other.
type shares struct {
	ends    []int // where each part ends
	workers int   // how many goroutines do them
}

const (
	shareBytes = 1 << 16
	shareTexts = 1 << 12
)

func newShares(texts []string) shares {
	var s shares
	size, first := 0, 0
	for i, t := range texts {
		size += len(t)
		if size >= shareBytes || i+1-first == shareTexts || i+1 == len(texts) {
			s.ends = append(s.ends, i+1)
			size, first = 0, i+1
		}
	}
	s.workers = min(runtime.GOMAXPROCS(0), len(s.ends))
	return s
}

// do calls work for each share, with the goroutine's number and where the share begins and ends. It returns when all
// goroutines have ended: with an error if ctx ended before the last share was taken, or work returned an error, which it
// does for no other reason.
func (s *shares) do(ctx context.Context, work func(worker, share, from, to int) error) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	var taken atomic.Int64
	var stopped atomic.Bool
	run := func(worker int) {
		for {
			k := int(taken.Add(1)) - 1
			if k >= len(s.ends) {
				return
			}
			from := 0
			if k > 0 {
				from = s.ends[k-1]
			}
			if ctx.Err() != nil || work(worker, k, from, s.ends[k]) != nil {
				stopped.Store(true)
				return
			}
		}
	}
	var others sync.WaitGroup
	for worker := 1; worker < s.workers; worker++ {
		others.Go(func() { run(worker) })
	}
	run(0)
	others.Wait()
	if stopped.Load() {
		return context.Cause(ctx)
	}
	return nil
}
