package plan

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/linnet-ml/linnet/history"
)

// Event is a point in a training run at which callbacks are asked, as in Keras.
type Event uint8

// The events, in the order of a run. Validation at the end of an epoch has the Test events. Where all callbacks must have
// had their turn before, there is a Done event.
const (
	TrainBegin Event = iota
	EpochBegin
	BatchBegin
	BatchEnd
	// BatchDone comes after all callbacks have had their turn at BatchEnd: Training.State is complete.
	BatchDone
	TestBegin
	TestBatchBegin
	TestBatchEnd
	TestEnd
	EpochEnd
	// EpochDone comes after all callbacks have had their turn at EpochEnd, and History has the epoch.
	EpochDone
	TrainEnd
	// TrainDone comes after all callbacks have had their turn at TrainEnd: nothing is left to do.
	TrainDone
)

var eventNames = [...]string{"train begin", "epoch begin", "batch begin", "batch end", "batch done", "test begin", "test batch begin",
	"test batch end", "test end", "epoch end", "epoch done", "train end", "train done"}

// String names the event: "epoch end".
func (e Event) String() string {
	if int(e) < len(eventNames) {
		return eventNames[e]
	}
	return fmt.Sprintf("Event(%d)", uint8(e))
}

// Callback is a spec of something that watches or steers training. Start makes what acts in one run, so one Callback
// may serve several.
type Callback interface {
	Spec
	Start(t Training) (Handler, error)
}

// Handler acts in one training run. Only Handle is required.
type Handler struct {
	// Handle is called at the events of the run. An error ends the run, which returns it. TrainEnd and TrainDone come also
	// after a run that was stopped, but not after an error.
	Handle func(e Event, t Training) error

	// HandleLoss decides how a run ends in which the loss of a batch is NaN or infinite; the first in the list that has it
	// does. Without one Fit returns the LossError. The step is not taken, whatever it decides. When it returns nil, the run
	// is stopped: of the epoch under way come no more batches, but its validation and its logs, in which the loss is not
	// finite. It gives the reason by Training.Stop. An error ends the run, which returns it.
	HandleLoss func(e *LossError, t Training) error

	// Save returns what the handler must remember to go on in another run as if there had been one, and Load takes it. A
	// handler without them has nothing to remember. Load comes after Start and before TrainBegin.
	Save func() (HandlerState, error)
	Load func(s HandlerState) error

	// Resume returns the state that the run goes on from, weights included, in place of FitOptions.State, or nil when the
	// handler knows of none. Fit asks all handlers, in their order, after all have started and before any Load. Two
	// that return a state are an error. Fit checks the state as it checks FitOptions.State.
	Resume func(ctx context.Context) (*TrainingState, error)

	// Close is called when the run returns, whatever the reason. What it fails with is the run's error when there is no
	// other.
	Close func() error
}

// HandlerState is what a callback remembers from one run to the next that goes on from it.
type HandlerState struct {
	// Kind is the callback's.
	Kind string `json:"kind"`
	// Values are small things; their form is the callback's own.
	Values json.RawMessage `json:"values,omitempty"`
	// Weights, if not nil, are the elements of parameters by their names: those of the best epoch.
	Weights map[string][]float32 `json:"-"`
}

// CallbackFunc is a function that acts as a callback without state. It is not a spec that can be saved.
type CallbackFunc func(e Event, t Training) error

// Kind is "CallbackFunc".
func (f CallbackFunc) Kind() string { return "CallbackFunc" }

// Start returns f.
func (f CallbackFunc) Start(Training) (Handler, error) { return Handler{Handle: f}, nil }

// Training is a run that is under way, as callbacks see it. It is good while the run lasts, in its goroutine.
type Training interface {
	// Context is the context of the run: what takes long in a handler honours it.
	Context() context.Context
	// Model is the model that trains.
	Model() Model

	// Epochs is the number of epochs once the run has ended, InitialEpoch included. InitialEpoch is the first epoch of the
	// run and Epoch the current one, both counted from 0.
	Epochs() int
	InitialEpoch() int
	Epoch() int
	// Step is the number of the batch under way in its epoch, or in the validation data, counted from 0. Steps is the
	// number of batches in an epoch; 0 when it is not known yet, which is so in the first epoch of a stream until its end.
	Step() int
	Steps() int
	// TestSteps is the number of batches in the validation data; 0 when there is none, or before the end of a stream's
	// first validation.
	TestSteps() int

	// Logs are the numbers so far: of the batches of the epoch so far at BatchEnd, of the whole epoch and the validation at
	// EpochEnd. A callback may add to them at EpochEnd; History then has the addition.
	Logs() *history.Logs
	// LogNames are the names that the run itself logs at the end of an epoch, in order: "loss", the metrics, and with
	// validation data "val_loss" and so on. Known from Callback.Start on. What callbacks add is not among them.
	LogNames() []string
	// History is what earlier epochs logged, including the epochs of the run that this one goes on from.
	History() *history.History
	// Direction tells which values of a logged number are better: lower for a loss, what the metric says for a metric.
	Direction(name string) history.Direction

	// LearningRate is the rate of the coming step. Schedule is what it follows, nil where it is a constant.
	LearningRate() float32
	Schedule() Schedule
	// SetLearningRate changes the rate from the coming step on. A negative or infinite rate or NaN is an error, and so is
	// any rate where the optimizer follows a schedule. Groups of parameters with an optimizer of their own follow in
	// proportion, unless a schedule decides theirs.
	SetLearningRate(rate float32) error
	// LogLearningRate makes the run log "learning_rate", the rate of the coming step, after the results of each epoch,
	// before callbacks are asked at EpochEnd. It is for Callback.Start.
	LogLearningRate()

	// Warn tells the user, by FitOptions.Warn, of a setting that runs but is probably a mistake, each text once. It may be
	// called from Callback.Start on; the user is told before the first epoch, or after the epoch under way.
	Warn(format string, args ...any)

	// Stop ends the run after the epoch under way. History.Stopped gives the reason, "stopped" when there is none.
	Stop(reason string)

	// Snapshot remembers the model's weights as they are now. It uses the memory of old, an earlier snapshot that is no
	// longer needed or nil, again. Of a large table it holds only the rows that had moved by then.
	Snapshot(old Snapshot) Snapshot
	// SnapshotOf makes a snapshot of weights that Snapshot.Weights returned, perhaps in an earlier run.
	SnapshotOf(weights map[string][]float32) (Snapshot, error)
	// Restore gives the model the weights of a snapshot of this run, to the bit; it does not change the optimizer's slots. At
	// TrainEnd it may still be called, later it is an error.
	Restore(s Snapshot) error

	// State returns all that another run needs to go on from here as if there had been one, in memory of its own. It is
	// for TrainBegin, BatchDone and EpochDone; at other events it is an error.
	State() (*TrainingState, error)
}

// Snapshot is what the weights of a model were at a moment of a run.
type Snapshot interface {
	// Weights returns the elements of all parameters by name. They are a copy.
	Weights() map[string][]float32
}

// Model is a built model as callbacks see it. It is the *nn.Model that trains.
type Model interface {
	// Name is the model's name: "sequential".
	Name() string
	// Parameters returns the model's parameters in the order of its layers.
	Parameters() []*Parameter
	// Parameter returns the parameter of the given name ("dense/kernel"), or nil.
	Parameter(name string) *Parameter
	// Weights returns a copy of all parameters' elements, in the order of Parameters, in the memory of old, an earlier
	// result or nil; SetWeights copies such values into the model.
	Weights(old [][]float32) [][]float32
	SetWeights(values [][]float32) error
}
