package optim

import (
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/simd"
)

// SGD is Keras's optimizer of that name, gradient descent:
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
	// LearningRate; Keras's default: 0.01. 0 means the default: a rate of 0 is had by Training.SetLearningRate.
	LearningRate float32
	// Schedule, when given, decides the rate of each step, and callbacks cannot change it. LearningRate must then be 0.
	Schedule nn.Schedule
	// Momentum, from 0 to 1; Keras's default: 0.
	Momentum float32
	// Nesterov looks ahead by one step of the velocity. Without Momentum it changes nothing.
	Nesterov bool
}

var _ nn.ScheduledOptimizer = SGD{}

// Name returns "sgd".
func (o SGD) Name() string { return "sgd" }

// Check refuses settings out of range.
func (o SGD) Check() error {
	if err := checkRate("sgd", o.LearningRate, o.Schedule); err != nil {
		return err
	}
	return checkMomentum("sgd", o.Momentum)
}

// Rate is the learning rate at the start.
func (o SGD) Rate() float32 { return firstRate(o.LearningRate, o.Schedule, 0.01) }

// RateSchedule returns Schedule.
func (o SGD) RateSchedule() nn.Schedule { return o.Schedule }

// Slots are the velocity, which Keras names "momentum"; none without Momentum.
func (o SGD) Slots() []string {
	if o.Momentum == 0 {
		return nil
	}
	return []string{"momentum"}
}

// Coefficients are the rate and Momentum.
func (o SGD) Coefficients(_ int, rate float32) nn.Coefficients {
	return nn.Coefficients{rate, o.Momentum}
}

// Update makes one step.
func (o SGD) Update(c *nn.Coefficients, w, gradient []float32, slots [][]float32) {
	if o.Momentum == 0 {
		simd.SGD(w, gradient, c[0])
		return
	}
	simd.Momentum(w, slots[0], gradient, c[0], c[1], o.Nesterov)
}
