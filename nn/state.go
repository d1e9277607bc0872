package nn

import (
	"fmt"
	"iter"
	"maps"
	"slices"

	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/simd"
)

// TrainingState is all that another run needs to continue a training run: see [plan.TrainingState].
type TrainingState = plan.TrainingState

// cloneState is a copy of a state, but for the numbers in the slots; of none, one at the start.
func cloneState(s *TrainingState) TrainingState {
	if s == nil {
		return TrainingState{}
	}
	c := *s
	c.Groups = slices.Clone(s.Groups)
	for i := range c.Groups {
		c.Groups[i].Scalars = slices.Clone(c.Groups[i].Scalars)
	}
	c.Slots, c.Rows, c.Averages = maps.Clone(s.Slots), maps.Clone(s.Rows), maps.Clone(s.Averages)
	return c
}

// slotsFor returns the slots of a parameter, made where there are none.
func (u *update) slotsFor(p *plan.Parameter, r *plan.Rule) ([][]float32, error) {
	s := u.state
	if s.Slots == nil {
		s.Slots = map[string][][]float32{}
	}
	slots, ok := s.Slots[p.Name()]
	if !ok {
		slots = newSlots(r, p.Size())
		if rows := s.Rows[p.Name()]; rows != nil {
			if err := rows.Check(p, r); err != nil {
				return nil, err
			}
			_, width := p.Rows()
			for k, v := range rows.Slots {
				simd.Scatter(slots[k], v, width, rows.Rows)
			}
			delete(s.Rows, p.Name())
		}
		s.Slots[p.Name()] = slots
		return slots, nil
	}
	if len(slots) != len(r.Slots) || slices.ContainsFunc(slots, func(v []float32) bool { return len(v) != p.Size() }) {
		return nil, fmt.Errorf("nn: the training state's slots of %q are not those of %s for %d elements", p.Name(), r.Name, p.Size())
	}
	if err := plan.CheckSlots(r.Slots, slots); err != nil {
		return nil, fmt.Errorf("nn: the training state's slots of %q: %w", p.Name(), err)
	}
	return slots, nil
}

// newSlots makes slots with their first values.
func newSlots(r *plan.Rule, size int) [][]float32 {
	slots := make([][]float32, len(r.Slots))
	for i := range slots {
		slots[i] = make([]float32, size)
		if first := r.Slots[i].First; first != 0 {
			for k := range slots[i] {
				slots[i][k] = first
			}
		}
	}
	return slots
}

// rowsFor returns the slots of a large table, nil where there are none.
func (u *update) rowsFor(p *plan.Parameter, r *plan.Rule) (*plan.RowSlots, error) {
	saved := u.state.Rows[p.Name()]
	if slots := u.state.Slots[p.Name()]; saved == nil && slots != nil {
		rows, _ := p.Rows()
		saved = &plan.RowSlots{Rows: consecutive(nil, 0, rows), Slots: slots}
	}
	if saved == nil {
		return nil, nil
	}
	return saved, saved.Check(p, r)
}

// averageFor returns the moving average of a parameter.
func (u *update) averageFor(p *plan.Parameter) ([]float32, error) {
	s := u.state
	if s.Averages == nil {
		s.Averages = map[string][]float32{}
	}
	average, ok := s.Averages[p.Name()]
	if !ok {
		average = slices.Clone(plan.Elements(key, p))
		s.Averages[p.Name()] = average
	}
	if len(average) != p.Size() {
		return nil, fmt.Errorf("nn: the training state has an average of %d elements for %q, which has %d", len(average), p.Name(), p.Size())
	}
	return average, nil
}

// save writes what the update keeps elsewhere into the state: slots of large tables, rates, gradients that wait. Other
// slots lie in it all the time.
func (u *update) save() {
	s := u.state
	s.Version = plan.StateVersion
	for _, g := range u.groups {
		g.state.Rate = g.rate
	}
	saved := map[string]*plan.RowSlots{}
	s.Gradients = nil
	for _, r := range u.resting {
		name := r.p.Name()
		if s.Accumulated > 0 {
			if s.Gradients == nil {
				s.Gradients = map[string][]float32{}
			}
			s.Gradients[name] = []float32{}
		}
		if s.Slots[name] == nil && s.Rows[name] == nil {
			saved[name] = noRows(&r.group.rule)
		}
	}
	for i := range u.params {
		p := &u.params[i]
		if s.Accumulated > 0 {
			if s.Gradients == nil {
				s.Gradients = map[string][]float32{}
			}
			s.Gradients[p.p.Name()] = u.dense(i)
		}
		rows := 0
		jobs := slices.DeleteFunc(u.inOrder(i), func(j *job) bool { return j.table == nil })
		for _, j := range jobs {
			rows += j.table.Len()
		}
		if len(jobs) == 0 {
			continue
		}
		_, width := p.p.Rows()
		r := &plan.RowSlots{Rows: make([]int32, 0, rows), Slots: make([][]float32, len(p.group.rule.Slots))}
		for k := range r.Slots {
			r.Slots[k] = make([]float32, 0, rows*width)
		}
		for _, j := range jobs {
			j.table.Save(r)
		}
		saved[p.p.Name()] = r
		delete(s.Slots, p.p.Name())
	}
	switch {
	case s.Rows == nil && len(saved) > 0:
		s.Rows = saved
	default: // tables that this run does not train keep theirs
		maps.Copy(s.Rows, saved)
	}
}

