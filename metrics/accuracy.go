package metrics

import (
	"fmt"

	"github.com/linnet-ml/linnet/nn"
)

// Accuracy is what Keras makes of the metric "accuracy", by the shapes of output and labels:
//
//   - an output whose last dimension is 1: [BinaryAccuracy];
//   - labels that are numbers of classes, (rows,) or (rows, 1), and an output (rows, classes): the share of rows where
//     the largest output is that of the label's class (SparseCategoricalAccuracy);
//   - labels of the same shape as the output, (rows, classes): the share of rows where the largest output is in the
//     place of the largest label (CategoricalAccuracy).
//
// The largest is the first of several that are equal.
type Accuracy struct {
	// Threshold is that of BinaryAccuracy; Keras's default: 0.5. There is no default where the loss takes logits: Keras
	// compares these with 0.5 too, which is a probability of 0.62.
	Threshold nn.Optional[float32]
	// As is the name in logs; "accuracy" by default.
	As string
}

var _ nn.DirectedMetric = Accuracy{}

// Name is the name in logs.
func (m Accuracy) Name() string { return nameOr(m.As, "accuracy") }

// Direction returns nn.HigherIsBetter.
func (m Accuracy) Direction() nn.Direction { return nn.HigherIsBetter }

// Start refuses output and labels that no kind of accuracy compares, logits of width 1 without a threshold, and a
// threshold for classes.
func (m Accuracy) Start(info nn.MetricInfo) (nn.Accumulator, error) {
	rank := len(info.Output)
	if rank == 0 || info.Output[rank-1] == 1 {
		return BinaryAccuracy{Threshold: m.Threshold, As: m.Name()}.Start(info)
	}
	classes := info.Output[rank-1]
	a := &average{labelWidth: info.Labels.Size()}
	switch {
	case info.Output.Size() <= 0:
		return nil, errShapes(m.Name(), info)
	case sameShape(info.Output[:rank-1], info.Labels):
		a.score = func(labels, output []float32) float64 {
			right := 0
			for i, label := range labels {
				if float32(largest(output[i*classes:(i+1)*classes])) == label {
					right++
				}
			}
			return float64(right) / float64(len(labels))
		}
	case info.Output.Equal(info.Labels):
		a.score = func(labels, output []float32) float64 {
			right := 0
			for i := 0; i < len(output); i += classes {
				if largest(output[i:i+classes]) == largest(labels[i:i+classes]) {
					right++
				}
			}
			return float64(right) / float64(len(output)/classes)
		}
	default:
		return nil, errShapes(m.Name(), info)
	}
	if m.Threshold.IsSet() {
		return nil, fmt.Errorf("metrics: %s of %d classes has no threshold", m.Name(), classes)
	}
	return a, nil
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
