package optim

import (
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/optional"
	"github.com/linnet-ml/linnet/simd"
)

// RMSprop is Keras's optimizer of that name (Hinton, 2012, "Neural Networks for Machine Learning", lecture 6), with
// epsilon inside the root:
//
//	velocity = Rho·velocity + (1-Rho)·g²
//	step     = LearningRate·g / √(velocity + Epsilon)
//	w -= step
//
// Centered subtracts the square of average = Rho·average + (1-Rho)·g from the velocity under the root. A Momentum above
// 0 makes it w -= momentum with momentum = Momentum·momentum + step. What is kept becomes 0 below 1e-30.
type RMSprop struct {
	// LearningRate; Keras's default: 0.001. 0 means the default: a rate of 0 is had by Training.SetLearningRate.
	LearningRate float32
	// Schedule, when given, decides the rate of each step, and callbacks cannot change it. LearningRate must then be 0.
	Schedule nn.Schedule
	// Rho is how much of the mean of the squares is kept each step, at least 0 and below 1; Keras's default: 0.9. It is
	// a float64 because Keras takes 1-Rho before it rounds to float32.
	Rho optional.Value[float64]
	// Momentum, from 0 to 1; Keras's default: 0.
	Momentum float32
	// Epsilon, above 0; Keras's default: 1e-7.
	Epsilon float32
	// Centered divides by the gradients' deviation from their mean, not by their size.
	Centered bool
	// SquareOccurrences squares each occurrence's gradient of an Embedding's row, as Keras 3 on TensorFlow does: see Adam.
	SquareOccurrences bool
}

var (
	_ nn.OccurrenceOptimizer = RMSprop{}
	_ nn.ScheduledOptimizer  = RMSprop{}
)

// Name returns "rmsprop".
func (o RMSprop) Name() string { return "rmsprop" }

// Check refuses settings out of range.
func (o RMSprop) Check() error {
	if err := checkRate("rmsprop", o.LearningRate, o.Schedule); err != nil {
		return err
	}
	if err := checkDecay("rmsprop", "Rho", o.rho()); err != nil {
		return err
	}
	if err := checkMomentum("rmsprop", o.Momentum); err != nil {
		return err
	}
	return checkPositive("rmsprop", "Epsilon", o.Epsilon)
}

// Rate is the learning rate at the start.
func (o RMSprop) Rate() float32 { return firstRate(o.LearningRate, o.Schedule, 0.001) }

// RateSchedule returns Schedule.
func (o RMSprop) RateSchedule() nn.Schedule { return o.Schedule }

func (o RMSprop) rho() float64 { return o.Rho.Or(0.9) }

// Slots are "velocity", then "momentum" where there is Momentum, then "average_gradient" where Centered.
func (o RMSprop) Slots() []string {
	names := []string{"velocity"}
	if o.Momentum > 0 {
		names = append(names, "momentum")
	}
	if o.Centered {
		names = append(names, "average_gradient")
	}
	return names
}

// Coefficients are the rate, Rho, 1-Rho, epsilon and Momentum.
func (o RMSprop) Coefficients(_ int, rate float32) nn.Coefficients {
	rho := o.rho()
	return nn.Coefficients{rate, float32(rho), float32(1 - rho), or(o.Epsilon, 1e-7), o.Momentum}
}

// Update makes one step.
func (o RMSprop) Update(c *nn.Coefficients, w, gradient []float32, slots [][]float32) {
	rate, rho, rest, epsilon := c[0], c[1], c[2], c[3]
	if o.Momentum == 0 && !o.Centered {
		simd.RMSProp(w, slots[0], gradient, rate, rho, rest, epsilon)
		return
	}
	o.update(c, w, gradient, nil, slots)
}

// SquaresOccurrences returns SquareOccurrences.
func (o RMSprop) SquaresOccurrences() bool { return o.SquareOccurrences }

// UpdateSquares makes one step with squares in place of g².
func (o RMSprop) UpdateSquares(c *nn.Coefficients, w, gradient, squares []float32, slots [][]float32) {
	o.update(c, w, gradient, squares, slots)
}

// update makes one step with all options. Without squares it takes g².
func (o RMSprop) update(c *nn.Coefficients, w, gradient, squares []float32, slots [][]float32) {
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

// flush returns x, or 0 where it is so small that it would decay to a denormal, as the kernels of package simd do.
func flush(x float32) float32 {
	if -1e-30 < x && x < 1e-30 {
		return 0
	}
	return x
}
