package optim

import "github.com/linnet-ml/linnet/nn/plan"

// ExponentialDecay is Keras's schedule of that name: in step t, counted from 0, the rate is
//
//	InitialLearningRate · DecayRate^(t / DecaySteps)
type ExponentialDecay struct {
	// InitialLearningRate is the rate of the first step. It is required.
	InitialLearningRate float32
	// DecaySteps is how many steps multiply the rate by DecayRate. It is required.
	DecaySteps int
	// DecayRate is required. Above 1 it makes the rate grow.
	DecayRate float32
	// Staircase rounds t / DecaySteps down, so that the rate changes every DecaySteps steps only.
	Staircase bool
}

var _ plan.Schedule = ExponentialDecay{}

// Kind is "ExponentialDecay".
func (s ExponentialDecay) Kind() string { return "ExponentialDecay" }

// Check refuses settings out of range.
func (s ExponentialDecay) Check() error {
	return checkSchedule("ExponentialDecay", setting{"InitialLearningRate", float64(s.InitialLearningRate)},
		setting{"DecaySteps", float64(s.DecaySteps)}, setting{"DecayRate", float64(s.DecayRate)})
}

// Rate is the rate of a step, counted from 0.
func (s ExponentialDecay) Rate(step int) float32 {
	p := stepNumber(step) / float32(s.DecaySteps)
	if s.Staircase {
		p = floor32(p)
	}
	return s.InitialLearningRate * pow32(s.DecayRate, p)
}
