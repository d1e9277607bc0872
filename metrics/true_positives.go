package metrics

import (
	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/nn/plan"
)

// TruePositives is Keras's metric of that name: the number of positive predictions whose label is positive, or
// the sum of their weights. An output above the threshold is a positive prediction. Labels have the output's shape or are
// numbers of classes, as for [Precision].
type TruePositives struct {
	// Thresholds are as for [Precision]: 0.5 alone by default; with several the metric has a value for each,
	// "true_positives_0.3".
	Thresholds []float32
	// As is the name in logs; "true_positives" by default.
	As string
}

var _ plan.Metric = TruePositives{}

// Kind is "TruePositives".
func (m TruePositives) Kind() string { return "TruePositives" }

// Name is the name in logs.
func (m TruePositives) Name() string { return nameOr(m.As, "true_positives") }

// Direction is history.NoDirection, as in Keras: the number depends on that of the rows.
func (m TruePositives) Direction() history.Direction { return history.NoDirection }

// Start refuses output and labels that do not go together, thresholds outside [0, 1], and logits without a threshold.
func (m TruePositives) Start(info plan.MetricInfo) (plan.Accumulator, error) {
	o := confusionOptions{name: m.Name(), thresholds: m.Thresholds}
	return startConfusion(o, info, func(tp, _, _, _ float64) float64 { return tp })
}
