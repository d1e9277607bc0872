package metrics

import (
	"math"

	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/nn/plan"
)

// MeanAbsoluteError is Keras's metric of that name: the mean of |output - label|. The shapes of output and labels are
// the same, but labels (rows,) go with an output (rows, 1).
type MeanAbsoluteError struct {
	// As is the name in logs; "mean_absolute_error" by default.
	As string
}

var _ plan.Metric = MeanAbsoluteError{}

// Kind is "MeanAbsoluteErrorMetric"; "MeanAbsoluteError" is left for the loss.
func (m MeanAbsoluteError) Kind() string { return "MeanAbsoluteErrorMetric" }

// Name is the name in logs.
func (m MeanAbsoluteError) Name() string { return nameOr(m.As, "mean_absolute_error") }

// Direction is history.LowerIsBetter.
func (m MeanAbsoluteError) Direction() history.Direction { return history.LowerIsBetter }

// Start refuses output and labels of different shapes.
func (m MeanAbsoluteError) Start(info plan.MetricInfo) (plan.Accumulator, error) {
	return startElements(m.Name(), info, func(v, y float32) float64 { return math.Abs(float64(v - y)) })
}
