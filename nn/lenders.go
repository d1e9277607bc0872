package nn

import (
	"fmt"
	"slices"

	"github.com/linnet-ml/linnet/nn/plan"
)

// loan is memory that belongs to others, such as an open file, and that a call holds while it reads parameters.
type loan []plan.Lender

// release gives the memory back.
func (l loan) release() {
	for _, lender := range l {
		lender.Release()
	}
}

// borrow acquires the memory of all parameters that lie in others'. It fails once one of them was given up.
func (m *Model) borrow() (loan, error) {
	held, err := acquire(m.lenders.Load())
	if err != nil && m.findLenders() {
		// A model that shares the parameters was trained since, and has copied them.
		held, err = acquire(m.lenders.Load())
	}
	if err != nil {
		return nil, fmt.Errorf("nn: %w", err)
	}
	return held, nil
}

func acquire(lenders *[]plan.Lender) (loan, error) {
	if lenders == nil {
		return nil, nil
	}
	for i, l := range *lenders {
		if err := l.Acquire(); err != nil {
			loan((*lenders)[:i]).release()
			return nil, err
		}
	}
	return *lenders, nil
}

// findLenders notes whose memory the parameters lie in, each lender once. It reports whether that has changed.
func (m *Model) findLenders() bool {
	var all []plan.Lender
	for _, p := range m.params() {
		if l := plan.LenderOf(key, p); l != nil && !slices.Contains(all, l) {
			all = append(all, l)
		}
	}
	old := m.lenders.Load()
	if len(all) == 0 {
		m.lenders.Store(nil)
		return old != nil
	}
	m.lenders.Store(&all)
	return old == nil || !slices.Equal(*old, all)
}
