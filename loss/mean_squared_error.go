package loss

import (
	"fmt"
	"math"

	"github.com/linnet-ml/linnet/nn/plan"
)

// MeanSquaredError is Keras's loss of that name: the mean of the squares of output minus label. The shapes of output
// and labels are the same, but labels (rows,) go with an output (rows, 1).
type MeanSquaredError struct{}

var _ plan.Loss = MeanSquaredError{}

// Kind is "MeanSquaredError".
func (MeanSquaredError) Kind() string { return "MeanSquaredError" }

// Start refuses output and labels of different shapes.
func (MeanSquaredError) Start(info plan.LossInfo) (plan.LossRule, error) {
	if err := checkShapes("mean squared error", info.Output, info.Labels); err != nil {
		return plan.LossRule{}, err
	}
	return plan.LossRule{Rows: squareRows, CheckLabel: checkFinite}, nil
}

// checkFinite refuses NaN and infinities.
func checkFinite(label float32) error {
	if math.IsNaN(float64(label)) || math.IsInf(float64(label), 0) {
		return fmt.Errorf("loss: mean squared error is defined for finite labels, not %v", label)
	}
	return nil
}

// squareRows computes the mean loss of each row, and its gradient by the row's outputs.
func squareRows(losses, gradient, output, labels []float32) {
	if len(losses) == 0 {
		return
	}
	meanRows(losses, gradient, output, func(i int) (loss, slope float32) {
		d := output[i] - labels[i]
		return float32(d * d), 2 * d
	})
}
