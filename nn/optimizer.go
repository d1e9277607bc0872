package nn

import (
	"fmt"
	"maps"
	"math"
	"slices"
)

// Optimizer is a spec of how parameters follow their gradients. It works element by element, so that any part of a
// parameter can be updated alone; what it remembers of each element lies in slots that Fit keeps.
type Optimizer interface {
	// Name is Keras's: "adam".
	Name() string
	// Check refuses settings that are out of range.
	Check() error
	// Rate is the learning rate that a run starts with.
	Rate() float32
	// Slots names the numbers kept for each element of a parameter, zero at the start.
	Slots() []string
	// Coefficients works out what all elements share in step t, counted from 1, at the given learning rate.
	Coefficients(t int, rate float32) Coefficients
	// Update changes the elements w by their gradients and slots: slots[i] is the part of slot i for w. Where gradient
	// and slots are 0 it must change nothing: Fit then need not visit the rows of a table that never had a gradient.
	Update(c *Coefficients, w, gradient []float32, slots [][]float32)
}

// OccurrenceOptimizer is an optimizer with an option that makes it square what each occurrence of an id contributes to
// the gradient of a table's row, where the textbook squares their sum: see [OccurrenceStep].
type OccurrenceOptimizer interface {
	Optimizer
	// SquaresOccurrences reports whether the option is set.
	SquaresOccurrences() bool
	// UpdateSquares is Update with the sum of the squares in place of the gradient's square.
	UpdateSquares(c *Coefficients, w, gradient, squares []float32, slots [][]float32)
}

// Schedule is a spec of a learning rate that changes from step to step.
type Schedule interface {
	// Check refuses settings that are out of range.
	Check() error
	// Rate is the rate of a step, counted from 0. A TrainingState goes on counting where the last Fit ended.
	Rate(step int) float32
}

// ScheduledOptimizer is an optimizer whose rate may follow a schedule.
type ScheduledOptimizer interface {
	Optimizer
	// RateSchedule returns the schedule, nil where the rate is a constant that callbacks may change.
	RateSchedule() Schedule
}

// RepeatingOptimizer is an optimizer that takes several steps at once where the gradient is 0.
type RepeatingOptimizer interface {
	Optimizer
	// Repeat makes a step for each of the Coefficients in order, with the bits of as many calls of Update with a gradient
	// of zeros.
	Repeat(steps []Coefficients, w []float32, slots [][]float32)
}

// Coefficients are the numbers that all elements share in one step of an optimizer, in an order of its own.
type Coefficients = [8]float32

// TrainingState is what a Fit leaves behind for another to go on from, beside the model's weights: the optimizer's
// step and slots. Its zero value is the state at the start.
type TrainingState struct {
	// Step counts the optimizer's steps.
	Step int
	// SlotNames are what Optimizer.Slots names, so that no other optimizer takes them for its own; nil when not known.
	SlotNames []string
	// Slots are the optimizer's, by the name of the parameter and in the order of Optimizer.Slots.
	Slots map[string][][]float32
	// Rows are the slots of large tables, by the name of the parameter. A Fit takes slots of a table in either form and
	// leaves them in its own. It writes Rows when it returns, and not before.
	Rows map[string]*RowSlots
}

// clone is a copy of the state, but for the numbers in the slots; of none, one at the start.
func (s *TrainingState) clone() TrainingState {
	if s == nil {
		return TrainingState{}
	}
	return TrainingState{Step: s.Step, SlotNames: s.SlotNames, Slots: maps.Clone(s.Slots), Rows: maps.Clone(s.Rows)}
}

// begin checks that the state can be the optimizer's, and makes it so.
func (s *TrainingState) begin(o Optimizer) error {
	if s.Step < 0 {
		return fmt.Errorf("nn: the training state is of step %d", s.Step)
	}
	if names := o.Slots(); s.SlotNames != nil && !slices.Equal(s.SlotNames, names) {
		return fmt.Errorf("nn: the training state's slots are %q, and those of %s %q", s.SlotNames, o.Name(), names)
	}
	s.SlotNames = slices.Clone(o.Slots())
	return nil
}

