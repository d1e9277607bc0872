package nn_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
)

// resumes is a callback with a state to go on from.
type resumes struct {
	state *nn.TrainingState
	err   error
	panic bool
}

func (resumes) Kind() string { return "resumes" }

func (r resumes) Start(plan.Training) (plan.Handler, error) {
	return plan.Handler{
		Handle: func(plan.Event, plan.Training) error { return nil },
		Resume: func(context.Context) (*nn.TrainingState, error) {
			if r.panic {
				panic("resume")
			}
			return r.state, r.err
		},
	}, nil
}

// A callback's state takes the place of FitOptions.State, at each batch and epoch; Epochs keeps its default, and State is left
// as ever.
func TestCallbackResumes(t *testing.T) {
	for _, given := range []bool{false, true} {
		o := longRun()
		o.Epochs = 0 // one
		start := nn.TrainingState{}
		if given {
			first := o
			first.State = &start
			m := noisyText(t)
			_, err := m.Fit(t.Context(), someReviews(t), first)
			must(t, err)
			start.Weights = map[string][]float32{}
			for _, p := range m.Parameters() {
				start.Weights[p.Name()] = p.Values()
			}
		}
		// run goes on from start, as the same program does each time.
		run := func(callbacks ...nn.Callback) (*nn.Model, nn.TrainingState, []float64, []*nn.TrainingState) {
			o := o
			var state nn.TrainingState
			if given {
				e, err := start.Encode()
				must(t, err)
				s, err := plan.DecodeState(t.Context(), e)
				must(t, err)
				state = *s
			}
			o.State = &state
			var states []*nn.TrainingState
			o.Callbacks = append(callbacks, plan.CallbackFunc(func(e plan.Event, tr plan.Training) error {
				if tr.Context() != t.Context() {
					t.Error("callbacks have another context")
				}
				if e == plan.TrainBegin || e == plan.BatchDone || e == plan.EpochDone {
					s, err := tr.State()
					if err != nil {
						return err
					}
					states = append(states, s)
				}
				return nil
			}))
			m := noisyText(t)
			h, err := m.Fit(t.Context(), someReviews(t), o)
			must(t, err)
			return m, state, h.Values("loss"), states
		}
		m, left, losses, states := run()
		if len(states) < 4 {
			t.Fatalf("%d states", len(states))
		}
		for i, s := range states {
			s.From = "the file"
			got, state, again, _ := run(resumes{}, resumes{state: s})
			sameBits(t, "weights", got.Weights(nil), m.Weights(nil))
			if state.Epoch != left.Epoch || state.From != "" || state.Groups[0].Step != left.Groups[0].Step {
				t.Errorf("state %d: left %+v, want %+v", i, state, left)
			}
			if len(again) != len(losses) || again[len(again)-1] != losses[len(losses)-1] {
				t.Errorf("state %d: losses %v, want %v", i, again, losses)
			}
		}
	}
}

// A callback's state that does not fit is an error that says where it is from. The model and State stay as they were.
func TestCallbackResumesWrongly(t *testing.T) {
	o := longRun()
	var good *nn.TrainingState
	o.Callbacks = []nn.Callback{at(plan.BatchDone, 1, 1, func(tr plan.Training) (err error) {
		good, err = tr.State()
		return err
	})}
	_, _ = fitted(t, noisyText(t), someReviews(t), o)
	broken := errors.New("broken")
	changed := func(change func(s *nn.TrainingState)) nn.Callback {
		s := *good
		s.From = "FILE"
		change(&s)
		return resumes{state: &s}
	}
	for _, c := range []struct {
		callbacks []nn.Callback
		initial   int
		want      string
	}{
		{[]nn.Callback{resumes{state: good}, resumes{}, resumes{state: good}}, 0, "nn: the callbacks 0 (resumes) and 2 (resumes) both have a training state to go on from"},
		{[]nn.Callback{resumes{err: broken}}, 0, "broken"},
		{[]nn.Callback{resumes{panic: true}}, 0, "nn: panic"},
		{[]nn.Callback{changed(func(s *nn.TrainingState) { s.Version = 2 })}, 0, "nn: FILE: the training state has version 2"},
		{[]nn.Callback{changed(func(s *nn.TrainingState) { s.Batch = 10000 })}, 0, "nn: FILE: the training state goes on after 10000 batches"},
		{[]nn.Callback{changed(func(s *nn.TrainingState) { s.Epoch = 100 })}, 0, "nn: FILE: the training state goes on with epoch 101, and the last of this run is 3"},
		{[]nn.Callback{changed(func(*nn.TrainingState) {})}, 2, "nn: FILE: the training state goes on with epoch 2, before the first of this run, 3"},
		{[]nn.Callback{changed(func(s *nn.TrainingState) { s.Weights = map[string][]float32{} })}, 0, "nn: FILE: the training state has no weights of"},
		{[]nn.Callback{changed(func(s *nn.TrainingState) { s.Measured = nil })}, 0, "nn: FILE: the training state"},
		{[]nn.Callback{changed(func(s *nn.TrainingState) { s.Callbacks = []plan.HandlerState{{Kind: "other"}} })}, 0, "nn: FILE: the training state is of the callbacks"},
	} {
		m := noisyText(t)
		before := m.Weights(nil)
		run := o
		run.Callbacks, run.InitialEpoch, run.State = c.callbacks, c.initial, &nn.TrainingState{}
		_, err := m.Fit(t.Context(), someReviews(t), run)
		if err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("got  %v\nwant %s", err, c.want)
		}
		sameBits(t, "the weights", m.Weights(nil), before)
		if run.State.Version != 0 || run.State.Epoch != 0 || run.State.From != "" {
			t.Errorf("%v: the state has become %+v", err, run.State)
		}
	}
}
