package nn

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/internal/random"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optional"
)

// FitOptions are the settings of Fit. Optimizer and a loss are required.
type FitOptions struct {
	Optimizer Optimizer
	// Groups give some parameters an optimizer of their own, or keep them as they are.
	Groups []Group
	// Loss, Metrics and WeightedMetrics are asked of a model's one output. WeightedMetrics are weighed by class and sample
	// weights; Metrics disregard them.
	Loss            Loss
	Metrics         []Metric
	WeightedMetrics []Metric
	// Outputs, in their place, has them for the outputs of a model with several, by name.
	Outputs map[string]OutputOptions

	// Epochs is the number of the last epoch, plus one. The default is one epoch: InitialEpoch + 1.
	Epochs int
	// InitialEpoch is the number of the first epoch, counted from 0. The default is State.Epoch.
	InitialEpoch int
	// BatchSize is how many rows make a step, 32 by default. The last batch of an epoch may be short. Sources other than
	// Data make their own batches.
	BatchSize int

	// Validation is data to evaluate after each epoch.
	Validation Source
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
	// counts. It cannot go together with weights in the data.
	ClassWeight map[int]float32

	// Seed decides the order of rows and the noise of layers such as Dropout. The default is State.Seed, else the seed that
	// the model was built with.
	Seed optional.Value[uint64]
	// Threads is how many workers may share a step; 0 decides by itself. Steps are timed with all of them and with one now and
	// then, and go on in the faster way. It changes no bit of the result.
	Threads int
	// NoFusion runs the layers as they were written, one after another. It changes results by rounding.
	NoFusion bool

	Callbacks []Callback
	// Warn is told of settings and data that train but are probably a mistake: a ValidationSplit that lacks a class, an accuracy
	// of labels that are no classes, weights below 0 or for a class that no row has, a loss that does not fit the output's
	// activation or reads probabilities where there are none, a learning rate above 100, a loss that has become 100 times as
	// large as it was. Of a stream it looks at the first batch. Callbacks warn by it too. The default is log.Printf with
	// "warning: " in front; a function that does nothing turns warnings off.
	Warn func(format string, args ...any)
	// State, when given, is where the training goes on from: n epochs, State and m epochs give the bits of n+m epochs, in
	// another process too. If all epochs are done, nothing is left to train: the run only does what callbacks do at its end.
	// When Fit returns, State holds the state at that point. It has no Weights, since the model has them, unless the model
	// now has moving averages in their place. A callback that has a state of its own to go on from, as
	// callbacks.BackupAndRestore after a run that was killed, comes first: State then gets that one.
	State *TrainingState
}

// Fit trains the model and returns the History, which begins with the epochs in State. An error or a cancelled context
// ends it early; the History then has the epochs before that, and the model the weights after the last whole step. Logged
// losses weigh each row alike, so that a short last batch counts in proportion; as in Keras they are means over the epoch,
// during which the weights change, and include the penalties of regularizers.
//
// From one seed a Fit gives the same bits on every machine and with any number of threads. A model trains in one Fit at
// a time; another that begins meanwhile, even in a callback, is an error, and so is one while a [Trainer] is open.
func (m *Model) Fit(ctx context.Context, d Source, o FitOptions) (_ *history.History, err error) {
	if err := m.usable(ctx); err != nil {
		return &history.History{}, err
	}
	if err := m.beginTraining(inFit); err != nil {
		return &history.History{}, err
	}
	defer m.training.Store(untrained)
	held, err := m.borrow()
	if err != nil {
		return &history.History{}, err
	}
	defer held.release()
	defer m.explain(&err)
	wantsState := o.State != nil
	given := cloneState(o.State)
	r, err := m.newRun(ctx, d, &o)
	if err != nil {
		if wantsState {
			*o.State = given
		}
		return &history.History{}, err
	}
	defer r.warnings.flushAfter(&err)
	defer r.feed.end()
	defer r.training.end()
	m.settle = func() { r.training.update.settle() }
	defer func() { m.settle = nil }()
	defer r.training.update.settle() // where a user's code ends the goroutine
	err = r.run(ctx)
	if e := r.training.update.settle(); err == nil {
		err = e
	}
	if wantsState {
		if e := r.training.note(r.training.epoch, r.training.trained); err == nil {
			err = e
		}
		r.training.state.From = ""
		if r.training.trained > 0 {
			r.training.state.Measured = r.results.sums()
			r.training.state.Stopped = r.training.stop
		}
	}
	if e := r.training.closeHandlers(); err == nil {
		err = e
	}
	return r.training.history, err
}

