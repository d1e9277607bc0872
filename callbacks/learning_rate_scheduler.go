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

// Start returns what acts in one Fit. From one Fit to the next it remembers for how many epochs it has set the rate: an
// epoch that was interrupted goes on with the rate that it has.
func (c LearningRateScheduler) Start(t plan.Training) (plan.Handler, error) {
	if c.Schedule == nil {
		return plan.Handler{}, errors.New("callbacks: LearningRateScheduler needs a Schedule")
	}
	if err := checkSettable("LearningRateScheduler", t); err != nil {
		return plan.Handler{}, err
	}
	t.LogLearningRate()
	h := &scheduler{spec: c}
	return plan.Handler{Handle: h.handle, Save: h.save, Load: h.load}, nil
}

// scheduler is the state of one Fit.
type scheduler struct {
	spec LearningRateScheduler
	schedulerState
}

// schedulerState is what the next Fit must know.
type schedulerState struct {
	Epochs int `json:"epochs"` // the number of the latest epoch with a rate, plus one
}

func (h *scheduler) save() (plan.HandlerState, error) {
	return saveValues(h.spec.Kind(), h.schedulerState)
}

func (h *scheduler) load(s plan.HandlerState) error {
	var read schedulerState
	if err := loadValues(h.spec.Kind(), s, &read); err != nil {
		return err
	}
	if read.Epochs < 0 {
		return fmt.Errorf("callbacks: LearningRateScheduler: the saved state has %d epochs", read.Epochs)
	}
	h.schedulerState = read
	return nil
}

func (h *scheduler) handle(e plan.Event, t plan.Training) error {
	if e != plan.EpochBegin || t.Epoch() < h.Epochs {
		return nil
	}
	rate := h.spec.Schedule(t.Epoch(), t.LearningRate())
	if err := t.SetLearningRate(rate); err != nil {
		return fmt.Errorf("callbacks: LearningRateScheduler: epoch %d: %w", t.Epoch()+1, err)
	}
	h.Epochs = t.Epoch() + 1
	if h.spec.Log != nil {
		h.spec.Log("Epoch %d: LearningRateScheduler setting learning rate to %v.", t.Epoch()+1, rate)
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
