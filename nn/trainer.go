package nn

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optional"
	"github.com/linnet-ml/linnet/simd"
)

// TrainerOptions are the settings of a Trainer. Optimizer and a loss are required.
type TrainerOptions struct {
	Optimizer Optimizer
	// Groups give some parameters an optimizer of their own, or keep them as they are.
	Groups []Group
	// Loss, Metrics and WeightedMetrics are asked of a model's one output; Outputs, in their place, of several by name.
	Loss            Loss
	Metrics         []Metric
	WeightedMetrics []Metric
	Outputs         map[string]OutputOptions

	// Seed decides the noise of layers such as Dropout. The default is State.Seed, else the seed that the model was built
	// with.
	Seed optional.Value[uint64]
	// Threads is how many workers may share a step; 0 decides by itself, by the first batch. As in Fit, steps go on in the way that
	// is faster, and it changes no bit of the result.
	Threads int
	// NoFusion runs the layers as they were written, one after another. It changes results by rounding.
	NoFusion bool
	// State, when given, is where the optimizer goes on from, and is left as Close leaves it.
	State *TrainingState
	// Warn is told of settings and of a first batch that train but are probably a mistake: see FitOptions.Warn.
	Warn func(format string, args ...any)
}

// Trainer trains a model step by step, for a loop of one's own. Fit is one such loop. It belongs to one goroutine, and
// must be closed.
type Trainer struct {
	stepper stepper
	weights map[string]int // a parameter's place in the update
	data    *dataset
	given   [][]float32 // the weights of the state, until the first batch
	waiting bool        // there are gradients that Apply has not used
	// before are the gradients of earlier batches, where several make a step, while those of a batch wait.
	before [][]float32
	closed bool
	held   loan // from the first batch until Close
}

// NewTrainer returns a Trainer for the model. While there is one, no Fit and no other Trainer of the model can begin.
func (m *Model) NewTrainer(o TrainerOptions) (*Trainer, error) {
	if err := m.built(); err != nil {
		return nil, err
	}
	t := &Trainer{stepper: stepper{model: m, program: m.programFor(o.NoFusion), state: o.State, warnings: &warner{tell: o.Warn},
		options: stepOptions{optimizer: o.Optimizer, groups: o.Groups, seed: o.Seed, threads: o.Threads, noFusion: o.NoFusion}}}
	s := &t.stepper
	if err := s.options.check("a Trainer"); err != nil {
		return nil, err
	}
	var err error
	if s.objectives, err = m.objectives(o.Loss, o.Metrics, o.WeightedMetrics, o.Outputs); err != nil {
		return nil, err
	}
	if err := needLoss(s.objectives, "a Trainer"); err != nil {
		return nil, err
	}
	if s.state == nil {
		s.state = &TrainingState{}
	}
	if err := m.beginTraining(inTrainer); err != nil {
		return nil, err
	}
	if err = s.state.Check(); err != nil {
		err = fmt.Errorf("nn: %w", err)
	} else {
		t.given, err = m.stateWeights(s.state)
	}
	if err != nil {
		m.training.Store(untrained)
		return nil, err
	}
	return t, nil
}

// made refuses a Trainer that NewTrainer has not made.
func (t *Trainer) made() error {
	if t == nil || t.stepper.model == nil {
		return errors.New("nn: the Trainer is nil or empty: Model.NewTrainer makes one")
	}
	return nil
}

