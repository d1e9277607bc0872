package metrics

import (
	"math"

	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/nn/plan"
)

// MeanAbsoluteError is Keras's metric of that name: the mean of |output - label|. The shapes of output and labels are
// the same, but labels (rows,) go with an output (rows, 1).
type MeanAbsoluteError struct {
	// As is the name in logs; "mean_absolute_error" by default.
	As string
}

var _ plan.Metric = MeanAbsoluteError{}

// Kind is "MeanAbsoluteErrorMetric"; "MeanAbsoluteError" is left for the loss.
func (m MeanAbsoluteError) Kind() string { return "MeanAbsoluteErrorMetric" }

// Name is the name in logs.
func (m MeanAbsoluteError) Name() string { return nameOr(m.As, "mean_absolute_error") }

// Direction is history.LowerIsBetter.
func (m MeanAbsoluteError) Direction() history.Direction { return history.LowerIsBetter }

// Start refuses output and labels of different shapes.
func (m MeanAbsoluteError) Start(info plan.MetricInfo) (plan.Accumulator, error) {
	a, err := startDifference(m.Name(), info, func(d float64) float64 { return math.Abs(d) })
	if err != nil {
		return nil, err
	}
	return a, nil
}

// startDifference returns the average of a score of the differences between outputs and labels, each taken in float32.
func startDifference(metric string, info plan.MetricInfo, score func(difference float64) float64) (*average, error) {
	if !sameShape(info.Output, info.Labels) || info.Output.Size() <= 0 {
		return nil, errShapes(metric, info)
	}
	return &average{labelWidth: info.Labels.Size(), score: func(labels, output []float32) float64 {
		sum := 0.0
		for i, v := range output {
			sum += score(float64(v - labels[i]))
		}
		return sum / float64(len(output))
	}}, nil
}
