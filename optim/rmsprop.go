package optim

import (
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optional"
	"github.com/linnet-ml/linnet/simd"
)

// RMSprop divides each gradient by the root of the mean of its recent squares (Hinton, 2012, "Neural Networks for Machine
// Learning", lecture 6). It is Keras's optimizer of that name, with epsilon inside the root:
//
//	velocity = Rho·velocity + (1-Rho)·g²
//	step     = LearningRate·g / √(velocity + Epsilon)
//	w -= step
//
// Centered subtracts the square of average = Rho·average + (1-Rho)·g from the velocity under the root. A Momentum above
// 0 makes it w -= momentum with momentum = Momentum·momentum + step. What is kept becomes 0 below 1e-30.
type RMSprop struct {
	// LearningRate; Keras's default: 0.001. 0 means the default; Training.SetLearningRate can set a rate of 0.
	LearningRate float32
	// Schedule, when given, decides the rate of each step, and callbacks cannot change it. LearningRate must then be 0.
	Schedule plan.Schedule
	// Rho is how much of the mean of the squares is kept each step, at least 0 and below 1; Keras's default: 0.9. It is
	// a float64 because Keras takes 1-Rho before it rounds to float32.
	Rho optional.Value[float64]
	// Momentum, from 0 to 1; Keras's default: 0.
	Momentum float32
	// Epsilon, above 0; Keras's default: 1e-7. 0 means the default.
	Epsilon float32
	// Centered divides by the gradients' deviation from their mean, not by their size.
	Centered bool
	// SquareOccurrences squares each occurrence's gradient of an Embedding's row, as Keras 3 on TensorFlow does: see [Adam].
	SquareOccurrences bool
	// Shared are clipping, weight decay, averaging and accumulation; none by default.
	Shared Shared
}

var _ plan.Optimizer = RMSprop{}

// Kind is "RMSprop".
func (o RMSprop) Kind() string { return "RMSprop" }

// Rule refuses settings out of range. The slots are "velocity", then "momentum" where there is Momentum, then
// "average_gradient" where Centered.
func (o RMSprop) Rule() (plan.Rule, error) {
	const name = "rmsprop"
	r, err := newRule(name, o.LearningRate, o.Schedule, 0.001, &o.Shared)
	if err != nil {
		return plan.Rule{}, err
	}
	if err := checkDecay(name, "Rho", o.rho()); err != nil {
		return plan.Rule{}, err
	}
	if err := checkMomentum(name, o.Momentum); err != nil {
		return plan.Rule{}, err
	}
	if err := checkPositive(name, "Epsilon", o.Epsilon); err != nil {
		return plan.Rule{}, err
	}
	r.Slots = []plan.Slot{{Name: "velocity", NotNegative: true}}
	if o.Momentum > 0 {
		r.Slots = append(r.Slots, plan.Slot{Name: "momentum"})
	}
	if o.Centered {
		r.Slots = append(r.Slots, plan.Slot{Name: "average_gradient"})
	}
	r.Coefficients, r.Update = o.coefficients, o.update
	if o.SquareOccurrences {
		r.UpdateSquares = o.updateSquares
	}
	return r, nil
}

func (o RMSprop) rho() float64 { return o.Rho.Or(0.9) }

// coefficients are the rate, Rho, 1-Rho, epsilon and Momentum.
func (o RMSprop) coefficients(_ int, rate float32, _ []float32) plan.Coefficients {
	rho := o.rho()
	return plan.Coefficients{rate, float32(rho), float32(1 - rho), or(o.Epsilon, 1e-7), o.Momentum}
}

func (o RMSprop) update(c *plan.Coefficients, w, gradient []float32, slots [][]float32) {
	if o.Momentum == 0 && !o.Centered {
		simd.RMSProp(w, slots[0], gradient, c[0], c[1], c[2], c[3])
		return
	}
	o.updateSquares(c, w, gradient, nil, slots)
}

// updateSquares makes one step with all options, and with squares in place of g² where they are given.
func (o RMSprop) updateSquares(c *plan.Coefficients, w, gradient, squares []float32, slots [][]float32) {
	rate, rho, rest, epsilon := c[0], c[1], c[2], c[3]
	velocity := slots[0]
	average := slots[len(slots)-1] // where Centered
	for i, g := range gradient {
		square := float32(g * g)
		if squares != nil {
			square = squares[i]
		}
		v := flush(float32(rho*velocity[i]) + float32(rest*square))
		velocity[i] = v
		if o.Centered {
			a := flush(float32(rho*average[i]) + float32(rest*g))
			average[i] = a
			v -= float32(a * a)
		}
		step := float32(rate*g) / sqrt32(v+epsilon)
		if o.Momentum > 0 {
			step = flush(float32(c[4]*slots[1][i]) + step)
			slots[1][i] = step
		}
		w[i] -= step
	}
}
