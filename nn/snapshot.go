package nn

import (
	"errors"
	"fmt"
	"slices"

	"github.com/linnet-ml/linnet/nn/internal/rowwise"
	"github.com/linnet-ml/linnet/nn/plan"
)

// snapshot is what the weights of a model were at a moment of a Fit, to go back to during the same Fit. Of a large table
// it holds the rows that had ever moved by then, and no others: their number is a matter of the training data, not of the
// table. A large parameter that the Fit does not train it does not hold at all.
type snapshot struct {
	training *training
	// weights are the elements of each parameter that is held as a whole, in the order of Model.Parameters; else nil.
	weights [][]float32
	tables  []tableSnapshot
	whole   bool // weights has all parameters, and tables do not count
}

// tableSnapshot is a part of a large table: the values of the rows that were touched, in the order in which they were.
//
// Rows that are touched later had at this moment the values that they had until then. The part holds these for all
// snapshots of the run.
type tableSnapshot struct {
	param  int // in Model.Parameters
	part   *rowwise.Table
	values []float32
}

func (t *training) Snapshot(old plan.Snapshot) plan.Snapshot {
	m := t.model
	m.settled()
	s, _ := old.(*snapshot)
	if s == nil || s.training != t {
		s = t.newSnapshot()
	}
	if s.whole {
		s.whole = false
		for i, p := range m.params() {
			if !t.update.keepsWhole(p) {
				s.weights[i] = nil
			}
		}
	}
	for i, p := range m.params() {
		if t.update.keepsWhole(p) {
			s.weights[i] = append(s.weights[i][:0], plan.Elements(key, p)...)
		}
	}
	for i := range s.tables {
		k := &s.tables[i]
		k.part.KeepOriginals()
		k.values = k.part.Remember(k.values, plan.Elements(key, m.params()[k.param]))
	}
	return s
}

func (t *training) newSnapshot() *snapshot {
	m := t.model
	s := &snapshot{training: t, weights: make([][]float32, len(m.params())), tables: t.update.tables(m.params())}
	if !t.ended {
		t.snapshots = append(t.snapshots, s)
		m.written = t.completeSnapshots
	}
	return s
}

func (t *training) SnapshotOf(weights map[string][]float32) (plan.Snapshot, error) {
	s := t.newSnapshot()
	s.whole = true
	for i, p := range t.model.params() {
		values, ok := weights[p.Name()]
		if !ok {
			return nil, fmt.Errorf("nn: a snapshot has no weights of %q", p.Name())
		}
		if err := checkWeights(p, values); err != nil {
			return nil, err
		}
		s.weights[i] = slices.Clone(values)
	}
	return s, nil
}

// Weights returns the elements of all parameters.
func (s *snapshot) Weights() map[string][]float32 {
	c := *s
	c.weights = slices.Clone(s.weights)
	c.tables = slices.Clone(s.tables)
	c.complete()
	all := map[string][]float32{}
	for i, p := range s.training.model.params() {
		all[p.Name()] = c.weights[i]
		if s.weights[i] != nil {
			all[p.Name()] = slices.Clone(c.weights[i])
		}
	}
	return all
}

func (t *training) Restore(old plan.Snapshot) error {
	s, _ := old.(*snapshot)
	switch {
	case s == nil || s.training != t:
		return errors.New("nn: the snapshot is not of this Fit")
	case t.ended:
		return errors.New("nn: the Fit of the snapshot has ended")
	case s.whole:
		return t.model.write(t.model.params(), s.weights)
	}
	t.model.settled()
	for i, w := range s.weights {
		if w != nil {
			copy(plan.Elements(key, t.model.params()[i]), w)
		}
	}
	for i := range s.tables {
		k := &s.tables[i]
		k.part.Restore(plan.Elements(key, t.model.params()[k.param]), k.values)
	}
	return nil
}

// completeSnapshots makes all snapshots independent of the weights that they do not hold, before these are written from
// outside of the run.
func (t *training) completeSnapshots() {
	for _, s := range t.snapshots {
		s.complete()
	}
}

func (s *snapshot) complete() {
	if s.whole {
		return
	}
	for i, p := range s.training.model.params() {
		if s.weights[i] == nil {
			s.weights[i] = slices.Clone(plan.Elements(key, p))
		}
	}
	for i := range s.tables {
		k := &s.tables[i]
		k.part.Restore(s.weights[k.param], k.values)
		k.values = nil
	}
	s.whole = true
}

// end is the end of the Fit.
func (t *training) end() {
	t.stepper.end()
	t.ended = true
	t.snapshots = nil
	t.model.written = nil
}

// keepsWhole reports whether snapshots hold all elements of a parameter: not of large tables, and not of what is large
// and stays as it is.
func (u *update) keepsWhole(p *plan.Parameter) bool {
	if p.Size() < largeTable {
		return true
	}
	for i := range u.params {
		if u.params[i].p == p {
			return u.params[i].grad != nil
		}
	}
	return false
}

// tables lists the parts of large tables.
func (u *update) tables(params []*plan.Parameter) []tableSnapshot {
	var list []tableSnapshot
	for i, p := range u.params {
		for _, j := range u.inOrder(i) {
			if j.table != nil {
				list = append(list, tableSnapshot{param: slices.Index(params, p.p), part: j.table})
			}
		}
	}
	return list
}