// slotsFor returns the slots of a parameter, made where there are none.
func (s *TrainingState) slotsFor(p *Parameter, o Optimizer) ([][]float32, error) {
	if s.Slots == nil {
		s.Slots = map[string][][]float32{}
	}
	names := o.Slots()
	slots, ok := s.Slots[p.name]
	if !ok {
		slots = make([][]float32, len(names))
		for i := range slots {
			slots[i] = make([]float32, p.Size())
		}
		if rows := s.Rows[p.name]; rows != nil {
			if err := rows.check(p, o); err != nil {
				return nil, err
			}
			rows.spread(slots, p)
			delete(s.Rows, p.name)
		}
		s.Slots[p.name] = slots
		return slots, nil
	}
	if len(slots) != len(names) || slices.ContainsFunc(slots, func(v []float32) bool { return len(v) != p.Size() }) {
		return nil, fmt.Errorf("nn: the training state's slots of %q are not those of %s for %d elements", p.name, o.Name(), p.Size())
	}
	return slots, nil
}

// rowsFor returns the slots of a large table, nil where there are none.
func (s *TrainingState) rowsFor(p *Parameter, o Optimizer) (*RowSlots, error) {
	saved := s.Rows[p.name]
	if slots := s.Slots[p.name]; saved == nil && slots != nil {
		rows, _ := p.rows()
		saved = &RowSlots{Rows: consecutive(nil, 0, rows), Slots: slots}
	}
	if saved == nil {
		return nil, nil
	}
	return saved, saved.check(p, o)
}

// update is the part of a training step that changes parameters: a list of jobs, each a range of a parameter's rows.
type update struct {
	optimizer Optimizer
	rate      float32  // unless there is a schedule
	schedule  Schedule // or nil
	state     *TrainingState
	c         Coefficients
	params    []updated
	jobs      [][]job // one list a worker
	whole     []job   // the same work, not shared out
	apart     bool    // a gradient is made from parameters, of which none may change before

	// behind is set when there are large tables of which rows may be some steps behind: steps are those since all rows
	// were caught up.
	behind bool
	steps  []Coefficients
}

// updated is a parameter that the run trains.
type updated struct {
	p     *Parameter
	users []user // in plan order
	// grad and slots are of the whole parameter, unless it is a large table: then its jobs hold them for the rows that
	// are touched.
	grad  []float32
	slots [][]float32
	// squares are added up too where the optimizer squares occurrences.
	squares     []float32
	occurrences bool
}

// user is a step's use of a parameter.
type user struct{ frame, param int }

type job struct {
	param   int
	lo, hi  int // rows
	chunk   [][]float32
	touched *touched
}

// newUpdate lays out the jobs of a team of the given size, for batches of so many rows of the data. A parameter below
// jobElements is one job.
func newUpdate(o Optimizer, state *TrainingState, pl *plan, params []*Parameter, workers int, data *dataset, batch int) (*update, error) {
	if err := state.begin(o); err != nil {
		return nil, err
	}
	u := &update{optimizer: o, rate: o.Rate(), state: state, jobs: make([][]job, workers)}
	if by, ok := o.(ScheduledOptimizer); ok {
		u.schedule = by.RateSchedule()
	}
	turn := 0
	for i, p := range params {
		if !p.trainable {
			continue
		}
		users, byRow, byOccurrence := usersOf(pl, i)
		if len(users) == 0 {
			continue
		}
		u.apart = u.apart || readsParameters(pl, users)
		one := updated{p: p, users: users, occurrences: byOccurrence && squaresOccurrences(o)}
		_, whole := o.(noOptimizer) // a check of gradients wants to see all of them
		large := byRow && p.Size() >= touchedElements && !whole
		var err error
		var saved *RowSlots
		if large {
			saved, err = state.rowsFor(p, o)
		} else {
			one.grad = make([]float32, p.Size())
			one.slots, err = state.slotsFor(p, o)
			if one.occurrences {
				one.squares = make([]float32, p.Size())
			}
		}
		if err != nil {
			return nil, err
		}
		u.params = append(u.params, one)
		rows, width := p.rows()
		parts := 1
		if p.Size() >= jobElements {
			parts = min(workers, rows)
		}
		ends := shareRows(rows, parts, large, contributions(pl, users, data, batch, parts))
		for k := range parts {
			j := job{param: len(u.params) - 1, lo: 0, hi: ends[k], chunk: make([][]float32, len(o.Slots()))}
			if k > 0 {
				j.lo = ends[k-1]
			}
			if j.lo == j.hi || width == 0 {
				continue
			}
			if large {
				j.touched = newTouched(j.lo, j.hi, width, len(o.Slots()), one.occurrences)
				j.touched.readers = readersOf(pl, users)
				u.behind = u.behind || j.touched.readers != nil
				if saved != nil {
					j.touched.load(saved)
				}
			}
			w := k
			if parts == 1 {
				w = turn % workers
				turn++
			}
			u.jobs[w] = append(u.jobs[w], j)
			if last := len(u.whole) - 1; k > 0 && !large && u.whole[last].param == j.param {
				u.whole[last].hi = j.hi
			} else {
				u.whole = append(u.whole, j)
			}
		}
	}
	return u, nil
}

