package selection

import (
	"context"
	"errors"
	"runtime/debug"
	"sync"
)

// The phases of a training. See classifier.Progress.
const (
	Reading   = "reading"
	Comparing = "comparing recipes"
	Counting  = "counting n-grams"
	Finals    = "comparing finalists"
	Testing   = "testing"
	Learning  = "learning"
	Averaging = "learning a network"
	Folds     = "learning without a fold" // of CrossAnswers
)

// thousandths is how many units of the phases Finals, Testing and Learning one linear model is.
const thousandths = 1000

// A Meter says how far a training is. Nil says nothing. Any number of goroutines may use it.
type Meter struct {
	report func(phase string, done, total int)

	mu          sync.Mutex
	phase       string
	done, total int
	panicked    *Panic // of report, which is not called any more
	ended       context.CancelFunc
}

// A Panic is what report panicked with, in whatever goroutine.
type Panic struct {
	Value any
	Stack []byte
}

// NewMeter returns a Meter that calls report, one call at a time; nil for a report that is nil.
func NewMeter(report func(phase string, done, total int)) *Meter {
	if report == nil {
		return nil
	}
	return &Meter{report: report}
}

// Set says how far a phase is.
func (m *Meter) Set(phase string, done, total int) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.phase, m.done, m.total = phase, done, total
	m.call()
}

var errExited = errors.New("the goroutine was ended")

// call calls report. Of a panic, and of an end of the goroutine, it takes a note.
func (m *Meter) call() {
	if m.panicked != nil {
		return
	}
	returned := false
	defer func() {
		v := recover()
		if v == nil && !returned {
			v = errExited
		}
		if v != nil {
			m.panicked = &Panic{v, debug.Stack()}
			if m.ended != nil {
				m.ended()
			}
		}
	}()
	m.report(m.phase, m.done, m.total)
	returned = true
}

// Context returns a context that ends when report panics.
func (m *Meter) Context(ctx context.Context) (context.Context, context.CancelFunc) {
	if m == nil {
		return ctx, func() {}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	ctx, m.ended = context.WithCancel(ctx)
	return ctx, m.ended
}

// Panicked returns the panic of report, or nil.
func (m *Meter) Panicked() *Panic {
	if m == nil {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.panicked
}

// counting returns what is told how many texts have been read.
func (m *Meter) counting() func(done, total int) {
	if m == nil {
		return nil
	}
	return func(done, total int) { m.Set(Counting, done, total) }
}

// models begins a phase of n linear models.
func (m *Meter) models(phase string, n int) { m.Set(phase, 0, n*thousandths) }

// model returns what is told how much of the fit of one of the linear models is done, from 0 to 1. While recipes are compared
// on the sample it does nothing.
func (m *Meter) model() func(share float64) {
	if m == nil {
		return func(float64) {}
	}
	last := 0
	return func(share float64) {
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.phase == Comparing {
			return
		}
		now := max(last, int(share*thousandths))
		m.done += now - last
		last = now
		m.call()
	}
}
