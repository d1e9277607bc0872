package metrics

import (
	"fmt"

	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/tensor"
)

// sameShape reports whether rows of both shapes agree element by element. A last dimension of 1 may be missing in one.
func sameShape(a, b tensor.Shape) bool {
	return a.Equal(b) || a.Equal(withOne(b)) || withOne(a).Equal(b)
}

func withOne(s tensor.Shape) tensor.Shape { return append(s.Clone(), 1) }

// errShapes reports that a metric cannot compare rows of these shapes.
func errShapes(metric string, info plan.MetricInfo) error {
	return plan.NewInputError("", fmt.Errorf("metrics: %s: a row of the output has shape %v and a row of the labels %v", metric, info.Output, info.Labels))
}