// readsParameters reports whether one of the users makes its gradients from parameters, too.
func readsParameters(pl *plan, users []user) bool {
	return slices.ContainsFunc(users, func(by user) bool {
		s, ok := pl.steps[by.frame].step.(ParameterReadingStep)
		return ok && s.GradientReadsParameters()
	})
}

// readersOf returns the users of a table when all of them can tell which rows they read; otherwise nil.
func readersOf(pl *plan, users []user) []reader {
	var all []reader
	for _, by := range users {
		s, ok := pl.steps[by.frame].step.(ReadingStep)
		if !ok {
			return nil
		}
		all = append(all, reader{s, by})
	}
	return all
}

// reader is a step that can tell which rows of a parameter it reads.
type reader struct {
	step ReadingStep
	user
}

// contributions says how often a batch is expected to contribute to the gradient of each row of a parameter, or nil where
// nothing is known of that or it does not matter.
func contributions(pl *plan, users []user, data *dataset, batch, parts int) []float32 {
	if parts == 1 {
		return nil
	}
	for _, by := range users {
		s, ok := pl.steps[by.frame].step.(BalancedStep)
		if !ok {
			continue
		}
		for _, p := range data.prepared {
			if p.frame == by.frame {
				return s.Contributions(by.param, p.data, batch)
			}
		}
	}
	return nil
}

// shareRows cuts the rows of a parameter into parts of equal work and returns their ends. Without contributions the
// parts have equal numbers of rows. Of a large table rows without contributions are not visited.
func shareRows(rows, parts int, large bool, contributions []float32) []int {
	ends := make([]int, parts)
	for k := range ends {
		ends[k] = rows * (k + 1) / parts
	}
	if contributions == nil {
		return ends
	}
	// The optimizer's visit of a row costs about as much as six contributions to its gradient.
	const visit = 6
	work := func(n float32) float64 {
		if large && n == 0 {
			return 0
		}
		return visit + float64(n)
	}
	total := 0.0
	for _, n := range contributions {
		total += work(n)
	}
	k, sum := 0, 0.0
	for row, n := range contributions {
		if sum += work(n); k < parts-1 && sum >= total*float64(k+1)/float64(parts) {
			ends[k] = row + 1
			k++
		}
	}
	for ; k < parts; k++ {
		ends[k] = rows
	}
	return ends
}

// squaresOccurrences reports whether an optimizer has the option set.
func squaresOccurrences(o Optimizer) bool {
	by, ok := o.(OccurrenceOptimizer)
	return ok && by.SquaresOccurrences()
}

// usersOf lists the steps that use a parameter, and reports whether all of them give its gradient row by row, and
// whether all of them give squares of occurrences.
func usersOf(pl *plan, param int) (users []user, byRow, byOccurrence bool) {
	byRow, byOccurrence = true, true
	for f, s := range pl.steps {
		for k, j := range s.params {
			if j != param {
				continue
			}
			users = append(users, user{f, k})
			r, ok := s.step.(RowStep)
			byRow = byRow && ok && r.ByRow(k)
			_, ok = s.step.(OccurrenceStep)
			byOccurrence = byOccurrence && ok
		}
	}
	return users, byRow, byOccurrence
}

const (
	// jobElements is the size from which a parameter is shared out among workers.
	jobElements = 1 << 14
	// chunkElements is how much of a parameter is updated at a time: its gradient is cleared while still in the cache.
	chunkElements = 1 << 12
	// touchedElements is the size from which only those rows of a table that have had a gradient are visited. Below it
	// a plain walk over all rows, which gives the same bits, is faster.
	touchedElements = 1 << 21
)

// coming is the rate of the coming step.
func (u *update) coming() float32 {
	if u.schedule != nil {
		return u.schedule.Rate(u.state.Step)
	}
	return u.rate
}

// begin starts the coming step, unless its rate is none to use.
func (u *update) begin() error {
	rate := u.coming()
	if err := checkRate(rate); err != nil {
		return fmt.Errorf("%w in step %d (counted from 0)", err, u.state.Step)
	}
	u.state.Step++
	u.c = u.optimizer.Coefficients(u.state.Step, rate)
	return nil
}

