package metrics

import (
	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/nn/plan"
)

// FalsePositives is Keras's metric of that name: the number of positive predictions whose label is 0, or
// the sum of their weights. An output above the threshold is a positive prediction. Labels have the output's shape or are
// numbers of classes, as for [Precision].
type FalsePositives struct {
	// Thresholds are as for [Precision]: 0.5 alone by default; with several the metric has a value for each,
	// "false_positives_0.3".
	Thresholds []float32
	// As is the name in logs; "false_positives" by default.
	As string
}

var _ plan.Metric = FalsePositives{}

// Kind is "FalsePositives".
func (m FalsePositives) Kind() string { return "FalsePositives" }

// Name is the name in logs.
func (m FalsePositives) Name() string { return nameOr(m.As, "false_positives") }

// Direction is history.NoDirection, as in Keras: the number depends on that of the rows.
func (m FalsePositives) Direction() history.Direction { return history.NoDirection }

// Start refuses output and labels that do not go together, thresholds outside [0, 1], and logits without a threshold.
func (m FalsePositives) Start(info plan.MetricInfo) (plan.Accumulator, error) {
	o := confusionOptions{name: m.Name(), thresholds: m.Thresholds}
	return startConfusion(o, info, func(_, fp, _, _ float64) float64 { return fp })
}
