package nn

import (
	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/tensor"
)

// Loss is a spec of what training makes small. It gives each row of a batch a number, the mean over the row's
// elements; the loss of a batch is the sum of these, each times its weight, over the number of rows (Keras's
// sum_over_batch_size).
type Loss interface {
	// Name is Keras's: "binary_crossentropy".
	Name() string
	// Check refuses settings out of range, and output and labels, of the given shapes (of one row), that do not go
	// together.
	Check(output, labels tensor.Shape) error
	// CheckLabel refuses a label that the loss is not defined for.
	CheckLabel(label float32) error
	// Rows computes losses[i] for each row i of the output and labels, row-major, and, when gradient is not nil, its
	// gradient by the row's outputs.
	Rows(losses, gradient, output, labels []float32)
}

// LogitsLoss is a loss that can be computed from what goes into the output activation, more exactly than from what
// comes out of it. Fit and Evaluate then do that, as Keras does on TensorFlow.
type LogitsLoss interface {
	Loss
	// FromActivation returns the loss that takes the input of the named activation, or false.
	FromActivation(activation string) (Loss, bool)
	// TakesLogits reports whether the loss takes logits as it is.
	TakesLogits() bool
}

// ShapedLoss is a loss that computes with the shape of the output, which the slices of Rows do not tell.
type ShapedLoss interface {
	Loss
	// For returns the loss for an output of the given shape (of one row).
	For(output tensor.Shape) Loss
}

// RowLabelsLoss is a loss whose labels must go together in a row, or with the output's shape: numbers of classes, of
// which the output has so many. Data is checked before it runs.
type RowLabelsLoss interface {
	Loss
	// CheckLabels refuses the labels of a row, each of which CheckLabel has passed, for an output of the given shape (of
	// one row). It says at which of them.
	CheckLabels(output tensor.Shape, labels []float32) (column int, err error)
}

// MaskingLoss is a loss that can leave elements out, as their labels say. The loss of a batch is then the mean over those
// that count in place of all, which Keras computes as the mean over all times their number over (the number that counts
// + 1e-7): 0 where none counts. Row losses are, as ever, means over all of the row's elements, with 0 for those left out.
type MaskingLoss interface {
	Loss
	// Masks reports whether the loss leaves any element out, as it is set.
	Masks() bool
	// Counted is how many of the labels, each that of an element, count.
	Counted(labels []float32) int
}

// Metric is a spec of a number to watch.
type Metric interface {
	// Name is the metric's name in logs and History: "accuracy".
	Name() string
	// Start returns an accumulator at zero, or an error when the metric does not go with what it is told.
	Start(MetricInfo) (Accumulator, error)
}

// MetricInfo is what a metric is told of the run.
type MetricInfo struct {
	// Output and Labels are the shapes of one row.
	Output, Labels tensor.Shape
	// Logits tells that the loss takes the output as logits, so that it is not a probability.
	Logits bool
}

// Accumulator adds up a metric over batches.
type Accumulator interface {
	// Add takes a batch: labels and output row-major, and one weight a row, or none.
	Add(labels, output, weights []float32)
	// Result is the metric over all batches since Reset.
	Result() float64
	Reset()
}

// DirectedMetric is a metric that knows which of its values are better. Callbacks that watch it need not be told.
type DirectedMetric interface {
	Metric
	Direction() history.Direction
}
