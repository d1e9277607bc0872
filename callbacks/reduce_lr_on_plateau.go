package callbacks

import (
	"fmt"
	"math"

	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optional"
)

// ReduceLROnPlateau lowers the learning rate when a logged number no longer gets better (Keras's ReduceLROnPlateau, with
// the same decisions). It logs the rate that an epoch ended with as "learning_rate".
//
// Numbers are compared in float32, as Keras does. A NaN counts as an epoch without improvement, and any number is better. The
// first epoch of all has nothing to improve on and never counts, NaN or not: where all numbers are NaN, a Patience of 2 lowers
// the rate after three epochs. To Keras a NaN of the first epoch stays the best for good, so that it lowers the rate of a loss that falls. Monitor that
// is not logged is an error after the first epoch, where Keras only warns; an optimizer that follows a schedule is one at
// the start, where Keras fails at the first reduction.
type ReduceLROnPlateau struct {
	// Monitor is the name of the number in the logs. The default is "val_loss".
	Monitor string
	// Factor is what the rate is multiplied by, between 0 and 1; Keras's default: 0.1.
	Factor float64
	// Patience is how many epochs in a row may pass without improvement before the last of them lowers the rate; Keras's
	// default: 10. 0 and 1 are the same.
	Patience optional.Value[int]
	// Mode says which numbers are better. By default the metric does: lower losses, higher accuracies.
	Mode history.Direction
	// MinDelta is how much better than the best a number must be to count; Keras's default: 0.0001. Its sign does not
	// matter.
	MinDelta optional.Value[float64]
	// Cooldown keeps Patience from counting after a reduction: with a Cooldown of n the first n-1 epochs do not count. The
	// default is 0, and as in Keras 1 is the same: the epoch in which a cooldown ends counts again.
	Cooldown int
	// MinRate is the rate below which it is not lowered; 0 by default. Keras calls it min_lr. FitOptions.Warn is told of one
	// above the rate that the Fit starts with, which lowers nothing.
	MinRate float32
	// Log, when given, is told of each reduction, as Keras prints it with verbose=1. log.Printf fits.
	Log func(format string, args ...any) `json:"-"`
}

var _ plan.Callback = ReduceLROnPlateau{}

// Kind is "ReduceLROnPlateau".
func (c ReduceLROnPlateau) Kind() string { return "ReduceLROnPlateau" }

// Start returns what acts in one Fit. From one Fit to the next it remembers the best number, and how long ago that was.
func (c ReduceLROnPlateau) Start(t plan.Training) (plan.Handler, error) {
	const name = "ReduceLROnPlateau"
	if c.Factor == 0 {
		c.Factor = 0.1
	}
	switch {
	case !(c.Factor > 0 && c.Factor < 1):
		return plan.Handler{}, fmt.Errorf("callbacks: %s: Factor %v is not between 0 and 1", name, c.Factor)
	case c.Patience.Or(10) < 0:
		return plan.Handler{}, fmt.Errorf("callbacks: %s: Patience %d must not be negative", name, c.Patience.Or(10))
	case c.Cooldown < 0:
		return plan.Handler{}, fmt.Errorf("callbacks: %s: Cooldown %d must not be negative", name, c.Cooldown)
	case !(c.MinRate >= 0) || math.IsInf(float64(c.MinRate), 0):
		return plan.Handler{}, fmt.Errorf("callbacks: %s: MinRate %v is not a rate", name, c.MinRate)
	}
	m, err := newMonitor(name, c.Monitor, c.Mode, c.MinDelta.Or(1e-4))
	if err != nil {
		return plan.Handler{}, err
	}
	if err := checkSettable(name, t); err != nil {
		return plan.Handler{}, err
	}
	if rate := t.LearningRate(); c.MinRate > rate {
		t.Warn("callbacks: %s: MinRate %v is above the learning rate, %v, so that it lowers nothing", name, c.MinRate, rate)
	}
	t.LogLearningRate()
	h := &reduceLR{spec: c, monitor: m}
	return plan.Handler{Handle: h.handle, Save: h.save, Load: h.load}, nil
}

// reduceLR is the state of one Fit.
type reduceLR struct {
	spec    ReduceLROnPlateau
	monitor monitor
	reduceLRState
}

// reduceLRState is what the next Fit must know.
type reduceLRState struct {
	Wait     int    `json:"wait"`     // epochs since the last improvement or reduction
	Cooldown int    `json:"cooldown"` // epochs that do not count
	Seen     bool   `json:"seen"`
	Best     number `json:"best"` // once seen
}

func (h *reduceLR) save() (plan.HandlerState, error) {
	return saveValues(h.spec.Kind(), h.reduceLRState)
}

func (h *reduceLR) load(s plan.HandlerState) error {
	var read reduceLRState
	if err := loadValues(h.spec.Kind(), s, &read); err != nil {
		return err
	}
	if read.Wait < 0 || read.Cooldown < 0 {
		return fmt.Errorf("callbacks: %s: the saved state has a wait of %d and a cooldown of %d", h.spec.Kind(), read.Wait, read.Cooldown)
	}
	h.reduceLRState = read
	return nil
}

func (h *reduceLR) handle(e plan.Event, t plan.Training) error {
	if e != plan.EpochEnd {
		return nil
	}
	current, err := h.monitor.current(t)
	if err != nil {
		return err
	}
	if h.Cooldown > 0 {
		h.Cooldown--
		h.Wait = 0
	}
	if !h.Seen || h.monitor.better(current, float64(h.Best)) {
		h.Seen, h.Best, h.Wait = true, number(current), 0
		return nil
	}
	if h.Cooldown > 0 {
		return nil
	}
	if h.Wait++; h.Wait < h.spec.Patience.Or(10) {
		return nil
	}
	rate := t.LearningRate()
	if rate <= h.spec.MinRate {
		return nil
	}
	rate = max(float32(float64(rate)*h.spec.Factor), h.spec.MinRate)
	if err := t.SetLearningRate(rate); err != nil {
		return err
	}
	h.Cooldown, h.Wait = h.spec.Cooldown, 0
	if h.spec.Log != nil {
		h.spec.Log("Epoch %d: ReduceLROnPlateau reducing learning rate to %v.", t.Epoch()+1, rate)
	}
	return nil
}
