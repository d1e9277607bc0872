package nn

import "github.com/linnet-ml/linnet/tensor"

// Layer is a spec: plain data that says what to build. It holds no parameters and no state, so one Layer value may
// stand in several models.
type Layer interface {
	// Kind is the layer's class name, Keras's where it has one: "GlobalAveragePooling1D".
	Kind() string
	// Build adds the layer's parameters and steps to the plan and returns the value that holds its output.
	Build(b *Builder, in ...Symbol) (Symbol, error)
}

// NamedLayer is a layer whose name can be set. The default is the Kind in snake case, numbered from the second on:
// "dense", "dense_1".
type NamedLayer interface {
	Layer
	// LayerName returns the name, or "" for the default.
	LayerName() string
}

// Signature is what is known of a value before the model runs.
type Signature struct {
	Type tensor.Type
	// Shape starts with the number of rows of a batch. That and the number of steps may be Unknown.
	Shape tensor.Shape
}

// Step is one operation of a plan. It is made by a layer's Build and holds what that decided, nothing that changes:
// what it reads and writes lies in the [Frame].
//
// All rows of a batch are computed alike and apart, so that workers can share them out: Forward and Backward write the
// rows of their Span and no others.
type Step interface {
	// Output says what the step makes of inputs of these signatures. It is asked by Build, with dimensions that are
	// unknown, and again before the step runs, when they are known.
	Output(in []Signature) (Signature, error)
	// Forward computes rows of the output.
	Forward(f *Frame, s Span)
}

// BackwardStep is a step that gradients flow through.
type BackwardStep interface {
	Step
	// Backward computes rows of the inputs' gradients (Frame.InGrad, where not nil) from those of the output's. It
	// overwrites what was there.
	Backward(f *Frame, s Span)
}

// ParameterStep is a step with parameters that can be trained.
type ParameterStep interface {
	Step
	// Gradient adds the gradient of rows g.Lo to g.Hi-1 of the step's parameter i, over the whole batch. The order of
	// the additions to an element must not depend on g.Lo and g.Hi. It must not look at parameters, which other workers
	// change at the same time, unless the step is a ParameterReadingStep.
	Gradient(f *Frame, i int, g Gradient)
}

// ParameterReadingStep is a step that makes gradients from parameters, too: from the table whose largest element it has
// to find again. Without one each worker changes its rows as soon as it has their gradient; with one only when all
// workers have all gradients.
type ParameterReadingStep interface {
	ParameterStep
	// GradientReadsParameters reports whether Gradient calls Frame.Param.
	GradientReadsParameters() bool
}

// Gradient is where a step adds up the gradient of rows Lo to Hi-1 of a parameter. A row is an element along the
// parameter's first dimension.
type Gradient struct {
	Lo, Hi int
	// Values are of the whole parameter, row-major. Rows outside Lo to Hi-1 belong to other workers.
	Values []float32
	Worker int

	touched *touched // in place of Values, for a large table
	squares bool     // the sum of squares is asked for
}

// ByPlace reports whether the rows have places of their own, so that Values must not be used: see Rows.
func (g Gradient) ByPlace() bool { return g.touched != nil }

// Rows returns where the gradients of some rows from Lo to Hi-1 are added up: row i's at element places[i]*width of
// values, width being the size of a row. For a large table only rows that were asked for exist. The places are good
// until the next call.
func (g Gradient) Rows(rows []int32) (values []float32, places []int32) {
	if g.touched == nil {
		return g.Values, rows
	}
	places = g.touched.find(rows)
	if g.squares {
		return g.touched.squares, places
	}
	return g.touched.grad, places
}

// RowStep is a step that touches few rows of a large table: it gives gradients through Gradient.Rows alone, so that
// Fit keeps gradients and slots only of rows that have had a gradient.
type RowStep interface {
	ParameterStep
	// ByRow reports whether parameter i's gradient comes so.
	ByRow(i int) bool
}

