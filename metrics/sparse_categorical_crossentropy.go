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
	classes, err := classesOf(m.Name(), info)
	if err != nil {
		return nil, err
	}
	if !sameShape(info.Output[:len(info.Output)-1], info.Labels) {
		return nil, errShapes(m.Name(), info)
	}
	if err := checkCrossentropy(m.Name(), 0, m.FromLogits, info); err != nil {
		return nil, err
	}
	return &average{labelWidth: info.Labels.Size(), score: func(labels, output []float32) float64 {
		sum := 0.0
		for i, label := range labels {
			class, x := classOf(label, classes), output[i*classes:(i+1)*classes]
			switch {
			case class < 0:
				return math.NaN()
			case m.FromLogits:
				most, log := logSum(x)
				sum += float64(log - (x[class] - most))
			default:
				total := 0.0
				for _, p := range x {
					total += float64(clip(p))
				}
				sum += float64(simd.Log32(float32(total)) - simd.Log32(clip(x[class])))
			}
		}
		return sum / float64(len(labels))
	}}, nil
}
