package team

import (
	"slices"
	"time"
)

// A trial finds out by measurement whether a team's steps are faster with all workers or with the caller alone. Two cores
// that the host has moved apart, or that others use too, make a step slower than one core does, and nothing but timing
// tells. Blocks of steps are timed in turn, together and alone; the faster way is kept for so long that what the slower one
// cost is a small part of the time, and then the question is asked again.
type trial struct {
	block  int  // which of blocks; blocks when the faster way is kept
	skip   int  // steps that are not timed before the block's first one
	waited int  // steps that did not count for a worker that was not awake
	n      int  // steps timed in this block
	alone  bool // steps are the caller's

	times [2][]time.Duration // together and alone, of the first steps
	total [2]time.Duration   // of all steps
	steps [2]int
	spent time.Duration // in this block
	// coarse is whether a step took no time by the clock, which then moves by ticks: Windows has ticks of up to 16 ms. tick is
	// the shortest time of another step.
	coarse bool
	tick   time.Duration

	usual time.Duration // a step's time, by the trial, the way that is kept
	least int           // steps for which it is kept at the least
	keep  time.Duration // time for which it is kept at the least
	slow  int           // steps in a row that took much longer than usual
	kept  time.Duration // for how long it has been
}

const (
	blocks     = 4 // together, alone, together, alone
	blockSteps = 8
	// longBlock ends a block of fewer steps, but shortBlock of them.
	longBlock  = 100 * time.Millisecond
	shortBlock = 3
	// With a coarse clock a block lasts blockTicks at the least, but no more than mostSteps.
	blockTicks = 20
	mostSteps  = 1 << 14
	// warmUp is how many steps of a run are not timed: they allocate.
	warmUp = 2
	// wakeUp bounds the steps that do not count because a worker that was parked does not take part yet.
	wakeUp = 32
	// The way that was faster is kept for leastKept steps, and until what the trial cost is one part in trialShare of the time.
	leastKept  = 64
	trialShare = 40
	// slowSteps in a row that take half as long again as usual begin a new trial.
	slowSteps = 16
)

// start begins a run.
func (t *trial) start() {
	*t = trial{skip: warmUp}
	for k := range t.times {
		t.times[k] = make([]time.Duration, 0, blocks/2*blockSteps)
	}
}

// step takes the time of a step, and whether a worker came too late for the last phase of it.
func (t *trial) step(took time.Duration, late bool) {
	if t.block == blocks {
		t.keeping(took)
		return
	}
	switch {
	case t.skip > 0:
		t.skip--
		return
	case !t.alone && late && t.waited < wakeUp:
		t.waited++
		return
	}
	way := 0
	if t.alone {
		way = 1
	}
	if len(t.times[way]) < cap(t.times[way]) {
		t.times[way] = append(t.times[way], took)
	}
	t.total[way] += took
	t.steps[way]++
	t.n++
	t.spent += took
	if took == 0 {
		t.coarse = true
	} else if t.tick == 0 || took < t.tick {
		t.tick = took
	}
	if t.n < blockSteps && (t.n < shortBlock || t.spent < longBlock) {
		return
	}
	if t.coarse && t.n < mostSteps && (t.tick == 0 || t.spent < blockTicks*t.tick) {
		return
	}
	t.block++
	t.alone = !t.alone
	t.skip, t.waited, t.n, t.spent = 1, 0, 0, 0 // what the caches hold is the other way's at first
	if t.block == blocks {
		t.decide()
	}
}

// decide keeps the faster way.
func (t *trial) decide() {
	// By medians: a step that something else held up says nothing of the other way. But medians of ticks are most often 0.
	together, alone := median(t.times[0]), median(t.times[1])
	if t.coarse {
		together, alone = t.total[0]/time.Duration(t.steps[0]), t.total[1]/time.Duration(t.steps[1])
	}
	t.alone = alone <= together // a second core for nothing is somebody else's
	t.usual = min(together, alone)
	lost := max(together, alone) - t.usual
	if t.alone {
		lost *= time.Duration(t.steps[0])
	} else {
		lost *= time.Duration(t.steps[1])
	}
	t.least, t.keep, t.kept, t.slow = leastKept, trialShare*lost, 0, 0
}

// keeping takes the time of a step in the way that was faster.
func (t *trial) keeping(took time.Duration) {
	t.kept += took
	t.least--
	if took > t.usual+t.usual/2 {
		t.slow++
	} else {
		t.slow = 0
	}
	if t.least > 0 || t.slow < slowSteps && t.kept < t.keep {
		return
	}
	t.block, t.alone, t.skip, t.waited = 0, false, 1, 0
	t.total, t.steps, t.coarse, t.tick = [2]time.Duration{}, [2]int{}, false, 0
	for k := range t.times {
		t.times[k] = t.times[k][:0]
	}
}

// median sorts v.
func median(v []time.Duration) time.Duration {
	slices.Sort(v)
	return v[len(v)/2]
}

// BeginStep and EndStep stand around the phases of each step of a training, all of about the same work: the team then runs
// the phases with all workers or with the caller alone, whichever is faster.
func (t *Team) BeginStep() {
	if t.size == 1 {
		return
	}
	t.inStep, t.stepBegun = true, time.Now()
}

// EndStep ends what BeginStep began.
func (t *Team) EndStep() {
	if t.size == 1 {
		return
	}
	t.inStep = false
	t.trial.step(time.Since(t.stepBegun), t.late > 0)
}
