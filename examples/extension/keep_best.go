package extension

import (
	"encoding/json"
	"fmt"

	"github.com/linnet-ml/linnet/nn/plan"
)

// KeepBest is a callback that gives the model the weights of the epoch with the lowest loss when the run ends.
type KeepBest struct{}

func (KeepBest) Kind() string { return "KeepBest" }

func (KeepBest) Start(t plan.Training) (plan.Handler, error) {
	k := &keepBest{}
	return plan.Handler{Handle: k.handle, Save: k.save, Load: func(s plan.HandlerState) error { return k.load(t, s) }}, nil
}

// keepBest is what it remembers in one run, and from one run to the next that goes on from it.
type keepBest struct {
	Seen    bool
	Loss    float64
	weights plan.Snapshot
}

func (k *keepBest) handle(e plan.Event, t plan.Training) error {
	switch e {
	case plan.EpochEnd:
		if loss, ok := t.Logs().Get("loss"); ok && (!k.Seen || loss < k.Loss) {
			k.Seen, k.Loss, k.weights = true, loss, t.Snapshot(k.weights)
		}
	case plan.TrainEnd:
		if k.Seen {
			return t.Restore(k.weights)
		}
	}
	return nil
}

func (k *keepBest) save() (plan.HandlerState, error) {
	values, err := json.Marshal(k)
	s := plan.HandlerState{Values: values}
	if k.Seen {
		s.Weights = k.weights.Weights()
	}
	return s, err
}

func (k *keepBest) load(t plan.Training, s plan.HandlerState) (err error) {
	if err := json.Unmarshal(s.Values, k); err != nil {
		return fmt.Errorf("extension: the state of KeepBest: %w", err)
	}
	if k.Seen {
		k.weights, err = t.SnapshotOf(s.Weights)
	}
	return err
}
