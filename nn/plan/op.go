package plan

import (
	"context"
	"slices"

	"github.com/linnet-ml/linnet/tensor"
)

// Op describes an operation: what a layer adds to the plan ([Builder.Add]). Its functions hold what Build decided and
// nothing that changes. What they read and write lies in the [Frame].
//
// Only Outputs and Forward are required. A function that is nil says that the operation cannot do the thing.
//
// All rows of a batch are computed alike and apart, so that workers can share them out: Forward and Backward write the
// rows of their [Span] and no others.
type Op struct {
	// Form says what the operation computes, as plain data that can be compared with ==. Another operation's Fuse
	// recognises it by this. Nil for an operation that nobody needs to recognise.
	Form any

	// Outputs returns the signatures of the outputs for inputs of these signatures. Build calls it while dimensions may be
	// unknown, and the model calls it again when they are known.
	Outputs func(in []Signature) ([]Signature, error)

	// Saves returns how many float32 the operation keeps for each row in each of its save areas ([Frame.Saved]), for
	// inputs whose dimensions are known. What Forward writes there Backward and Gradient can read, in any worker; Backward
	// may write there for Gradient.
	Saves func(in []Signature) []int

	// Forward computes rows of the outputs.
	Forward func(f *Frame, s Span)

	// Backward computes rows of the inputs' gradients ([Frame.InGrad], where not nil) from those of the outputs. It
	// overwrites what was there. It is also called when only Gradient reads what it leaves in Saved, if it is not nil
	// and BackwardForGradient is set.
	Backward func(f *Frame, s Span)

	// BackwardForGradient says that Gradient needs what Backward writes to Saved, so that Backward must run even where
	// nobody asks for the inputs' gradients.
	BackwardForGradient bool

	// Gradient adds the gradient of rows g.Lo to g.Hi-1 of the operation's parameter i, over the whole batch. The order
	// of the additions to an element must not depend on g.Lo and g.Hi. It must not read parameters, which other workers
	// change at the same time, unless GradientReadsParameters is set.
	Gradient func(f *Frame, i int, g Gradient)

	// GradientReadsParameters says that Gradient calls Frame.Param. Then no worker changes a parameter before all workers
	// have all gradients.
	GradientReadsParameters bool

	// Reduce is a reduction over the batch that Forward needs, in training only: the batch's statistics.
	Reduce *Reduction

	// BackwardReduce is a reduction over the batch that Backward needs.
	BackwardReduce *Reduction

	// Commit runs once, in one goroutine, after a training step that was taken. It may write to parameters that are not
	// trainable ([Frame.Param]): running statistics.
	Commit func(f *Frame)

	// Rows says that a batch touches few rows of the parameters it lists: see RowSparse.
	Rows *RowSparse

	// Source says that the operation reads the model's input where it lies: see Source.
	Source *Source

	// CheckInput returns an error that names the row and column of the first element of the model's input that the
	// operation cannot take: an id outside the vocabulary. It runs once for each array, before any Forward. An
	// InputError's Row and Column are kept.
	CheckInput func(x tensor.Rows) error

	// Fuse returns an operation that takes over this one and the next, or false. It reads this operation's inputs, has both
	// operations' parameters in order, and writes the outputs of next. Build asks when next is the only reader of this
	// operation's one output. If next reads other values too, such as a mask, others are the operations that write them;
	// they read the same inputs as this one.
	Fuse func(next Op, others []Op) (Op, bool)

	// Activation is the Keras name of the activation function that the operation applies ("sigmoid"), by which a loss
	// may recognise it; else empty.
	Activation string

	fold fold // what the builder's Fold and Unfold do to rows
}

// Span is the part of a batch that one worker computes: rows Lo to Hi-1.
type Span struct {
	Lo, Hi int
	Worker int
}

// Len is the number of rows.
func (s Span) Len() int { return s.Hi - s.Lo }

// ShardRows is how many rows of a batch make a shard. The gradient of a small dense parameter is a sum over shards, in
// order, of what each shard adds up, and so is a [Reduction]: who computes them changes no bit.
const ShardRows = 64

