package callbacks

import (
	"errors"
	"fmt"

	"github.com/linnet-ml/linnet/nn/plan"
)

// LearningRateScheduler sets the learning rate at the beginning of each epoch (Keras's LearningRateScheduler). It logs the rate
// as "learning_rate". An optimizer that follows a schedule of its own is an error.
type LearningRateScheduler struct {
	// Schedule is given the number of the epoch, counted from 0, and the rate so far, and returns the rate of the epoch. It
	// is required. A function cannot be saved: a callback that is read from a file needs it anew.
	Schedule func(epoch int, rate float32) float32 `json:"-"`
	// Log, when given, is told each rate, as Keras prints it with verbose=1. log.Printf fits.
	Log func(format string, args ...any) `json:"-"`
}

var _ plan.Callback = LearningRateScheduler{}

// Kind is "LearningRateScheduler".
func (c LearningRateScheduler) Kind() string { return "LearningRateScheduler" }

// Start returns what acts in one Fit. A Fit that goes on from a state has the rate of that state, so there is nothing to
// remember.
func (c LearningRateScheduler) Start(t plan.Training) (plan.Handler, error) {
	if c.Schedule == nil {
		return plan.Handler{}, errors.New("callbacks: LearningRateScheduler needs a Schedule")
	}
	if err := checkSettable("LearningRateScheduler", t); err != nil {
		return plan.Handler{}, err
	}
	t.LogLearningRate()
	return plan.Handler{Handle: c.handle}, nil
}

func (c LearningRateScheduler) handle(e plan.Event, t plan.Training) error {
	if e != plan.EpochBegin {
		return nil
	}
	rate := c.Schedule(t.Epoch(), t.LearningRate())
	if err := t.SetLearningRate(rate); err != nil {
		return fmt.Errorf("callbacks: LearningRateScheduler: epoch %d (counted from 0): %w", t.Epoch(), err)
	}
	if c.Log != nil {
		c.Log("Epoch %d: LearningRateScheduler setting learning rate to %v.", t.Epoch()+1, rate)
	}
	return nil
}

// checkSettable refuses an optimizer whose rate no callback can set.
func checkSettable(callback string, t plan.Training) error {
	if s := t.Schedule(); s != nil {
		return fmt.Errorf("callbacks: %s cannot set a learning rate that follows the optimizer's schedule, %T", callback, s)
	}
	return nil
}
