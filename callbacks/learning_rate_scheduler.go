package callbacks

import (
	"errors"
	"fmt"

	"github.com/linnet-ml/linnet/nn"
)

// LearningRateScheduler sets the learning rate at the begin of each epoch (Keras's LearningRateScheduler). It logs the rate
// as "learning_rate". An optimizer that follows a schedule of its own is an error.
type LearningRateScheduler struct {
	// Schedule is given the number of the epoch, counted from 0, and the rate so far, and returns the rate of the epoch. It
	// is required.
	Schedule func(epoch int, rate float32) float32
	// Log, when given, is told each rate, as Keras prints it with verbose=1. log.Printf fits.
	Log func(format string, args ...any)
}

var _ nn.Callback = LearningRateScheduler{}

// Start returns what acts in one Fit.
func (c LearningRateScheduler) Start(t *nn.Training) (nn.Handler, error) {
	if c.Schedule == nil {
		return nil, errors.New("callbacks: LearningRateScheduler needs a Schedule")
	}
	if err := checkSettable("LearningRateScheduler", t); err != nil {
		return nil, err
	}
	t.LogLearningRate()
	return nn.HandlerFunc(c.handle), nil
}

func (c LearningRateScheduler) handle(e nn.Event, t *nn.Training) error {
	if e != nn.EpochBegin {
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
func checkSettable(callback string, t *nn.Training) error {
	if s := t.Schedule(); s != nil {
		return fmt.Errorf("callbacks: %s cannot set a learning rate that follows the optimizer's schedule, %T", callback, s)
	}
	return nil
}
