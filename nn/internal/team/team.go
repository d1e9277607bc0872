// Package team runs the phases of a computation on a fixed number of workers.
package team

import (
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/linnet-ml/linnet/nn/plan"
)

// Team is a fixed number of workers that run one phase after another, each phase a share for each of them. The caller
// is worker 0; the others are goroutines that start with the team and end with it. Who computes a share changes nothing.
//
// Between phases a worker spins for a short while before it parks: waking a parked thread costs far more than a phase
// of a small network takes. A caller that has finished its own share takes over those that nobody has begun, so that it
// never waits for a thread to wake up. It does wait for a share that has been begun. When such waits have taken too
// much of its time, for workers lost their cores to somebody else, or when workers keep coming too late, the machine is
// busy: the caller then works alone for a while, and its share is all of the work. In the steps of a training it also tries
// now and then whether it is faster alone: see trial.
type Team struct {
	size    int
	phase   func(worker int)
	number  atomic.Uint32 // of the phase; a change starts it
	running atomic.Int32  // shares that are not finished, the caller's aside
	ended   bool

	claimed []atomic.Uint32 // the number of the phase in which each worker's share was last begun
	took    []shareTime     // of each worker's latest share
	parked  []atomic.Bool
	wake    []chan struct{}
	// waiting is set while the caller sleeps until the last share is finished.
	waiting  atomic.Bool
	finished chan struct{}
	exited   sync.WaitGroup

	solo  bool // the phase has one share
	late  int  // phases in a row in which the caller took shares over
	alone int  // how many more phases the caller works alone
	begun time.Time
	lost  time.Duration // to waits for workers that had no core

	trial     trial
	inStep    bool
	stepBegun time.Time

	panics []error // one a worker
}

// shareTime is alone in its cache line, and the one beside it that processors fetch along.
type shareTime struct {
	time.Duration
	_ [120]byte
}

const (
	// A worker spins for leastSpin at the least before it parks, and the caller before it sleeps: to be woken takes about as
	// long in a virtual machine. Where shares are long they differ by more, so it is half as long as the latest share took,
	// but no longer than mostSpin.
	leastSpin, mostSpin = 300 * time.Microsecond, 2 * time.Millisecond
	// spins is how often a waiting thread looks between two looks at the clock.
	spins = 1 << 10
	// patience is how long the caller waits for a share before it takes the machine for busy; it waits at least as long
	// as its own share took.
	patience = 400 * time.Microsecond
	// The caller works alone for leastAlone phases at a time while long waits have taken more than one part in
	// waitingShare of the team's time, the first of them forgiven.
	leastAlone   = 256
	forgiven     = 3 * time.Millisecond
	waitingShare = 25
	// tooLate is how many phases in a row a worker may miss: a thread that was parked takes several to wake up.
	tooLate = 32
)

// New starts a team; End must be called.
func New(size int) *Team {
	t := &Team{size: max(1, size), panics: make([]error, max(1, size)), finished: make(chan struct{}, 1), begun: time.Now()}
	if t.size == 1 {
		return t
	}
	t.trial.start()
	t.claimed = make([]atomic.Uint32, size)
	t.took = make([]shareTime, size)
	t.parked = make([]atomic.Bool, size)
	t.wake = make([]chan struct{}, size)
	for w := 1; w < size; w++ {
		t.wake[w] = make(chan struct{}, 1)
		t.exited.Add(1)
		go t.work(w, 0)
	}
	return t
}

// Run runs phase(worker) once for each share and returns when all are finished. A panic in a share ends that share and
// becomes Run's error; of several the first worker's counts. So does a share that ends its goroutine (runtime.Goexit), which
// gets a new one, but for the caller's: that ends, once no worker is at the phase.
func (t *Team) Run(phase func(worker int)) error {
	t.run(phase)
	for w, err := range t.panics {
		if err != nil {
			clear(t.panics[w:])
			return err
		}
	}
	return nil
}

// do runs a share.
func (t *Team) do(phase func(worker int), w int) {
	defer t.catch(w)
	phase(w)
}

// catch keeps what a share panicked with.
func (t *Team) catch(w int) {
	if v := recover(); v != nil {
		t.panics[w] = plan.Recovered(v)
	}
}

func (t *Team) run(phase func(worker int)) {
	if t.solo = t.isAlone(); t.solo {
		t.do(phase, 0)
		return
	}
	t.start(phase)
	number := t.number.Load()
	complete := false
	defer func() {
		if !complete {
			t.abandon(number)
		}
	}()
	begun := time.Now()
	t.do(phase, 0)
	own := time.Since(begun)
	t.took[0].Duration = own
	late := 0
	for w := t.size - 1; w > 0; w-- {
		if t.claim(w, number) {
			t.running.Add(-1)
			t.do(phase, w)
			late = t.late + 1
		}
	}
	t.late = late
	waited := time.Duration(0)
	if t.running.Load() > 0 {
		begin := time.Now()
		t.wait()
		waited = time.Since(begin)
	}
	complete = true
	if !t.inStep { // there a trial decides, to which unequal shares are no lost core
		t.judge(waited, own)
	}
}

