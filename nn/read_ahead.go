package nn

import (
	"context"
	"iter"
	"runtime"

	"github.com/linnet-ml/linnet/nn/plan"
)

// mostAhead bounds how many batches are made before they are used: the queue alone takes memory.
const mostAhead = 1 << 16

// ReadAhead returns a Source that makes the next batches of src in another goroutine while one is used, as many as depth
// (1 where it is less, 65,536 where it is more). A batch's memory must then stay as it is until depth+1 further ones have been asked for. The
// goroutine ends when the call that reads the source does. A src that is nil is the same error as without ReadAhead.
func ReadAhead(src Source, depth int) Source {
	if isNil(src) {
		return SourceFunc(nil)
	}
	return SourceFunc(func(ctx context.Context, epoch int) iter.Seq2[Batch, error] {
		return func(yield func(Batch, error) bool) { readAhead(ctx, src, min(max(1, depth), mostAhead), epoch, yield) }
	})
}

// made is a batch, or an error in its place.
type made struct {
	batch Batch
	err   error
}

func readAhead(ctx context.Context, src Source, depth, epoch int, yield func(Batch, error) bool) {
	ctx, cancel := context.WithCancel(ctx)
	batches, ended := make(chan made, depth-1), make(chan struct{})
	go func() {
		defer close(ended)
		defer close(batches)
		err, whole := error(nil), false
		defer func() {
			if !whole {
				err = plan.Exited() // the source has ended the goroutine
			}
			if err != nil {
				select {
				case batches <- made{err: err}:
				case <-ctx.Done():
				}
			}
		}()
		err = produce(ctx, src, epoch, batches)
		whole = true
	}()
	// Whoever leaves, by yield's panic too, takes the goroutine along.
	defer func() {
		cancel()
		for range batches {
			runtime.Gosched()
		}
		<-ended
	}()
	for b := range batches {
		if !yield(b.batch, b.err) || b.err != nil {
			return
		}
	}
	if err := ctx.Err(); err != nil {
		yield(Batch{}, err)
	}
}

// produce hands out the batches of src, until the context ends.
func produce(ctx context.Context, src Source, epoch int, batches chan<- made) (err error) {
	defer recovering(&err)
	for b, err := range src.Batches(ctx, epoch) {
		if err != nil {
			return err
		}
		select {
		case batches <- made{batch: b}:
		case <-ctx.Done():
			return nil
		}
	}
	return nil
}
