package optim

import "github.com/linnet-ml/linnet/nn/plan"

// Kinds lists the package's kinds of specs, for plan.NewKinds: optimizers and schedules.
func Kinds() []plan.Spec {
	return []plan.Spec{
		Adadelta{},
		Adagrad{},
		Adam{},
		Adamax{},
		AdamW{},
		CosineDecay{},
		CosineDecayRestarts{},
		ExponentialDecay{},
		Ftrl{},
		InverseTimeDecay{},
		Lion{},
		Nadam{},
		PiecewiseConstantDecay{},
		PolynomialDecay{},
		RMSprop{},
		SGD{},
	}
}