// run is one Fit.
type run struct {
	training
	feed     *feed
	test     *executor // nil without validation
	testFeed *feed
	tested   *measured
	order    []int32
	lost     bool    // the loss was not finite, and a callback has stopped the run
	begun    bool    // a step was taken
	first    float64 // its loss
	diverged bool    // the user was told
}

func (m *Model) newRun(ctx context.Context, d Source, o *FitOptions) (_ *run, err error) {
	if err := o.check(d); err != nil {
		return nil, err
	}
	r := &run{}
	t := &r.training
	t.ctx, t.options = ctx, o
	t.stepper = stepper{model: m, program: m.programFor(o.NoFusion), state: o.State, warnings: &warner{tell: o.Warn},
		options: stepOptions{optimizer: o.Optimizer, groups: o.Groups, seed: o.Seed, threads: o.Threads, noFusion: o.NoFusion}}
	begun := false
	defer func() {
		if !begun { // with an error, or because a user's code has ended the goroutine
			r.giveBack()
		}
	}()
	if err := t.stepper.options.check("Fit"); err != nil {
		return nil, err
	}
	if t.objectives, err = m.objectives(o.Loss, o.Metrics, o.WeightedMetrics, o.Outputs); err != nil {
		return nil, err
	}
	if err := needLoss(t.objectives, "Fit"); err != nil {
		return nil, err
	}
	if r.feed, err = m.newFeed(ctx, t.program, d, t.objectives, o.BatchSize, o.InitialEpoch, false); err != nil {
		return nil, err
	}
	test, err := m.validation(ctx, t.program, r.feed.data, t.objectives, o)
	if err != nil {
		return nil, err
	}
	if o.ValidationSplit > 0 {
		test = &feed{model: m, program: t.program, objectives: t.objectives, batch: o.ValidationBatchSize}
		if r.feed.data, test.data, err = r.feed.data.split(o.ValidationSplit); err != nil {
			return nil, err
		}
		t.warnings.split(r.feed.data, test.data, t.objectives)
	}
	if o.ClassWeight != nil && len(t.objectives) > 1 {
		return nil, errors.New("nn: ClassWeight is for a model with one output; those of several get weights in OutputWeights")
	}
	r.feed.classes = o.ClassWeight
	if err := r.feed.weigh(); err != nil {
		return nil, err
	}
	if r.feed.stream == nil && o.ClassWeight != nil {
		t.warnings.classWeights(r.feed.data, o.ClassWeight)
	}
	weights, err := m.stateWeights(o.State)
	if err != nil {
		return nil, fromState(o.State, err)
	}
	if err := t.begin(r.feed.data, r.feed.rows(), r.feed.threads(o.Threads)); err != nil {
		return nil, err
	}
	t.steps = r.feed.steps()
	if test != nil {
		if err := r.newTest(test); err != nil {
			return nil, err
		}
	}
	if err := r.goOn(); err != nil {
		return nil, fromState(o.State, err)
	}
	if err := t.start(o.Callbacks); err != nil {
		return nil, err
	}
	if t.logRate && slices.Contains(t.results.names, rateLog) {
		return nil, fmt.Errorf("nn: two logs are named %q: a metric, and the learning rate, which a callback logs", rateLog)
	}
	resumed, err := t.resumed(ctx)
	if err != nil {
		return nil, err
	}
	if resumed != nil {
		if weights, err = r.replaceState(resumed); err != nil {
			return nil, fromState(resumed, err)
		}
	}
	if err := t.loadHandlers(); err != nil {
		return nil, fromState(o.State, err)
	}
	if err := t.restoreWeights(weights); err != nil {
		return nil, err
	}
	t.warnings.rates(t.update)
	if err := t.warnings.flush(); err != nil {
		return nil, err
	}
	begun = true
	return r, nil
}

// goOn takes the epochs and batches so far from the state.
func (r *run) goOn() error {
	t := &r.training
	o := t.options
	t.history = &history.History{}
	if o.State.History != nil {
		t.history = o.State.History.Clone()
		t.history.Stopped = ""
	}
	t.results.directions(t.history)
	if n := o.State.Batch; n > 0 {
		if t.steps > 0 && n > t.steps {
			return fmt.Errorf("nn: the training state goes on after %d batches of epoch %d, which has %d", n, o.InitialEpoch+1, t.steps)
		}
		if err := t.results.setSums(o.State.Measured); err != nil {
			return err
		}
	}
	t.trained = o.State.Batch
	return nil
}