// Reduction is a sum over the rows of a batch that all rows then see. Workers add up shards of [ShardRows] rows, which
// never straddle workers; the sums of shards are added in order. It runs in training only.
type Reduction struct {
	// Width is how many sums there are, for inputs whose dimensions are known.
	Width func(in []Signature) int
	// Add adds what the rows of a span, a shard or its end, contribute to sums, which start at 0.
	Add func(f *Frame, s Span, sums []float64)
	// Finish, if not nil, turns the sums of the batch into what Frame.Sums returns, in place: a mean, a variance.
	Finish func(f *Frame, sums []float64)
}

// Gradient is where an operation adds up the gradient of rows Lo to Hi-1 of a parameter. A row is an element along the
// parameter's first dimension.
type Gradient struct {
	Lo, Hi int
	// Values are of the whole parameter, row-major. Rows outside Lo to Hi-1 belong to other workers. They must not be used
	// where Sparse is set.
	Values []float32
	Worker int
	// Sparse keeps the rows of a large table that have a gradient, in place of Values; else nil.
	Sparse RowSet
}

// RowSet keeps gradients of some rows of a large table.
type RowSet interface {
	// Find returns where the gradients of rows are added up: row i's at element places[i]*width of values, width being
	// the size of a row. Rows that are new start at 0. The places are good until the next call.
	Find(rows []int32) (values []float32, places []int32)
}

// Rows returns where the gradients of some rows from Lo to Hi-1 are added up: row i's at element places[i]*width of
// values, width being the size of a row. For a large table only rows that were asked for exist. The places are good
// until the next call.
func (g Gradient) Rows(rows []int32) (values []float32, places []int32) {
	if g.Sparse == nil {
		return g.Values, rows
	}
	return g.Sparse.Find(rows)
}

// RowSparse describes an operation that touches few rows of a large table: it gives the gradients of the listed
// parameters through [Gradient.Rows] alone, so that training keeps gradients and slots only of rows that have had one.
// It does not depend on how the operation reads its input.
type RowSparse struct {
	// Params are the numbers of the operation's parameters whose gradients come so.
	Params []int

	// Reads, if not nil, calls visit with the rows from s.Lo to s.Hi-1 of parameter i that Forward reads for the batch, all
	// of them, some perhaps several times. The slice is the operation's and good during the call. A row that no batch reads
	// can then miss some steps: training makes them up, with the same bits, before the row is read next. It runs before any
	// Forward, when nothing of the batch is in the Frame but its Source, in a worker; others ask for other rows.
	Reads func(f *Frame, i int, s Span, visit func(rows []int32))

	// Contributions, if not nil, returns how often a batch is expected to contribute to the gradient of each row of
	// parameter i: batch rows of data, which Source.Prepare returned. Workers thus get equal shares of a table in which some
	// ids occur far more often than others.
	Contributions func(i int, data tensor.Rows, batch int) []float32

	// Squares, if not nil, adds to g, as Gradient does, the square of what each occurrence of a row contributes. Keras 3
	// on TensorFlow hands its optimizers one gradient row for each occurrence of an id and squares these; some optimizers
	// do the same when asked to.
	Squares func(f *Frame, i int, g Gradient)
}

// Has reports whether the gradient of parameter i comes row by row; false of no RowSparse.
func (r *RowSparse) Has(i int) bool { return r != nil && slices.Contains(r.Params, i) }

// Source describes an operation that reads the model's input where it lies, by row number, and not from a copy of each
// batch: [Frame.Source] in place of Frame.In.
type Source struct {
	// Prepare checks x, which has the type and row shape of the model's input or is an earlier result of Prepare, and
	// returns what Forward reads: what can be worked out once for data in memory. It may use the memory of old, an earlier
	// result or nil, again. It returns early with the context's error when that is cancelled.
	Prepare func(ctx context.Context, x, old tensor.Rows) (tensor.Rows, error)

	// Ready, if not nil, reports whether x is prepared input: not of the model's input type and shape, but in the form that
	// the operation reads. Prepare checks it further. Outputs is then asked with x's signature.
	Ready func(x tensor.Rows) bool

	// Unprepared, if not nil, reports whether Forward reads x as it came, when it is not to train: Frame.Source then
	// returns x, and Frame.Fail takes what is wrong with a row. Evaluate and Predict, which read each row once, need then
	// not prepare them all before they begin, and workers prepare their own rows.
	Unprepared func(x tensor.Rows) bool
}

// fold says what an operation does to the number of rows.
type fold uint8

const (
	sameRows fold = iota
	foldRows      // steps become rows
	unfoldRows
)
