package metrics

import (
	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/nn/plan"
)

// CategoricalAccuracy is Keras's metric of that name, for labels of the same shape as the output, (rows, classes) or
// (rows, steps, classes), such as rows with a single 1 (one-hot). It is the share of vectors where the largest output is
// in the place of the largest label; of several that are equal the first counts as the largest. Outputs may be
// probabilities or logits.
type CategoricalAccuracy struct {
	// As is the name in logs; "categorical_accuracy" by default.
	As string
}

var _ plan.Metric = CategoricalAccuracy{}

// Kind is "CategoricalAccuracy".
func (m CategoricalAccuracy) Kind() string { return "CategoricalAccuracy" }

// Name is the name in logs.
func (m CategoricalAccuracy) Name() string { return nameOr(m.As, "categorical_accuracy") }

// Direction is history.HigherIsBetter.
func (m CategoricalAccuracy) Direction() history.Direction { return history.HigherIsBetter }

// Start refuses output and labels of different shapes, and an output of a single class.
func (m CategoricalAccuracy) Start(info plan.MetricInfo) (plan.Accumulator, error) {
	return startVectors(m.Name(), info, func(x, y []float32) float64 { return oneIf(largest(x) == largest(y)) })
}
