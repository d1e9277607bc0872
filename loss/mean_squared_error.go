package loss

import (
	"fmt"
	"math"

	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/tensor"
)

// MeanSquaredError is Keras's loss of that name: the mean of the squares of output minus label. The shapes of output
// and labels are the same, but labels (rows,) go with an output (rows, 1).
type MeanSquaredError struct{}

var _ nn.Loss = MeanSquaredError{}

// Name returns "mean_squared_error".
func (MeanSquaredError) Name() string { return "mean_squared_error" }

// Check refuses output and labels of different shapes.
func (MeanSquaredError) Check(output, labels tensor.Shape) error {
	return checkShapes("mean squared error", output, labels)
}

// CheckLabel refuses NaN and infinities.
func (MeanSquaredError) CheckLabel(label float32) error {
	if math.IsNaN(float64(label)) || math.IsInf(float64(label), 0) {
		return fmt.Errorf("loss: mean squared error is defined for finite labels, not %v", label)
	}
	return nil
}

// Rows computes the mean loss of each row, and its gradient by the row's outputs.
func (MeanSquaredError) Rows(losses, gradient, output, labels []float32) {
	if len(losses) == 0 {
		return
	}
	meanRows(losses, gradient, output, func(i int) (loss, slope float32) {
		d := output[i] - labels[i]
		return float32(d * d), 2 * d
	})
}
