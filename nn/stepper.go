package nn

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/linnet-ml/linnet/nn/internal/team"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optional"
)

// stepper takes training steps: what Fit and a Trainer share.
type stepper struct {
	model      *Model
	program    *program
	objectives []objective
	options    stepOptions
	state      *TrainingState
	warnings   *warner

	team    *team.Team
	exec    *executor
	update  *update
	results *measured
}

// stepOptions are the settings that Fit and a Trainer share.
type stepOptions struct {
	optimizer Optimizer
	groups    []Group
	seed      optional.Value[uint64]
	threads   int
	noFusion  bool
}

// programFor is the plan that runs.
func (m *Model) programFor(noFusion bool) *program {
	if noFusion {
		return m.plain
	}
	return m.fused
}

// begin lays a stepper out for data like this, in batches of that many rows.
func (s *stepper) begin(data *dataset, rows, workers int) error {
	w := newSpace(s.program)
	w.run.Training = true
	if err := w.layout(data.signatures); err != nil {
		return err
	}
	var err error
	if s.results, err = startMetrics(s.program, data, s.objectives, s.warnings, ""); err != nil {
		return err
	}
	s.team = team.New(workers)
	s.exec = newExecutor(w, s.team, data, s.objectives)
	if err := s.beginUpdate(data, rows, workers); err != nil {
		return err
	}
	return s.results.reset()
}

// beginUpdate takes the seed and lays out the update for the state.
func (s *stepper) beginUpdate(data *dataset, rows, workers int) error {
	w := s.exec.ws
	w.run.Seed = s.options.seed.Or(s.model.seed)
	if s.state.Version != 0 && !s.options.seed.IsSet() {
		w.run.Seed = s.state.Seed
	}
	s.state.Seed = w.run.Seed
	var err error
	s.update, err = newUpdate(w, &updateOptions{optimizer: s.options.optimizer, groups: s.options.groups, state: s.state, workers: workers,
		data: data, batch: rows})
	if err != nil {
		return err
	}
	s.model.findLenders() // what trains has been copied
	s.update.useTeam(s.team)
	s.exec.useUpdate(s.update)
	return nil
}

// end stops the workers.
func (s *stepper) end() {
	if s.team != nil {
		s.team.End()
	}
}

// errLoss reports a loss that is no number to go on with.
type errLoss struct{ loss float64 }

func (e errLoss) Error() string { return fmt.Sprintf("nn: the loss is %v", e.loss) }

// forward computes losses and gradients of the values for a batch, and returns its loss. Parameters stay.
func (s *stepper) forward(ctx context.Context, data *dataset, rows []int32) (float64, error) {
	if err := s.exec.bind(data); err != nil {
		return 0, err
	}
	g := s.state.Groups[0]
	s.exec.ws.run.Step = uint64(g.Step)*uint64(s.update.accumulate) + uint64(s.state.Accumulated)
	if err := s.exec.run(ctx, rows); err != nil {
		return 0, err
	}
	loss, err := s.results.add(s.exec)
	if err != nil {
		return 0, err
	}
	if !finite(loss) {
		return loss, errLoss{loss}
	}
	return loss, nil
}

// step trains on a batch and returns its loss. With an errLoss the step was not taken.
func (s *stepper) step(ctx context.Context, data *dataset, rows []int32) (float64, error) {
	s.team.BeginStep()
	defer s.team.EndStep()
	loss, err := s.forward(ctx, data, rows)
	if err != nil {
		return loss, err
	}
	if err := s.update.step(); err != nil {
		return loss, err
	}
	return loss, s.taken()
}

// taken lets operations commit what a step that was taken changes, and rows catch up before they fall too far behind.
func (s *stepper) taken() (err error) {
	defer recovering(&err)
	for _, i := range s.program.commits {
		s.program.Ops[i].Commit(&s.exec.ws.frames[i])
	}
	if len(s.update.groups[0].steps.Done) >= mostSteps {
		return s.update.settle()
	}
	return nil
}

// check refuses settings that no run can use.
func (o *stepOptions) check(who string) error {
	if isNil(o.optimizer) {
		return fmt.Errorf("nn: %s needs an optimizer", who)
	}
	if o.threads < 0 {
		return fmt.Errorf("nn: Threads %d must not be negative", o.threads)
	}
	return nil
}

// finite reports whether a loss is a number to go on with.
func finite(loss float64) bool { return !math.IsNaN(loss) && !math.IsInf(loss, 0) }

// What trains a model: Model.training.
const (
	untrained int32 = iota
	inFit
	inTrainer
)

// beginTraining makes the model's training that of a Fit or a Trainer, unless it trains already.
func (m *Model) beginTraining(who int32) error {
	for !m.training.CompareAndSwap(untrained, who) {
		if now := m.trainsIn(); now != "" { // else it has ended since
			return errors.New("nn: " + now)
		}
	}
	return nil
}

// trainsIn says what trains the model, and what ends that; nothing if the model does not train.
func (m *Model) trainsIn() string {
	switch m.training.Load() {
	case inFit:
		return "a Fit of the model is under way"
	case inTrainer:
		return "a Trainer of the model is open: Trainer.Close ends it"
	}
	return ""
}

var _ plan.Model = (*Model)(nil)
