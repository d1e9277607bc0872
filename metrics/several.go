package metrics

import "github.com/linnet-ml/linnet/nn/plan"

// several is the accumulator of a metric with several values.
type several struct {
	valued
	names []string
}

// valued is an accumulator that can tell each of its values.
type valued interface {
	plan.Accumulator
	plan.LabelChecker
	Value(i int) float64
}

var _ plan.ValuesAccumulator = several{}

func (s several) ValueNames() []string { return s.names }

// Result is the mean of the values.
func (s several) Result() float64 {
	sum := 0.0
	for i := range s.names {
		sum += s.Value(i)
	}
	return sum / float64(len(s.names))
}
