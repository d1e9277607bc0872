package plan

import (
	"context"
	"fmt"

	"github.com/linnet-ml/linnet/internal/random"
	"github.com/linnet-ml/linnet/nn/internal/workspace"
	"github.com/linnet-ml/linnet/simd"
	"github.com/linnet-ml/linnet/tensor"
)

// Frame is what an operation sees of one execution: its inputs and outputs, their gradients and its parameters. Frames
// belong to an execution, so an operation that runs in several goroutines at once has several.
//
// Slices are of the rows of a [Span], row-major: in f.In(0, s), the first InWidth(0) elements belong to row s.Lo. All()
// is the span of the whole batch. Where time is folded into rows ([Builder.Fold]), rows are the folded ones.
type Frame struct {
	op     *workspace.Op
	params []*Parameter
}

// Rows is the number of rows in the batch.
func (f *Frame) Rows() int { return f.op.Run.Rows * f.op.Fold }

// All is the span of all rows in the batch, of worker 0.
func (f *Frame) All() Span { return Span{Hi: f.Rows()} }

// Shards calls do for each shard of the batch, in order.
func (f *Frame) Shards(do func(s Span)) {
	rows, step := f.Rows(), ShardRows*f.op.Fold
	for lo := 0; lo < rows; lo += step {
		do(Span{Lo: lo, Hi: min(lo+step, rows)})
	}
}

// Context is the context of the call that computes the batch. An operation that can take long honours it, such as one that
// tokenises a long text.
func (f *Frame) Context() context.Context { return f.op.Run.Context }

// Training reports whether the batch is one to train on, for layers that then behave otherwise (Dropout).
func (f *Frame) Training() bool { return f.op.Run.Training && !f.op.Run.Noiseless }

// In returns rows of input i, a float32 value.
func (f *Frame) In(i int, s Span) []float32 {
	w := f.op.InStride[i]
	return f.op.In[i].Floats[s.Lo*w : s.Hi*w]
}

// InIDs returns rows of input i, an int32 value.
func (f *Frame) InIDs(i int, s Span) []int32 {
	w := f.op.InStride[i]
	return f.op.In[i].Ints[s.Lo*w : s.Hi*w]
}

// InTexts returns rows of input i, a string value.
func (f *Frame) InTexts(i int, s Span) []string {
	w := f.op.InStride[i]
	return f.op.In[i].Strings[s.Lo*w : s.Hi*w]
}

// InShape returns the dimensions of one row of input i, all of them known.
func (f *Frame) InShape(i int) tensor.Shape { return f.op.In[i].Shape }

// InWidth is the number of elements of input i for one row.
func (f *Frame) InWidth(i int) int { return f.op.InStride[i] }

// Out returns rows of output i, a float32 value.
func (f *Frame) Out(i int, s Span) []float32 {
	w := f.op.OutStride[i]
	return f.op.Out[i].Floats[s.Lo*w : s.Hi*w]
}

// OutIDs returns rows of output i, an int32 value.
func (f *Frame) OutIDs(i int, s Span) []int32 {
	w := f.op.OutStride[i]
	return f.op.Out[i].Ints[s.Lo*w : s.Hi*w]
}

// OutShape returns the dimensions of one row of output i, all of them known.
func (f *Frame) OutShape(i int) tensor.Shape { return f.op.Out[i].Shape }

// OutWidth is the number of elements of output i for one row.
func (f *Frame) OutWidth(i int) int { return f.op.OutStride[i] }

// OutGrad returns the gradient of rows of output i. It is 0 where nothing that the loss depends on reads the output.
func (f *Frame) OutGrad(i int, s Span) []float32 {
	w := f.op.OutStride[i]
	return f.op.Out[i].Grad[s.Lo*w : s.Hi*w]
}

// InGrad returns where the gradient of rows of input i goes, or nil when nobody asks for it.
func (f *Frame) InGrad(i int, s Span) []float32 {
	if !f.op.Wants[i] {
		return nil
	}
	w := f.op.InStride[i]
	v := f.op.In[i]
	if part := f.op.Part[i]; part >= 0 {
		return v.Parts[part][s.Lo*w : s.Hi*w]
	}
	return v.Grad[s.Lo*w : s.Hi*w]
}

// Saved returns rows of save area i: see Op.Saves. What Forward wrote there is there until the next batch.
func (f *Frame) Saved(i int, s Span) []float32 {
	a := &f.op.Saved[i]
	return a.Floats[s.Lo*a.Width : s.Hi*a.Width]
}

// Sums returns the result of Op.Reduce for the batch.
func (f *Frame) Sums() []float64 { return f.op.Sums }

// BackwardSums returns the result of Op.BackwardReduce for the batch.
func (f *Frame) BackwardSums() []float64 { return f.op.BackwardSums }

// Param returns the elements of the operation's parameter i. Where its storage converts, they are converted once for
// the model and kept, which is for parameters that are read as a whole; an operation that reads some rows of a table uses
// Memory and Gather.
func (f *Frame) Param(i int) []float32 { return f.params[i].floats() }

// Memory returns the elements of the operation's parameter i where they lie in memory as float32, or false.
func (f *Frame) Memory(i int) ([]float32, bool) {
	m := f.params[i].elements
	return m, m != nil
}

// Gather writes rows ids of the operation's parameter i to dst, one after another, whatever its storage.
func (f *Frame) Gather(dst []float32, i int, ids []int32) {
	p := f.params[i]
	_, width := p.Rows()
	if p.elements != nil {
		simd.Gather(dst, p.elements, width, ids)
		return
	}
	for k, id := range ids {
		p.readable.Read(dst[k*width:(k+1)*width], int(id)*width)
	}
}

// Source returns what Source.Prepare made of input i, or the input itself where the operation reads it unprepared, and
// for each row of the batch the number of the row in it.
func (f *Frame) Source(i int) (data tensor.Rows, rows []int32) {
	return f.op.Sources[i], f.op.Run.Index
}

// Fail ends the execution with an error about the data, which Forward met in the rows of a worker's span: see
// Source.Unprepared. Of several errors that of the first worker counts.
func (f *Frame) Fail(worker int, err error) {
	if fails := f.op.Run.Fails; fails[worker].Err == nil {
		fails[worker] = workspace.Failure{Op: f.op, Err: fmt.Errorf("nn: layer %q: %w", f.op.Layer, err)}
	}
}

// Random returns the operation's random numbers for this batch: a function of the run's seed, its step, the layer's name
// and the number of the operation in the layer.
func (f *Frame) Random() Random {
	run := f.op.Run
	return Random{f.op.Noise.Stream(run.Seed, random.Noise, run.Step)}
}

// Scratch returns n float32 for the worker to use as it likes. What they hold is not kept from call to call.
func (f *Frame) Scratch(worker, n int) []float32 {
	f.op.Scratch[worker] = workspace.Grow(f.op.Scratch[worker], n)
	return f.op.Scratch[worker]
}

// Local returns where the operation keeps what it likes between its calls in one worker: memory to use again. It is nil
// at first.
func (f *Frame) Local(worker int) *any { return &f.op.Local[worker] }
