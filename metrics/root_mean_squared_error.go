package metrics

import (
	"math"

	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/nn/plan"
)

// RootMeanSquaredError is Keras's metric of that name: the square root of the mean of (output - label)², taken once, of
// all rows. The shapes of output and labels are the same, but labels (rows,) go with an output (rows, 1).
type RootMeanSquaredError struct {
	// As is the name in logs; "root_mean_squared_error" by default.
	As string
}

var _ plan.Metric = RootMeanSquaredError{}

// Kind is "RootMeanSquaredError".
func (m RootMeanSquaredError) Kind() string { return "RootMeanSquaredError" }

// Name is the name in logs.
func (m RootMeanSquaredError) Name() string { return nameOr(m.As, "root_mean_squared_error") }

// Direction is history.LowerIsBetter.
func (m RootMeanSquaredError) Direction() history.Direction { return history.LowerIsBetter }

// Start refuses output and labels of different shapes.
func (m RootMeanSquaredError) Start(info plan.MetricInfo) (plan.Accumulator, error) {
	a, err := startElements(m.Name(), info, squaredError)
	if err != nil {
		return nil, err
	}
	return rootMean{a}, nil
}

// rootMean is the square root of an average.
type rootMean struct{ plan.Accumulator }

func (r rootMean) Result() float64 { return math.Sqrt(r.Accumulator.Result()) }
