package metrics

import (
	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/nn/plan"
)

// FalseNegatives is Keras's metric of that name: the number of predictions that are not positive although their label is, or
// the sum of their weights. An output above the threshold is a positive prediction. Labels have the output's shape or are
// numbers of classes, as for [Precision].
type FalseNegatives struct {
	// Thresholds are as for [Precision]: 0.5 alone by default; with several the metric has a value for each,
	// "false_negatives_0.3".
	Thresholds []float32
	// As is the name in logs; "false_negatives" by default.
	As string
}

var _ plan.Metric = FalseNegatives{}

// Kind is "FalseNegatives".
func (m FalseNegatives) Kind() string { return "FalseNegatives" }

// Name is the name in logs.
func (m FalseNegatives) Name() string { return nameOr(m.As, "false_negatives") }

// Direction is history.NoDirection, as in Keras: the number depends on that of the rows.
func (m FalseNegatives) Direction() history.Direction { return history.NoDirection }

// Start refuses output and labels that do not go together, thresholds outside [0, 1], and logits without a threshold.
func (m FalseNegatives) Start(info plan.MetricInfo) (plan.Accumulator, error) {
	o := confusionOptions{name: m.Name(), thresholds: m.Thresholds}
	return startConfusion(o, info, func(_, _, _, fn float64) float64 { return fn })
}
