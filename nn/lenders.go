package nn

import (
	"errors"
	"fmt"
	"runtime/debug"
	"slices"

	"github.com/linnet-ml/linnet/nn/plan"
)

// loan is memory that belongs to others, such as an open file, and that a call holds while it reads parameters. Meanwhile
// faults in it are panics.
type loan struct {
	lenders []plan.Lender
	faults  bool // whether faults were panics before
}

// release gives the memory back.
func (l *loan) release() {
	if l.lenders == nil {
		return
	}
	debug.SetPanicOnFault(l.faults)
	for _, lender := range l.lenders {
		lender.Release()
	}
	l.lenders = nil
}

// explain says that a panic which ended a call was a fault in others' memory.
func (m *Model) explain(err *error) {
	lenders := m.lenders.Load()
	if *err == nil || lenders == nil {
		return
	}
	var p *plan.PanicError
	if !errors.As(*err, &p) {
		return
	}
	for _, l := range *lenders {
		if fault := l.Fault(p.Value); fault != nil {
			*err = fmt.Errorf("nn: %w", fault)
			return
		}
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
		return loan{}, fmt.Errorf("nn: %w", err)
	}
	if held == nil {
		return loan{}, nil
	}
	return loan{held, debug.SetPanicOnFault(true)}, nil
}

func acquire(lenders *[]plan.Lender) ([]plan.Lender, error) {
	if lenders == nil {
		return nil, nil
	}
	for i, l := range *lenders {
		if err := l.Acquire(); err != nil {
			for _, held := range (*lenders)[:i] {
				held.Release()
			}
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
