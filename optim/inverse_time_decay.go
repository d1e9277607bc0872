package optim

import "github.com/linnet-ml/linnet/nn/plan"

// InverseTimeDecay is Keras's schedule of that name: in step t, counted from 0, the rate is
//
//	InitialLearningRate / (1 + DecayRate·t/DecaySteps)
type InverseTimeDecay struct {
	// InitialLearningRate is the rate of the first step. It is required.
	InitialLearningRate float32
	// DecaySteps is how many steps add DecayRate to the divisor. It is required.
	DecaySteps int
	// DecayRate is required.
	DecayRate float32
	// Staircase rounds t / DecaySteps down, so that the rate changes every DecaySteps steps only.
	Staircase bool
}

var _ plan.Schedule = InverseTimeDecay{}

// Kind is "InverseTimeDecay".
func (s InverseTimeDecay) Kind() string { return "InverseTimeDecay" }

// Check refuses settings out of range.
func (s InverseTimeDecay) Check() error {
	return checkSchedule("InverseTimeDecay", setting{"InitialLearningRate", float64(s.InitialLearningRate)},
		setting{"DecaySteps", float64(s.DecaySteps)}, setting{"DecayRate", float64(s.DecayRate)})
}

// Rate is the rate of a step, counted from 0.
func (s InverseTimeDecay) Rate(step int) float32 {
	p := stepNumber(step) / float32(s.DecaySteps)
	if s.Staircase {
		p = floor32(p)
	}
	return s.InitialLearningRate / (1 + float32(s.DecayRate*p))
}
