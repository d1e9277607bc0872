package nn

import (
	"context"
	"errors"
	"iter"

	"github.com/linnet-ml/linnet/tensor"
)

// Source is where Fit, Evaluate and PredictAll read data: [Data], which is rows in memory, or batches that come from a disk or
// are made as they are needed (what Keras calls a generator).
type Source interface {
	// Batches yields the batches of an epoch, counted from 0; Evaluate asks for epoch 0, and so does validation each
	// time. A batch has as many rows as it likes; the number of steps in a row may differ from batch to batch where the
	// model allows that. What a batch holds is not looked at any more once the next one is asked for, so that its memory
	// may serve again. An error ends the call that reads the source, which returns it. When the call ends early, yield
	// returns false. [ReadAhead] makes batches in another goroutine.
	Batches(ctx context.Context, epoch int) iter.Seq2[Batch, error]
}

// Batch is some rows of data, for a model to train on, to be evaluated on or to predict from.
type Batch struct {
	// X is the input of a model that has one: a tensor array, a tensor.Sparse, or text.Bags. NaN and infinities in inputs and
	// weights are errors that name the place; labels are checked by the loss.
	X tensor.Rows
	// Y are the labels of a model with one output, one row for each row of X: a tensor.Float32 or tensor.Int32 of shape
	// (rows,) or (rows, width).
	Y tensor.Rows
	// Weights, one for each row, or one for each of its steps, weigh the losses; nil means 1.
	Weights []float32

	// Inputs, in place of X, are the inputs of a model with several, by name; Labels and OutputWeights, in place of Y and
	// Weights, belong to its outputs.
	Inputs        map[string]tensor.Rows
	Labels        map[string]tensor.Rows
	OutputWeights map[string][]float32
}

// Data is rows in memory: one batch, of which Fit and Evaluate make smaller ones, in an order of their own.
type Data Batch

// Batches yields all rows as one batch.
func (d Data) Batches(context.Context, int) iter.Seq2[Batch, error] {
	return func(yield func(Batch, error) bool) { yield(Batch(d), nil) }
}

// SourceFunc is a function that acts as a Source.
type SourceFunc func(ctx context.Context, epoch int) iter.Seq2[Batch, error]

// Batches calls f. A nil f yields an error.
func (f SourceFunc) Batches(ctx context.Context, epoch int) iter.Seq2[Batch, error] {
	if f == nil {
		return func(yield func(Batch, error) bool) { yield(Batch{}, errNoSource) }
	}
	return f(ctx, epoch)
}

// errNoSource reports a Source that is nil.
var errNoSource = errors.New("nn: there is no data: the source is nil")
