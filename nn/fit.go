package nn

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/internal/random"
	"github.com/linnet-ml/linnet/optional"
)

// FitOptions are the settings of Fit. Optimizer and Loss are required.
type FitOptions struct {
	Optimizer Optimizer
	Loss      Loss
	Metrics   []Metric
	// WeightedMetrics are metrics that class and sample weights weigh; Metrics disregard them.
	WeightedMetrics []Metric

	// Epochs is the number of the last epoch, plus one; 1 by default.
	Epochs int
	// InitialEpoch is the number of the first epoch, counted from 0.
	InitialEpoch int
	// BatchSize is how many rows make a step, 32 by default. The last batch of an epoch may be short. A Data.Stream makes
	// its own batches.
	BatchSize int

	// Validation is data to evaluate after each epoch.
	Validation *Data
	// ValidationSplit, between 0 and 1, sets the last part of the data apart for validation, before any shuffle.
	ValidationSplit float64
	// ValidationBatchSize is BatchSize by default.
	ValidationBatchSize int

	// NoShuffle keeps the rows in their order. By default each epoch has an order of its own.
	NoShuffle bool
	// Order, when given, decides the order of an epoch: the numbers of the rows, as many as there are to train on.
	Order func(epoch int) []int32

	// ClassWeight weighs the losses of the rows to train on, not of validation, by their label, rounded where it is no
	// whole number; a label that is not in it has weight 1. Of labels with several columns the largest one's number
	// counts. It cannot go together with Data.Weights.
	ClassWeight map[int]float32

	// Seed decides the order of rows and the noise of layers such as Dropout. The default is the seed that the model
	// was built with.
	Seed optional.Value[uint64]
	// Threads is how many workers share a step; 0 decides by itself. It changes no bit of the result.
	Threads int
	// NoFusion runs the layers as they were written, one after another. It changes results by rounding.
	NoFusion bool

	Callbacks []Callback
	// State, when given, is where the optimizer goes on from, and is left as the run left it.
	State *TrainingState
}

// LossError reports that the loss of a batch was NaN or infinite. The step was not taken: the weights are those before
// it.
type LossError struct {
	Epoch, Step int // counted from 0
	Loss        float64
}

func (e *LossError) Error() string {
	return fmt.Sprintf("nn: the loss is %v at epoch %d, step %d (counted from 0); the weights are those before this step", e.Loss, e.Epoch, e.Step)
}

// Fit trains the model. It returns what was logged, also when an error, a cancelled context among them, ends it early:
// then the weights are those after the last whole step. Logged losses weigh each row alike, so that a short last batch
// counts in proportion; like Keras they are means over the epoch, during which the weights change.
//
// From one seed a Fit gives the same bits on every machine and with any number of threads. A model trains in one Fit at
// a time; another that begins meanwhile, be it in a callback, is an error.
func (m *Model) Fit(ctx context.Context, d Data, o FitOptions) (*history.History, error) {
	if !m.training.CompareAndSwap(false, true) {
		return &history.History{}, errors.New("nn: another Fit of the model is under way")
	}
	defer m.training.Store(false)
	wantsState := o.State != nil
	given := o.State.clone()
	r, err := m.newRun(ctx, d, &o)
	if err != nil {
		if wantsState {
			*o.State = given
		}
		return &history.History{}, err
	}
	defer r.team.end()
	defer r.feed.end()
	defer r.training.end()
	settle := func() { r.exec.update.settle(r.team) }
	m.settle = settle
	defer func() { m.settle = nil }()
	err = r.run(ctx)
	settle()
	if wantsState {
		r.exec.update.save()
	}
	if e := r.closeHandlers(); err == nil {
		err = e
	}
	return r.training.history, err
}

// run is one Fit.
type run struct {
	options  *FitOptions
	team     *team
	training Training
	handlers []Handler
	exec     *executor
	feed     *feed
	results  *measured
	test     *executor // nil without validation
	testFeed *feed
	tested   *measured
	names    []string // of the results of validation
	order    []int32
	lost     bool // the loss was not finite, and a callback has stopped the run
}

