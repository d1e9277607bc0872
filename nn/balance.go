package nn

import (
	"slices"
	"time"

	"github.com/linnet-ml/linnet/nn/internal/team"
)

// balance moves the bounds between workers' parts of tables until the workers take equally long for an update. What a row
// costs is not known beforehand: it depends on which caches hold it and what else its worker has to do. Who changes a row
// changes no bit of it.
type balance struct {
	tables []sharedTable
	step   []time.Duration   // of each worker, the update under way
	now    []time.Duration   // of each worker, the latest phase
	times  [][]time.Duration // of each worker, the updates since the last look
	window int               // how many updates make a look
	late   int               // updates since the last look in which a worker came too late
	whole  bool              // the update under way was each worker's own part, in all its phases
	tardy  bool              // in one of its phases a worker came too late
	ends   []int
}

// sharedTable is a table of which each worker has one part.
type sharedTable struct {
	jobs     []*job    // by worker
	expected []float32 // cost of each row, in any unit
	factor   []float32 // by what that is multiplied, from what parts took
	cost     []float32 // the product
}

const (
	// A look takes firstLook updates, the next one twice as many, and so on up to lastLook.
	firstLook, lastLook = 8, 128
	// uneven is what the longest part may take beside the mean one.
	uneven = 1.03
	// mostCorrected bounds by what a look multiplies or divides what a row is thought to cost, and mostFactor by what all looks
	// together do: where a worker has other work that no share of a table makes up for, each look says the same.
	mostCorrected, mostFactor = 2, 64
	// A look at updates of which more than one in mostLate had a late worker says nothing: of those, what is left are the ones
	// in which the first worker took long.
	mostLate = 8
)

// newBalance returns a balance of the parts of those tables for whose rows costs are known, by number of parameter, or nil
// where there is none.
func newBalance(u *update, costs map[int][]float32) *balance {
	workers := len(u.jobs)
	b := &balance{step: make([]time.Duration, workers), now: make([]time.Duration, workers), window: firstLook, ends: make([]int, workers), whole: true}
	for range workers {
		b.times = append(b.times, make([]time.Duration, 0, lastLook))
	}
	for param := range u.params {
		cost := costs[param]
		if cost == nil {
			continue
		}
		t := sharedTable{expected: cost, factor: slices.Repeat([]float32{1}, len(cost)), cost: slices.Clone(cost)}
		for w := range u.jobs {
			if i := slices.IndexFunc(u.jobs[w], func(j job) bool { return j.param == param }); i >= 0 {
				t.jobs = append(t.jobs, &u.jobs[w][i])
			}
		}
		if len(t.jobs) == workers { // otherwise there are more workers than rows
			b.tables = append(b.tables, t)
		}
	}
	if len(b.tables) == 0 {
		return nil
	}
	return b
}

// phase adds the times of a phase of the update.
func (b *balance) phase(t *team.Team) {
	if b == nil {
		return
	}
	if !t.Times(b.now) {
		b.whole = false
		b.tardy = b.tardy || !t.Solo()
		return
	}
	for w, d := range b.now {
		b.step[w] += d
	}
}

// dropped forgets the update under way.
func (b *balance) dropped() {
	if b != nil {
		clear(b.step)
		b.whole, b.tardy = true, false
	}
}

// updated notes that an update is over, and moves the bounds where it is time to.
func (b *balance) updated() {
	if b == nil {
		return
	}
	if b.tardy {
		b.late++
	}
	if b.whole {
		for w, d := range b.step {
			b.times[w] = append(b.times[w], d)
		}
	}
	b.dropped()
	if len(b.times[0]) < b.window {
		return
	}
	late := b.late > b.window/mostLate
	b.late = 0
	if late {
		for w := range b.times {
			b.times[w] = b.times[w][:0]
		}
		return
	}
	b.window = min(2*b.window, lastLook)
	// Medians: a worker that lost its core for a while is not one with too many rows.
	for w := range b.times {
		slices.Sort(b.times[w])
		b.now[w] = b.times[w][len(b.times[w])/2]
		b.times[w] = b.times[w][:0]
	}
	b.move(b.now)
}

// move moves the bounds for workers that took so long each.
func (b *balance) move(took []time.Duration) {
	sum := time.Duration(0)
	for _, d := range took {
		sum += d
	}
	mean := float64(sum) / float64(len(took))
	if float64(slices.Max(took)) <= uneven*mean || slices.Min(took) == 0 { // 0 is what a clock says that seldom moves
		return
	}
	for i := range b.tables {
		t := &b.tables[i]
		for w, j := range t.jobs {
			corrected := float32(min(max(float64(took[w])/mean, 1.0/mostCorrected), mostCorrected))
			for row := j.lo; row < j.hi; row++ {
				t.factor[row] *= corrected
			}
		}
		t.estimate()
		shareRows(b.ends, t.cost)
		lo := 0
		for w, j := range t.jobs {
			j.lo, j.hi = lo, b.ends[w]
			lo = j.hi
		}
	}
}

// estimate works costs out anew, with factors in bounds and a sum that stays about what it was.
func (t *sharedTable) estimate() {
	before, after := 0.0, 0.0
	for row, c := range t.expected {
		before += float64(c)
		after += float64(c) * float64(t.factor[row])
	}
	for row, f := range t.factor {
		t.factor[row] = min(max(float32(float64(f)*before/after), 1.0/mostFactor), mostFactor)
		t.cost[row] = t.expected[row] * t.factor[row]
	}
}
