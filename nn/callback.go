package nn

import (
	"errors"
	"fmt"

	"github.com/linnet-ml/linnet/history"
)

// Event is a point in a Fit at which callbacks are asked, as in Keras.
type Event uint8

// The events, in the order of a run. Validation at the end of an epoch has the Test events.
const (
	TrainBegin Event = iota
	EpochBegin
	BatchBegin
	BatchEnd
	TestBegin
	TestBatchBegin
	TestBatchEnd
	TestEnd
	EpochEnd
	TrainEnd
)

var eventNames = [...]string{"train begin", "epoch begin", "batch begin", "batch end", "test begin", "test batch begin",
	"test batch end", "test end", "epoch end", "train end"}

// String names the event: "epoch end".
func (e Event) String() string {
	if int(e) < len(eventNames) {
		return eventNames[e]
	}
	return fmt.Sprintf("Event(%d)", uint8(e))
}

// Callback is a spec of something that watches or steers training. Start makes what acts in one Fit, so one Callback
// may serve several.
type Callback interface {
	Start(t *Training) (Handler, error)
}

// Handler acts at the events of one Fit. An error ends the Fit, which returns it. TrainEnd comes also after a Fit that
// was stopped, but not after an error. A Handler that is also an io.Closer is closed when the Fit returns, whatever the
// reason; what that fails with is the Fit's error when there is no other.
type Handler interface {
	Handle(e Event, t *Training) error
}

// LossHandler is a Handler that decides how a Fit ends in which the loss of a batch is NaN or infinite; the first in the
// list does. Without one the Fit returns the LossError. The step is not taken, whatever it decides.
//
// When HandleLoss returns nil, the run is stopped: of the epoch under way come no more batches, but its validation and
// its logs, in which the loss is not finite. It gives the reason by Training.Stop. An error ends the Fit, which returns
// it.
type LossHandler interface {
	Handler
	HandleLoss(e *LossError, t *Training) error
}

// HandlerFunc is a function that acts as a Handler, and as a Callback without state.
type HandlerFunc func(e Event, t *Training) error

// Handle calls f.
func (f HandlerFunc) Handle(e Event, t *Training) error { return f(e, t) }

// Start returns f.
func (f HandlerFunc) Start(*Training) (Handler, error) { return f, nil }

// Training is a Fit that is under way, as callbacks see it.
type Training struct {
	model     *Model
	options   *FitOptions
	epoch     int
	step      int
	steps     int
	testSteps int
	logs      history.Logs
	update    *update
	stop      string
	history   *history.History
	logRate   bool
	snapshots []*Snapshot
	ended     bool
}

// Model is the model that trains.
func (t *Training) Model() *Model { return t.model }

// Epochs is the number of the last epoch, plus one.
func (t *Training) Epochs() int { return t.options.Epochs }

// InitialEpoch is the number of the first epoch.
func (t *Training) InitialEpoch() int { return t.options.InitialEpoch }

// Epoch is the number of the epoch under way, counted from 0.
func (t *Training) Epoch() int { return t.epoch }

// Step is the number of the batch under way in its epoch, or in the validation data, counted from 0.
func (t *Training) Step() int { return t.step }

// Steps is the number of batches in an epoch; 0 when it is not known yet: in the first epoch of a stream, until its end.
func (t *Training) Steps() int { return t.steps }

// TestSteps is the number of batches in the validation data; 0 when there is none, or before the end of a stream's first
// validation.
func (t *Training) TestSteps() int { return t.testSteps }

// Logs are the numbers so far: of the batches of the epoch so far at BatchEnd, of the whole epoch and the validation
// at EpochEnd. A callback may add to them at EpochEnd; History then has the addition.
func (t *Training) Logs() *history.Logs { return &t.logs }

// Direction tells which values of a logged number are better: lower for a loss, what the metric says for a metric.
func (t *Training) Direction(name string) history.Direction { return t.history.Direction(name) }

// LearningRate is the rate of the coming step.
func (t *Training) LearningRate() float32 { return t.update.coming() }

// Schedule is what the learning rate follows, nil where it is a constant.
func (t *Training) Schedule() Schedule { return t.update.schedule }

// SetLearningRate changes the rate from the coming step on. A negative or infinite rate or NaN is an error, and so is any
// rate where the optimizer follows a schedule.
func (t *Training) SetLearningRate(rate float32) error {
	if t.update.schedule != nil {
		return errors.New("nn: the learning rate follows the optimizer's schedule and cannot be set")
	}
	if err := checkRate(rate); err != nil {
		return err
	}
	t.update.rate = rate
	return nil
}

// LogLearningRate makes the Fit log "learning_rate", the rate of the coming step, behind the results of each epoch, before
// callbacks are asked at EpochEnd. It is for Callback.Start.
func (t *Training) LogLearningRate() { t.logRate = true }

// Stop ends the run after the epoch under way. History.Stopped gives the reason, "stopped" when there is none.
func (t *Training) Stop(reason string) {
	if reason == "" {
		reason = "stopped"
	}
	if t.stop == "" {
		t.stop = reason
	}
}
