package nn

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// team is a fixed number of workers that run one phase after another, each phase a share for each of them. The caller
// is worker 0; the others are goroutines that start with the team and end with it. Who computes a share changes nothing.
//
// Between phases a worker spins for a short while before it parks: waking a parked thread costs far more than a phase
// of a small network takes. A caller that has finished its own share takes over those that nobody has begun, so that it
// never waits for a thread to wake up. It does wait for a share that has been begun. When such waits have taken too
// much of its time, for workers lost their cores to somebody else, or when workers keep coming too late, the machine is
// busy: the caller then works alone for a while, and its share is all of the work.
type team struct {
	size    int
	phase   func(worker int)
	number  atomic.Uint32 // of the phase; a change starts it
	running atomic.Int32  // shares that are not finished, the caller's aside
	ended   bool

	claimed []atomic.Uint32 // the number of the phase in which each worker's share was last begun
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
}

const (
	// spinTime bounds the wait before a worker parks or the caller sleeps. To be woken takes longer than that in a
	// virtual machine.
	spinTime = 300 * time.Microsecond
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

// newTeam starts a team; end must be called.
func newTeam(size int) *team {
	t := &team{size: max(1, size), finished: make(chan struct{}, 1), begun: time.Now()}
	if t.size == 1 {
		return t
	}
	t.claimed = make([]atomic.Uint32, size)
	t.parked = make([]atomic.Bool, size)
	t.wake = make([]chan struct{}, size)
	for w := 1; w < size; w++ {
		t.wake[w] = make(chan struct{}, 1)
		t.exited.Add(1)
		go t.work(w)
	}
	return t
}

// run runs phase(worker) once for each share and returns when all are finished.
func (t *team) run(phase func(worker int)) {
	if t.alone > 0 {
		if t.alone--; t.alone == 0 && t.overspent() {
			t.alone = leastAlone
		}
		t.solo = true
		phase(0)
		return
	}
	if t.solo = t.size == 1; t.solo {
		phase(0)
		return
	}
	t.start(phase)
	begun := time.Now()
	phase(0)
	own := time.Since(begun)
	number := t.number.Load()
	late := 0
	for w := t.size - 1; w > 0; w-- {
		if t.claim(w, number) {
			phase(w)
			t.running.Add(-1)
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
	t.judge(waited, own)
}

// claim begins a worker's share of a phase, unless it has been begun.
func (t *team) claim(w int, number uint32) bool { return t.claimed[w].CompareAndSwap(number-1, number) }

// judge decides whether to go on with all workers, by the time that the caller waited for the last share beside its own,
// and by how often it found shares that nobody had begun. Shares of equal numbers of rows are seldom equal work, and a
// core is lost for some milliseconds now and then: what counts is how much of the team's time went by with waiting.
func (t *team) judge(waited, own time.Duration) {
	if waited > max(patience, own) {
		t.lost += waited
	}
	if t.overspent() || t.late >= tooLate {
		t.late = 0
		t.alone = leastAlone
	}
}

// overspent reports whether the caller has waited for longer than it may.
func (t *team) overspent() bool {
	return t.lost > forgiven && t.lost-forgiven > time.Since(t.begun)/waitingShare
}

// wait returns when all shares are finished.
func (t *team) wait() {
	for begin := time.Now(); time.Since(begin) < spinTime; {
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
	for seen := uint32(0); ; {
		seen = t.await(w, seen)
		// A phase whose share the caller has taken over may be long gone; only a share that is ours keeps the team,
		// and what the phase is, as they are.
		if !t.claim(w, seen) {
			continue
		}
		if t.ended {
			return
		}
		t.phase(w)
		if t.running.Add(-1) == 0 && t.waiting.CompareAndSwap(true, false) {
			t.finished <- struct{}{}
		}
	}
}

// await returns the number of a phase after the one of the given number, when there is one.
func (t *team) await(w int, seen uint32) uint32 {
	for {
		for begin := time.Now(); time.Since(begin) < spinTime; {
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

// end stops the workers and waits until they are gone.
func (t *team) end() {
	if t.size == 1 {
		return
	}
	t.ended = true
	t.start(nil)
	t.exited.Wait()
}

// share is worker w's part of n things: a range that depends on n, w and the team's size alone; all of them in a phase
// with one share.
func (t *team) share(n, w int) (lo, hi int) {
	if t.solo {
		return 0, n
	}
	return n * w / t.size, n * (w + 1) / t.size
}

// threads is the number of workers for a setting and a batch of so many rows. 0 stands for as many as the work is worth.
func (m *Model) threads(setting, rows int, input Signature) int {
	if setting <= 0 {
		setting = min(runtime.GOMAXPROCS(0), m.batchWork(rows, input)/workerWork)
	}
	return max(1, min(setting, rows, 4*runtime.NumCPU()))
}

// workerWork is what a worker must have to do in a step to be worth its while, in the units of batchWork. The tutorial's
// step has less, and two workers have not made it faster.
const workerWork = 1 << 22

// batchWork counts elements that a step computes, roughly: of all values, of the products and of the parameters.
func (m *Model) batchWork(rows int, input Signature) int {
	const steps = 128 // where their number is not known
	signatures, err := m.plain.signatures(m.values, input)
	if err != nil {
		return 0
	}
	perRow := 0
	for _, s := range signatures {
		n := 1
		for _, d := range s.Shape[min(1, len(s.Shape)):] {
			if d == -1 {
				d = steps
			}
			n *= d
		}
		perRow += n
	}
	params := 0
	for _, s := range m.plain.steps {
		for k, i := range s.params {
			if r, ok := s.step.(RowStep); !ok || !r.ByRow(k) {
				perRow += m.params[i].Size()
			}
			if m.params[i].trainable {
				params += min(m.params[i].Size(), touchedElements)
			}
		}
	}
	return rows*perRow + params
}
