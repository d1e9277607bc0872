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
// does for no other reason. A panic of work, such as one of a user's tokenizer, becomes one of the caller's goroutine.
func (s *shares) do(ctx context.Context, work func(worker, share, from, to int) error) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	var taken atomic.Int64
	var stopped atomic.Bool
	var broken caught
	run := func(worker int) {
		defer broken.recover(&stopped)
		for {
			k := int(taken.Add(1)) - 1
			if k >= len(s.ends) || broken.any() {
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
	broken.raise()
	if stopped.Load() {
		return context.Cause(ctx)
	}
	return nil
}

// caught is a panic of one of several goroutines, the first to come.
type caught struct{ value atomic.Pointer[any] }

// recover, deferred in a goroutine, keeps its panic and sets stopped.
func (c *caught) recover(stopped *atomic.Bool) {
	if v := recover(); v != nil {
		c.value.CompareAndSwap(nil, &v)
		stopped.Store(true)
	}
}

func (c *caught) any() bool { return c.value.Load() != nil }

// raise panics again, in the caller's goroutine.
func (c *caught) raise() {
	if v := c.value.Load(); v != nil {
		panic(*v)
	}
}
