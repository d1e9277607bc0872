package nn_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optim"
)

// goOn trains a new model from a state and the weights of an earlier run, if they are given.
func goOn(t *testing.T, m *nn.Model, weights [][]float32, state *nn.TrainingState, d nn.Source, o nn.FitOptions) [][]float32 {
	t.Helper()
	if weights != nil {
		must(t, m.SetWeights(weights))
	}
	o.State = state
	_, err := m.Fit(t.Context(), d, o)
	must(t, err)
	return m.Weights(nil)
}

// At its end a run gives the model the moving averages. One that goes on goes on from the weights, not from these, also
// where an epoch ends between two steps.
func TestResumedAveragesAreExact(t *testing.T) {
	for _, shared := range []optim.Shared{{Average: true}, {Average: true, AverageEvery: 4}, {AccumulateSteps: 3}, {Average: true, AccumulateSteps: 3}} {
		o := longRun()
		o.Optimizer = optim.Adam{LearningRate: 0.02, Shared: shared}
		_, whole := fitted(t, noisyText(t), someReviews(t), o)
		m, state := noisyText(t), nn.TrainingState{}
		o.State, o.Epochs = &state, 2
		_, err := m.Fit(t.Context(), someReviews(t), o)
		must(t, err)
		if (state.Weights != nil) != shared.Average {
			t.Errorf("%+v: the state has the weights %v", shared, state.Weights)
		}
		o.Epochs = 3
		sameBits(t, fmt.Sprintf("%+v", shared), goOn(t, noisyText(t), m.Weights(nil), &state, someReviews(t), o), whole)
	}
}

// At the end of training callbacks see the moving averages, and what they then restore stays.
func TestAveragesBeforeTrainEnd(t *testing.T) {
	o := longRun()
	o.Optimizer = optim.Adam{LearningRate: 0.02, Shared: optim.Shared{Average: true}}
	_, averages := fitted(t, noisyText(t), someReviews(t), o)
	var first plan.Snapshot
	var then [][]float32
	o.Callbacks = []nn.Callback{plan.CallbackFunc(func(e plan.Event, tr plan.Training) error {
		switch {
		case e == plan.EpochEnd && tr.Epoch() == 0:
			first, then = tr.Snapshot(nil), tr.Model().Weights(nil)
		case e == plan.TrainEnd:
			sameBits(t, "at train end", tr.Model().Weights(nil), averages)
			return tr.Restore(first)
		}
		return nil
	})}
	_, weights := fitted(t, noisyText(t), someReviews(t), o)
	sameBits(t, "restored", weights, then)
}

// A run that was stopped in an epoch ends with it, whether it goes on in one run or from a state of that epoch.
func TestResumedStop(t *testing.T) {
	o := longRun()
	var state *nn.TrainingState
	stop := plan.CallbackFunc(func(e plan.Event, tr plan.Training) (err error) {
		if tr.Epoch() == 1 && tr.Step() == 2 {
			switch e {
			case plan.BatchEnd:
				tr.Stop("enough")
			case plan.BatchDone:
				state, err = tr.State()
			}
		}
		return err
	})
	o.Callbacks = []nn.Callback{stop}
	m := noisyText(t)
	h, err := m.Fit(t.Context(), someReviews(t), o)
	must(t, err)
	// So does one that an error ended after that.
	broken, left := errors.New("broken"), nn.TrainingState{}
	fails := o
	fails.State = &left
	fails.Callbacks = append(fails.Callbacks, at(plan.BatchDone, 1, 3, func(plan.Training) error { return broken }))
	half := noisyText(t)
	if _, err := half.Fit(t.Context(), someReviews(t), fails); err != broken {
		t.Fatal(err)
	}
	left.Weights = map[string][]float32{}
	for _, p := range half.Parameters() {
		left.Weights[p.Name()] = p.Values()
	}
	o.Callbacks = nil
	for _, o.State = range []*nn.TrainingState{state, &left} {
		other := noisyText(t)
		again, err := other.Fit(t.Context(), someReviews(t), o)
		must(t, err)
		sameBits(t, "weights", other.Weights(nil), m.Weights(nil))
		if again.Stopped != "enough" || !slices.Equal(again.Epochs, h.Epochs) || !slices.Equal(again.Values("val_loss"), h.Values("val_loss")) {
			t.Errorf("stopped for %q after the epochs %v, validation %v; want those of one run, %v, %v", again.Stopped, again.Epochs,
				again.Values("val_loss"), h.Epochs, h.Values("val_loss"))
		}
	}
}

// Gradients of a large table that wait for a step go on with the run, and their mean has the bits of any other
// parameter's.
func TestLargeTableAccumulates(t *testing.T) {
	for _, threads := range []int{1, 3} {
		options := newRowsOptions(optim.SGD{LearningRate: 0.5, Momentum: 0.9, Shared: optim.Shared{AccumulateSteps: 5}}, threads)
		options.Epochs = 2
		m := largeText(t)
		_, err := m.Fit(t.Context(), newRows(t, 3), options)
		must(t, err)

		half, state := largeText(t), nn.TrainingState{}
		first := options
		first.State, first.Epochs = &state, 1
		_, err = half.Fit(t.Context(), newRows(t, 3), first)
		must(t, err)
		if state.Accumulated != 4 {
			t.Errorf("%d batches wait, want 4", state.Accumulated)
		}
		sameBits(t, "in two runs", goOn(t, largeText(t), half.Weights(nil), &state, newRows(t, 3), options), m.Weights(nil))

		// With moving averages the table is kept as a whole; the weights are the same.
		options.Optimizer = optim.SGD{LearningRate: 0.5, Momentum: 0.9, Shared: optim.Shared{AccumulateSteps: 5, Average: true}}
		var raw *nn.TrainingState
		options.Callbacks = []nn.Callback{plan.CallbackFunc(func(e plan.Event, tr plan.Training) (err error) {
			if e == plan.EpochDone && tr.Epoch() == 1 {
				raw, err = tr.State()
			}
			return err
		})}
		dense := largeText(t)
		_, err = dense.Fit(t.Context(), newRows(t, 3), options)
		must(t, err)
		for _, p := range m.Parameters() {
			equalBits(t, p.Name(), raw.Weights[p.Name()], p.Values())
		}
	}
}