// ReadingStep is a RowStep that can tell which rows of a table a batch reads. Between the batches that read it, a row
// whose moments still move it can then be left as it is: Fit catches it up when it is read next, with the same bits.
type ReadingStep interface {
	RowStep
	SourceStep
	// Reads calls visit with rows Lo to Hi-1 of parameter i that Forward reads for the batch, all of them, some perhaps
	// several times. The slice is the step's and good during the call. It runs before any Forward, when there is nothing
	// of the batch in the Frame but its Source; and in a worker: others ask for other rows.
	Reads(f *Frame, i int, s RowSpan, visit func(rows []int32))
}

// RowSpan is a range of a parameter's rows, and the worker whose they are.
type RowSpan struct{ Lo, Hi, Worker int }

// BalancedStep is a step that can tell from the data how much work each row of a parameter is, so that workers get equal
// shares of a table in which some ids occur far more often than others.
type BalancedStep interface {
	RowStep
	SourceStep
	// Contributions returns how often a batch of so many rows of the data, as Prepare returned it, is expected to
	// contribute to the gradient of each row of parameter i.
	Contributions(i int, data tensor.Rows, batch int) []float32
}

// OccurrenceStep is a step that looks rows of a table up, and can add up the squares of what each occurrence of a row
// contributes to its gradient. Keras 3 on TensorFlow hands its optimizers one gradient row for each occurrence of an id
// and squares these; some optimizers do the same when asked to.
type OccurrenceStep interface {
	RowStep
	// Squares adds to g, as Gradient does, the square of each occurrence's contribution.
	Squares(f *Frame, i int, g Gradient)
}

// SourceStep is a step that reads the model's input where it lies, by row number, and not from a copy of each batch:
// Frame.Source in place of Frame.In. What can be worked out once for data in memory is worked out in Prepare.
type SourceStep interface {
	Step
	// Prepare checks x, which has the type and row shape of the model's input or is an earlier result of Prepare, and
	// returns what Forward reads. It may use the memory of old, an earlier result or nil, again.
	Prepare(x, old tensor.Rows) (tensor.Rows, error)
}

// ReadyStep is a source step that also takes rows which are not of the model's input type and shape, but ready for it:
// what it makes of such input, made beforehand.
type ReadyStep interface {
	SourceStep
	// Ready reports whether x is of the kind that the step takes in place of the model's input. Prepare checks it
	// further. Output is then asked with x's signature.
	Ready(x tensor.Rows) bool
}

// UnpreparedStep is a source step that can also read the data as it came: what reads each row once, as Evaluate and
// Predict do, need not then prepare them all before it begins, and workers prepare their own rows.
type UnpreparedStep interface {
	SourceStep
	// Unprepared reports whether Forward reads x itself, when it is not to train: Frame.Source then returns x, and
	// Frame.Fail takes what is wrong with a row.
	Unprepared(x tensor.Rows) bool
}

// InputStep is a step that can refuse some inputs: ids outside a vocabulary.
type InputStep interface {
	Step
	// CheckInput returns an error that names the row and column of the first element that the step cannot take.
	CheckInput(x tensor.Rows) error
}

// FusingStep is a step that can take over the step behind it. Build asks when that step is the only one that reads its
// output.
type FusingStep interface {
	Step
	// Fuse returns a step that reads this step's inputs, has both steps' parameters in order, and writes the output of
	// next; or false. Where next reads other values too, such as a mask, others are the steps that make them, which
	// read the same inputs as this step.
	Fuse(next Step, others []Step) (Step, bool)
}

// ActivationStep is a step that applies an activation function, by which a loss may recognise it: see [LogitsLoss].
type ActivationStep interface {
	Step
	// Activation is the function's Keras name: "sigmoid".
	Activation() string
}

// Span is the part of a batch that one worker computes: rows Lo to Hi-1.
type Span struct {
	Lo, Hi int
	Worker int
}

// ShardRows is how many rows of a batch make a shard: the gradient of a small dense parameter is a sum over shards,
// in order, of what each shard adds up, whoever computes it.
const ShardRows = 64

// Shards calls f for each shard of a batch of n rows.
func Shards(n int, f func(lo, hi int)) {
	for lo := 0; lo < n; lo += ShardRows {
		f(lo, min(lo+ShardRows, n))
	}
}
