package nn_test

import (
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optim"
)

// table is a schedule that is written down: the last rate is that of all later steps, too.
type table []float32

func (table) Kind() string { return "Table" }

func (table) Check() error { return nil }

func (s table) Rate(step int) float32 { return s[min(step, len(s)-1)] }

// A step has the rate of its number, over all runs of a state, as if a callback had set it.
func TestFitFollowsASchedule(t *testing.T) {
	schedule := table{0.5, 0.25, 0, 0.125, 1, 0.75, 0.0625, 2, 0.5, 0.25, 0.1, 0.2, 0.3}
	set := longRun()
	set.Optimizer = optim.SGD{Momentum: 0.9}
	step := 0
	set.Callbacks = []nn.Callback{plan.CallbackFunc(func(e plan.Event, tr plan.Training) error {
		if e == plan.BatchBegin {
			step++
			return tr.SetLearningRate(schedule.Rate(step - 1))
		}
		return nil
	})}
	_, want := fitted(t, smallText(t), someReviews(t), set)

	m := smallText(t)
	var rates, logged []float32
	var state nn.TrainingState
	for _, epochs := range [][2]int{{0, 1}, {1, 3}} {
		o := longRun()
		o.Optimizer, o.State, o.InitialEpoch, o.Epochs = optim.SGD{Momentum: 0.9, Schedule: schedule}, &state, epochs[0], epochs[1]
		o.Callbacks = []nn.Callback{watchRate{plan.CallbackFunc(func(e plan.Event, tr plan.Training) error {
			if e == plan.BatchBegin {
				rates = append(rates, tr.LearningRate())
			}
			return nil
		})}}
		h, err := m.Fit(t.Context(), someReviews(t), o)
		must(t, err)
		logged = logged[:0] // the history has the earlier run's
		for _, rate := range h.Values("learning_rate") {
			logged = append(logged, float32(rate))
		}
	}
	sameBits(t, "weights", m.Weights(nil), want)
	all := append(slices.Clone([]float32(schedule)), 0.3, 0.3)
	if !slices.Equal(rates, all) {
		t.Errorf("the rates were %v, want %v", rates, all)
	}
	// The end of an epoch logs the rate of the coming step.
	if want := []float32{all[5], all[10], 0.3}; !slices.Equal(logged, want) {
		t.Errorf("logged %v, want %v", logged, want)
	}
}

// watchRate has the rate logged.
type watchRate struct{ plan.CallbackFunc }

func (w watchRate) Start(tr plan.Training) (plan.Handler, error) {
	tr.LogLearningRate()
	return w.CallbackFunc.Start(tr)
}

// No callback can change a rate that follows a schedule.
func TestScheduleCannotBeSet(t *testing.T) {
	schedule := table{0.5}
	o := longRun()
	o.Optimizer = optim.Adam{Schedule: schedule}
	o.Callbacks = []nn.Callback{at(plan.BatchBegin, 0, 0, func(tr plan.Training) error {
		if tr.Schedule() == nil || tr.LearningRate() != 0.5 {
			t.Errorf("schedule %v, rate %v", tr.Schedule(), tr.LearningRate())
		}
		return tr.SetLearningRate(0.25)
	})}
	_, err := smallText(t).Fit(t.Context(), someReviews(t), o)
	wantError(t, err, "nn: the learning rate follows the optimizer's schedule and cannot be set")
}

// A rate that none can use ends the Fit with the weights before its step; at the start nothing happens at all.
func TestScheduleWithoutRate(t *testing.T) {
	for _, bad := range []float32{-1, float32(math.NaN()), float32(math.Inf(1))} {
		var last [][]float32
		m := smallText(t)
		o := longRun()
		o.Optimizer = optim.Adam{Schedule: table{0.5, 0.5, bad}}
		o.Callbacks = []nn.Callback{at(plan.BatchBegin, 0, 2, func(tr plan.Training) error { last = m.Weights(nil); return nil })}
		_, err := m.Fit(t.Context(), someReviews(t), o)
		if err == nil || last == nil {
			t.Fatalf("a rate of %v: %v", bad, err)
		}
		sameBits(t, err.Error(), m.Weights(nil), last)
		o.Optimizer = optim.Adam{Schedule: table{bad}}
		o.Callbacks = nil
		if _, err = m.Fit(t.Context(), someReviews(t), o); err == nil {
			t.Errorf("a rate of %v at the start is no error", bad)
		}
		sameBits(t, "weights", m.Weights(nil), last)
	}
	o := longRun()
	o.Optimizer = optim.Adam{Schedule: table{0.5, 0.5, -1}}
	_, err := smallText(t).Fit(t.Context(), someReviews(t), o)
	wantError(t, err, "nn: a learning rate of -1 in step 3")
}

// decides is a callback that is asked about a loss of NaN.
type decides struct {
	asked int
	err   error
}

func (d *decides) Kind() string { return "Decides" }

func (d *decides) Start(plan.Training) (plan.Handler, error) {
	return plan.Handler{
		Handle:     func(plan.Event, plan.Training) error { return nil },
		HandleLoss: func(*nn.LossError, plan.Training) error { d.asked++; return d.err },
	}, nil
}

// The first callback that can decides how a Fit ends whose loss is NaN.
func TestLossHandlers(t *testing.T) {
	broken := errors.New("broken")
	for _, first := range []*decides{{}, {err: broken}} {
		second := &decides{}
		m := smallText(t)
		before := m.Weights(nil)
		bad := m.Weights(nil)
		bad[0][0] = float32(math.NaN())
		for i := range bad[0] {
			bad[0][i] = bad[0][0]
		}
		must(t, m.SetStorage(m.Parameters()[0].Name(), plan.Float32Storage(bad[0])))
		o := longRun()
		o.Callbacks = []nn.Callback{first, second}
		h, err := m.Fit(t.Context(), someReviews(t), o)
		if !errors.Is(err, first.err) || first.asked != 1 || second.asked != 0 {
			t.Errorf("error %v, asked %d and %d times", err, first.asked, second.asked)
		}
		if first.err == nil && (h.Stopped != "stopped" || len(h.Epochs) != 1) {
			t.Errorf("stopped: %q after %d epochs", h.Stopped, len(h.Epochs))
		}
		sameBits(t, "weights that no step has changed", m.Weights(nil)[1:], before[1:])
	}
}