// ready checks a batch and lays the trainer out for the first.
func (t *Trainer) ready(ctx context.Context, b Batch) error {
	if t.closed {
		return errors.New("nn: the Trainer is closed")
	}
	if ctx == nil {
		return errNilContext
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	s := &t.stepper
	data, err := s.model.dataset(ctx, s.program, &b, s.objectives, false, t.data)
	if err != nil {
		return err
	}
	t.data = data
	if s.exec != nil {
		return nil
	}
	if t.held.lenders == nil {
		if t.held, err = s.model.borrow(); err != nil {
			return err
		}
	}
	workers := s.model.threads(s.program, s.options.threads, data.n, data.signatures)
	given := cloneState(s.state)
	err = s.begin(data, data.n, workers)
	if err == nil {
		err = s.restoreWeights(t.given)
	}
	if err == nil {
		s.warnings.rates(s.update)
		err = s.warnings.flush()
	}
	if err != nil {
		s.end()
		s.exec, s.update = nil, nil
		*s.state = given
		return err
	}
	t.given = nil
	s.model.settle = func() { s.update.settle() }
	t.weights = map[string]int{}
	for i := range s.update.params {
		t.weights[s.update.params[i].p.Name()] = i
	}
	return nil
}

// Step trains on a batch, and returns its loss. A loss that is NaN or infinite is a *LossError, and the step is not
// taken.
func (t *Trainer) Step(ctx context.Context, b Batch) (loss float64, err error) {
	if err := t.made(); err != nil {
		return 0, err
	}
	defer t.stepper.model.explain(&err)
	if t.waiting {
		return 0, errors.New("nn: there are gradients that Apply has not used")
	}
	if err := t.ready(ctx, b); err != nil {
		return 0, err
	}
	s := &t.stepper
	defer s.warnings.flushAfter(&err)
	loss, err = s.step(ctx, t.data, consecutive(nil, 0, t.data.n))
	return loss, t.lossError(err)
}

func (t *Trainer) lossError(err error) error {
	if e := (errLoss{}); errors.As(err, &e) {
		return &LossError{Step: t.stepper.state.Groups[0].Step, Loss: e.loss}
	}
	return err
}

// Gradients computes the loss of a batch and the gradients of all parameters, which Gradient returns and Apply uses. The
// parameters stay as they are.
func (t *Trainer) Gradients(ctx context.Context, b Batch) (loss float64, err error) {
	if err := t.made(); err != nil {
		return 0, err
	}
	defer t.stepper.model.explain(&err)
	if t.waiting {
		return 0, errors.New("nn: there are gradients that Apply has not used")
	}
	if err := t.ready(ctx, b); err != nil {
		return 0, err
	}
	s := &t.stepper
	defer s.warnings.flushAfter(&err)
	if loss, err = s.forward(ctx, t.data, consecutive(nil, 0, t.data.n)); err != nil {
		return loss, t.lossError(err)
	}
	// What accumulating, clipping and penalties make of gradients is a matter of Apply.
	t.before = s.update.setAside(t.before)
	if err := s.update.run(func(worker int) {
		jobs := s.update.jobsOf(s.team, worker)
		for i := range jobs {
			s.update.gradient(&jobs[i], worker)
		}
	}); err != nil {
		t.dropGradients()
		return loss, err
	}
	t.waiting = true
	return loss, nil
}

// dropGradients forgets the gradients of the latest batch. Those of earlier batches wait for a step again.
func (t *Trainer) dropGradients() {
	u := t.stepper.update
	u.drop()
	for i, g := range t.before {
		u.addGradient(i, g)
	}
	t.before, t.waiting = t.before[:0], false
}

// Gradient returns a copy of the gradient of the parameter of the given name, after Gradients.
func (t *Trainer) Gradient(name string) ([]float32, error) {
	if err := t.made(); err != nil {
		return nil, err
	}
	if !t.waiting {
		return nil, errors.New("nn: there are no gradients: Gradients computes them")
	}
	i, ok := t.weights[name]
	if !ok {
		return nil, fmt.Errorf("nn: no parameter %q is trained", name)
	}
	return t.stepper.update.dense(i), nil
}

// Apply takes a step with the gradients that Gradients computed, or with those given by the names of parameters in their
// place: clipped, accumulated, or put together from several machines, say.
func (t *Trainer) Apply(ctx context.Context, gradients map[string][]float32) error {
	if err := t.made(); err != nil {
		return err
	}
	if !t.waiting {
		return errors.New("nn: there are no gradients to apply: Gradients computes them")
	}
	if ctx == nil {
		return errNilContext
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	s := &t.stepper
	for name, g := range gradients {
		i, ok := t.weights[name]
		if !ok {
			return fmt.Errorf("nn: no parameter %q is trained", name)
		}
		if p := s.update.params[i].p; len(g) != p.Size() {
			return fmt.Errorf("nn: parameter %q has %d elements, and its gradient %d", name, p.Size(), len(g))
		}
		for k, v := range g {
			if v != v || math.IsInf(float64(v), 0) {
				return fmt.Errorf("nn: element %d of the gradient of %q is %v", k, name, v)
			}
		}
	}
	for name, g := range gradients {
		s.update.setGradient(t.weights[name], g)
	}
	full, err := s.update.count()
	if err != nil {
		return err
	}
	t.waiting = false
	for i, g := range t.before {
		s.update.addGradient(i, g)
	}
	t.before = t.before[:0]
	if full {
		if err := s.update.apply(); err != nil {
			return err
		}
	}
	return s.taken()
}

// Results returns the loss and the metrics over all batches since the last Reset.
func (t *Trainer) Results() (*history.Logs, error) {
	if err := t.made(); err != nil {
		return nil, err
	}
	logs := &history.Logs{}
	if t.stepper.results == nil {
		return logs, nil
	}
	return logs, t.stepper.results.log(logs, t.stepper.results.names)
}

// Reset begins the loss and the metrics anew.
func (t *Trainer) Reset() error {
	if err := t.made(); err != nil {
		return err
	}
	if t.stepper.results == nil {
		return nil
	}
	return t.stepper.results.reset()
}

// LearningRate is the rate of the coming step.
func (t *Trainer) LearningRate() (float32, error) {
	if err := t.made(); err != nil {
		return 0, err
	}
	if t.stepper.update == nil {
		rule, err := t.stepper.options.optimizer.Rule()
		if err != nil {
			return 0, err
		}
		main := group{rule: rule, rate: rule.Rate, state: &plan.GroupState{}}
		if groups := t.stepper.state.Groups; len(groups) > 0 {
			main.state, main.rate = &groups[0], groups[0].Rate
		}
		return main.coming(), nil
	}
	return t.stepper.update.groups[0].coming(), nil
}

// Close ends the training: weights are up to date, the moving averages, if there are any, are the model's weights, and
// TrainerOptions.State has what another Trainer goes on from.
func (t *Trainer) Close() error {
	if err := t.made(); err != nil {
		return err
	}
	if t.closed {
		return nil
	}
	t.closed = true
	s := &t.stepper
	defer s.model.training.Store(untrained)
	defer func() { s.model.settle = nil }()
	defer t.held.release()
	defer s.end()
	if s.update == nil {
		return nil
	}
	if t.waiting {
		t.dropGradients()
	}
	s.state.Weights = nil
	err := s.finish()
	s.update.save()
	return err
}

// setAside returns the gradients of earlier batches that wait for a step, in the memory of old, and clears them.
func (u *update) setAside(old [][]float32) [][]float32 {
	old = old[:0]
	if u.state.Accumulated == 0 {
		return old
	}
	for i := range u.params {
		old = append(old, u.dense(i))
		u.clearGradient(i)
	}
	return old
}

// clearGradient makes a parameter's gradient 0.
func (u *update) clearGradient(param int) {
	clear(u.params[param].grad)
	for _, j := range u.inOrder(param) {
		if j.table != nil {
			j.table.Forget()
		}
	}
}

// setGradient replaces a parameter's gradient.
func (u *update) setGradient(param int, g []float32) {
	u.clearGradient(param)
	u.addGradient(param, g)
}

// addGradient adds to a parameter's gradient.
func (u *update) addGradient(param int, g []float32) {
	p := &u.params[param]
	if p.grad != nil {
		simd.Add(p.grad, p.grad, g)
		return
	}
	_, width := p.p.Rows()
	for _, j := range u.inOrder(param) {
		j.table.Begin(plan.Elements(key, p.p), &p.group.steps)
		for row := j.lo; row < j.hi; row++ {
			values := g[row*width : (row+1)*width]
			if !slices.ContainsFunc(values, func(v float32) bool { return v != 0 }) {
				continue
			}
			sums, places := j.table.Find([]int32{int32(row)})
			dst := sums[int(places[0])*width : (int(places[0])+1)*width]
			simd.Add(dst, dst, values)
		}
	}
}

// apply takes a step, which has begun, with the gradients that are there.
func (u *update) apply() error {
	return u.changeAll(u.run(func(worker int) {
		jobs := u.jobsOf(u.team, worker)
		for i := range jobs {
			u.complete(&jobs[i])
		}
	}))
}