// isAlone reports whether the caller does all of the coming phase.
func (t *Team) isAlone() bool {
	switch {
	case t.size == 1:
		return true
	case t.inStep:
		return t.trial.alone
	case t.alone == 0:
		return false
	}
	if t.alone--; t.alone == 0 && t.overspent() {
		t.alone = leastAlone
	}
	return true
}

// abandon ends a phase whose caller's goroutine ends in the middle of it: shares that nobody has begun are left out, the
// others end, so that the team can be ended.
func (t *Team) abandon(number uint32) {
	for w := 1; w < t.size; w++ {
		if t.claim(w, number) {
			t.running.Add(-1)
		}
	}
	t.wait()
}

// claim begins a worker's share of a phase, unless it has been begun.
func (t *Team) claim(w int, number uint32) bool { return t.claimed[w].CompareAndSwap(number-1, number) }

// judge decides whether to go on with all workers, by the time that the caller waited for the last share beside its own,
// and by how often it found shares that nobody had begun. Shares of equal numbers of rows are seldom equal work, and a
// core is lost for some milliseconds now and then: what counts is how much of the team's time went by with waiting.
func (t *Team) judge(waited, own time.Duration) {
	if waited > max(patience, own) {
		t.lost += waited
	}
	if t.overspent() || t.late >= tooLate {
		t.late = 0
		t.alone = leastAlone
	}
}

// overspent reports whether the caller has waited for longer than it may.
func (t *Team) overspent() bool {
	return t.lost > forgiven && t.lost-forgiven > time.Since(t.begun)/waitingShare
}

// wait returns when all shares are finished.
func (t *Team) wait() {
	spin := t.spin(0)
	for begin := time.Now(); time.Since(begin) < spin; {
		for range spins {
			if t.running.Load() == 0 {
				return
			}
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

// spin is for how long a worker, or the caller, spins before it sleeps.
func (t *Team) spin(w int) time.Duration { return min(max(t.took[w].Duration/2, leastSpin), mostSpin) }

// Times writes how long each worker's share of the latest phase took. It reports false where not each worker has computed
// its own.
func (t *Team) Times(times []time.Duration) bool {
	if t.solo || t.size == 1 || t.late > 0 {
		return false
	}
	for w := range t.took {
		times[w] = t.took[w].Duration
	}
	return true
}

// start lets the workers begin a phase.
func (t *Team) start(phase func(worker int)) {
	t.phase = phase
	t.running.Store(int32(t.size - 1))
	t.number.Add(1)
	for w := 1; w < t.size; w++ {
		if t.parked[w].CompareAndSwap(true, false) {
			t.wake[w] <- struct{}{}
		}
	}
}

// work runs a worker's shares of the phases after the one of the given number.
func (t *Team) work(w int, seen uint32) {
	debug.SetPanicOnFault(true) // in a file that was cut short, for one: a panic is caught
	sharing := false
	defer func() {
		if !sharing {
			t.exited.Done()
			return
		}
		t.panics[w] = plan.Exited() // the share has ended the goroutine
		go t.work(w, seen)
		t.done()
	}()
	for {
		seen = t.await(w, seen)
		// A phase whose share the caller has taken over may be long gone; only a share that is ours keeps the team,
		// and what the phase is, as they are.
		if !t.claim(w, seen) {
			continue
		}
		if t.ended {
			return
		}
		sharing = true
		begun := time.Now()
		t.do(t.phase, w)
		t.took[w].Duration = time.Since(begun)
		sharing = false
		t.done()
	}
}

// done notes that a worker has finished its share.
func (t *Team) done() {
	if t.running.Add(-1) == 0 && t.waiting.CompareAndSwap(true, false) {
		t.finished <- struct{}{}
	}
}

// await returns the number of a phase after the one of the given number, when there is one.
func (t *Team) await(w int, seen uint32) uint32 {
	spin := t.spin(w)
	for {
		for begin := time.Now(); time.Since(begin) < spin; {
			for range spins {
				if n := t.number.Load(); n != seen {
					return n
				}
			}
		}
		t.parked[w].Store(true)
		if n := t.number.Load(); n != seen {
			if !t.parked[w].CompareAndSwap(true, false) {
				<-t.wake[w] // the caller saw that we are parked
			}
			return n
		}
		// A caller that is held up while it starts phase seen may wake us although we have run that: hence the loop.
		<-t.wake[w]
	}
}

// Size is the number of workers.
func (t *Team) Size() int { return t.size }

// Solo reports whether the phase under way has one share: all of the work.
func (t *Team) Solo() bool { return t.solo }

// End stops the workers and waits until they are gone.
func (t *Team) End() {
	if t.size == 1 || t.ended {
		return
	}
	t.ended = true
	t.start(nil)
	t.exited.Wait()
}

// Share is worker w's part of n things, of which units of the given size stay together: a range that depends on these
// and the team's size alone; all of them in a phase with one share.
func (t *Team) Share(n, unit, w int) (lo, hi int) {
	if t.solo {
		return 0, n
	}
	units := (n + unit - 1) / unit
	return min(n, units*w/t.size*unit), min(n, units*(w+1)/t.size*unit)
}
