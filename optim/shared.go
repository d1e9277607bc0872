package optim

import (
	"fmt"

	"github.com/linnet-ml/linnet/nn/plan"
)

// Shared are the settings that every optimizer has: clipping of gradients, decoupled weight decay, a moving average of the
// weights, and gradients that add up over several batches. They are Keras's arguments of its base class Optimizer.
//
//	optim.SGD{Momentum: 0.9, Shared: optim.Shared{GlobalClipNorm: 1}}
type Shared = plan.Shared

// newRule checks what all optimizers have and returns the beginning of their rule.
func newRule(name string, rate float32, schedule plan.Schedule, def float32, shared *Shared) (plan.Rule, error) {
	if err := checkRate(name, rate, schedule); err != nil {
		return plan.Rule{}, err
	}
	if err := shared.Check(); err != nil {
		return plan.Rule{}, fmt.Errorf("optim: %s: %w", name, err)
	}
	return plan.Rule{Name: name, Rate: firstRate(rate, schedule, def), Schedule: schedule, Shared: *shared}, nil
}

// checkRate refuses a learning rate and a schedule that an optimizer cannot start with.
func checkRate(optimizer string, rate float32, schedule plan.Schedule) error {
	if schedule == nil {
		return checkPositive(optimizer, "LearningRate", rate)
	}
	if rate != 0 {
		return fmt.Errorf("optim: %s: LearningRate %v and a Schedule cannot go together", optimizer, rate)
	}
	return schedule.Check()
}

// firstRate is the rate of the first step.
func firstRate(rate float32, schedule plan.Schedule, def float32) float32 {
	if schedule != nil {
		return schedule.Rate(0)
	}
	return or(rate, def)
}
