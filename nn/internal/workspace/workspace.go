// Package workspace is the memory that one execution of a plan writes: the values of operations, their gradients, and
// what operations keep from Forward to Backward. Package plan shows an operation its part of it as a Frame; package nn
// lays it out and runs it.
package workspace

import (
	"context"

	"github.com/linnet-ml/linnet/internal/random"
	"github.com/linnet-ml/linnet/tensor"
)

// Run is what all operations of an execution share.
type Run struct {
	Context context.Context // of the call
	Rows    int             // of the batch
	// Training: with gradients. Noiseless: with gradients, but as the model predicts.
	Training, Noiseless bool
	Seed                uint64
	Step                uint64    // of the training run, for random numbers
	Index               []int32   // the numbers of the batch's rows in the data
	Fails               []Failure // one a worker: what is wrong with the data of its rows
}

// Failure is what an operation found wrong with data; Err is nil where there is nothing.
type Failure struct {
	Op  *Op
	Err error
}

// Value is the memory of one value of the plan and of its gradient.
type Value struct {
	Type  tensor.Type
	Shape tensor.Shape // of one row
	Width int          // elements of one row
	Fold  int          // rows for each row of the batch

	Floats  []float32
	Ints    []int32
	Strings []string
	Grad    []float32
	// Parts are the gradients that several readers give, in plan order; Grad is their sum.
	Parts [][]float32
}

// Area is memory that an operation keeps for each row from Forward to Gradient.
type Area struct {
	Width  int
	Floats []float32
}

// Op is what one operation sees of an execution.
type Op struct {
	Run  *Run
	Fold int // the operation's rows for each row of the batch
	In   []*Value
	Out  []*Value
	// InStride and OutStride are the elements of each value for one of the operation's rows.
	InStride, OutStride []int
	Wants               []bool // which inputs' gradients are wanted
	Part                []int  // which of the parts of an input's gradient is this operation's, or -1
	Sources             []tensor.Rows
	Saved               []Area
	Sums, BackwardSums  []float64
	Scratch             [][]float32 // one a worker
	Local               []any       // one a worker
	Noise               random.Name
	Layer               string // for error messages
}

// Grow returns s with length n, in new memory only where the old does not reach.
func Grow[E any](s []E, n int) []E {
	if cap(s) >= n {
		return s[:n]
	}
	return make([]E, n)
}

// SumParts adds up rows lo to hi-1 of a value's gradient where several operations read the value.
func (v *Value) SumParts(lo, hi int) {
	if len(v.Parts) == 0 {
		return
	}
	lo, hi = lo*v.Fold*v.Width, hi*v.Fold*v.Width
	sum := v.Grad[lo:hi]
	copy(sum, v.Parts[0][lo:hi])
	for _, part := range v.Parts[1:] {
		for i, g := range part[lo:hi] {
			sum[i] += g
		}
	}
}

// Key marks the functions of package plan that only package nn may call.
type Key struct{}
