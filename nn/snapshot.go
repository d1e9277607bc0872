package nn

import (
	"errors"
	"slices"

	"github.com/linnet-ml/linnet/simd"
)

// Snapshot is what the weights of a model were at a moment of a Fit, to go back to during the same Fit. Of a large table
// it holds the rows that had ever moved by then, and no others: their number is a matter of the training data, not of the
// table. A large parameter that the Fit does not train it does not hold at all. It is made by [Training.Snapshot].
type Snapshot struct {
	training *Training
	// weights are the elements of each parameter that is held as a whole, in the order of Model.Parameters; else nil.
	weights [][]float32
	tables  []tableSnapshot
	whole   bool // weights has all parameters, and tables do not count
}

// tableSnapshot is a part of a large table: the values of the rows that were touched, in the order of touched.rows.
//
// Rows that are touched later had at this moment the values that they had until then. These are in touched.originals,
// which holds them for all snapshots of the run.
type tableSnapshot struct {
	param  int // in Model.params
	part   *touched
	values []float32
}

// Snapshot remembers the model's weights as they are now. It uses the memory of old, an earlier snapshot that is no
// longer needed or nil, again.
func (t *Training) Snapshot(old *Snapshot) *Snapshot {
	m := t.model
	m.settled()
	s := old
	if s == nil || s.training != t {
		s = &Snapshot{training: t, weights: make([][]float32, len(m.params)), tables: t.update.tables(m.params)}
		if !t.ended {
			t.snapshots = append(t.snapshots, s)
			m.written = t.completeSnapshots
		}
	}
	if s.whole {
		s.whole = false
		for i, p := range m.params {
			if !t.update.keepsWhole(p) {
				s.weights[i] = nil
			}
		}
	}
	for i, p := range m.params {
		if t.update.keepsWhole(p) {
			s.weights[i] = append(s.weights[i][:0], p.storage.Float32()...)
		}
	}
	for i := range s.tables {
		k := &s.tables[i]
		k.part.keepOriginals()
		k.values = grow(k.values, len(k.part.rows)*k.part.width)
		simd.Gather(k.values, m.params[k.param].storage.Float32(), k.part.width, k.part.rows)
	}
	return s
}

// Restore gives the model the weights of a snapshot of this Fit, to the bit; it does not change the optimizer's slots. At
// TrainEnd it may still be called, later it is an error.
func (t *Training) Restore(s *Snapshot) error {
	switch {
	case s == nil || s.training != t:
		return errors.New("nn: the snapshot is not of this Fit")
	case t.ended:
		return errors.New("nn: the Fit of the snapshot has ended")
	case s.whole:
		return t.model.SetWeights(s.weights)
	}
	t.model.settled()
	for i, w := range s.weights {
		if w != nil {
			copy(t.model.params[i].storage.Float32(), w)
		}
	}
	for i := range s.tables {
		k := &s.tables[i]
		k.part.restore(t.model.params[k.param].storage.Float32(), k.values)
	}
	return nil
}

// completeSnapshots makes all snapshots independent of the weights that they do not hold, before these are written from
// outside of the run.
func (t *Training) completeSnapshots() {
	for _, s := range t.snapshots {
		s.complete()
	}
}

func (s *Snapshot) complete() {
	if s.whole {
		return
	}
	for i, p := range s.training.model.params {
		if s.weights[i] == nil {
			s.weights[i] = slices.Clone(p.storage.Float32())
		}
	}
	for i := range s.tables {
		k := &s.tables[i]
		k.part.restore(s.weights[k.param], k.values)
		k.values = nil
	}
	s.whole = true
}

// end is the end of the Fit.
func (t *Training) end() {
	t.ended = true
	t.snapshots = nil
	t.model.written = nil
}

// keepsWhole reports whether snapshots hold all elements of a parameter: not of large tables, and not of what is large
// and stays as it is.
func (u *update) keepsWhole(p *Parameter) bool {
	if p.Size() < touchedElements {
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
func (u *update) tables(params []*Parameter) []tableSnapshot {
	var list []tableSnapshot
	for i, p := range u.params {
		for _, j := range u.inOrder(i) {
			if j.touched != nil {
				list = append(list, tableSnapshot{param: slices.Index(params, p.p), part: j.touched})
			}
		}
	}
	return list
}

// keepOriginals makes sure that from now on the values of rows are kept when they are first touched.
func (t *touched) keepOriginals() {
	if !t.keep {
		t.keep, t.since = true, len(t.rows)
	}
}

// restore writes to a table what a snapshot says of the rows of this part: values of the rows that were touched by then,
// and of those that have been touched since what they were before.
func (t *touched) restore(table, values []float32) {
	n := len(values) / t.width
	simd.Scatter(table, values, t.width, t.rows[:n])
	simd.Scatter(table, t.originals[(n-t.since)*t.width:], t.width, t.rows[n:])
}
