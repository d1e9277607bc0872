package optim

import (
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/simd"
)

// SGD is gradient descent, Keras's optimizer of that name:
//
//	w -= LearningRate·g
//
// or, with a Momentum above 0,
//
//	velocity = Momentum·velocity - LearningRate·g
//	w += velocity, or with Nesterov  w += Momentum·velocity - LearningRate·g
//
// Velocities smaller than 1e-30 become 0.
type SGD struct {
	// LearningRate; Keras's default: 0.01. 0 means the default; Training.SetLearningRate can set a rate of 0.
	LearningRate float32
	// Schedule, when given, decides the rate of each step, and callbacks cannot change it. LearningRate must then be 0.
	Schedule plan.Schedule
	// Momentum, from 0 to 1; Keras's default: 0.
	Momentum float32
	// Nesterov looks ahead by one step of the velocity. Without Momentum it changes nothing.
	Nesterov bool
	// Shared are clipping, weight decay, averaging and accumulation; none by default.
	Shared Shared
}

var _ plan.Optimizer = SGD{}

// Kind is "SGD".
func (o SGD) Kind() string { return "SGD" }

// Rule refuses settings out of range. With Momentum the rule has a slot, the velocity, which Keras names "momentum".
func (o SGD) Rule() (plan.Rule, error) {
	r, err := newRule("sgd", o.LearningRate, o.Schedule, 0.01, &o.Shared)
	if err != nil {
		return plan.Rule{}, err
	}
	if err := checkMomentum("sgd", o.Momentum); err != nil {
		return plan.Rule{}, err
	}
	if o.Momentum != 0 {
		r.Slots = []plan.Slot{{Name: "momentum"}}
	}
	r.Coefficients, r.Update = o.coefficients, o.update
	return r, nil
}

// coefficients are the rate and Momentum.
func (o SGD) coefficients(_ int, rate float32, _ []float32) plan.Coefficients {
	return plan.Coefficients{rate, o.Momentum}
}

func (o SGD) update(c *plan.Coefficients, w, gradient []float32, slots [][]float32) {
	if o.Momentum == 0 {
		simd.SGD(w, gradient, c[0])
		return
	}
	simd.Momentum(w, slots[0], gradient, c[0], c[1], o.Nesterov)
}
