package plan

import (
	"fmt"

	"github.com/linnet-ml/linnet/tensor"
)

// Loss is a spec of the quantity that training minimises. It gives each row of a batch a number, the mean over the row's
// elements; the loss of a batch is the sum of these, each times its weight, over the number of rows (Keras's
// sum_over_batch_size).
type Loss interface {
	Spec
	// Start checks the settings, and that output and labels go together, and returns what computes the loss. Labels that
	// do not are an InputError.
	Start(info LossInfo) (LossRule, error)
}

// LossInfo is what a loss is told of the run.
type LossInfo struct {
	// Output and Labels are the shapes of one row. Where each step has its own weight or mask, a row is one step.
	Output, Labels tensor.Shape
	// Activation is the Keras name of the activation that makes the output ("sigmoid"), where the loss could read what
	// goes into it; else empty.
	Activation string
}

// LossRule is a loss as it runs. Only Rows is required.
type LossRule struct {
	// Rows computes losses[i] for each row i of the output and labels, row-major, and, when gradient is not nil, its
	// gradient by the row's outputs. Any number of goroutines may call it at once.
	Rows func(losses, gradient, output, labels []float32)

	// BeforeActivation makes Rows get what goes into LossInfo.Activation in place of what comes out of it: a cross-entropy
	// is more exact so. Fit and Evaluate do that as Keras does on TensorFlow.
	BeforeActivation bool

	// Logits says that the model's output, as it is, are logits: metrics are told.
	Logits bool

	// Warning, unless empty, says why the loss is probably a mistake for this output. Fit, Evaluate and a Trainer tell the
	// user.
	Warning string

	// CheckOutput, if not nil, says why the loss is probably a mistake for an element of the output: a probability above 1.
	// Fit, Evaluate and a Trainer ask it of their first batch, and tell the user.
	CheckOutput func(output float32) error

	// CheckLabel refuses a label that the loss is not defined for.
	CheckLabel func(label float32) error

	// CheckLabels refuses labels of a row that do not go together, or with the output's shape. It says at which of them.
	CheckLabels func(labels []float32) (column int, err error)

	// Counted returns how many of the labels count, one label an element, for a loss that leaves elements out by their
	// labels. The loss of a batch is then the mean over the elements that count. As in Keras it is computed as the mean over
	// all elements, times their number, divided by (the number that counts + 1e-7); it is 0 where none counts. Row losses
	// are still means over all of the row's elements, with 0 for those left out.
	Counted func(labels []float32) int
}

// LossError reports that the loss of a batch was NaN or infinite. In training the step was not taken: the weights are those
// before it.
type LossError struct {
	// Epoch and Step are counted from 0. In Evaluate Epoch is -1, and Step the number of the batch.
	Epoch, Step int
	Loss        float64
}

// Error gives the loss and the step, for people: epochs, steps and batches are counted from 1.
func (e *LossError) Error() string {
	if e.Epoch < 0 {
		return fmt.Sprintf("nn: the loss is %v in batch %d", e.Loss, e.Step+1)
	}
	return fmt.Sprintf("nn: the loss is %v in epoch %d, step %d; the weights are those before this step", e.Loss, e.Epoch+1, e.Step+1)
}