// replaceState makes the run go on from a state that a callback has, and returns its weights.
func (r *run) replaceState(s *TrainingState) ([][]float32, error) {
	t := &r.training
	o := t.options
	if err := s.Check(); err != nil {
		return nil, fmt.Errorf("nn: %w", err)
	}
	if s.Version != 0 && s.Epoch < o.InitialEpoch {
		return nil, fmt.Errorf("nn: the training state goes on with epoch %d, before the first of this run, %d", s.Epoch+1, o.InitialEpoch+1)
	}
	if s.Epoch > o.Epochs {
		return nil, fmt.Errorf("nn: the training state goes on with epoch %d, and the last of this run is %d", s.Epoch+1, o.Epochs)
	}
	weights, err := t.model.stateWeights(s)
	if err != nil {
		return nil, err
	}
	t.completeSnapshots() // they know the update that is about to go
	*o.State = *s
	o.InitialEpoch = s.Epoch
	t.epoch = s.Epoch
	if err := t.beginUpdate(r.feed.data, r.feed.rows(), t.team.Size()); err != nil {
		return nil, err
	}
	return weights, r.goOn()
}

// fromState says in an error where a state was read, if that is known.
func fromState(s *TrainingState, err error) error {
	if s.From == "" {
		return err
	}
	return &placedError{s.From, err}
}

// giveBack ends what a run that does not begin has begun. What went wrong is known already.
func (r *run) giveBack() {
	if r.feed != nil {
		r.feed.end()
	}
	r.closeHandlers()
	r.training.end()
}

// check refuses settings out of range, and fills in the defaults.
func (o *FitOptions) check(d Source) error {
	if isNil(d) {
		return errNoSource
	}
	if _, inMemory := asData(d); !inMemory {
		for _, s := range [...]struct {
			name string
			set  bool
		}{{"BatchSize", o.BatchSize != 0}, {"Order", o.Order != nil}, {"ValidationSplit", o.ValidationSplit != 0}} {
			if s.set {
				return fmt.Errorf("nn: %s has no say over a stream, which makes its own batches", s.name)
			}
		}
	}
	if isNil(o.Optimizer) {
		return errors.New("nn: Fit needs an optimizer")
	}
	for _, s := range [...]struct {
		name  string
		value int
	}{{"Epochs", o.Epochs}, {"InitialEpoch", o.InitialEpoch}, {"BatchSize", o.BatchSize}, {"ValidationBatchSize", o.ValidationBatchSize}} {
		if s.value < 0 {
			return fmt.Errorf("nn: %s %d must not be negative", s.name, s.value)
		}
	}
	switch {
	case o.InitialEpoch > math.MaxInt32/2:
		return fmt.Errorf("nn: InitialEpoch %d is more than %d", o.InitialEpoch, math.MaxInt32/2)
	case !(o.ValidationSplit >= 0 && o.ValidationSplit < 1):
		return fmt.Errorf("nn: a validation split of %v is not in [0, 1)", o.ValidationSplit)
	case !isNil(o.Validation) && o.ValidationSplit > 0:
		return errors.New("nn: Validation and ValidationSplit cannot go together")
	case o.Order != nil && o.NoShuffle:
		return errors.New("nn: Order and NoShuffle cannot go together")
	}
	if o.State == nil {
		o.State = &TrainingState{}
	}
	if err := o.State.Check(); err != nil {
		return fromState(o.State, fmt.Errorf("nn: %w", err))
	}
	if o.InitialEpoch == 0 {
		o.InitialEpoch = o.State.Epoch
	} else if o.State.Version != 0 && o.InitialEpoch != o.State.Epoch {
		return fmt.Errorf("nn: InitialEpoch %d is not the epoch that the training state goes on with, %d", o.InitialEpoch, o.State.Epoch)
	}
	if o.Epochs == 0 {
		o.Epochs = o.InitialEpoch + 1
	}
	if o.Epochs < o.InitialEpoch || (o.Epochs == o.InitialEpoch && o.State.Version == 0) {
		return fmt.Errorf("nn: Epochs %d leaves nothing to train, since %d are done (InitialEpoch)", o.Epochs, o.InitialEpoch)
	}
	if o.BatchSize == 0 {
		o.BatchSize = defaultBatch
	}
	if o.ValidationBatchSize == 0 {
		o.ValidationBatchSize = o.BatchSize
	}
	return nil
}

