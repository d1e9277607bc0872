package callbacks

import (
	"errors"
	"fmt"
	"math"

	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/internal/shown"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optional"
)

// EarlyStopping ends a Fit when a logged number no longer gets better (Keras's EarlyStopping, with the same decisions).
//
// Numbers are compared in float32, as Keras does. A NaN counts as an epoch without improvement, and any number is better. The
// first epoch that is looked at has nothing to improve on and never counts, NaN or not: where all numbers are NaN, a Patience
// of 2 ends the Fit after three epochs. To Keras a NaN of the first epoch stays the best for good, so that it stops a Fit that gets better and restores the
// weights of the NaN. The Fit ends with an error after its first epoch when Monitor is not logged, where Keras only warns.
type EarlyStopping struct {
	// Monitor is the name of the number in the logs. The default is "val_loss".
	Monitor string
	// MinDelta is how much better than the best a number must be to count; 0 by default. Its sign does not matter.
	MinDelta float64
	// Patience is how many epochs in a row may pass without improvement before the last of them ends the Fit. With the
	// default 0 the first does. The first epoch of all, number 0, never does.
	Patience int
	// Mode says which numbers are better. By default the metric does: lower losses, higher accuracies.
	Mode history.Direction
	// Baseline is what the number must be better than for an improvement to start Patience anew. The default is none.
	Baseline optional.Value[float64]
	// RestoreBest gives the model the weights of the best epoch at the end of the Fit, also of one that ran to its last
	// epoch. After an error or a cancelled context, or when all numbers were NaN, the weights stay as they are. Of large
	// tables it remembers the rows that moved and no others: see plan.Training.Snapshot.
	RestoreBest bool
	// StartFromEpoch is the number, counted from 0, of the first epoch that is looked at.
	StartFromEpoch int
	// Log, when given, is told what Keras prints with verbose=1: when the Fit was ended, and which weights were
	// restored. log.Printf fits.
	Log func(format string, args ...any) `json:"-"`
}

var _ plan.Callback = EarlyStopping{}

// Kind is "EarlyStopping".
func (c EarlyStopping) Kind() string { return "EarlyStopping" }

// Start returns what watches one Fit. From one Fit to the next it remembers the best number, how long ago that was, and
// with RestoreBest the weights of that epoch.
func (c EarlyStopping) Start(t plan.Training) (plan.Handler, error) {
	if c.Patience < 0 {
		return plan.Handler{}, fmt.Errorf("callbacks: early stopping: Patience %d must not be negative", c.Patience)
	}
	if c.StartFromEpoch < 0 {
		return plan.Handler{}, fmt.Errorf("callbacks: early stopping: StartFromEpoch %d must not be negative", c.StartFromEpoch)
	}
	m, err := newMonitor("early stopping", c.Monitor, c.Mode, c.MinDelta)
	if err != nil {
		return plan.Handler{}, err
	}
	if err := checkThreshold("early stopping", "Baseline", c.Baseline); err != nil {
		return plan.Handler{}, err
	}
	h := &earlyStopping{spec: c, monitor: m, training: t}
	return plan.Handler{Handle: h.handle, Save: h.save, Load: h.load}, nil
}

// earlyStopping is the state of one Fit.
type earlyStopping struct {
	spec     EarlyStopping
	monitor  monitor
	training plan.Training
	weights  plan.Snapshot // of the best epoch; nil until there is one, and without RestoreBest
	earlyStoppingState
}

// earlyStoppingState is what the next Fit must know, the weights aside.
type earlyStoppingState struct {
	Wait      int    `json:"wait"` // epochs since the last improvement
	Seen      bool   `json:"seen"`
	Best      number `json:"best"` // once seen
	BestEpoch int    `json:"best_epoch"`
	Stopped   int    `json:"stopped"` // the epoch that ended the Fit; 0 when none did
}

func (h *earlyStopping) save() (plan.HandlerState, error) {
	s, err := saveValues(h.spec.Kind(), h.earlyStoppingState)
	if h.weights != nil {
		s.Weights = h.weights.Weights()
	}
	return s, err
}

func (h *earlyStopping) load(s plan.HandlerState) error {
	var read earlyStoppingState
	if err := loadValues(h.spec.Kind(), s, &read); err != nil {
		return err
	}
	if read.Wait < 0 || read.BestEpoch < 0 || read.Stopped < 0 {
		return fmt.Errorf("callbacks: early stopping: the saved state has a wait of %d, epoch %d as the best and epoch %d as the last",
			read.Wait, read.BestEpoch, read.Stopped)
	}
	h.weights = nil
	if h.spec.RestoreBest && read.Seen {
		if s.Weights == nil {
			return errors.New("callbacks: early stopping: RestoreBest needs the weights of the best epoch, and the saved state is of a Fit without RestoreBest")
		}
		var err error
		if h.weights, err = h.training.SnapshotOf(s.Weights); err != nil {
			return fmt.Errorf("callbacks: early stopping: the saved weights of the best epoch: %w", err)
		}
	}
	h.earlyStoppingState = read
	return nil
}

func (h *earlyStopping) handle(e plan.Event, t plan.Training) error {
	switch e {
	case plan.EpochBegin:
		h.Stopped = 0 // a Fit that goes on from the state of one that was stopped
	case plan.EpochEnd:
		return h.epochEnd(t)
	case plan.TrainEnd:
		return h.trainEnd(t)
	}
	return nil
}

func (h *earlyStopping) epochEnd(t plan.Training) error {
	c := &h.spec
	current, err := h.monitor.current(t)
	if err != nil {
		return err
	}
	if t.Epoch() < c.StartFromEpoch {
		return nil
	}
	h.Wait++
	if !h.Seen || h.monitor.better(current, float64(h.Best)) {
		h.Seen, h.Best, h.BestEpoch = true, number(current), t.Epoch()
		if c.RestoreBest {
			h.weights = t.Snapshot(h.weights)
		}
		if !c.Baseline.IsSet() || h.monitor.better(current, c.Baseline.Or(0)) {
			h.Wait = 0
		}
		return nil
	}
	if h.Wait >= c.Patience && t.Epoch() > 0 {
		h.Stopped = t.Epoch()
		if math.IsNaN(float64(h.Best)) {
			t.Stop(fmt.Sprintf("early stopping: %s was NaN in all epochs from %d on", shown.Text(h.monitor.name), h.BestEpoch+1))
			return nil
		}
		t.Stop(fmt.Sprintf("early stopping: %s was best in epoch %d (%s) and has not improved for %d",
			shown.Text(h.monitor.name), h.BestEpoch+1, history.FormatLog(float64(h.Best)), t.Epoch()-h.BestEpoch))
	}
	return nil
}

func (h *earlyStopping) trainEnd(t plan.Training) error {
	if h.Stopped > 0 {
		h.log("Epoch %d: early stopping", h.Stopped+1)
	}
	if h.weights == nil || math.IsNaN(float64(h.Best)) {
		return nil
	}
	h.log("Restoring model weights from the end of the best epoch: %d.", h.BestEpoch+1)
	return t.Restore(h.weights)
}

func (h *earlyStopping) log(format string, args ...any) {
	if h.spec.Log != nil {
		h.spec.Log(format, args...)
	}
}
