package optim

import (
	"fmt"
	"math"

	"github.com/linnet-ml/linnet/nn/plan"
)

// CosineDecayRestarts is Keras's schedule of that name (Loshchilov and Hutter, 2017, "SGDR: Stochastic Gradient Descent
// with Warm Restarts"): a [CosineDecay] that begins anew each time it has ended. The first decay takes FirstDecaySteps
// steps, each later one TMul times as many as the one before, and the part of the rate that decays is MMul times as large.
//
// With a TMul that is not 2 rounding may show, as in Keras, in the very step in which a decay begins anew: it may still
// have the rate at the end of the one before.
type CosineDecayRestarts struct {
	// InitialLearningRate is the rate of the first step. It is required.
	InitialLearningRate float32
	// FirstDecaySteps is how long the first decay takes. It is required.
	FirstDecaySteps int
	// TMul, at least 1; Keras's default: 2. 0 means the default.
	TMul float32
	// MMul, above 0; Keras's default: 1. 0 means the default.
	MMul float32
	// Alpha is how much of the rate is left at the end of each decay, from 0 to 1; 0 by default.
	Alpha float64
}

var _ plan.Schedule = CosineDecayRestarts{}

// Kind is "CosineDecayRestarts".
func (s CosineDecayRestarts) Kind() string { return "CosineDecayRestarts" }

// Check refuses settings out of range.
func (s CosineDecayRestarts) Check() error {
	const name = "CosineDecayRestarts"
	if t := or(s.TMul, 2); !(t >= 1) || math.IsInf(float64(t), 0) {
		return fmt.Errorf("optim: %s: TMul %v is not a number from 1 on", name, t)
	}
	if err := checkSchedule(name, setting{"InitialLearningRate", float64(s.InitialLearningRate)},
		setting{"FirstDecaySteps", float64(s.FirstDecaySteps)}, setting{"MMul", float64(or(s.MMul, 1))}); err != nil {
		return err
	}
	return checkAlpha(name, s.Alpha)
}

// Rate is the rate of a step, counted from 0.
func (s CosineDecayRestarts) Rate(step int) float32 {
	longer, alpha := or(s.TMul, 2), float32(s.Alpha)
	done := stepNumber(step) / float32(s.FirstDecaySteps) // in first decays
	var restarts float32
	if longer == 1 {
		restarts = floor32(done)
		done -= restarts
	} else {
		restarts = floor32(log32(1-float32(done*(1-longer))) / log32(longer))
		length := pow32(longer, restarts)
		done = (done - (1-length)/(1-longer)) / length
	}
	decayed := float32(0.5*pow32(or(s.MMul, 1), restarts)) * (1 + cos32(float32(math.Pi)*done))
	return s.InitialLearningRate * (float32((1-alpha)*decayed) + alpha)
}