func (m *Model) newRun(ctx context.Context, d Data, o *FitOptions) (_ *run, err error) {
	if err := o.check(d); err != nil {
		return nil, err
	}
	p := &m.fused
	if o.NoFusion {
		p = &m.plain
	}
	r := &run{options: o}
	defer func() {
		if err != nil {
			r.giveBack()
		}
	}()
	if r.feed, err = m.newFeed(ctx, p, d, o.Loss, o.BatchSize, o.InitialEpoch, false); err != nil {
		return nil, err
	}
	test, err := m.validation(ctx, p, r.feed.data, o)
	if err != nil {
		return nil, err
	}
	if o.ValidationSplit > 0 {
		test = &feed{model: m, plan: p, loss: o.Loss, batch: o.ValidationBatchSize}
		if r.feed.data, test.data, err = r.feed.data.split(o.ValidationSplit); err != nil {
			return nil, err
		}
	}
	r.feed.classes = o.ClassWeight
	if err := r.feed.weigh(); err != nil {
		return nil, err
	}
	data := r.feed.data
	if r.results, err = startMetrics(p, data, o.Metrics, o.WeightedMetrics, o.Loss); err != nil {
		return nil, err
	}
	w := m.workspace(p)
	w.training = true
	w.random = o.Seed.Or(m.seed)
	if err := w.layout(m.values, data.signature()); err != nil {
		return nil, err
	}
	workers := r.feed.threads(o.Threads)
	u, err := newUpdate(o.Optimizer, o.State, p, m.params, workers, data, r.feed.rows())
	if err != nil {
		return nil, err
	}
	r.training = Training{model: m, options: o, update: u, history: &history.History{}, steps: r.feed.steps()}
	r.team = newTeam(workers)
	r.exec = newExecutor(w, r.team, data, o.Loss, u)
	if test != nil {
		if err := r.newTest(m, p, test); err != nil {
			return nil, err
		}
	}
	r.directions()
	for i, c := range o.Callbacks {
		if c == nil {
			return nil, fmt.Errorf("nn: callback %d is nil", i)
		}
		h, err := c.Start(&r.training)
		if err != nil {
			return nil, err
		}
		r.handlers = append(r.handlers, h)
	}
	return r, nil
}

// giveBack ends what a run that does not begin has begun. What went wrong is known already.
func (r *run) giveBack() {
	if r.feed != nil {
		r.feed.end()
	}
	if r.team != nil {
		r.team.end()
	}
	r.closeHandlers()
	if r.training.model != nil {
		r.training.end()
	}
}

// check refuses settings out of range, and fills in the defaults.
func (o *FitOptions) check(d Data) error {
	switch {
	case d.Stream != nil && (o.BatchSize != 0 || o.Order != nil || o.ValidationSplit != 0):
		return errors.New("nn: BatchSize, Order and ValidationSplit have no say over a stream, which makes its own batches")
	case o.Optimizer == nil:
		return errors.New("nn: Fit needs an optimizer")
	case o.Loss == nil:
		return errors.New("nn: Fit needs a loss")
	case o.Epochs < 0 || o.InitialEpoch < 0 || o.BatchSize < 0 || o.ValidationBatchSize < 0:
		return fmt.Errorf("nn: Epochs %d, InitialEpoch %d, BatchSize %d and ValidationBatchSize %d must not be negative",
			o.Epochs, o.InitialEpoch, o.BatchSize, o.ValidationBatchSize)
	case !(o.ValidationSplit >= 0 && o.ValidationSplit < 1):
		return fmt.Errorf("nn: a validation split of %v is not in [0, 1)", o.ValidationSplit)
	case o.Validation != nil && o.ValidationSplit > 0:
		return errors.New("nn: Validation and ValidationSplit cannot go together")
	case o.Order != nil && o.NoShuffle:
		return errors.New("nn: Order and NoShuffle cannot go together")
	}
	if err := o.Optimizer.Check(); err != nil {
		return err
	}
	if err := checkRate(o.Optimizer.Rate()); err != nil {
		return err
	}
	if o.Epochs == 0 {
		o.Epochs = 1
	}
	if o.BatchSize == 0 {
		o.BatchSize = defaultBatch
	}
	if o.ValidationBatchSize == 0 {
		o.ValidationBatchSize = o.BatchSize
	}
	if o.State == nil {
		o.State = &TrainingState{}
	}
	return nil
}

