package nn

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/nn/plan"
)

// training is a Fit that is under way, as callbacks see it.
type training struct {
	stepper
	ctx       context.Context
	options   *FitOptions
	epoch     int
	batch     int // in its epoch, or in the validation data
	trained   int // batches of the epoch that are done
	steps     int
	testSteps int
	testNames []string // of the results of validation
	logs      history.Logs
	stop      string
	history   *history.History
	logRate   bool
	snapshots []*snapshot
	handlers  []plan.Handler
	kinds     []string // of the handlers
	now       plan.Event
	ended     bool
}

var _ plan.Training = (*training)(nil)

func (t *training) Context() context.Context                { return t.ctx }
func (t *training) Model() plan.Model                       { return t.model }
func (t *training) Epochs() int                             { return t.options.Epochs }
func (t *training) InitialEpoch() int                       { return t.options.InitialEpoch }
func (t *training) Epoch() int                              { return t.epoch }
func (t *training) Step() int                               { return t.batch }
func (t *training) Steps() int                              { return t.steps }
func (t *training) TestSteps() int                          { return t.testSteps }
func (t *training) Logs() *history.Logs                     { return &t.logs }
func (t *training) History() *history.History               { return t.history }
func (t *training) Direction(name string) history.Direction { return t.history.Direction(name) }
func (t *training) LearningRate() float32                   { return t.update.groups[0].coming() }
func (t *training) Schedule() plan.Schedule                 { return t.update.groups[0].rule.Schedule }
func (t *training) LogLearningRate()                        { t.logRate = true }
func (t *training) Warn(format string, args ...any)         { t.warnings.add(format, args...) }

// Names in logs that are not for metrics.
const (
	rateLog     = "learning_rate" // where callbacks ask for the rate
	epochColumn = "epoch"         // of files: History.WriteCSV, CSVLogger
)

func (t *training) LogNames() []string {
	names := slices.Concat(t.results.names, t.testNames)
	if t.logRate {
		names = append(names, rateLog)
	}
	return names
}

func (t *training) SetLearningRate(rate float32) error {
	main := t.update.groups[0]
	if main.rule.Schedule != nil {
		return errors.New("nn: the learning rate follows the optimizer's schedule and cannot be set")
	}
	if err := checkRate(rate); err != nil {
		return err
	}
	for _, g := range t.update.groups[1:] {
		switch {
		case main.rate > 0:
			g.rate = float32(float64(g.rate) * (float64(rate) / float64(main.rate)))
		case main.rule.Rate > 0: // the ratio of the rates went with the rate
			g.rate = float32(float64(g.rule.Rate) * (float64(rate) / float64(main.rule.Rate)))
		}
	}
	main.rate = rate
	return nil
}

func (t *training) Stop(reason string) {
	if reason == "" {
		reason = "stopped"
	}
	if t.stop == "" {
		t.stop = reason
	}
}

// tell tells all callbacks of an event.
func (t *training) tell(e plan.Event) (err error) {
	defer recovering(&err)
	t.now = e
	for i := range t.handlers {
		if err := t.handlers[i].Handle(e, t); err != nil {
			return err
		}
	}
	return nil
}

// closeHandlers lets the handlers that hold something give it back, all of them, and returns the first error.
func (t *training) closeHandlers() error {
	var first error
	for i := range t.handlers {
		if err := t.closeHandler(i); err != nil && first == nil {
			first = err
		}
	}
	return first
}

func (t *training) closeHandler(i int) (err error) {
	defer recovering(&err)
	if t.handlers[i].Close == nil {
		return nil
	}
	return t.handlers[i].Close()
}

// start starts the callbacks.
func (t *training) start(callbacks []Callback) (err error) {
	defer recovering(&err)
	for i, c := range callbacks {
		if isNil(c) {
			return fmt.Errorf("nn: callback %d is nil", i)
		}
		h, err := c.Start(t)
		if err != nil {
			return err
		}
		if h.Handle == nil {
			return fmt.Errorf("nn: callback %d (%s) has no Handle", i, c.Kind())
		}
		t.handlers, t.kinds = append(t.handlers, h), append(t.kinds, c.Kind())
	}
	return nil
}

