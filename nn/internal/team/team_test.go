package team

import (
	"bytes"
	"errors"
	"runtime"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/linnet-ml/linnet/nn/plan"
)

// Every worker runs every phase once, and none is still at it when run returns.
func TestTeamPhases(t *testing.T) {
	for size := 1; size <= 8; size++ {
		team := New(size)
		ran := make([]int, size) // not atomic: the race detector shows a phase that overlaps the next
		for n := 1; n <= 1+400/(size*size); n++ {
			team.alone, team.late = 0, 0
			team.Run(func(worker int) { ran[worker]++ })
			for w, got := range ran {
				if got != n {
					t.Fatalf("%d workers, phase %d: worker %d ran %d", size, n, w, got)
				}
			}
		}
		team.End()
	}
}

// Workers that wait longer than they spin park, and wake up; so does the caller when a worker is slow.
func TestTeamParks(t *testing.T) {
	team := New(3)
	defer team.End()
	for range 3 {
		parked := func() bool { return team.parked[1].Load() && team.parked[2].Load() }
		for deadline := time.Now().Add(10 * time.Second); !parked(); time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal("workers without work do not park")
			}
		}
		var ran atomic.Int32
		team.Run(func(worker int) {
			if worker == 2 {
				time.Sleep(20 * time.Millisecond)
			}
			ran.Add(1)
		})
		team.alone = 0
		if ran.Load() != 3 {
			t.Fatalf("%d of 3 workers ran before the phase ended", ran.Load())
		}
	}
}

// A worker that ends a phase may be held up before it looks whether the caller waits. By then the caller can wait for
// the end of the next phase, which must not be taken for ended.
func TestTeamOutlivesLateWake(t *testing.T) {
	team := New(2)
	defer team.End()
	for range 20 {
		var done atomic.Bool
		late := make(chan struct{})
		go func() { // what the late worker does, of a phase that is over
			for !team.waiting.CompareAndSwap(true, false) {
				runtime.Gosched()
			}
			team.finished <- struct{}{}
			close(late)
		}()
		begun := make(chan struct{})
		team.Run(func(worker int) {
			if worker == 0 {
				<-begun // or the caller would take the share over
			} else {
				close(begun)
				<-late
				time.Sleep(time.Millisecond)
				done.Store(true)
			}
		})
		team.alone = 0
		if !done.Load() {
			t.Fatal("run returned while a worker was at the phase")
		}
	}
}

// A caller that is held up while it starts a phase may wake a worker that has run the phase and has parked again. The
// worker must not take that for the next phase.
func TestTeamIgnoresLateStart(t *testing.T) {
	team := New(2)
	defer team.End()
	var ran atomic.Int32
	for n := int32(1); n <= 3; n++ {
		team.Run(func(worker int) { ran.Add(int32(worker)) })
		for !team.parked[1].CompareAndSwap(true, false) {
			time.Sleep(time.Millisecond)
		}
		team.wake[1] <- struct{}{} // what the late caller does
		for !team.parked[1].Load() {
			time.Sleep(time.Millisecond)
		}
		if got := ran.Load(); got != n {
			t.Fatalf("the worker ran %d phases of %d", got, n)
		}
	}
}

// A caller that has waited for too large a part of its time works alone, until that part is small again.
func TestTeamWorksAloneOnABusyMachine(t *testing.T) {
	team := New(2)
	defer team.End()
	slow := func() {
		begun, ended := make(chan struct{}), make(chan struct{})
		start := time.Now()
		team.Run(func(worker int) {
			if worker == 0 {
				<-begun
				close(ended)
				return
			}
			close(begun)
			<-ended
			// Longer than the caller's share, which includes the time until this worker woke up.
			time.Sleep(20*time.Millisecond + 2*time.Since(start))
		})
	}
	together := func() bool {
		number := team.number.Load()
		lo, hi := 9, 9
		team.Run(func(worker int) {
			if worker == 0 {
				lo, hi = team.Share(5, 1, worker)
			}
		})
		alone := lo == 0 && hi == 5
		if alone == (team.number.Load() != number) {
			t.Fatalf("the caller has [%d:%d) of 5 things in phase %d after %d", lo, hi, team.number.Load(), number)
		}
		return !alone
	}
	slow()
	for range 3 * leastAlone { // it may not try again: so little time has passed
		if together() {
			t.Fatal("the caller goes on with workers that it has just waited for")
		}
	}
	team.begun = team.begun.Add(-time.Minute) // as if the wait lay long ago
	for range leastAlone + 1 {
		if together() {
			return
		}
	}
	t.Error("the caller does not try again")
}

// One long wait in a long time is nothing.
func TestTeamForgives(t *testing.T) {
	team := New(2)
	defer team.End()
	team.begun = team.begun.Add(-time.Second)
	team.judge(12*time.Millisecond, time.Millisecond)
	if team.alone != 0 {
		t.Error("alone after a wait of 12 ms in a second")
	}
	team.judge(90*time.Millisecond, time.Millisecond)
	if team.alone == 0 {
		t.Error("not alone after waits of 102 ms in a second")
	}
	team.alone, team.lost = 0, 0
	for range 1000 {
		team.judge(3*time.Millisecond, 4*time.Millisecond) // the worker's share was the longer one
	}
	if team.alone != 0 {
		t.Error("alone after shares of unequal work")
	}
}

