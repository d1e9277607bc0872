package metrics

import (
	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/nn/plan"
)

// SparseTopKCategoricalAccuracy is Keras's metric of that name, for labels that are numbers of classes: of shape (rows,)
// or (rows, 1) for an output (rows, classes), and (rows, steps) for an output (rows, steps, classes). It is the share of
// labels where fewer than K outputs are larger than that of the label's class; a label that is no class is never right.
// A vector with an infinite output or NaN does not count as right, as in TensorFlow. Outputs may be probabilities or logits.
type SparseTopKCategoricalAccuracy struct {
	// K is how many of the largest outputs are looked at; 5 by default.
	K int
	// As is the name in logs; "sparse_top_k_categorical_accuracy" by default.
	As string
}

var _ plan.Metric = SparseTopKCategoricalAccuracy{}

// Kind is "SparseTopKCategoricalAccuracy".
func (m SparseTopKCategoricalAccuracy) Kind() string { return "SparseTopKCategoricalAccuracy" }

// Name is the name in logs.
func (m SparseTopKCategoricalAccuracy) Name() string {
	return nameOr(m.As, "sparse_top_k_categorical_accuracy")
}

// Direction is history.HigherIsBetter.
func (m SparseTopKCategoricalAccuracy) Direction() history.Direction { return history.HigherIsBetter }

// Start refuses labels that are not one for each vector of the output, an output of a single class, and a negative K.
func (m SparseTopKCategoricalAccuracy) Start(info plan.MetricInfo) (plan.Accumulator, error) {
	k, err := largestK(m.Name(), m.K)
	if err != nil {
		return nil, err
	}
	return startClassNumbers(m.Name(), info, func(x []float32, label float32) float64 {
		class := classOf(label, len(x))
		return oneIf(class >= 0 && inTopK(x, class, k))
	})
}
