package plan

import (
	"fmt"
	"math"
	"slices"

	"github.com/linnet-ml/linnet/history"
)

// StateVersion is the version of the TrainingState that this package writes.
const StateVersion = 1

// TrainingState is all that another run needs to continue a training run as if there had been one: n epochs, state, a new
// process and m epochs give the bits of n + m epochs. Its zero value is the state at the start.
type TrainingState struct {
	// Version is StateVersion, or 0 at the start.
	Version int `json:"version"`
	// From says where the state was read, such as the name of a file. Errors about the state begin with it. It is not written.
	From string `json:"-"`
	// Epoch is the number of the epoch to go on with, counted from 0, and Batch the number of its batches that are done.
	Epoch int `json:"epoch"`
	Batch int `json:"batch,omitempty"`
	// Stopped is the reason that a callback gave when it stopped the run in its last epoch; a run that goes on from such a
	// state ends at once, or with the epoch under way. It is empty in the state that a run leaves when it has ended.
	Stopped string `json:"stopped,omitempty"`
	// Seed decides the order of rows and the noise.
	Seed uint64 `json:"seed"`
	// Groups are the optimizers' states: first that of FitOptions.Optimizer, then those of FitOptions.Groups.
	Groups []GroupState `json:"groups,omitempty"`
	// Accumulated is how many batches' gradients Gradients holds.
	Accumulated int `json:"accumulated,omitempty"`
	// Measured are the sums that give the loss and the metrics of the epoch's batches so far.
	Measured [][]float64 `json:"-"`
	// History has the epochs so far.
	History *history.History `json:"history,omitempty"`
	// Callbacks are the states of the callbacks that have one, in their order.
	Callbacks []HandlerState `json:"callbacks,omitempty"`

	// Weights, if not nil, are the elements of all parameters by name, and are given to the model. FitOptions.State is left
	// without, since the model has them, unless that has moving averages in their place; Training.State has them.
	Weights map[string][]float32 `json:"-"`
	// Slots are the optimizers', by the name of the parameter and in the order of Rule.Slots. After a step each parameter
	// that its layer trains has an entry in Slots or in Rows; one that no run has trained has Rows without rows.
	Slots map[string][][]float32 `json:"-"`
	// Rows are the slots of large tables, by the name of the parameter. A run takes slots of a table in either form and
	// leaves them in its own. It writes Rows when it returns, and not before.
	Rows map[string]*RowSlots `json:"-"`
	// Averages are the moving averages of parameters, by name: see Shared.Average. Each parameter that has been trained has
	// one.
	Averages map[string][]float32 `json:"-"`
	// Gradients are sums of gradients that have not led to a step: see Shared.AccumulateSteps. Where Accumulated is above 0
	// each parameter that its layer trains has an entry, an empty one if the run does not train it.
	Gradients map[string][]float32 `json:"-"`
}

// GroupState is the state of an optimizer, its slots aside.
type GroupState struct {
	// Optimizer is Rule.Name, and Slots the names of its slots, so that no other optimizer takes them for its own.
	Optimizer string   `json:"optimizer"`
	Slots     []string `json:"slots"`
	// Step counts the steps taken.
	Step int `json:"step"`
	// Rate is the learning rate; unused where a schedule decides it.
	Rate float32 `json:"rate"`
	// Scalars are in the order of Rule.Scalars.
	Scalars []float32 `json:"scalars,omitempty"`
}

// RowSlots are the optimizer's slots for the rows of a large table that have had a gradient.
type RowSlots struct {
	// Rows are the numbers of the rows, ascending.
	Rows []int32
	// Slots are in the order of Rule.Slots, each row-major over Rows.
	Slots [][]float32
}

// maxStep bounds the numbers of steps in a state: schedules and powers are computed with them, and a run goes on counting.
const maxStep = min(int64(1)<<40, math.MaxInt/2)

