package nn

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// team is a fixed number of workers that run one phase after another, each phase on all of them at once. The caller
// is worker 0; the others are goroutines that start with the team and end with it.
//
// Between phases a worker spins for a short while before it parks: waking a parked thread costs far more than a phase
// of a small network takes. It spins for a bounded time, so that a machine with other work gets its core back.
type team struct {
	size    int
	phase   func(worker int)
	number  atomic.Uint32 // of the phase; a change starts it
	running atomic.Int32  // workers that have not finished the phase
	ended   bool

	parked []atomic.Bool
	wake   []chan struct{}
	// waiting is set while the caller sleeps until the last worker finishes.
	waiting  atomic.Bool
	finished chan struct{}
	exited   sync.WaitGroup
}

// spins bounds the wait before a worker parks: some 50 µs.
const spins = 1 << 15

// newTeam starts a team; end must be called.
func newTeam(size int) *team {
	t := &team{size: size, finished: make(chan struct{}, 1)}
	if size <= 1 {
		t.size = 1
		return t
	}
	t.parked = make([]atomic.Bool, size)
	t.wake = make([]chan struct{}, size)
	for w := 1; w < size; w++ {
		t.wake[w] = make(chan struct{}, 1)
		t.exited.Add(1)
		go t.work(w)
	}
	return t
}

// run runs phase(worker) once for each worker and returns when all have finished.
func (t *team) run(phase func(worker int)) {
	if t.size == 1 {
		phase(0)
		return
	}
	t.start(phase)
	phase(0)
	for range spins {
		if t.running.Load() == 0 {
			return
		}
	}
	// The last worker of the phase before may only now come to look whether we wait, and wake us although this phase
	// still runs: hence the loop.
	for {
		t.waiting.Store(true)
		if t.running.Load() == 0 {
			if !t.waiting.CompareAndSwap(true, false) {
				<-t.finished // a worker saw that we wait
			}
			return
		}
		<-t.finished
		if t.running.Load() == 0 {
			return
		}
	}
}

// start lets the workers begin a phase.
func (t *team) start(phase func(worker int)) {
	t.phase = phase
	t.running.Store(int32(t.size - 1))
	t.number.Add(1)
	for w := 1; w < t.size; w++ {
		if t.parked[w].CompareAndSwap(true, false) {
			t.wake[w] <- struct{}{}
		}
	}
}

func (t *team) work(w int) {
	defer t.exited.Done()
	seen := uint32(0)
	for {
		t.await(w, seen)
		seen++
		if t.ended {
			return
		}
		t.phase(w)
		if t.running.Add(-1) == 0 && t.waiting.CompareAndSwap(true, false) {
			t.finished <- struct{}{}
		}
	}
}

// await returns when a phase after number seen has started.
func (t *team) await(w int, seen uint32) {
	for {
		for range spins {
			if t.number.Load() != seen {
				return
			}
		}
		t.parked[w].Store(true)
		if t.number.Load() != seen {
			if !t.parked[w].CompareAndSwap(true, false) {
				<-t.wake[w] // the caller saw that we are parked
			}
			return
		}
		// A caller that is held up while it starts phase seen may wake us although we have run that: hence the loop.
		<-t.wake[w]
	}
}

// end stops the workers and waits until they are gone.
func (t *team) end() {
	if t.size == 1 {
		return
	}
	t.ended = true
	t.start(nil)
	t.exited.Wait()
}

// share is worker w's part of n things: a range that depends on n, w and the team's size alone.
func (t *team) share(n, w int) (lo, hi int) {
	return n * w / t.size, n * (w + 1) / t.size
}

// threads is the number of workers for a setting (0: automatic) and a number of batch rows.
func threads(setting, rows int) int {
	if setting <= 0 {
		setting = 1
	}
	return max(1, min(setting, rows, 4*runtime.NumCPU()))
}
