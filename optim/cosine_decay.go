package optim

import (
	"fmt"
	"math"

	"github.com/linnet-ml/linnet/nn/plan"
)

// CosineDecay is Keras's schedule of that name (Loshchilov and Hutter, 2017, "SGDR: Stochastic Gradient Descent with Warm
// Restarts"): in step t, counted from 0 and at most DecaySteps, the rate is
//
//	InitialLearningRate · ((1-Alpha) · (1 + cos(π·t/DecaySteps))/2 + Alpha)
//
// With a WarmupTarget the rate first goes from InitialLearningRate to that, in a straight line of WarmupSteps steps. The
// decay then begins at WarmupTarget, and t counts from there.
type CosineDecay struct {
	// InitialLearningRate is the rate of the first step. It is required without WarmupTarget, and 0 by default with it.
	InitialLearningRate float32
	// DecaySteps is how long the decay takes, without the warm-up. It is required.
	DecaySteps int
	// Alpha is how much of the rate is left at the end, from 0 to 1; 0 by default. It is a float64 because Keras takes
	// 1-Alpha before it rounds to float32.
	Alpha float64
	// WarmupTarget is the rate at the end of the warm-up. The default 0 means no warm-up.
	WarmupTarget float32
	// WarmupSteps is how long the warm-up takes; 0 by default: the decay begins at once.
	WarmupSteps int
}

var _ plan.Schedule = CosineDecay{}

// Kind is "CosineDecay".
func (s CosineDecay) Kind() string { return "CosineDecay" }

// Check refuses settings out of range.
func (s CosineDecay) Check() error {
	const name = "CosineDecay"
	if s.WarmupSteps < 0 || s.WarmupSteps > 0 && s.WarmupTarget == 0 {
		return fmt.Errorf("optim: %s: WarmupSteps %d for a WarmupTarget of %v", name, s.WarmupSteps, s.WarmupTarget)
	}
	from := setting{"InitialLearningRate", float64(s.InitialLearningRate)}
	if s.WarmupTarget != 0 {
		if err := checkFinite(name, from.name, s.InitialLearningRate); err != nil {
			return err
		}
		from = setting{"WarmupTarget", float64(s.WarmupTarget)}
	}
	if err := checkSchedule(name, from, setting{"DecaySteps", float64(s.DecaySteps)}); err != nil {
		return err
	}
	return checkAlpha(name, s.Alpha)
}

// Rate is the rate of a step, counted from 0.
func (s CosineDecay) Rate(step int) float32 {
	t, steps, from := stepNumber(step), float32(s.DecaySteps), s.InitialLearningRate
	if s.WarmupTarget != 0 {
		warmup := float32(s.WarmupSteps)
		if t = min(t, steps+warmup); t < warmup {
			return float32((s.WarmupTarget-from)*(t/warmup)) + from
		}
		t -= warmup
		from = s.WarmupTarget
	}
	decayed := 0.5 * (1 + cos32(float32(math.Pi)*(min(t, steps)/steps)))
	return from * (float32(float32(1-s.Alpha)*decayed) + float32(s.Alpha))
}
