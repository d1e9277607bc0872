package text

import "context"

// A watch looks at a context now and then while a long text is read. After stop has returned true err is the context's
// error.
type watch struct {
	ctx context.Context
	err error
}

// watchBytes is how much of a text is read between two looks at the context: about 0.1 ms.
const watchBytes = 1 << 16

// stop reports whether the work is to end.
func (w *watch) stop() bool {
	if w.err == nil {
		w.err = w.ctx.Err()
	}
	return w.err != nil
}

// at is stop at every place of a text, or number of a row, that watchBytes divides, and false elsewhere.
func (w *watch) at(i int) bool { return i&(watchBytes-1) == 0 && w.stop() }
