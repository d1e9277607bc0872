package team

import (
	"testing"
	"time"
)

// costs simulates steps of a run that take so long together and alone, and returns how long all took.
func costs(t *trial, steps int, together, alone func(step int) time.Duration) (total time.Duration) {
	for i := range steps {
		took := together(i)
		if t.alone {
			took = alone(i)
		}
		t.step(took, false)
		total += took
	}
	return total
}

func constant(d time.Duration) func(int) time.Duration { return func(int) time.Duration { return d } }

// Whatever is faster is what the run does but for a small part, for steps of any length.
func TestTrialKeepsTheFasterWay(t *testing.T) {
	for _, unit := range []time.Duration{10 * time.Microsecond, time.Millisecond, 300 * time.Millisecond} {
		for _, c := range []struct{ together, alone time.Duration }{{5, 9}, {9, 5}, {5, 50}, {50, 5}, {100, 101}, {5, 5}} {
			var run trial
			run.start()
			const steps = 20000
			together, alone := c.together*unit, c.alone*unit
			total := costs(&run, steps, constant(together), constant(alone))
			if best := min(together, alone) * steps; total > best*105/100 {
				t.Errorf("together %v, alone %v: %d steps took %.3f times what the faster way takes", together, alone, steps, float64(total)/float64(best))
			}
			if run.block == blocks && run.alone != (alone <= together) {
				t.Errorf("together %v, alone %v: alone is %t", together, alone, run.alone)
			}
		}
	}
}

// When the machine changes, the run follows, and soon if it has become much slower.
func TestTrialFollowsTheMachine(t *testing.T) {
	const steps, ms = 3000, time.Millisecond
	for _, c := range []struct {
		name             string
		before, together time.Duration // with all workers, in the first half and in the second
		alone            time.Duration
	}{{"the other core is lost", ms, 4 * ms, 2 * ms}, {"the other core is back", 4 * ms, ms, 2 * ms}} {
		var run trial
		run.start()
		costs(&run, steps, constant(c.before), constant(c.alone))
		if run.block == blocks && run.alone != (c.alone < c.before) {
			t.Fatalf("%s: alone is %t at first", c.name, run.alone)
		}
		costs(&run, steps, constant(c.together), constant(c.alone))
		total := costs(&run, steps, constant(c.together), constant(c.alone))
		if best := min(c.together, c.alone) * steps; total > best*105/100 {
			t.Errorf("%s: %d steps took %.3f times what the faster way takes", c.name, steps, float64(total)/float64(best))
		}
	}
	var run trial
	run.start()
	costs(&run, 200, constant(ms), constant(2*ms))
	for run.block != blocks {
		run.step(ms, false)
	}
	n := 0
	for ; !(run.block == blocks && run.alone) && n < steps; n++ {
		took := 10 * ms
		if run.alone {
			took = 2 * ms
		}
		run.step(took, false)
	}
	if most := leastKept + slowSteps + blocks*(blockSteps+1); n > most {
		t.Errorf("of a lost core the run took note after %d steps, want at most %d", n, most)
	}
}

// Single steps that something else held up decide nothing, nor do steps before a worker that was parked is awake.
func TestTrialIgnoresWhatIsNotTheWork(t *testing.T) {
	var run trial
	run.start()
	for i := 0; run.block < blocks; i++ {
		took := time.Millisecond
		switch {
		case !run.alone && i%4 == 0:
			took = time.Second
		case run.alone:
			took = 2 * time.Millisecond
		}
		run.step(took, false)
	}
	if run.alone {
		t.Error("a step in four that was held up decided")
	}
	run = trial{}
	run.start()
	waking := 0
	for run.block < blocks {
		took, late := time.Millisecond, false
		switch {
		case run.alone:
			took, waking = 2*time.Millisecond, 20
		case waking > 0:
			took, late = 3*time.Millisecond, true
			waking--
		}
		run.step(took, late)
	}
	if run.alone {
		t.Error("steps of the caller alone, before the worker was awake, counted as steps of both")
	}
}

// A step is alone only between BeginStep and EndStep.
func TestTeamTriesAlone(t *testing.T) {
	team := New(2)
	defer team.End()
	ways := map[bool]int{}
	for range 4 * blocks * blockSteps {
		team.alone, team.late = 0, 0
		team.BeginStep()
		team.Run(func(worker int) {
			if worker == 0 {
				ways[team.Solo()]++
			}
		})
		team.EndStep()
		team.Run(func(worker int) {
			if team.Solo() {
				t.Error("alone outside a step")
			}
		})
		if ways[true] >= blockSteps && ways[false] >= blockSteps {
			return
		}
	}
	t.Errorf("of the steps %v were alone", ways)
}

// In a step only its time decides: unequal shares are no lost core.
func TestTeamForgivesUnequalSharesOfAStep(t *testing.T) {
	team := New(2)
	defer team.End()
	team.begun = team.begun.Add(time.Second) // so that any wait is too long
	for range blockSteps {
		team.BeginStep()
		begun := make(chan struct{})
		team.Run(func(worker int) {
			if team.Solo() {
				t.Error("alone in the first steps")
			} else if worker == 0 {
				<-begun
			} else {
				close(begun)
				time.Sleep(5 * time.Millisecond)
			}
		})
		team.EndStep()
	}
	if team.lost > 0 || team.alone > 0 {
		t.Errorf("lost %v, alone for %d phases", team.lost, team.alone)
	}
}

// A clock that moves by ticks longer than steps does not hide which way is faster.
func TestTrialWithACoarseClock(t *testing.T) {
	const ms = time.Millisecond
	for _, tick := range []time.Duration{ms / 2, ms, 15625 * time.Microsecond} {
		for _, step := range []time.Duration{30 * time.Microsecond, ms / 5, 2 * ms, 6 * ms, 20 * ms} {
			for _, slower := range []bool{false, true} { // together
				var run trial
				run.start()
				now, kept, wrong := time.Duration(0), 0, 0
				for range 150_000 {
					begun := now / tick * tick
					if run.alone != slower {
						now += 18 * step / 10
					} else {
						now += step
					}
					if run.block == blocks {
						kept++
						if run.alone != slower {
							wrong++
						}
					}
					run.step(now/tick*tick-begun, false)
					now += 7 * time.Microsecond
				}
				if kept == 0 || wrong > kept/50 {
					t.Errorf("ticks of %v, steps of %v, slower together %t: of %d kept steps %d went the slower way", tick, step, slower, kept, wrong)
				}
			}
		}
	}
}
