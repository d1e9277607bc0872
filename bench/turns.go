package bench

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
)

// Training is a fit of which steps, or epochs with their validation, are timed, for as long as that takes.
type Training struct {
	Model   *nn.Model
	Data    nn.Data
	Options nn.FitOptions
	Epochs  bool // epochs are timed, not steps
}

// Turn is a round in which each of several trainings had its turn.
type Turn struct {
	Took []time.Duration // the median step, or epoch, of each
	// RoundTrip is how long a cache line took from one core to the other and back: the longest of those measured before,
	// between and after the trainings. It changes from seconds to minutes where a host moves virtual cores.
	RoundTrip time.Duration
}

// Near reports whether the cores shared a cache during all of the turn.
func (t Turn) Near() bool { return t.RoundTrip <= nearCores }

// nearCores is between the round trips seen on virtual machines: 60 to 110 ns and 200 to 500 ns.
const nearCores = 150 * time.Nanosecond

// settling is how many steps of a turn do not count, or epochs: caches have the data of another training, and workers sleep.
const settling = 3

// InTurn lets each training take so many steps, or epochs, again and again until atLeast has passed: what is compared then runs on
// the same machine, whose speed changes within seconds. Each training's first epoch is over before the first turn.
func InTurn(ctx context.Context, trainings []Training, many int, atLeast time.Duration) ([]Turn, error) {
	ctx, cancel := context.WithCancel(ctx)
	all := make([]*player, len(trainings))
	ended := make(chan error, len(trainings))
	for i, t := range trainings {
		p := &player{ctx: ctx, many: many, begin: plan.BatchBegin, end: plan.BatchEnd, turn: make(chan struct{}), times: make(chan time.Duration)}
		if t.Epochs {
			p.begin, p.end = plan.EpochBegin, plan.EpochEnd
		}
		all[i] = p
		t.Options.Epochs = 1 << 30
		t.Options.Callbacks = append(slices.Clone(t.Options.Callbacks), plan.CallbackFunc(p.handle))
		go func() {
			_, err := t.Model.Fit(ctx, t.Data, t.Options)
			ended <- err
			cancel()
		}()
	}
	var turns []Turn
	var start time.Time
	for ctx.Err() == nil && (start.IsZero() || time.Since(start) < atLeast) {
		t := Turn{Took: make([]time.Duration, len(all)), RoundTrip: roundTrip()}
		for i, p := range all {
			t.Took[i] = p.play()
			t.RoundTrip = max(t.RoundTrip, roundTrip())
		}
		switch {
		case ctx.Err() != nil: // it was cut short
		case start.IsZero(): // the first turn has each first epoch
			start = time.Now()
		default:
			turns = append(turns, t)
		}
	}
	cancel()
	var failed error
	for range all {
		if err := <-ended; failed == nil && !errors.Is(err, context.Canceled) {
			failed = err
		}
	}
	return turns, failed
}

// player is a training that takes steps when it has its turn.
type player struct {
	ctx        context.Context
	many       int
	begin, end plan.Event // of what is timed
	turn       chan struct{}
	times      chan time.Duration

	now     []time.Duration // of the turn under way
	playing bool
	begun   time.Time
}

// play lets the player have its turn and returns its median time, or 0 once the trainings end.
func (p *player) play() time.Duration {
	select {
	case p.turn <- struct{}{}:
	case <-p.ctx.Done():
		return 0
	}
	select {
	case t := <-p.times:
		return t
	case <-p.ctx.Done():
		return 0
	}
}

func (p *player) handle(e plan.Event, t plan.Training) error {
	switch {
	case e == p.begin:
		if !p.playing {
			select {
			case <-p.turn:
			case <-p.ctx.Done():
				return p.ctx.Err()
			}
			p.playing = true
		}
		p.begun = time.Now()
	case e == p.end && t.Epoch() > 0:
		p.now = append(p.now, time.Since(p.begun))
		if len(p.now) < settling+p.many {
			break
		}
		median := Median(p.now[settling:])
		p.now, p.playing = p.now[:0], false
		select {
		case p.times <- median:
		case <-p.ctx.Done():
			return p.ctx.Err()
		}
	}
	return nil
}

// roundTrip is how long a cache line takes from one core to another and back, the median of some times; 0 where there is one
// core.
func roundTrip() time.Duration {
	if min(runtime.GOMAXPROCS(0), runtime.NumCPU()) < 2 {
		return 0
	}
	const trips, times = 200, 5
	var turn atomic.Int32
	done := make(chan struct{})
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		defer close(done)
		for i := int32(0); i < trips*times; i++ {
			for turn.Load() != 2*i+1 {
			}
			turn.Store(2*i + 2)
		}
	}()
	took := make([]time.Duration, times)
	for k := range took {
		begun := time.Now()
		for i := int32(k * trips); i < int32(k+1)*trips; i++ {
			turn.Store(2*i + 1)
			for turn.Load() != 2*i+2 {
			}
		}
		took[k] = time.Since(begun) / trips
	}
	<-done
	return Median(took)
}
