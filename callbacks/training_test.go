package callbacks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/nn/plan"
)

// training is a run without a model: what it logs is told to it, and its only weight is the number of the epoch. Methods
// that no callback of this package needs are those of a nil Training, and panic.
type training struct {
	plan.Training
	script  func(epoch int) map[string]float64
	steps   int // in an epoch; 1 when it is not set
	names   []string
	rate    float32
	follows plan.Schedule

	epochs, initial, epoch, step int
	logs                         history.Logs
	logRate                      bool
	stopped                      string
	warned                       []string
	weight                       float32
}

func (t *training) Context() context.Context { return context.Background() }
func (t *training) Model() plan.Model        { return nil }
func (t *training) State() (*plan.TrainingState, error) {
	return &plan.TrainingState{Epoch: t.epoch, Batch: t.step}, nil
}
func (t *training) Epochs() int             { return t.epochs }
func (t *training) InitialEpoch() int       { return t.initial }
func (t *training) Epoch() int              { return t.epoch }
func (t *training) Step() int               { return t.step }
func (t *training) Steps() int              { return max(1, t.steps) }
func (t *training) TestSteps() int          { return 0 }
func (t *training) Logs() *history.Logs     { return &t.logs }
func (t *training) LogNames() []string      { return t.names }
func (t *training) LearningRate() float32   { return t.rate }
func (t *training) Schedule() plan.Schedule { return t.follows }
func (t *training) LogLearningRate()        { t.logRate = true }
func (t *training) Warn(format string, args ...any) {
	t.warned = append(t.warned, fmt.Sprintf(format, args...))
}
func (t *training) SetLearningRate(rate float32) error {
	t.rate = rate
	return nil
}

func (t *training) Direction(name string) history.Direction {
	switch name {
	case "loss", "val_loss":
		return history.LowerIsBetter
	case "accuracy", "val_accuracy":
		return history.HigherIsBetter
	}
	return history.NoDirection
}

func (t *training) Stop(reason string) {
	if t.stopped == "" {
		t.stopped = reason
	}
}

// snapshot is the weight as it was.
type snapshot struct{ weight float32 }

func (s *snapshot) Weights() map[string][]float32 {
	return map[string][]float32{"kernel": {s.weight}}
}

func (t *training) Snapshot(plan.Snapshot) plan.Snapshot { return &snapshot{t.weight} }

func (t *training) SnapshotOf(weights map[string][]float32) (plan.Snapshot, error) {
	if len(weights["kernel"]) != 1 {
		return nil, errors.New("no weights of kernel")
	}
	return &snapshot{weights["kernel"][0]}, nil
}

func (t *training) Restore(s plan.Snapshot) error {
	t.weight = s.(*snapshot).weight
	return nil
}

// run trains from epoch initial to epochs with a callback, which first takes a state unless it is nil. At the end of each
// epoch, after the callback's turn, it calls each, if that is given.
func (t *training) run(c plan.Callback, state *plan.HandlerState, initial, epochs int, each func(h *plan.Handler) error) (err error) {
	t.initial, t.epoch, t.epochs = initial, initial, epochs
	h, err := c.Start(t)
	if err != nil {
		return err
	}
	if h.Close != nil {
		defer func() { err = errors.Join(err, h.Close()) }()
	}
	if state != nil && h.Load != nil {
		if err := h.Load(*state); err != nil {
			return err
		}
	}
	if err := h.Handle(plan.TrainBegin, t); err != nil {
		return err
	}
	for ; t.epoch < epochs && t.stopped == ""; t.epoch++ {
		t.logs.Reset()
		t.step = 0
		if err := h.Handle(plan.EpochBegin, t); err != nil {
			return err
		}
		for ; t.step < t.Steps(); t.step++ {
			for _, e := range []plan.Event{plan.BatchBegin, plan.BatchEnd, plan.BatchDone} {
				if err := h.Handle(e, t); err != nil {
					return err
				}
			}
		}
		t.weight = float32(t.epoch)
		logs := t.script(t.epoch)
		for _, name := range slices.Sorted(maps.Keys(logs)) {
			t.logs.Set(name, logs[name])
		}
		if t.logRate {
			t.logs.Set("learning_rate", float64(t.rate))
		}
		if err := h.Handle(plan.EpochEnd, t); err != nil {
			return err
		}
		if err := h.Handle(plan.EpochDone, t); err != nil {
			return err
		}
		if each != nil {
			if err := each(&h); err != nil {
				return err
			}
		}
	}
	if err := h.Handle(plan.TrainEnd, t); err != nil {
		return err
	}
	return h.Handle(plan.TrainDone, t)
}

// through sends a state through JSON, and its weights beside it, as files do.
func through(t *testing.T, s plan.HandlerState) plan.HandlerState {
	t.Helper()
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var read plan.HandlerState
	if err := json.Unmarshal(b, &read); err != nil {
		t.Fatal(err)
	}
	for name, w := range s.Weights {
		if read.Weights == nil {
			read.Weights = map[string][]float32{}
		}
		read.Weights[name] = slices.Clone(w)
	}
	return read
}
