package metrics

import (
	"math"

	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/simd"
)

// SparseCategoricalCrossentropy is Keras's metric of that name, the log loss of labels that are numbers of classes: of
// shape (rows,) or (rows, 1) for an output (rows, classes), and (rows, steps) for an output (rows, steps, classes). It is the
// mean of
//
//	ln Σp - ln p[y], with p brought into [1e-7, 1-1e-7] first
//
// or, with FromLogits, of ln Σe^z - z[y]. Unlike the loss of that name it never looks behind a softmax: it is computed from
// what the model predicts. A label that is no class makes the metric NaN, unless its weight is 0.
type SparseCategoricalCrossentropy struct {
	// FromLogits says that the model's output are logits: any numbers, of which the softmax gives the probabilities.
	FromLogits bool
	// As is the name in logs; "sparse_categorical_crossentropy" by default.
	As string
}

var _ plan.Metric = SparseCategoricalCrossentropy{}

// Kind is "SparseCategoricalCrossentropyMetric"; "SparseCategoricalCrossentropy" is the loss.
func (m SparseCategoricalCrossentropy) Kind() string { return "SparseCategoricalCrossentropyMetric" }

// Name is the name in logs.
func (m SparseCategoricalCrossentropy) Name() string {
	return nameOr(m.As, "sparse_categorical_crossentropy")
}

// Direction is history.LowerIsBetter.
func (m SparseCategoricalCrossentropy) Direction() history.Direction { return history.LowerIsBetter }

// Start refuses labels that are not one for each vector of the output, an output of a single class, and logits without
// FromLogits.
func (m SparseCategoricalCrossentropy) Start(info plan.MetricInfo) (plan.Accumulator, error) {
	if err := checkCrossentropy(m.Name(), 0, m.FromLogits, info); err != nil {
		return nil, err
	}
	return startClassNumbers(m.Name(), info, m.loss)
}

// loss is the cross-entropy of one vector.
func (m SparseCategoricalCrossentropy) loss(output []float32, label float32) float64 {
	class := classOf(label, len(output))
	if class < 0 {
		return math.NaN()
	}
	if m.FromLogits {
		most, log := logSum(output)
		return float64(log - (output[class] - most))
	}
	total := 0.0
	for _, p := range output {
		total += float64(clip(p))
	}
	return float64(simd.Log32(float32(total)) - simd.Log32(clip(output[class])))
}
