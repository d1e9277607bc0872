package optim

import (
	"fmt"

	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optional"
)

// Adamax is the variant of [Adam] that divides by the largest recent gradient of a weight in place of the root of the mean
// of its squares (Kingma and Ba, 2015, section 7). It is Keras's optimizer of that name:
//
//	m += (g-m)·(1-Beta1)
//	u = max(Beta2·u, |g|)
//	w -= LearningRate·m / ((1-Beta1^t)·(u + Epsilon)) in step t = 1, 2, …
//
// Moments smaller than 1e-30 become 0.
type Adamax struct {
	// LearningRate; Keras's default: 0.001. 0 means the default; Training.SetLearningRate can set a rate of 0.
	LearningRate float32
	// Schedule, when given, decides the rate of each step, and callbacks cannot change it. LearningRate must then be 0.
	Schedule plan.Schedule
	// Beta1 is how much of the mean of the gradients is kept each step, at least 0 and below 1; Keras's default: 0.9.
	Beta1 optional.Value[float64]
	// Beta2 is how much of the largest gradient is kept each step, at least 0 and below 1; Keras's default: 0.999.
	Beta2 optional.Value[float64]
	// Epsilon, at least 1e-30; Keras's default: 1e-7. 0 means the default.
	Epsilon float32
	// Shared are clipping, weight decay, averaging and accumulation; none by default.
	Shared Shared
}

var _ plan.Optimizer = Adamax{}

// Kind is "Adamax".
func (o Adamax) Kind() string { return "Adamax" }

// Rule refuses settings out of range. The slots are "momentum" (the paper's m) and "norm" (u).
func (o Adamax) Rule() (plan.Rule, error) {
	const name = "adamax"
	r, err := newRule(name, o.LearningRate, o.Schedule, 0.001, &o.Shared)
	if err != nil {
		return plan.Rule{}, err
	}
	if err := checkMoments(name, o.Beta1.Or(0.9), o.Beta2.Or(0.999), o.Epsilon); err != nil {
		return plan.Rule{}, err
	}
	if e := or(o.Epsilon, 1e-7); e < 1e-30 {
		// (1-Beta1^t)·Epsilon could be 0, and the step of a weight without a gradient 0/0.
		return plan.Rule{}, fmt.Errorf("optim: %s: Epsilon %v is below 1e-30", name, e)
	}
	r.Slots = []plan.Slot{{Name: "momentum"}, {Name: "norm", NotNegative: true}}
	r.Coefficients, r.Update = o.coefficients, updateAdamax
	return r, nil
}

// coefficients are the rate, 1-Beta1, Beta2, epsilon and 1-Beta1^t.
func (o Adamax) coefficients(t int, rate float32, _ []float32) plan.Coefficients {
	beta1, beta2 := o.Beta1.Or(0.9), o.Beta2.Or(0.999)
	return plan.Coefficients{rate, float32(1 - beta1), float32(beta2), or(o.Epsilon, 1e-7), 1 - power32(beta1, t)}
}

func updateAdamax(c *plan.Coefficients, w, gradient []float32, slots [][]float32) {
	m, u := slots[0][:len(w)], slots[1][:len(w)]
	for i, g := range gradient[:len(w)] {
		m[i] = flush(m[i] + float32((g-m[i])*c[1]))
		u[i] = flush(max(float32(c[2]*u[i]), abs32(g)))
		w[i] -= float32(c[0]*m[i]) / float32(c[4]*(u[i]+c[3]))
	}
}
