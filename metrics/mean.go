package metrics

import (
	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/nn/plan"
)

// Mean is Keras's metric of that name, of the model's outputs: the mean of a row's elements is its score. Of a
// classifier it is the mean probability, to be compared with the share of the labels that are 1.
type Mean struct {
	// As is the name in logs; "mean" by default.
	As string
}

var _ plan.Metric = Mean{}

// Kind is "Mean".
func (m Mean) Kind() string { return "Mean" }

// Name is the name in logs.
func (m Mean) Name() string { return nameOr(m.As, "mean") }

// Direction is history.NoDirection.
func (m Mean) Direction() history.Direction { return history.NoDirection }

// Start returns an accumulator. Labels without elements, by which it could not tell rows apart, are an error.
func (m Mean) Start(info plan.MetricInfo) (plan.Accumulator, error) {
	if info.Output.Size() == 0 || info.Labels.Size() <= 0 {
		return nil, errShapes(m.Name(), info)
	}
	return &average{labelWidth: info.Labels.Size(), score: func(_, output []float32) float64 {
		sum := 0.0
		for _, v := range output {
			sum += float64(v)
		}
		return sum / float64(len(output))
	}}, nil
}