func ceilDiv(a, b int) int { return (a-1)/b + 1 }

// classWeights gives each row of d, which starts with row 0 of its data, the weight of its label: of its number, rounded
// as Keras does (data_adapter_utils.class_weight_to_sample_weights), or of the place of its largest element.
func classWeights(d *dataset, classes map[int]float32) ([]float32, error) {
	for c, v := range classes {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return nil, fmt.Errorf("nn: the weight of class %d is %v", c, v)
		}
	}
	weights := make([]float32, d.n)
	for i := range weights {
		row := d.labels[i*d.labelWidth : (i+1)*d.labelWidth]
		class := 0
		if len(row) == 1 {
			class = int(math.RoundToEven(float64(row[0])))
		}
		for k, v := range row[min(1, len(row)):] {
			if v > row[class] {
				class = k + 1
			}
		}
		weights[i] = 1
		if v, ok := classes[class]; ok {
			weights[i] = v
		}
	}
	return weights, nil
}

// validation prepares the validation data that was given apart.
func (m *Model) validation(ctx context.Context, p *plan, d *dataset, o *FitOptions) (*feed, error) {
	if o.Validation == nil {
		return nil, nil
	}
	test, err := m.newFeed(ctx, p, *o.Validation, o.Loss, o.ValidationBatchSize, 0, false)
	if err != nil {
		return nil, &placedError{"validation data", err}
	}
	test.validation = true
	test.end() // a stream begins anew at each epoch's end
	if test.data.labelWidth != d.labelWidth {
		return nil, fmt.Errorf("nn: validation labels have %d columns, those to train on %d", test.data.labelWidth, d.labelWidth)
	}
	return test, nil
}

// newTest makes what evaluates the validation data, on the same workers.
func (r *run) newTest(m *Model, p *plan, from *feed) error {
	o, data := r.options, from.data
	r.testFeed = from
	w := m.workspace(p)
	if err := w.layout(m.values, data.signature()); err != nil {
		return err
	}
	var err error
	if r.tested, err = startMetrics(p, data, o.Metrics, o.WeightedMetrics, o.Loss); err != nil {
		return err
	}
	r.test = newExecutor(w, r.team, data, o.Loss, nil)
	for _, name := range r.tested.names {
		if slices.Contains(r.tested.names, "val_"+name) {
			return fmt.Errorf("nn: two logs are named %q", "val_"+name)
		}
		r.names = append(r.names, "val_"+name)
	}
	r.training.testSteps = from.steps()
	return nil
}

// directions notes, for the History and the callbacks, which logs are better lower or higher.
func (r *run) directions() {
	h := r.training.history
	h.SetDirection("loss", history.LowerIsBetter)
	h.SetDirection("val_loss", history.LowerIsBetter)
	for _, list := range [][]Metric{r.options.Metrics, r.options.WeightedMetrics} {
		for _, metric := range list {
			if x, ok := metric.(DirectedMetric); ok {
				h.SetDirection(metric.Name(), x.Direction())
				h.SetDirection("val_"+metric.Name(), x.Direction())
			}
		}
	}
}

func (r *run) tell(e Event) error {
	for _, h := range r.handlers {
		if err := h.Handle(e, &r.training); err != nil {
			return err
		}
	}
	return nil
}

// closeHandlers lets the handlers that hold something give it back, all of them, and returns the first error.
func (r *run) closeHandlers() error {
	var first error
	for _, h := range r.handlers {
		if c, ok := h.(io.Closer); ok {
			if err := c.Close(); err != nil && first == nil {
				first = err
			}
		}
	}
	return first
}

func (r *run) run(ctx context.Context) error {
	t := &r.training
	if err := r.tell(TrainBegin); err != nil {
		return err
	}
	for t.epoch = r.options.InitialEpoch; t.epoch < r.options.Epochs && t.stop == ""; t.epoch++ {
		if err := r.epoch(ctx); err != nil {
			return err
		}
	}
	t.history.Stopped = t.stop
	return r.tell(TrainEnd)
}

