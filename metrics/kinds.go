package metrics

import "github.com/linnet-ml/linnet/nn/plan"

// Kinds lists the package's kinds of specs, for plan.NewKinds: metrics.
func Kinds() []plan.Spec {
	return []plan.Spec{
		Accuracy{},
		BinaryAccuracy{},
		CategoricalAccuracy{},
		Mean{},
		SparseCategoricalAccuracy{},
	}
}