// gradient adds up the gradient of a job's rows.
func (u *update) gradient(ws *workspace, j *job, worker int) {
	p := &u.params[j.param]
	if j.touched != nil {
		j.touched.table, j.touched.fresh = p.p.storage.Float32(), int32(len(u.steps))
	}
	for _, by := range p.users {
		f := &ws.frames[by.frame]
		g := Gradient{Lo: j.lo, Hi: j.hi, Values: p.grad, Worker: worker, touched: j.touched}
		f.step.step.(ParameterStep).Gradient(f, by.param, g)
		if p.occurrences {
			g.Values, g.squares = p.squares, true
			f.step.step.(OccurrenceStep).Squares(f, by.param, g)
		}
	}
}

// jobsOf are the jobs of a worker in the phase under way.
func (u *update) jobsOf(t *team, worker int) []job {
	if t.solo {
		return u.whole
	}
	return u.jobs[worker]
}

// do is a step's work on some jobs, or the part of it that is asked for.
func (u *update) do(ws *workspace, jobs []job, worker int, gradient, change bool) {
	for i := range jobs {
		if gradient {
			u.gradient(ws, &jobs[i], worker)
		}
		if change {
			u.change(&jobs[i])
		}
	}
}

// change lets the optimizer change a job's rows, and clears their gradient.
func (u *update) change(j *job) {
	p := &u.params[j.param]
	w := p.p.storage.Float32()
	if j.touched != nil {
		j.touched.update(u, w)
		return
	}
	_, width := p.p.rows()
	lo, hi := j.lo*width, j.hi*width
	for at := lo; at < hi; at += chunkElements {
		end := min(at+chunkElements, hi)
		for k, s := range p.slots {
			j.chunk[k] = s[at:end]
		}
		if p.occurrences {
			u.optimizer.(OccurrenceOptimizer).UpdateSquares(&u.c, w[at:end], p.grad[at:end], p.squares[at:end], j.chunk)
			clear(p.squares[at:end])
		} else {
			u.optimizer.Update(&u.c, w[at:end], p.grad[at:end], j.chunk)
		}
		clear(p.grad[at:end])
	}
}

// ended notes that all jobs of a step are done.
func (u *update) ended() {
	if u.behind {
		u.steps = append(u.steps, u.c)
	}
}

// catchUp brings the rows up to date that the batch reads, of one worker's parts.
func (u *update) catchUp(ws *workspace, jobs []job, worker int) {
	for i := range jobs {
		if j := &jobs[i]; j.touched != nil && j.touched.readers != nil {
			j.touched.catchUp(ws, u, u.params[j.param].p.storage.Float32(), worker)
		}
	}
}

// mostSteps bounds how far rows fall behind.
const mostSteps = 1024

// settle brings all rows up to date, which must be so before anybody else looks at the weights or the slots.
func (u *update) settle(t *team) {
	if len(u.steps) == 0 {
		return
	}
	t.run(func(worker int) {
		jobs := u.jobsOf(t, worker)
		for i := range jobs {
			if j := &jobs[i]; j.touched != nil && j.touched.readers != nil {
				j.touched.settle(u, u.params[j.param].p.storage.Float32())
			}
		}
	})
	u.steps = u.steps[:0]
}

// save writes the slots of large tables back into the state. Those of other parameters lie in it all the time.
func (u *update) save() {
	saved := map[string]*RowSlots{}
	for i, p := range u.params {
		rows := 0
		jobs := slices.DeleteFunc(u.inOrder(i), func(j *job) bool { return j.touched == nil })
		for _, j := range jobs {
			rows += len(j.touched.rows)
		}
		if len(jobs) == 0 {
			continue
		}
		_, width := p.p.rows()
		s := &RowSlots{Rows: make([]int32, 0, rows), Slots: make([][]float32, len(u.optimizer.Slots()))}
		for k := range s.Slots {
			s.Slots[k] = make([]float32, 0, rows*width)
		}
		for _, j := range jobs {
			j.touched.save(s)
		}
		saved[p.p.name] = s
		delete(u.state.Slots, p.p.name)
	}
	if len(saved) > 0 {
		u.state.Rows = saved
	}
}

// inOrder lists the jobs of a parameter by their rows.
func (u *update) inOrder(param int) []*job {
	var jobs []*job
	for w := range u.jobs {
		for i := range u.jobs[w] {
			if u.jobs[w][i].param == param {
				jobs = append(jobs, &u.jobs[w][i])
			}
		}
	}
	slices.SortFunc(jobs, func(a, b *job) int { return a.lo - b.lo })
	return jobs
}

// checkRate refuses a learning rate that no run can use.
func checkRate(rate float32) error {
	if !(rate >= 0) || math.IsInf(float64(rate), 0) {
		return fmt.Errorf("nn: a learning rate of %v", rate)
	}
	return nil
}
