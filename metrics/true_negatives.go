package metrics

import (
	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/nn/plan"
)

// TrueNegatives is Keras's metric of that name: the number of predictions that are not positive and whose label is 0, or
// the sum of their weights. An output above the threshold is a positive prediction. Labels have the output's shape or are
// numbers of classes, as for [Precision].
type TrueNegatives struct {
	// Thresholds are as for [Precision]: 0.5 alone by default; with several the metric has a value for each,
	// "true_negatives_0.3".
	Thresholds []float32
	// As is the name in logs; "true_negatives" by default.
	As string
}

var _ plan.Metric = TrueNegatives{}

// Kind is "TrueNegatives".
func (m TrueNegatives) Kind() string { return "TrueNegatives" }

// Name is the name in logs.
func (m TrueNegatives) Name() string { return nameOr(m.As, "true_negatives") }

// Direction is history.NoDirection, as in Keras: the number depends on that of the rows.
func (m TrueNegatives) Direction() history.Direction { return history.NoDirection }

// Start refuses output and labels that do not go together, thresholds outside [0, 1], and logits without a threshold.
func (m TrueNegatives) Start(info plan.MetricInfo) (plan.Accumulator, error) {
	o := confusionOptions{name: m.Name(), thresholds: m.Thresholds}
	return startConfusion(o, info, func(_, _, tn, _ float64) float64 { return tn })
}