// classWeights gives each of the first n rows of labels the weight of its label: of its number, rounded as Keras does
// (data_adapter_utils.class_weight_to_sample_weights), or of the place of its largest element.
func classWeights(set *labelSet, n int, classes map[int]float32) ([]float32, error) {
	for c, v := range classes {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return nil, fmt.Errorf("nn: the weight of class %d is %v", c, v)
		}
	}
	weights := make([]float32, n)
	for i := range weights {
		weights[i] = 1
		if v, ok := classes[set.class(i)]; ok {
			weights[i] = v
		}
	}
	return weights, nil
}

// class is the class of row i: its label, rounded, or the place of the largest of its labels.
func (set *labelSet) class(i int) int {
	width := set.width * set.perRow
	row := set.values[i*width : (i+1)*width]
	if len(row) == 1 {
		return int(math.RoundToEven(float64(row[0])))
	}
	class := 0
	for k, v := range row[min(1, len(row)):] {
		if v > row[class] {
			class = k + 1
		}
	}
	return class
}

// validation prepares the validation data that was given apart.
func (m *Model) validation(ctx context.Context, g *program, d *dataset, objectives []objective, o *FitOptions) (*feed, error) {
	if isNil(o.Validation) {
		return nil, nil
	}
	test, err := m.newFeed(ctx, g, o.Validation, objectives, o.ValidationBatchSize, 0, false)
	if err != nil {
		return nil, &placedError{"validation data", err}
	}
	test.validation = true
	if err := test.end(); err != nil { // a stream begins anew at each epoch's end
		return nil, &placedError{"validation data", err}
	}
	for i := range objectives {
		if a, b := test.data.labels[i].width, d.labels[i].width; a != b {
			return nil, fault("nn: validation labels have %d columns, those to train on %d", a, b)
		}
	}
	return test, nil
}

// newTest makes what evaluates the validation data, on the same workers.
func (r *run) newTest(from *feed) error {
	r.testFeed = from
	w := newSpace(r.program)
	if err := w.layout(from.data.signatures); err != nil {
		return err
	}
	var err error
	if r.tested, err = startMetrics(r.program, from.data, r.objectives, r.warnings, "validation data"); err != nil {
		return err
	}
	r.test = newExecutor(w, r.team, from.data, r.objectives)
	for _, name := range r.tested.names {
		if slices.Contains(r.tested.names, "val_"+name) {
			return fmt.Errorf("nn: two logs are named %q", "val_"+name)
		}
		r.testNames = append(r.testNames, "val_"+name)
	}
	r.testSteps = from.steps()
	return nil
}

func (r *run) run(ctx context.Context) error {
	t := &r.training
	if t.epoch = r.training.options.InitialEpoch; t.state.Stopped != "" {
		t.stop = t.state.Stopped
	}
	if err := t.tell(plan.TrainBegin); err != nil {
		return err
	}
	unfinished := t.trained > 0 // a run that was stopped in an epoch ends after it
	for t.epoch < r.training.options.Epochs && (t.stop == "" || unfinished) {
		unfinished = false
		if err := r.runEpoch(ctx); err != nil {
			return err
		}
		t.epoch++
		t.trained = 0
		if err := r.done(plan.EpochDone); err != nil {
			return err
		}
	}
	t.history.Stopped = t.stop
	if err := t.finish(); err != nil {
		return err
	}
	t.epoch-- // the last, as callbacks saw it
	defer func() { t.epoch++ }()
	if err := t.tell(plan.TrainEnd); err != nil {
		return err
	}
	return t.tell(plan.TrainDone)
}

// done tells the callbacks that all of them have had their turn. Then they can ask for a state.
func (r *run) done(e plan.Event) error {
	t := &r.training
	if e == plan.EpochDone {
		t.epoch--
		defer func() { t.epoch++ }()
	}
	return t.tell(e)
}

