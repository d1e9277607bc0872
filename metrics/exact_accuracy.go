package metrics

import (
	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/nn/plan"
)

// ExactAccuracy is Keras's metric class Accuracy: the share of outputs that equal their labels, for models whose output
// is a class or a count and not a probability. What Keras makes of the text "accuracy" is [Accuracy].
type ExactAccuracy struct {
	// As is the name in logs; "accuracy" by default.
	As string
}

var _ plan.Metric = ExactAccuracy{}

// Kind is "ExactAccuracy".
func (m ExactAccuracy) Kind() string { return "ExactAccuracy" }

// Name is the name in logs.
func (m ExactAccuracy) Name() string { return nameOr(m.As, "accuracy") }

// Direction is history.HigherIsBetter.
func (m ExactAccuracy) Direction() history.Direction { return history.HigherIsBetter }

// Start refuses output and labels of different shapes.
func (m ExactAccuracy) Start(info plan.MetricInfo) (plan.Accumulator, error) {
	return startElements(m.Name(), info, func(v, y float32) float64 { return oneIf(v == y) })
}
