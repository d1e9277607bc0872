package metrics

import (
	"fmt"

	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/nn/plan"
)

// TopKCategoricalAccuracy is Keras's metric of that name, for labels of the same shape as the output, (rows, classes) or
// (rows, steps, classes), such as rows with a single 1 (one-hot). It is the share of vectors where fewer than K outputs are
// larger than that of the largest label's class; of several labels that are equal the first is the largest.
// A vector with an infinite output or NaN does not count as right, as in TensorFlow. Outputs may be probabilities or logits.
type TopKCategoricalAccuracy struct {
	// K is how many of the largest outputs are looked at; 5 by default.
	K int
	// As is the name in logs; "top_k_categorical_accuracy" by default.
	As string
}

var _ plan.Metric = TopKCategoricalAccuracy{}

// Kind is "TopKCategoricalAccuracy".
func (m TopKCategoricalAccuracy) Kind() string { return "TopKCategoricalAccuracy" }

// Name is the name in logs.
func (m TopKCategoricalAccuracy) Name() string { return nameOr(m.As, "top_k_categorical_accuracy") }

// Direction is history.HigherIsBetter.
func (m TopKCategoricalAccuracy) Direction() history.Direction { return history.HigherIsBetter }

// Start refuses output and labels of different shapes, an output of a single class, and a negative K.
func (m TopKCategoricalAccuracy) Start(info plan.MetricInfo) (plan.Accumulator, error) {
	k, err := largestK(m.Name(), m.K)
	if err != nil {
		return nil, err
	}
	return startVectors(m.Name(), info, func(x, y []float32) float64 { return oneIf(inTopK(x, largest(y), k)) })
}

// largestK is K with its default.
func largestK(metric string, k int) (int, error) {
	if k < 0 {
		return 0, fmt.Errorf("metrics: %s: K is %d", metric, k)
	}
	if k == 0 {
		k = 5
	}
	return k, nil
}

// inTopK reports whether fewer than k outputs are larger than that of the class. It is false where outputs are not finite.
func inTopK(output []float32, class, k int) bool {
	n, at := 0, output[class]
	for _, v := range output {
		if v-v != 0 { // NaN or infinite
			return false
		}
		if v > at {
			n++
		}
	}
	return n < k
}
