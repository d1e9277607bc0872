// Package parallel spreads numbered work over as many goroutines as there are processors. No result may depend on which
// goroutine does what, or when. A Watch tells work when to look whether it is to end.
package parallel

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// Each calls do for 0 to n-1. After the first error, or when ctx is done, the work that has not begun is left out, and Each
// returns that error. The context that do is given ends then, too. A panic of do becomes one of the caller's goroutine.
func Each(ctx context.Context, n int, do func(ctx context.Context, i int) error) error {
	return Team(ctx, n, func(ctx context.Context, next func() (int, bool)) error {
		for i, ok := next(); ok; i, ok = next() {
			if err := do(ctx, i); err != nil {
				return err
			}
		}
		return nil
	})
}

// Team is Each for work that needs memory of its own in each goroutine: it runs work in all of them. Next returns a number
// from 0 to n-1 that no other call returns, or false if there is none left or the work is to end.
func Team(ctx context.Context, n int, work func(ctx context.Context, next func() (int, bool)) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	workers := min(n, runtime.GOMAXPROCS(0))
	if workers <= 1 { // no goroutine for work that may be short
		i := -1
		err := work(ctx, func() (int, bool) {
			i++
			return i, i < n && ctx.Err() == nil
		})
		if err == nil {
			err = ctx.Err()
		}
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var given atomic.Int64
	next := func() (int, bool) {
		i := int(given.Add(1)) - 1
		return i, i < n && ctx.Err() == nil
	}
	var wait sync.WaitGroup
	var panicked atomic.Pointer[string]
	for range workers {
		wait.Go(func() {
			defer func() {
				if v := recover(); v != nil {
					text := fmt.Sprintf("%v\n\n%s", v, debug.Stack())
					panicked.CompareAndSwap(nil, &text)
					cancel(nil)
				}
			}()
			if err := work(ctx, next); err != nil {
				cancel(err)
			}
		})
	}
	wait.Wait()
	if text := panicked.Load(); text != nil {
		panic(*text)
	}
	return context.Cause(ctx)
}

// A Watch looks at a context as often as work takes about a millisecond.
type Watch struct {
	ctx  context.Context
	left int
}

// watched is how many steps lie between two looks at a context.
const watched = 1 << 18

// NewWatch returns a Watch of ctx.
func NewWatch(ctx context.Context) *Watch { return &Watch{ctx: ctx} }

// Spend counts n steps of work to come, such as entries of a matrix, and one for itself. It returns the context's error if
// enough steps have passed since the last look, or if it is the first.
func (w *Watch) Spend(n int) error {
	if w.left -= n + 1; w.left > 0 {
		return nil
	}
	w.left = watched
	return w.ctx.Err()
}