func (r *run) epoch(ctx context.Context) error {
	t := &r.training
	t.step = 0
	t.logs.Reset()
	if err := r.shuffle(); err != nil {
		return err
	}
	if err := r.feed.begin(ctx, t.epoch, r.order); err != nil {
		return err
	}
	defer r.feed.end()
	if err := r.tell(EpochBegin); err != nil {
		return err
	}
	r.results.reset()
	for ; ; t.step++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		data, rows, err := r.feed.take()
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			break
		}
		if err := r.tell(BatchBegin); err != nil {
			return err
		}
		err = r.trainStep(data, rows)
		if e, ok := err.(*LossError); ok {
			err = r.handleLoss(e)
		}
		if err != nil {
			return err
		}
		r.results.log(&t.logs, r.results.names)
		if err := r.tell(BatchEnd); err != nil {
			return err
		}
		if r.lost {
			break
		}
	}
	r.exec.update.settle(r.team)
	if r.feed.stream != nil && (t.steps == 0 || !r.lost) {
		t.steps = max(1, t.step)
	}
	if r.test != nil {
		if err := r.validate(ctx); err != nil {
			return err
		}
	}
	if t.logRate {
		t.logs.Set("learning_rate", float64(t.LearningRate()))
	}
	// Callbacks may add to the logs before History keeps them: ReduceLROnPlateau, a test set of one's own.
	if err := r.tell(EpochEnd); err != nil {
		return err
	}
	t.history.Append(t.epoch, &t.logs)
	return nil
}

// shuffle puts the rows into the epoch's order.
func (r *run) shuffle() error {
	d, o := r.feed.data, r.options
	epoch := r.training.epoch
	if r.feed.stream != nil {
		return nil
	}
	if o.Order != nil {
		order := o.Order(epoch)
		if len(order) != d.n {
			return fmt.Errorf("nn: the order of epoch %d has %d rows in place of %d", epoch, len(order), d.n)
		}
		for i, row := range order {
			if row < 0 || int(row) >= d.n {
				return fmt.Errorf("nn: the order of epoch %d has row %d at place %d; there are %d rows to train on", epoch, row, i, d.n)
			}
		}
		r.order = append(r.order[:0], order...)
		return nil
	}
	r.order = consecutive(r.order, d.lo, d.n)
	if !o.NoShuffle {
		random.New(r.exec.ws.random, random.Shuffle, uint64(epoch)).Shuffle(r.order)
	}
	return nil
}

func (r *run) trainStep(data *dataset, rows []int32) error {
	t, e := &r.training, r.exec
	if err := e.bind(data); err != nil {
		return err
	}
	e.ws.step = uint64(r.options.State.Step)
	if err := e.run(rows); err != nil {
		return err
	}
	if loss := r.results.add(e); !finite(loss) {
		return &LossError{Epoch: t.epoch, Step: t.step, Loss: loss}
	}
	if err := e.update.begin(); err != nil {
		return err
	}
	for _, phase := range e.trainFns {
		e.team.run(phase)
	}
	e.update.ended()
	if len(e.update.steps) >= mostSteps {
		e.update.settle(e.team)
	}
	return nil
}

// handleLoss lets the callbacks decide about a step that was not taken. Without an error the run is stopped.
func (r *run) handleLoss(e *LossError) error {
	for _, h := range r.handlers {
		if by, ok := h.(LossHandler); ok {
			if err := by.HandleLoss(e, &r.training); err != nil {
				return err
			}
			r.lost = true
			r.training.Stop("")
			return nil
		}
	}
	return e
}

func (r *run) validate(ctx context.Context) error {
	t := &r.training
	if err := r.tell(TestBegin); err != nil {
		return err
	}
	step := t.step
	tests := 0
	err := r.test.evaluate(ctx, r.tested, r.testFeed, func(e Event, step int) error {
		t.step, tests = step, step+1
		return r.tell(e)
	})
	t.step, t.testSteps = step, tests
	if err != nil {
		return err
	}
	r.tested.log(&t.logs, r.names)
	return r.tell(TestEnd)
}
