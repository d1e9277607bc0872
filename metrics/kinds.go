package metrics

import "github.com/linnet-ml/linnet/nn/plan"

// Kinds lists the package's kinds of specs, for plan.NewKinds: metrics.
func Kinds() []plan.Spec {
	return []plan.Spec{
		AUC{},
		Accuracy{},
		BinaryAccuracy{},
		BinaryCrossentropy{},
		CategoricalAccuracy{},
		CategoricalCrossentropy{},
		ExactAccuracy{},
		F1Score{},
		FBetaScore{},
		FalseNegatives{},
		FalsePositives{},
		Mean{},
		MeanAbsoluteError{},
		MeanSquaredError{},
		Precision{},
		Recall{},
		RootMeanSquaredError{},
		SparseCategoricalAccuracy{},
		SparseCategoricalCrossentropy{},
		SparseTopKCategoricalAccuracy{},
		TopKCategoricalAccuracy{},
		TrueNegatives{},
		TruePositives{},
	}
}