// noRows are the slots of a parameter that has never moved.
func noRows(r *plan.Rule) *plan.RowSlots {
	s := &plan.RowSlots{Rows: []int32{}, Slots: make([][]float32, len(r.Slots))}
	for k := range s.Slots {
		s.Slots[k] = []float32{}
	}
	return s
}

// checkParts refuses a state with parts that no run leaves, and one that lacks parts that each run leaves: slots of each
// parameter that its layer trains, after a step; moving averages of those that have moved; gradients of all where some wait.
func (u *update) checkParts(params []*plan.Parameter, groups []Group) error {
	s := u.state
	known := map[string]bool{}
	for _, p := range params {
		known[p.Name()] = plan.Born(key, p)
	}
	for _, part := range []struct {
		what  string
		names iter.Seq[string]
	}{{"slots", maps.Keys(s.Slots)}, {"rows", maps.Keys(s.Rows)}, {"an average", maps.Keys(s.Averages)}, {"gradients", maps.Keys(s.Gradients)}} {
		for _, name := range slices.Sorted(part.names) {
			if !known[name] {
				return fmt.Errorf("nn: the training state has %s of %q, which the model does not train", part.what, name)
			}
		}
	}
	for _, p := range params {
		name := p.Name()
		if !known[name] {
			continue
		}
		of, _ := u.groupOf(p, groups)
		_, dense := s.Slots[name]
		rows := s.Rows[name]
		_, waits := s.Gradients[name]
		_, averaged := s.Averages[name]
		moved := dense || (rows != nil && len(rows.Rows) > 0)
		switch {
		case s.Accumulated > 0 && !waits:
			return fmt.Errorf("nn: the training state has no gradients of %q, of the %d batches that wait for a step", name, s.Accumulated)
		case dense && rows != nil:
			return fmt.Errorf("nn: the training state has slots of %q twice", name)
		case of.state.Step == 0:
		case !dense && rows == nil:
			return fmt.Errorf("nn: the training state has no slots of %q after %d steps of %s", name, of.state.Step, of.rule.Name)
		case of.rule.Shared.Average && moved && !averaged:
			return fmt.Errorf("nn: the training state has no average of %q after %d steps of %s", name, of.state.Step, of.rule.Name)
		}
	}
	return nil
}

// dense returns a copy of a parameter's whole gradient.
func (u *update) dense(param int) []float32 {
	p := &u.params[param]
	if p.grad != nil {
		return slices.Clone(p.grad)
	}
	all := make([]float32, p.p.Size())
	_, width := p.p.Rows()
	for _, j := range u.inOrder(param) {
		j.table.EachGradient(func(row int32, g []float32) { copy(all[int(row)*width:], g) })
	}
	return all
}

// stateWeights returns the weights of a state in the order of the parameters, or nil where it has none.
func (m *Model) stateWeights(s *TrainingState) ([][]float32, error) {
	if s.Weights == nil {
		return nil, nil
	}
	params := m.params()
	values := make([][]float32, len(params))
	for i, p := range params {
		v, ok := s.Weights[p.Name()]
		if !ok {
			return nil, fmt.Errorf("nn: the training state has no weights of %q", p.Name())
		}
		if err := checkWeights(p, v); err != nil {
			return nil, err
		}
		values[i] = v
	}
	if len(s.Weights) != len(params) {
		for name := range s.Weights {
			if m.Parameter(name) == nil {
				return nil, fmt.Errorf("nn: the training state has weights of %q, which the model does not have", name)
			}
		}
	}
	return values, nil
}

// restoreWeights gives the model the weights of a state, once nothing else is wrong with it.
func (s *stepper) restoreWeights(values [][]float32) error {
	if values == nil {
		return nil
	}
	s.state.Weights = nil
	if err := s.model.write(s.model.params(), values); err != nil {
		return err
	}
	for i := range s.update.params {
		if p := &s.update.params[i]; p.fresh {
			copy(p.average, plan.Elements(key, p.p))
		}
	}
	return nil
}

// weightsByName returns a copy of all parameters' elements.
func (m *Model) weightsByName() map[string][]float32 {
	m.settled()
	all := map[string][]float32{}
	for _, p := range m.params() {
		all[p.Name()] = slices.Clone(plan.Elements(key, p))
	}
	return all
}
