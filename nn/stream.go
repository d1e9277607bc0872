package nn

import (
	"context"
	"iter"
)

// Stream is data that comes batch by batch, because it does not fit into memory or is made as it is needed (what Keras
// calls a generator): see Data.Stream.
type Stream interface {
	// Batches yields the batches of an epoch, counted from 0; Evaluate asks for epoch 0, and so does validation each
	// time. A batch has X, Y and perhaps Weights, for as many rows as it likes; the number of steps in a row may differ
	// from batch to batch where the model allows that. What a batch holds is not looked at any more once the next one is
	// asked for, so that its memory may serve again. An error ends the call that reads the stream, which returns it. When
	// the call ends early, yield returns false.
	Batches(ctx context.Context, epoch int) iter.Seq2[Data, error]
}

// StreamFunc is a function that acts as a Stream.
type StreamFunc func(ctx context.Context, epoch int) iter.Seq2[Data, error]

// Batches calls f.
func (f StreamFunc) Batches(ctx context.Context, epoch int) iter.Seq2[Data, error] {
	return f(ctx, epoch)
}
