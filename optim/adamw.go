package optim

import (
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optional"
)

// AdamW is [Adam] with weight decay (Loshchilov and Hutter, 2019, "Decoupled Weight Decay Regularization"): each step
// first takes a small part of each weight away,
//
//	w -= w·WeightDecay·LearningRate
//
// and then is Adam's. Weights that the gradients do not hold up shrink towards 0, at a speed that does not depend on the
// size of the gradients, as it would with an L2 penalty in the loss. It is Keras's optimizer of that name; its decay is
// [Shared].WeightDecay with a default of 0.004. Adam{Shared: Shared{WeightDecay: 0.004}} moves weights in the same way.
//
// Biases and the parameters of normalisation layers are often left alone: Shared{NoDecay: []string{"*/bias"}}.
type AdamW struct {
	// LearningRate; Keras's default: 0.001. 0 means the default; Training.SetLearningRate can set a rate of 0.
	LearningRate float32
	// Schedule, when given, decides the rate of each step, and callbacks cannot change it. LearningRate must then be 0.
	Schedule plan.Schedule
	// Beta1 is how much of the mean of the gradients is kept each step, at least 0 and below 1; Keras's default: 0.9.
	Beta1 optional.Value[float64]
	// Beta2 is the same for their squares; Keras's default: 0.999.
	Beta2 optional.Value[float64]
	// Epsilon, above 0; Keras's default: 1e-7. 0 means the default.
	Epsilon float32
	// AMSGrad divides by the root of the largest mean of squares so far: see [Adam].
	AMSGrad bool
	// SquareOccurrences squares each occurrence's gradient of an Embedding's row, as Keras 3 on TensorFlow does: see [Adam].
	SquareOccurrences bool
	// Shared are clipping, weight decay, averaging and accumulation. A WeightDecay of 0 means Keras's default, 0.004; the
	// optimizer without decay is Adam.
	Shared Shared
}

var _ plan.Optimizer = AdamW{}

// Kind is "AdamW".
func (o AdamW) Kind() string { return "AdamW" }

// Rule refuses settings out of range. The slots are those of [Adam].
func (o AdamW) Rule() (plan.Rule, error) {
	o.Shared.WeightDecay = or(o.Shared.WeightDecay, 0.004)
	return Adam(o).rule("adamw")
}
