package optim

import (
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optional"
	"github.com/linnet-ml/linnet/simd"
)

// Adam scales the step of each weight by the recent size of its gradients (Kingma and Ba, 2015, "Adam: A Method for
// Stochastic Optimization"). It is Keras's optimizer of that name, in its order of operations and with epsilon where the
// paper's section 2 puts it ("epsilon hat"), not where PyTorch has it:
//
//	m += (g-m)·(1-Beta1)
//	v += (g²-v)·(1-Beta2)
//	w -= m·α / (√v + Epsilon), with α = LearningRate·√(1-Beta2^t) / (1-Beta1^t) in step t = 1, 2, …
//
// Moments smaller than 1e-30 become 0.
type Adam struct {
	// LearningRate; Keras's default: 0.001. 0 means the default; Training.SetLearningRate can set a rate of 0.
	LearningRate float32
	// Schedule, when given, decides the rate of each step, and callbacks cannot change it. LearningRate must then be 0.
	Schedule plan.Schedule
	// Beta1 is how much of the mean of the gradients is kept each step, at least 0 and below 1; Keras's default: 0.9.
	Beta1 optional.Value[float64]
	// Beta2 is the same for their squares; Keras's default: 0.999. It is a float64 because Keras takes 1-Beta2 before
	// it rounds to float32.
	Beta2 optional.Value[float64]
	// Epsilon, above 0; Keras's default: 1e-7. 0 means the default.
	Epsilon float32
	// AMSGrad divides by the root of the largest v so far in place of v's (Reddi, Kale and Kumar, 2018, "On the Convergence
	// of Adam and Beyond"), so that steps do not grow again after a large gradient.
	AMSGrad bool
	// SquareOccurrences squares what each occurrence of an id contributes to the gradient of an Embedding's row, and adds
	// the squares up in place of g². Keras 3 on TensorFlow does so; Keras 2, Keras 3 on JAX, PyTorch and the paper do not,
	// nor does linnet by default. A word that occurs n times in a batch then moves up to √n times further.
	SquareOccurrences bool
	// Shared are clipping, weight decay, averaging and accumulation; none by default.
	Shared Shared
}

var _ plan.Optimizer = Adam{}

// Kind is "Adam".
func (o Adam) Kind() string { return "Adam" }

// Rule refuses settings out of range. The slots are the moments: "momentum" (the paper's m), "velocity" (v) and, with
// AMSGrad, "velocity_hat" (the largest v).
func (o Adam) Rule() (plan.Rule, error) { return o.rule("adam") }

// rule is Adam's under the name of one of its variants.
func (o Adam) rule(name string) (plan.Rule, error) {
	r, err := newRule(name, o.LearningRate, o.Schedule, 0.001, &o.Shared)
	if err != nil {
		return plan.Rule{}, err
	}
	beta1, beta2 := o.betas()
	if err := checkMoments(name, beta1, beta2, o.Epsilon); err != nil {
		return plan.Rule{}, err
	}
	r.Slots = []plan.Slot{{Name: "momentum"}, {Name: "velocity", NotNegative: true}}
	r.Coefficients, r.Update, r.Repeat = o.coefficients, updateAdam, repeatAdam
	if o.AMSGrad {
		r.Slots = append(r.Slots, plan.Slot{Name: "velocity_hat", NotNegative: true})
		r.Update, r.Repeat = updateAMSGrad, nil
	}
	if o.SquareOccurrences {
		r.UpdateSquares = updateAdamSquares
	}
	return r, nil
}

func (o Adam) betas() (beta1, beta2 float64) { return o.Beta1.Or(0.9), o.Beta2.Or(0.999) }

// coefficients are α, 1-Beta1, 1-Beta2 and epsilon. Like Keras it rounds the betas to float32 before it raises them to
// the power t, but not before it takes them from 1.
func (o Adam) coefficients(t int, rate float32, _ []float32) plan.Coefficients {
	beta1, beta2 := o.betas()
	alpha := float32(rate*sqrt32(1-power32(beta2, t))) / (1 - power32(beta1, t))
	return plan.Coefficients{alpha, float32(1 - beta1), float32(1 - beta2), or(o.Epsilon, 1e-7)}
}

func updateAdam(c *plan.Coefficients, w, gradient []float32, slots [][]float32) {
	simd.Adam(w, slots[0], slots[1], gradient, c[0], c[1], c[2], c[3])
}

// repeatAdam makes steps without a gradient.
func repeatAdam(steps []plan.Coefficients, w []float32, slots [][]float32) {
	simd.AdamRepeat(w, slots[0], slots[1], steps)
}

func updateAMSGrad(c *plan.Coefficients, w, gradient []float32, slots [][]float32) {
	for i, g := range gradient[:len(w)] {
		moveAdam(c, w, slots, i, g, float32(g*g))
	}
}

// updateAdamSquares takes squares in place of g².
func updateAdamSquares(c *plan.Coefficients, w, gradient, squares []float32, slots [][]float32) {
	for i, g := range gradient[:len(w)] {
		moveAdam(c, w, slots, i, g, squares[i])
	}
}

// moveAdam makes the step of element i, with AMSGrad where there is a third slot. Without it the bits are simd.Adam's.
func moveAdam(c *plan.Coefficients, w []float32, slots [][]float32, i int, g, square float32) {
	m := flush(slots[0][i] + float32((g-slots[0][i])*c[1]))
	v := flush(slots[1][i] + float32((square-slots[1][i])*c[2]))
	slots[0][i], slots[1][i] = m, v
	if len(slots) > 2 {
		v = max(slots[2][i], v)
		slots[2][i] = v
	}
	w[i] -= float32(m*c[0]) / (sqrt32(v) + c[3])
}
