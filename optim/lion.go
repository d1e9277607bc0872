package optim

import (
	"fmt"

	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optional"
)

// Lion moves every weight by the same distance, the learning rate, and takes only the direction from the gradients (Chen et
// al., 2023, "Symbolic Discovery of Optimization Algorithms"). It keeps one number for each weight, where Adam keeps two. It
// is Keras's optimizer of that name:
//
//	w -= LearningRate·sign(Beta1·m + (1-Beta1)·g)
//	m = Beta2·m + (1-Beta2)·g
//
// The paper advises a rate 3 to 10 times smaller than Adam's, with a weight decay as much larger. A weight that had a
// gradient keeps moving after its gradients have become 0, until m is 0; m becomes 0 below 1e-30.
type Lion struct {
	// LearningRate; Keras's default: 0.001. 0 means the default; Training.SetLearningRate can set a rate of 0.
	LearningRate float32
	// Schedule, when given, decides the rate of each step, and callbacks cannot change it. LearningRate must then be 0.
	Schedule plan.Schedule
	// Beta1 is how much m counts beside the gradient in the direction of the step, above 0 and at most 1; Keras's default:
	// 0.9.
	Beta1 optional.Value[float64]
	// Beta2 is how much of m is kept each step, at least 0 and below 1; Keras's default: 0.99.
	Beta2 optional.Value[float64]
	// Shared are clipping, weight decay, averaging and accumulation; none by default.
	Shared Shared
}

var _ plan.Optimizer = Lion{}

// Kind is "Lion".
func (o Lion) Kind() string { return "Lion" }

// Rule refuses settings out of range. The slot is "momentum" (m).
func (o Lion) Rule() (plan.Rule, error) {
	const name = "lion"
	r, err := newRule(name, o.LearningRate, o.Schedule, 0.001, &o.Shared)
	if err != nil {
		return plan.Rule{}, err
	}
	if b := o.Beta1.Or(0.9); !(float32(b) > 0 && b <= 1) {
		return plan.Rule{}, fmt.Errorf("optim: %s: Beta1 %v is not above 0 and at most 1", name, b)
	}
	if err := checkDecay(name, "Beta2", o.Beta2.Or(0.99)); err != nil {
		return plan.Rule{}, err
	}
	r.Slots = []plan.Slot{{Name: "momentum"}}
	r.Coefficients, r.Update = o.coefficients, updateLion
	return r, nil
}

// coefficients are the rate, Beta1, 1-Beta1, Beta2 and 1-Beta2, the differences in float32.
func (o Lion) coefficients(_ int, rate float32, _ []float32) plan.Coefficients {
	beta1, beta2 := float32(o.Beta1.Or(0.9)), float32(o.Beta2.Or(0.99))
	return plan.Coefficients{rate, beta1, 1 - beta1, beta2, 1 - beta2}
}

func updateLion(c *plan.Coefficients, w, gradient []float32, slots [][]float32) {
	m := slots[0][:len(w)]
	for i, g := range gradient[:len(w)] {
		switch direction := float32(m[i]*c[1]) + float32(g*c[2]); {
		case direction > 0:
			w[i] -= c[0]
		case direction < 0:
			w[i] += c[0]
		case direction != direction:
			w[i] = direction
		}
		m[i] = flush(float32(m[i]*c[3]) + float32(g*c[4]))
	}
}
