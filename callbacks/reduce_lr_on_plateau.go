package callbacks

import (
	"fmt"
	"math"

	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/optional"
)

// ReduceLROnPlateau lowers the learning rate when a logged number no longer gets better (Keras's ReduceLROnPlateau, with
// the same decisions). It logs the rate that an epoch ended with as "learning_rate".
//
// Numbers are compared in float32, as Keras does. Monitor that is not logged is an error after the first epoch, where
// Keras only warns; an optimizer that follows a schedule is one at the start, where Keras fails at the first reduction.
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
	// Cooldown is how many epochs after a reduction do not count for Patience; 0 by default.
	Cooldown int
	// MinRate is the rate below which it is not lowered; 0 by default. Keras calls it min_lr.
	MinRate float32
	// Log, when given, is told of each reduction, as Keras prints it with verbose=1. log.Printf fits.
	Log func(format string, args ...any)
}

var _ nn.Callback = ReduceLROnPlateau{}

// Start returns what acts in one Fit.
func (c ReduceLROnPlateau) Start(t *nn.Training) (nn.Handler, error) {
	const name = "ReduceLROnPlateau"
	if c.Factor == 0 {
		c.Factor = 0.1
	}
	switch {
	case !(c.Factor > 0 && c.Factor < 1):
		return nil, fmt.Errorf("callbacks: %s: Factor %v is not between 0 and 1", name, c.Factor)
	case c.Patience.Or(10) < 0 || c.Cooldown < 0:
		return nil, fmt.Errorf("callbacks: %s: Patience %d and Cooldown %d must not be negative", name, c.Patience.Or(10), c.Cooldown)
	case !(c.MinRate >= 0) || math.IsInf(float64(c.MinRate), 0):
		return nil, fmt.Errorf("callbacks: %s: MinRate %v is not a rate", name, c.MinRate)
	}
	m, err := newMonitor(name, c.Monitor, c.Mode, c.MinDelta.Or(1e-4))
	if err != nil {
		return nil, err
	}
	if err := checkSettable(name, t); err != nil {
		return nil, err
	}
	t.LogLearningRate()
	return &reduceLR{spec: c, monitor: m}, nil
}

// reduceLR is the state of one Fit.
type reduceLR struct {
	spec     ReduceLROnPlateau
	monitor  monitor
	wait     int // epochs since the last improvement or reduction
	cooldown int // epochs that do not count
	seen     bool
	best     float64 // once seen
}

func (h *reduceLR) Handle(e nn.Event, t *nn.Training) error {
	if e != nn.EpochEnd {
		return nil
	}
	current, err := h.monitor.current(t)
	if err != nil {
		return err
	}
	if h.cooldown > 0 {
		h.cooldown--
		h.wait = 0
	}
	if !h.seen || h.monitor.better(current, h.best) {
		h.seen, h.best, h.wait = true, current, 0
		return nil
	}
	if h.cooldown > 0 {
		return nil
	}
	if h.wait++; h.wait < h.spec.Patience.Or(10) {
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
	h.cooldown, h.wait = h.spec.Cooldown, 0
	if h.spec.Log != nil {
		h.spec.Log("Epoch %d: ReduceLROnPlateau reducing learning rate to %v.", t.Epoch()+1, rate)
	}
	return nil
}