// resumed asks the handlers for a state to go on from, and returns nil when there is none.
func (t *training) resumed(ctx context.Context) (found *TrainingState, err error) {
	defer recovering(&err)
	by := 0
	for i := range t.handlers {
		if t.handlers[i].Resume == nil {
			continue
		}
		s, err := t.handlers[i].Resume(ctx)
		if err != nil {
			return nil, err
		}
		if s != nil && found != nil {
			return nil, fmt.Errorf("nn: the callbacks %d (%s) and %d (%s) both have a training state to go on from", by, t.kinds[by], i, t.kinds[i])
		}
		if s != nil {
			found, by = s, i
		}
	}
	return found, nil
}

// loadHandlers gives the callbacks what they remember of the run that this one goes on from.
func (t *training) loadHandlers() (err error) {
	defer recovering(&err)
	kept := t.state.Callbacks
	if len(kept) == 0 {
		return nil
	}
	next := 0
	for i := range t.handlers {
		if t.handlers[i].Save == nil || t.handlers[i].Load == nil {
			continue
		}
		if next >= len(kept) || kept[next].Kind != t.kinds[i] {
			return fmt.Errorf("nn: the training state is of the callbacks %q, and this run has %q", kindsOf(kept), t.kinds)
		}
		if err := t.handlers[i].Load(kept[next]); err != nil {
			return err
		}
		next++
	}
	if next < len(kept) {
		return fmt.Errorf("nn: the training state is of the callbacks %q, and this run has %q", kindsOf(kept), t.kinds)
	}
	return nil
}

func kindsOf(states []plan.HandlerState) []string {
	var kinds []string
	for _, s := range states {
		kinds = append(kinds, s.Kind)
	}
	return kinds
}

// saveHandlers returns what the callbacks remember.
func (t *training) saveHandlers() (all []plan.HandlerState, err error) {
	defer recovering(&err)
	for i := range t.handlers {
		if t.handlers[i].Save == nil || t.handlers[i].Load == nil {
			continue
		}
		s, err := t.handlers[i].Save()
		if err != nil {
			return nil, err
		}
		s.Kind = t.kinds[i]
		all = append(all, s)
	}
	return all, nil
}

// note brings the state up to date but for the weights.
func (t *training) note(epoch, batch int) error {
	s := t.state
	t.update.save()
	s.Epoch, s.Batch, s.Measured = epoch, batch, nil
	s.History, s.Stopped = t.history, ""
	var err error
	s.Callbacks, err = t.saveHandlers()
	return err
}

func (t *training) State() (*TrainingState, error) {
	var err error
	switch t.now {
	case plan.TrainBegin: // nothing has changed since the state that the run goes on from
		if err = t.note(t.epoch, t.trained); t.trained > 0 {
			t.state.Measured = t.results.sums()
		}
	case plan.BatchDone:
		if err = t.update.settle(); err == nil {
			err = t.note(t.epoch, t.batch+1)
		}
		t.state.Measured = t.results.sums()
	case plan.EpochDone:
		err = t.note(t.epoch+1, 0)
	default:
		return nil, fmt.Errorf("nn: a state is complete at train begin, batch done and epoch done, not at %v", t.now)
	}
	if err != nil {
		return nil, err
	}
	t.state.Stopped = t.stop
	return t.copyState(), nil
}

// copyState copies the state and the weights: training goes on in the memory of the one that it has.
func (t *training) copyState() *TrainingState {
	c := cloneState(t.state)
	c.From = ""
	c.History = t.history.Clone()
	for name, slots := range c.Slots {
		own := make([][]float32, len(slots))
		for i := range slots {
			own[i] = slices.Clone(slots[i])
		}
		c.Slots[name] = own
	}
	for name, values := range c.Averages {
		c.Averages[name] = slices.Clone(values)
	}
	c.Weights = t.model.weightsByName()
	return &c
}