func (r *run) runEpoch(ctx context.Context) (err error) {
	t := &r.training
	t.batch = 0
	t.logs.Reset()
	if err := r.shuffle(); err != nil {
		return err
	}
	if err := r.feed.begin(ctx, t.epoch, r.order); err != nil {
		return err
	}
	defer r.feed.endAfter(&err)
	if err := t.tell(plan.EpochBegin); err != nil {
		return err
	}
	if t.trained > 0 {
		err = r.skip(ctx)
	} else {
		err = r.results.reset()
	}
	if err != nil {
		return err
	}
	for ; ; t.batch++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		data, rows, err := r.feed.take(ctx)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			break
		}
		if err := t.tell(plan.BatchBegin); err != nil {
			return err
		}
		loss, err := t.stepper.step(ctx, data, rows)
		if !r.begun {
			r.begun, r.first = true, loss
		}
		if err != nil {
			if err = r.handleLoss(err); err != nil {
				return err
			}
		} else {
			t.trained = t.batch + 1
		}
		if err := r.results.log(&t.logs, r.results.names); err != nil {
			return err
		}
		if err := t.tell(plan.BatchEnd); err != nil {
			return err
		}
		if r.lost {
			break
		}
		if err := t.tell(plan.BatchDone); err != nil {
			return err
		}
	}
	if err := t.update.settle(); err != nil {
		return err
	}
	if r.feed.stream != nil && (t.steps == 0 || !r.lost) {
		t.steps = max(1, t.batch)
	}
	if r.test != nil {
		if err := r.validate(ctx); err != nil {
			return err
		}
	}
	if t.logRate {
		t.logs.Set(rateLog, float64(t.LearningRate()))
	}
	// Callbacks may add to the logs before History keeps them: ReduceLROnPlateau, a test set of one's own.
	if err := t.tell(plan.EpochEnd); err != nil {
		return err
	}
	if _, ok := t.logs.Get(epochColumn); ok {
		return fmt.Errorf("nn: a callback has logged %q, the name of the column of epochs in files", epochColumn)
	}
	t.history.Append(t.epoch, &t.logs)
	r.watchLoss()
	return t.warnings.flush()
}

// watchLoss warns, once, of a loss that has become much larger than it was.
func (r *run) watchLoss() {
	loss, ok := r.logs.Get("loss")
	if r.diverged || !ok || !finite(loss) || !finite(r.first) || !(loss > diverged*max(r.first, 1)) {
		return
	}
	r.diverged = true
	r.warnings.add("nn: the loss of epoch %d is %.4g, and that of the first batch was %.4g: training diverges; a learning rate below %v may help",
		r.epoch+1, loss, r.first, r.LearningRate())
}

// skip leaves out the batches of the epoch that an earlier run has trained on. The results have their sums.
func (r *run) skip(ctx context.Context) error {
	t := &r.training
	n := t.trained
	for range n {
		_, rows, err := r.feed.take(ctx)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			return fromState(t.state, fmt.Errorf("nn: the training state goes on after %d batches of epoch %d, which has fewer", n, t.epoch+1))
		}
	}
	t.batch = n
	return r.results.log(&t.logs, r.results.names)
}

// shuffle puts the rows into the epoch's order.
func (r *run) shuffle() (err error) {
	defer recovering(&err)
	d, o := r.feed.data, r.training.options
	epoch := r.epoch
	if r.feed.stream != nil {
		return nil
	}
	if o.Order != nil {
		order := o.Order(epoch)
		if len(order) != d.n {
			return fmt.Errorf("nn: the order of epoch %d has %d rows in place of %d", epoch+1, len(order), d.n)
		}
		for i, row := range order {
			if row < 0 || int(row) >= d.n {
				return fmt.Errorf("nn: the order of epoch %d has row %d at place %d; there are %d rows to train on", epoch+1, row, i, d.n)
			}
		}
		r.order = append(r.order[:0], order...)
		return nil
	}
	r.order = consecutive(r.order, d.lo, d.n)
	if !o.NoShuffle {
		random.New(r.exec.ws.run.Seed, random.Shuffle, uint64(epoch)).Shuffle(r.order)
	}
	return nil
}

// handleLoss lets the callbacks decide about a step that was not taken for its loss. Without an error the run is stopped.
func (r *run) handleLoss(err error) error {
	var lost errLoss
	if !errors.As(err, &lost) {
		return err
	}
	e := &LossError{Epoch: r.epoch, Step: r.batch, Loss: lost.loss}
	for i := range r.handlers {
		handle := r.handlers[i].HandleLoss
		if handle == nil {
			continue
		}
		if err := guard(func() error { return handle(e, &r.training) }); err != nil {
			return err
		}
		r.lost = true
		r.training.Stop("")
		return nil
	}
	return e
}

// guard makes a panic an error.
func guard(do func() error) (err error) {
	defer recovering(&err)
	return do()
}

func (r *run) validate(ctx context.Context) error {
	t := &r.training
	if err := t.tell(plan.TestBegin); err != nil {
		return err
	}
	batch := t.batch
	tests := 0
	err := r.test.evaluate(ctx, r.tested, r.testFeed, func(e plan.Event, step int) error {
		t.batch, tests = step, step+1
		return t.tell(e)
	}, nil) // callbacks see a val_loss that is no number
	t.batch, t.testSteps = batch, tests
	if err != nil {
		return err
	}
	if err := r.tested.log(&t.logs, r.testNames); err != nil {
		return err
	}
	return t.tell(plan.TestEnd)
}
