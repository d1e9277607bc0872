package nn

import (
	"errors"
	"fmt"
	"math"
	"path"
	"slices"

	"github.com/linnet-ml/linnet/nn/internal/rowwise"
	"github.com/linnet-ml/linnet/nn/plan"
)

// Group gives some parameters an optimizer of their own, or keeps them as they are.
type Group struct {
	// Parameters are patterns of names, as path.Match has them: "embedding/*", "*/bias". A parameter belongs to the first
	// group that has a pattern for it. A pattern that no trainable parameter matches is an error.
	Parameters []string
	// Optimizer is the group's own, with its own rate and steps; nil means FitOptions.Optimizer.
	Optimizer Optimizer
	// Frozen keeps the parameters as they are.
	Frozen bool
}

// group is the parameters that one optimizer moves.
type group struct {
	rule   plan.Rule
	rate   float32 // unless there is a schedule
	state  *plan.GroupState
	steps  rowwise.Steps
	before []float32 // the scalars before this step
	decay  float32   // times the rate, in this step
	sum    float64   // of the squares of all its gradients in this step
}

// group starts the optimizers.
func (u *update) group(o *updateOptions) error {
	if err := o.state.Check(); err != nil {
		return fmt.Errorf("nn: %w", err)
	}
	optimizers := []Optimizer{o.optimizer}
	for k, g := range o.groups {
		if len(g.Parameters) == 0 {
			return fmt.Errorf("nn: group %d names no parameters", k)
		}
		for _, pattern := range g.Parameters {
			if _, err := path.Match(pattern, ""); err != nil {
				return fmt.Errorf("nn: group %d: pattern %q: %w", k, pattern, err)
			}
		}
		if g.Frozen && !isNil(g.Optimizer) {
			return fmt.Errorf("nn: group %d is frozen and has an optimizer", k)
		}
		by := g.Optimizer
		if isNil(by) {
			by = o.optimizer
		}
		optimizers = append(optimizers, by)
	}
	if o.state.Version != 0 && len(o.state.Groups) == 0 {
		return errors.New("nn: the training state has no optimizer")
	}
	if o.state.Accumulated > 0 && o.state.Gradients == nil {
		return fmt.Errorf("nn: the training state has no gradients of the %d batches that wait for a step", o.state.Accumulated)
	}
	if n := len(o.state.Groups); n > 0 && n != len(optimizers) {
		return fmt.Errorf("nn: the training state has %d optimizers, and this run %d", n, len(optimizers))
	}
	fresh := len(o.state.Groups) == 0
	if fresh {
		o.state.Groups = make([]plan.GroupState, len(optimizers))
	}
	for k, by := range optimizers {
		rule, err := by.Rule()
		if err != nil {
			return err
		}
		g := &group{rule: rule, rate: rule.Rate, state: &o.state.Groups[k]}
		if err := checkRule(by, &rule); err != nil {
			return err
		}
		if err := g.state.Fits(&rule); err != nil {
			return fmt.Errorf("nn: %w", err)
		}
		if rule.Schedule == nil {
			if err := checkRate(rule.Rate); err != nil {
				return err
			}
			if !fresh && g.state.Optimizer != "" {
				g.rate = g.state.Rate
			}
		}
		g.state.Optimizer, g.state.Slots = rule.Name, plan.SlotNames(rule.Slots)
		if g.state.Scalars == nil {
			for _, s := range rule.Scalars {
				g.state.Scalars = append(g.state.Scalars, s.First)
			}
		}
		g.steps.Rule = &g.rule
		u.groups = append(u.groups, g)
		n := max(1, rule.Shared.AccumulateSteps)
		if k > 0 && n != u.accumulate {
			return errors.New("nn: all groups must accumulate the gradients of the same number of batches")
		}
		u.accumulate = n
		if rule.Shared.ClipNorm > 0 || rule.Shared.GlobalClipNorm > 0 {
			u.apart = true
		}
	}
	if n := o.state.Accumulated; n >= u.accumulate {
		return fmt.Errorf("nn: the training state has the gradients of %d batches, and %d make a step of this run", n, u.accumulate)
	}
	return nil
}

// checkRule refuses a rule that cannot run.
func checkRule(o Optimizer, r *plan.Rule) error {
	if r.Coefficients == nil || r.Update == nil {
		return fmt.Errorf("nn: the optimizer %s has no Coefficients or no Update", o.Kind())
	}
	if err := r.Shared.Check(); err != nil {
		return nnError("", fmt.Errorf("%s: %w", r.Name, err))
	}
	if r.UpdateSquares != nil && (r.Shared.ClipValue > 0 || r.Shared.ClipNorm > 0 || r.Shared.GlobalClipNorm > 0) {
		return fmt.Errorf("nn: %s: squares of occurrences and clipping cannot go together", r.Name)
	}
	if r.UpdateSquares != nil && r.Shared.AccumulateSteps > 1 {
		return fmt.Errorf("nn: %s: squares of occurrences and accumulated gradients cannot go together", r.Name)
	}
	return nil
}

// groupOf returns the group of a parameter, and which of the run's Groups that is, or none.
func (u *update) groupOf(p *plan.Parameter, groups []Group) (*group, int) {
	k := slices.IndexFunc(groups, func(g Group) bool { return g.has(p.Name()) })
	return u.groups[1+k], k
}

// has reports whether one of the patterns is for the name.
func (g *Group) has(name string) bool {
	return slices.ContainsFunc(g.Parameters, func(pattern string) bool {
		ok, _ := path.Match(pattern, name)
		return ok
	})
}

// coming is the rate of the group's coming step.
func (g *group) coming() float32 {
	if g.rule.Schedule != nil {
		return g.rule.Schedule.Rate(g.state.Step)
	}
	return g.rate
}

// begin starts the coming step, unless its rate is invalid.
func (u *update) begin() (err error) {
	complete, begun := false, 0
	defer func() {
		for _, g := range u.groups[:begun] {
			if !complete { // the step counts for no group
				g.state.Step--
				copy(g.state.Scalars, g.before)
			}
		}
	}()
	defer recovering(&err)
	for _, g := range u.groups {
		if err := checkRate(g.coming()); err != nil {
			return fmt.Errorf("%w in step %d", err, g.state.Step+1)
		}
	}
	for _, g := range u.groups {
		rate := g.coming()
		g.before = append(g.before[:0], g.state.Scalars...)
		begun++
		g.state.Step++
		g.steps.Now = g.rule.Coefficients(g.state.Step, rate, g.state.Scalars)
		g.decay = rate
	}
	complete = true
	return nil
}

// checkRate refuses a learning rate that no run can use.
func checkRate(rate float32) error {
	if !(rate >= 0) || math.IsInf(float64(rate), 0) {
		return fmt.Errorf("nn: a learning rate of %v", rate)
	}
	return nil
}
