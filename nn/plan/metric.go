package plan

import (
	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/tensor"
)

// Metric is a spec of a number to watch.
type Metric interface {
	Spec
	// Name is the metric's name in logs and History: "accuracy".
	Name() string
	// Direction says which of its values are better; history.NoDirection where neither is.
	Direction() history.Direction
	// Start returns an accumulator at zero, or an error when the metric does not go with what it is told: an InputError
	// where that is the labels.
	Start(info MetricInfo) (Accumulator, error)
}

// MetricInfo is what a metric is told of the run.
type MetricInfo struct {
	// Output and Labels are the shapes of one row. Where each step has its own weight or mask, a row is one step.
	Output, Labels tensor.Shape
	// Logits tells that the loss takes the output as logits, so that it is not a probability.
	Logits bool
}

// Accumulator adds up a metric over batches, in one goroutine.
type Accumulator interface {
	// Add takes a batch: labels and output row-major, and one weight a row, or none.
	Add(labels, output, weights []float32)
	// Result is the metric over all batches since Reset.
	Result() float64
	Reset()
	// Sums are what the result is computed from, and SetSums takes them: a run that goes on in the middle of an epoch, from a
	// saved state, goes on adding. SetSums refuses a list of another length.
	Sums() []float64
	SetSums(sums []float64) error
}

// LabelChecker is an Accumulator of a metric that means nothing for some labels, such as an accuracy of numbers that are no
// classes. Fit, Evaluate and a Trainer warn of the first label that it refuses, of all rows in memory or of a stream's first
// batch. The metric is computed all the same.
type LabelChecker interface {
	Accumulator
	// CheckLabel returns an error that says which labels the metric is for, unless the given one is among them.
	CheckLabel(label float32) error
}

// ValuesAccumulator is an Accumulator of a metric with several values, such as one for each class. The logs and the
// History have each of them, under the metric's name, "_" and the value's name: "f1_score_2". Result is not asked for. All
// values have the metric's Direction.
type ValuesAccumulator interface {
	Accumulator
	// ValueNames are the names of the values, at least one, all different. They are asked for once, after Start.
	ValueNames() []string
	// Value is the value of name i over all batches since Reset.
	Value(i int) float64
}
