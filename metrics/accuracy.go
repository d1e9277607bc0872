package metrics

import (
	"fmt"

	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optional"
)

// Accuracy is what Keras makes of the metric "accuracy", by the shapes of output and labels:
//
//   - an output whose last dimension is 1: [BinaryAccuracy];
//   - labels that are numbers of classes, (rows,) or (rows, 1), and an output (rows, classes):
//     [SparseCategoricalAccuracy];
//   - labels of the same shape as the output, (rows, classes): [CategoricalAccuracy].
type Accuracy struct {
	// Threshold is that of BinaryAccuracy; Keras's default: 0.5. There is no default where the loss takes logits: Keras
	// compares these with 0.5 too, which is a probability of 0.62.
	Threshold optional.Value[float32]
	// As is the name in logs; "accuracy" by default.
	As string
}

var _ plan.Metric = Accuracy{}

// Kind is "Accuracy".
func (m Accuracy) Kind() string { return "Accuracy" }

// Name is the name in logs.
func (m Accuracy) Name() string { return nameOr(m.As, "accuracy") }

// Direction is history.HigherIsBetter.
func (m Accuracy) Direction() history.Direction { return history.HigherIsBetter }

// Start refuses output and labels that no kind of accuracy compares, logits of width 1 without a threshold, and a
// threshold for classes.
func (m Accuracy) Start(info plan.MetricInfo) (plan.Accumulator, error) {
	rank := len(info.Output)
	if rank == 0 || info.Output[rank-1] == 1 {
		return BinaryAccuracy{Threshold: m.Threshold, As: m.Name()}.Start(info)
	}
	if m.Threshold.IsSet() {
		return nil, fmt.Errorf("metrics: %s of %d classes has no threshold", m.Name(), info.Output[rank-1])
	}
	if info.Output.Equal(info.Labels) {
		return CategoricalAccuracy{As: m.Name()}.Start(info)
	}
	return SparseCategoricalAccuracy{As: m.Name()}.Start(info)
}
