package nn

import (
	"github.com/linnet-ml/linnet/nn/plan"
)

// follow moves a moving average towards the weights; it begins as those after the first step.
func (g *group) follow(average, w []float32) {
	if g.state.Step == 1 {
		copy(average, w)
	} else {
		keep := g.rule.Shared.AverageMomentum.Or(0.99)
		rest := 1 - keep
		for i, v := range w {
			average[i] = float32(average[i]*keep) + float32(v*rest)
		}
	}
	if n := g.rule.Shared.AverageEvery; n > 0 && g.state.Step%n == 0 {
		copy(w, average)
	}
}

// finish gives the model the moving averages at the end of training. The weights they replace, from which another run
// goes on, are then in the state.
func (s *stepper) finish() error {
	u := s.update
	if err := u.settle(); err != nil {
		return err
	}
	for i := range u.params {
		if p := &u.params[i]; p.average != nil && p.group.state.Step > 0 {
			if s.state.Weights == nil {
				s.state.Weights = s.model.weightsByName()
			}
			copy(plan.Elements(key, p.p), p.average)
		}
	}
	return nil
}
