package loss

import "github.com/linnet-ml/linnet/nn/plan"

// Kinds lists the package's kinds of specs, for plan.NewKinds: losses.
func Kinds() []plan.Spec {
	return []plan.Spec{
		BinaryCrossentropy{},
		CategoricalCrossentropy{},
		MeanSquaredError{},
		SparseCategoricalCrossentropy{},
	}
}