// Check refuses a state that no run has left: negative or huge numbers of steps, another version, numbers that are not
// finite. Sizes are checked against the model by Fit.
func (s *TrainingState) Check() error {
	switch {
	case s.Version != 0 && s.Version != StateVersion:
		return fmt.Errorf("the training state has version %d; this version of linnet reads %d", s.Version, StateVersion)
	case s.Epoch < 0 || s.Epoch > maxEpoch:
		return fmt.Errorf("the training state has the epoch %d, which is not from 0 to %d", s.Epoch, maxEpoch)
	case s.Batch < 0 || s.Batch > maxEpoch:
		return fmt.Errorf("the training state has the batch %d, which is not from 0 to %d", s.Batch, maxEpoch)
	case s.Accumulated < 0 || s.Accumulated > maxEpoch:
		return fmt.Errorf("the training state has %d accumulated batches, which is not from 0 to %d", s.Accumulated, maxEpoch)
	}
	for i, g := range s.Groups {
		if err := g.check(); err != nil {
			return fmt.Errorf("the training state of optimizer %d: %w", i, err)
		}
	}
	for name, lists := range map[string]map[string][]float32{"weights": s.Weights, "averages": s.Averages, "gradients": s.Gradients} {
		for parameter, values := range lists {
			if i := notFinite(values); i >= 0 {
				return fmt.Errorf("the training state's %s of %q have %v at element %d", name, parameter, values[i], i)
			}
		}
	}
	return nil
}

// maxEpoch bounds the numbers of epochs and batches in a state; a run goes on counting.
const maxEpoch = math.MaxInt32 / 2

func (g *GroupState) check() error {
	if g.Step < 0 || int64(g.Step) > maxStep {
		return fmt.Errorf("step %d", g.Step)
	}
	if !(g.Rate >= 0) || math.IsInf(float64(g.Rate), 0) {
		return fmt.Errorf("a learning rate of %v", g.Rate)
	}
	if i := notFinite(g.Scalars); i >= 0 {
		return fmt.Errorf("scalar %d is %v", i, g.Scalars[i])
	}
	return nil
}

// Fits refuses a state that is not of a rule.
func (g *GroupState) Fits(r *Rule) error {
	names := SlotNames(r.Slots)
	if g.Slots != nil && !slices.Equal(g.Slots, names) {
		return fmt.Errorf("the training state's slots are %q, and those of %s %q", g.Slots, r.Name, names)
	}
	if g.Optimizer != "" && g.Optimizer != r.Name {
		return fmt.Errorf("the training state is of %s, not %s", g.Optimizer, r.Name)
	}
	if g.Scalars != nil && len(g.Scalars) != len(r.Scalars) {
		return fmt.Errorf("the training state has %d scalars, and %s %d", len(g.Scalars), r.Name, len(r.Scalars))
	}
	return nil
}

// SlotNames lists the names of slots.
func SlotNames(slots []Slot) []string {
	names := make([]string, len(slots))
	for i, s := range slots {
		names[i] = s.Name
	}
	return names
}

// CheckSlots refuses values that cannot be an optimizer's slots: not finite, or negative where they never are.
func CheckSlots(slots []Slot, values [][]float32) error {
	for k, s := range slots {
		if i := notFinite(values[k]); i >= 0 {
			return fmt.Errorf("%s is %v at element %d", s.Name, values[k][i], i)
		}
		if s.NotNegative {
			if i := slices.IndexFunc(values[k], func(v float32) bool { return v < 0 }); i >= 0 {
				return fmt.Errorf("%s is %v at element %d and must not be negative", s.Name, values[k][i], i)
			}
		}
	}
	return nil
}

// notFinite is the place of the first NaN or infinity, or -1.
func notFinite(values []float32) int {
	return slices.IndexFunc(values, func(v float32) bool { return v != v || math.IsInf(float64(v), 0) })
}

// Check refuses slots that do not fit the parameter and the rule.
func (s *RowSlots) Check(p *Parameter, r *Rule) error {
	rows, width := p.Rows()
	fits := len(s.Slots) == len(r.Slots) && slices.IsSorted(s.Rows)
	for _, v := range s.Slots {
		fits = fits && len(v) == len(s.Rows)*width
	}
	for i, row := range s.Rows {
		fits = fits && row >= 0 && int(row) < rows && (i == 0 || row != s.Rows[i-1])
	}
	if !fits {
		return fmt.Errorf("nn: the training state's slots of %q are not those of %s for %d rows of %d", p.name, r.Name, rows, width)
	}
	if err := CheckSlots(r.Slots, s.Slots); err != nil {
		return fmt.Errorf("nn: the training state's slots of %q: %w", p.name, err)
	}
	return nil
}
