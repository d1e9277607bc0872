package optim

import (
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optional"
)

// PolynomialDecay is Keras's schedule of that name: in step t, counted from 0 and at most DecaySteps, the rate is
//
//	(InitialLearningRate - EndLearningRate) · (1 - t/DecaySteps)^Power + EndLearningRate
type PolynomialDecay struct {
	// InitialLearningRate is the rate of the first step. It is required.
	InitialLearningRate float32
	// DecaySteps is how many steps it takes to EndLearningRate. It is required.
	DecaySteps int
	// EndLearningRate is the rate at the end; Keras's default: 0.0001. Above InitialLearningRate it makes the rate grow.
	EndLearningRate optional.Value[float32]
	// Power of the polynomial; 1, a straight line, by default. 0 means the default.
	Power float32
	// Cycle lets the rate rise again after DecaySteps: in place of DecaySteps comes its first multiple that is not below t.
	Cycle bool
}

var _ plan.Schedule = PolynomialDecay{}

// Kind is "PolynomialDecay".
func (s PolynomialDecay) Kind() string { return "PolynomialDecay" }

// Check refuses settings out of range.
func (s PolynomialDecay) Check() error {
	if err := checkFinite("PolynomialDecay", "EndLearningRate", s.EndLearningRate.Or(1e-4)); err != nil {
		return err
	}
	return checkSchedule("PolynomialDecay", setting{"InitialLearningRate", float64(s.InitialLearningRate)},
		setting{"DecaySteps", float64(s.DecaySteps)}, setting{"Power", float64(or(s.Power, 1))})
}

// Rate is the rate of a step, counted from 0.
func (s PolynomialDecay) Rate(step int) float32 {
	t, steps, end := stepNumber(step), float32(s.DecaySteps), s.EndLearningRate.Or(1e-4)
	if !s.Cycle {
		t = min(t, steps)
	} else if step > 0 {
		steps *= ceil32(t / steps)
	}
	return float32((s.InitialLearningRate-end)*pow32(1-t/steps, or(s.Power, 1))) + end
}
