package metrics

import (
	"fmt"

	"github.com/linnet-ml/linnet/nn"
)

// BinaryAccuracy is Keras's metric of that name: the share of elements where the label equals 1 if the output is above
// the threshold, and 0 if not.
type BinaryAccuracy struct {
	// Threshold, compared in float32; an output equal to it counts as 0. Keras's default: 0.5. There is no default
	// where the loss takes logits, of which 0 is what means a probability of one half.
	Threshold nn.Optional[float32]
	// As is the name in logs; "binary_accuracy" by default.
	As string
}

var _ nn.DirectedMetric = BinaryAccuracy{}

// Name is the name in logs.
func (m BinaryAccuracy) Name() string { return nameOr(m.As, "binary_accuracy") }

// Direction returns nn.HigherIsBetter.
func (m BinaryAccuracy) Direction() nn.Direction { return nn.HigherIsBetter }

// Start refuses output and labels of different shapes, a threshold of NaN, and logits without a threshold.
func (m BinaryAccuracy) Start(info nn.MetricInfo) (nn.Accumulator, error) {
	if !sameShape(info.Output, info.Labels) || info.Output.Size() <= 0 {
		return nil, errShapes(m.Name(), info)
	}
	if info.Logits && !m.Threshold.IsSet() {
		return nil, fmt.Errorf("metrics: %s of logits needs a threshold: 0 (a probability above one half), or 0.5 as Keras does", m.Name())
	}
	threshold := m.Threshold.Or(0.5)
	if threshold != threshold {
		return nil, fmt.Errorf("metrics: %s: the threshold is NaN", m.Name())
	}
	return &average{labelWidth: info.Labels.Size(), score: func(labels, output []float32) float64 {
		right := 0
		for i, v := range output {
			var predicted float32
			if v > threshold {
				predicted = 1
			}
			if labels[i] == predicted {
				right++
			}
		}
		return float64(right) / float64(len(output))
	}}, nil
}

func nameOr(as, name string) string {
	if as != "" {
		return as
	}
	return name
}
