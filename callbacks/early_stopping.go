package callbacks

import (
	"fmt"

	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/optional"
)

// EarlyStopping ends a Fit when a logged number no longer gets better (Keras's EarlyStopping, with the same decisions).
//
// Numbers are compared in float32, as Keras does. The Fit ends with an error after its first epoch when Monitor is not
// logged, where Keras only warns.
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
	// epoch. After an error or a cancelled context the weights stay as they are. Of large tables it remembers the rows
	// that moved and no others: see nn.Snapshot.
	RestoreBest bool
	// StartFromEpoch is the number, counted from 0, of the first epoch that is looked at.
	StartFromEpoch int
	// Log, when given, is told what Keras prints with verbose=1: when the Fit was ended, and which weights were
	// restored. log.Printf fits.
	Log func(format string, args ...any)
}

var _ nn.Callback = EarlyStopping{}

// Start returns what watches one Fit.
func (c EarlyStopping) Start(*nn.Training) (nn.Handler, error) {
	if c.Patience < 0 || c.StartFromEpoch < 0 {
		return nil, fmt.Errorf("callbacks: early stopping: Patience %d and StartFromEpoch %d must not be negative", c.Patience, c.StartFromEpoch)
	}
	m, err := newMonitor("early stopping", c.Monitor, c.Mode, c.MinDelta)
	if err != nil {
		return nil, err
	}
	return &earlyStopping{spec: c, monitor: m}, nil
}

// earlyStopping is the state of one Fit.
type earlyStopping struct {
	spec    EarlyStopping
	monitor monitor
	wait    int // epochs since the last improvement
	seen    bool
	best    float64 // once seen
	epoch   int     // of best
	weights *nn.Snapshot
	stopped int // the epoch that ended the Fit; 0 when none did
}

func (h *earlyStopping) Handle(e nn.Event, t *nn.Training) error {
	switch e {
	case nn.EpochEnd:
		return h.epochEnd(t)
	case nn.TrainEnd:
		return h.trainEnd(t)
	}
	return nil
}

func (h *earlyStopping) epochEnd(t *nn.Training) error {
	c := &h.spec
	current, err := h.monitor.current(t)
	if err != nil {
		return err
	}
	if t.Epoch() < c.StartFromEpoch {
		return nil
	}
	h.wait++
	if !h.seen || h.monitor.better(current, h.best) {
		h.seen, h.best, h.epoch = true, current, t.Epoch()
		if c.RestoreBest {
			h.weights = t.Snapshot(h.weights)
		}
		if !c.Baseline.IsSet() || h.monitor.better(current, c.Baseline.Or(0)) {
			h.wait = 0
		}
		return nil
	}
	if h.wait >= c.Patience && t.Epoch() > 0 {
		h.stopped = t.Epoch()
		t.Stop(fmt.Sprintf("early stopping: %s was best in epoch %d (%s) and has not improved for %d",
			h.monitor.name, h.epoch+1, history.FormatLog(h.best), t.Epoch()-h.epoch))
	}
	return nil
}

func (h *earlyStopping) trainEnd(t *nn.Training) error {
	if h.stopped > 0 {
		h.log("Epoch %d: early stopping", h.stopped+1)
	}
	if h.weights == nil {
		return nil
	}
	h.log("Restoring model weights from the end of the best epoch: %d.", h.epoch+1)
	return t.Restore(h.weights)
}

func (h *earlyStopping) log(format string, args ...any) {
	if h.spec.Log != nil {
		h.spec.Log(format, args...)
	}
}
