package metrics

import (
	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/nn/plan"
)

// MeanSquaredError is Keras's metric of that name: the mean of (output - label)². The shapes of output and labels are
// the same, but labels (rows,) go with an output (rows, 1).
type MeanSquaredError struct {
	// As is the name in logs; "mean_squared_error" by default.
	As string
}

var _ plan.Metric = MeanSquaredError{}

// Kind is "MeanSquaredErrorMetric"; "MeanSquaredError" is the loss.
func (m MeanSquaredError) Kind() string { return "MeanSquaredErrorMetric" }

// Name is the name in logs.
func (m MeanSquaredError) Name() string { return nameOr(m.As, "mean_squared_error") }

// Direction is history.LowerIsBetter.
func (m MeanSquaredError) Direction() history.Direction { return history.LowerIsBetter }

// Start refuses output and labels of different shapes.
func (m MeanSquaredError) Start(info plan.MetricInfo) (plan.Accumulator, error) {
	return startElements(m.Name(), info, squaredError)
}

// squaredError takes the difference in float32, as in Keras.
func squaredError(output, label float32) float64 {
	d := float64(output - label)
	return float64(d * d)
}
