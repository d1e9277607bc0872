package metrics

import (
	"fmt"

	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/nn/plan"
)

// SparseCategoricalAccuracy is Keras's metric of that name, for labels that are numbers of classes: of shape (rows,) or
// (rows, 1) for an output (rows, classes), and (rows, steps) for an output (rows, steps, classes). It is the share of
// labels where the largest output is that of the label's class; of several that are equal the first counts as the
// largest. Outputs may be probabilities or logits.
type SparseCategoricalAccuracy struct {
	// As is the name in logs; "sparse_categorical_accuracy" by default.
	As string
}

var _ plan.Metric = SparseCategoricalAccuracy{}

// Kind is "SparseCategoricalAccuracy".
func (m SparseCategoricalAccuracy) Kind() string { return "SparseCategoricalAccuracy" }

// Name is the name in logs.
func (m SparseCategoricalAccuracy) Name() string { return nameOr(m.As, "sparse_categorical_accuracy") }

// Direction is history.HigherIsBetter.
func (m SparseCategoricalAccuracy) Direction() history.Direction { return history.HigherIsBetter }

// Start refuses labels that are not one for each vector of the output, and an output of a single class.
func (m SparseCategoricalAccuracy) Start(info plan.MetricInfo) (plan.Accumulator, error) {
	return startClassNumbers(m.Name(), info, func(x []float32, label float32) float64 { return oneIf(float32(largest(x)) == label) })
}

// classesOf is the number of classes of an output, one for each place in its last dimension.
func classesOf(metric string, info plan.MetricInfo) (int, error) {
	if len(info.Output) == 0 || info.Output.Size() <= 0 {
		return 0, errShapes(metric, info)
	}
	classes := info.Output[len(info.Output)-1]
	if classes == 1 {
		return 0, fmt.Errorf("metrics: %s of a single class is always the same; BinaryAccuracy is for one output", metric)
	}
	return classes, nil
}

// largest is the place of the first of the largest elements.
func largest(x []float32) int {
	at := 0
	for i, v := range x {
		if v > x[at] {
			at = i
		}
	}
	return at
}