func TestTeamEnds(t *testing.T) {
	before := runtime.NumGoroutine()
	for _, idle := range []time.Duration{0, 5 * time.Millisecond} { // spinning, parked
		team := New(5)
		team.Run(func(int) {})
		time.Sleep(idle)
		team.End()
	}
	team := New(4) // without a phase
	team.End()
	settle(t, before)
}

// settle waits until no more goroutines are left than there were: one that has told its end may still be counted.
func settle(t *testing.T, before int) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines, and %d before", runtime.NumGoroutine(), before)
		}
	}
}

// Shares are in order, have no gaps and cover all of it.
func TestTeamShares(t *testing.T) {
	for size := 1; size <= 8; size++ {
		team := Team{size: size}
		for n := range 70 {
			at := 0
			for w := range size {
				lo, hi := team.Share(n, 1, w)
				if lo != at || hi < lo {
					t.Fatalf("worker %d of %d has [%d:%d) of %d; the one before ends at %d", w, size, lo, hi, n, at)
				}
				at = hi
			}
			if at != n {
				t.Fatalf("%d workers share %d of %d", size, at, n)
			}
		}
	}
}

// Things of one unit never go to two workers.
func TestTeamSharesUnits(t *testing.T) {
	for size := 1; size <= 8; size++ {
		team := Team{size: size}
		for n := range 300 {
			at := 0
			for w := range size {
				lo, hi := team.Share(n, 64, w)
				if lo != at || hi < lo || (lo%64 != 0 && lo != n) {
					t.Fatalf("worker %d of %d has [%d:%d) of %d; the one before ends at %d", w, size, lo, hi, n, at)
				}
				at = hi
			}
			if at != n {
				t.Fatalf("%d workers share %d of %d", size, at, n)
			}
		}
	}
}

// A panic in a share, of any worker, is the phase's error, and the team goes on.
func TestTeamPanics(t *testing.T) {
	for size := 1; size <= 4; size++ {
		before := runtime.NumGoroutine()
		team := New(size)
		for bad := range size {
			err := team.Run(func(worker int) {
				if team.Solo() || worker == bad {
					panic("a share failed")
				}
			})
			var p *plan.PanicError
			if !errors.As(err, &p) || p.Value != "a share failed" || len(p.Stack) == 0 {
				t.Errorf("%d workers, share %d: error %v", size, bad, err)
			}
			if err := team.Run(func(int) {}); err != nil {
				t.Errorf("%d workers: the next phase: %v", size, err)
			}
		}
		team.End()
		team.End() // a second time does nothing
		settle(t, before)
	}
}

// A share that ends its goroutine (a test's FailNow) is the phase's error in a worker, which goes on in a new goroutine. In
// the caller it ends the caller's goroutine, and End stops the workers, whatever these are at.
func TestTeamOutlivesGoexit(t *testing.T) {
	for size := 1; size <= 4; size++ {
		for bad := range size {
			before := runtime.NumGoroutine()
			left := make(chan struct{})
			var err, next error
			returned := false
			go func() {
				defer close(left)
				team := New(size)
				defer team.End()
				begun := make(chan struct{})
				err = team.Run(func(worker int) {
					if worker == bad && bad > 0 {
						close(begun)
					} else if worker == 0 && bad > 0 {
						<-begun // or the caller would take the share over
					} else if worker > 0 {
						time.Sleep(time.Duration(worker) * time.Millisecond)
					}
					if worker == bad {
						runtime.Goexit()
					}
				})
				returned = true
				team.alone = 0
				next = team.Run(func(int) {})
			}()
			select {
			case <-left:
			case <-time.After(10 * time.Second):
				t.Fatalf("%d workers, share %d: the call hangs", size, bad)
			}
			if returned != (bad > 0) {
				t.Errorf("%d workers, share %d: Run returned: %t", size, bad, returned)
			}
			var p *plan.PanicError
			if bad > 0 && (!errors.As(err, &p) || !strings.HasPrefix(p.Place, "team.TestTeamOutlivesGoexit.") || next != nil) {
				t.Errorf("%d workers, share %d: error %v, and then %v", size, bad, err, next)
			}
			settle(t, before)
		}
	}
}

// A share that the caller has taken over from a worker may end the caller's goroutine, too.
func TestTeamOutlivesGoexitOfAShareTakenOver(t *testing.T) {
	before := runtime.NumGoroutine()
	left := make(chan struct{})
	go func() {
		defer close(left)
		team := New(3)
		defer team.End()
		for { // until the caller is faster than a worker
			team.alone = 0
			team.Run(func(worker int) {
				if worker > 0 && !bytes.Contains(debug.Stack(), []byte("(*Team).work(")) {
					runtime.Goexit()
				}
			})
		}
	}()
	select {
	case <-left:
	case <-time.After(10 * time.Second):
		t.Fatal("the call hangs")
	}
	settle(t, before)
}
