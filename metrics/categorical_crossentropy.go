package metrics

import (
	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/simd"
)

// CategoricalCrossentropy is Keras's metric of that name, the log loss of labels that give each class its probability, such
// as rows with a single 1 (one-hot), of the same shape as the output, (rows, classes) or (rows, steps, classes): the mean of
//
//	-Σ y·ln q, with q = p / Σp, brought into [1e-7, 1-1e-7]
//
// or, with FromLogits, of Σ y·(ln Σe^z - z). Unlike the loss of that name it never looks behind a softmax: it is computed
// from what the model predicts.
type CategoricalCrossentropy struct {
	// FromLogits says that the model's output are logits: any numbers, of which the softmax gives the probabilities.
	FromLogits bool
	// LabelSmoothing, from 0 to 1, moves labels towards equal ones: y becomes y·(1-LabelSmoothing) +
	// LabelSmoothing/classes. Keras's default: 0.
	LabelSmoothing float32
	// As is the name in logs; "categorical_crossentropy" by default.
	As string
}

var _ plan.Metric = CategoricalCrossentropy{}

// Kind is "CategoricalCrossentropyMetric"; "CategoricalCrossentropy" is the loss.
func (m CategoricalCrossentropy) Kind() string { return "CategoricalCrossentropyMetric" }

// Name is the name in logs.
func (m CategoricalCrossentropy) Name() string { return nameOr(m.As, "categorical_crossentropy") }

// Direction is history.LowerIsBetter.
func (m CategoricalCrossentropy) Direction() history.Direction { return history.LowerIsBetter }

// Start refuses a LabelSmoothing outside [0, 1], output and labels of different shapes, an output of a single class, and
// logits without FromLogits.
func (m CategoricalCrossentropy) Start(info plan.MetricInfo) (plan.Accumulator, error) {
	if err := checkCrossentropy(m.Name(), m.LabelSmoothing, m.FromLogits, info); err != nil {
		return nil, err
	}
	return startVectors(m.Name(), info, m.loss)
}

// loss is the cross-entropy of one vector.
func (m CategoricalCrossentropy) loss(output, labels []float32) float64 {
	keep, equal := 1-m.LabelSmoothing, m.LabelSmoothing/float32(len(output))
	total, most, log := 0.0, float32(0), float32(0)
	if m.FromLogits {
		most, log = logSum(output)
	} else {
		for _, p := range output {
			total += float64(p)
		}
	}
	sum := 0.0
	for i, v := range output {
		y := float32(labels[i]*keep) + equal
		switch {
		case y == 0: // 0 times an infinite loss is 0
		case m.FromLogits:
			sum += float64(float64(y) * float64(log-(v-most)))
		default:
			sum -= float64(float64(y) * float64(simd.Log32(clip(v/float32(total)))))
		}
	}
	return sum
}

// logSum returns the largest of the logits z, and ln Σe^(z - largest).
func logSum(z []float32) (most, log float32) {
	most = z[largest(z)]
	sum := 0.0
	for _, v := range z {
		sum += float64(simd.Exp32(v - most))
	}
	return most, simd.Log32(float32(sum))
}
