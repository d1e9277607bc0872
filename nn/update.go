package nn

import (
	"slices"
	"sync/atomic"

	"github.com/linnet-ml/linnet/nn/internal/rowwise"
	"github.com/linnet-ml/linnet/nn/internal/team"
	"github.com/linnet-ml/linnet/nn/plan"
)

// update is the part of a training step that changes parameters: a list of jobs, each a range of a parameter's rows.
type update struct {
	groups []*group
	state  *plan.TrainingState
	params []updated
	jobs   [][]job // one list a worker
	whole  []job   // the same work, not shared out

	accumulate int // batches for a step
	// whole gradients must be there before any parameter changes: one is made from parameters, or norms are taken.
	apart  bool
	behind bool // there are large tables of which rows may be some steps behind
	late   bool // some of them are
	// catching counts the phases in which rows catch up, and caught has for each part of a large table in which of them
	// a worker last began it.
	catching uint32
	caught   []atomic.Uint32
	broken   error // some of them could not be brought up to date

	gradientFn, changeFn, stepFn func(worker int)
	team                         *team.Team
	balance                      *balance // or nil
	constrained                  []*plan.Parameter
	resting                      []resting
}

// resting is a parameter that the run could train and does not.
type resting struct {
	p     *plan.Parameter
	group *group
}

// updated is a parameter that the run trains.
type updated struct {
	p     *plan.Parameter
	group *group
	users []user // in plan order
	// grad and slots are of the whole parameter, unless it is a large table: then its jobs hold them for the rows that
	// are touched.
	grad  []float32
	slots [][]float32
	// squares are added up too where the optimizer squares occurrences.
	squares     []float32
	occurrences bool
	decays      bool
	average     []float32 // the moving average, or nil
	fresh       bool      // the average begins as the weights
	// norms are the sums of squares of rows of the gradient, where norms are clipped.
	norms []float64
	// In this step: the gradient's norm, or ClipNorm where that is larger; and what GlobalClipNorm multiplies it by.
	norm, factor float32
}

// user is an operation's use of a parameter.
type user struct {
	frame *plan.Frame
	op    *plan.Op
	at    int // the operation in the program
	param int // which of its parameters
	steps int // see stepsOf
}

type job struct {
	param  int
	lo, hi int // rows
	chunk  [][]float32
	table  *rowwise.Table
	number int // of the table's part, in update.caught
}

const (
	// A parameter is shared out among workers from this size on, or where its gradient takes so many products.
	jobElements = 1 << 14
	jobProducts = 1 << 20
	// visit is what the optimizer's change of an element takes beside a contribution to its gradient, of which a product
	// of matrices makes productsAtOnce in that time.
	visit, productsAtOnce = 6, 4
	// mostBias is how many elements a bias has for each of the output: a GRU's has six.
	mostBias = 8
	// chunkElements is how much of a parameter is updated at a time: its gradient is cleared while still in the cache.
	chunkElements = 1 << 12
	// largeTable is the size from which only those rows of a table that have had a gradient are visited. Below it a plain
	// walk over all rows, which gives the same bits, is faster.
	largeTable = 1 << 21
	// mostSteps bounds how far rows fall behind.
	mostSteps = 1024
)

// useTeam makes the phases of a step for a team.
func (u *update) useTeam(t *team.Team) {
	u.team = t
	u.gradientFn = func(worker int) { u.do(u.jobsOf(t, worker), worker, true, false) }
	u.changeFn = func(worker int) { u.do(u.jobsOf(t, worker), worker, false, true) }
	u.stepFn = func(worker int) { u.do(u.jobsOf(t, worker), worker, true, true) }
}

// step takes the step for the batch that the executor has run.
func (u *update) step() error {
	full, err := u.count()
	switch {
	case err != nil:
		return err
	case !full:
		return u.kept(u.run(u.gradientFn))
	case !u.apart:
		return u.ended(u.run(u.stepFn))
	}
	return u.changeAll(u.run(u.gradientFn))
}

// run runs a phase of the update.
func (u *update) run(phase func(worker int)) error {
	err := u.team.Run(phase)
	u.balance.phase(u.team)
	return err
}

// count counts a batch and reports whether it completes a step, which it then begins. With an error nothing has changed.
func (u *update) count() (full bool, err error) {
	if u.broken != nil {
		return false, u.broken
	}
	if u.state.Accumulated+1 < u.accumulate {
		u.state.Accumulated++
		return false, nil
	}
	if err := u.begin(); err != nil {
		return false, err
	}
	u.state.Accumulated = 0
	return true, nil
}

// kept notes that gradients were added up for a later step, unless there was an error: then what was added up is dropped.
func (u *update) kept(err error) error {
	if err != nil {
		u.drop()
		u.state.Accumulated = 0
	}
	return err
}

// drop forgets all gradients.
func (u *update) drop() {
	u.balance.dropped()
	for i := range u.params {
		u.clearGradient(i)
		clear(u.params[i].squares)
	}
}

// changeAll changes the parameters by their gradients, unless there was an error in computing these.
func (u *update) changeAll(err error) error {
	if err == nil {
		u.clipNorms()
		err = u.run(u.changeFn)
	}
	return u.ended(err)
}

// gradient adds up the gradient of a job's rows.
func (u *update) gradient(j *job, worker int) {
	p := &u.params[j.param]
	if j.table != nil {
		j.table.Begin(plan.Elements(key, p.p), &p.group.steps)
	}
	for i := range p.users {
		by := &p.users[i]
		g := plan.Gradient{Lo: j.lo, Hi: j.hi, Values: p.grad, Worker: worker}
		if j.table != nil {
			g.Sparse = j.table
		}
		by.op.Gradient(by.frame, by.param, g)
		if p.occurrences {
			if g.Values = p.squares; j.table != nil {
				g.Sparse = j.table.Squares()
			}
			by.op.Rows.Squares(by.frame, by.param, g)
		}
	}
}

// jobsOf are the jobs of a worker in the phase under way.
func (u *update) jobsOf(t *team.Team, worker int) []job {
	if t.Solo() {
		return u.whole
	}
	return u.jobs[worker]
}

// do is a step's work on some jobs, or the part of it that is asked for.
func (u *update) do(jobs []job, worker int, gradient, change bool) {
	for i := range jobs {
		if gradient {
			u.gradient(&jobs[i], worker)
			if u.state.Accumulated == 0 {
				u.complete(&jobs[i])
			}
		}
		if change {
			u.change(&jobs[i])
		}
	}
}

// change lets the optimizer change a job's rows, and clears their gradient.
func (u *update) change(j *job) {
	p := &u.params[j.param]
	g := p.group
	w := plan.Elements(key, p.p)
	if j.table != nil {
		if p.norms != nil {
			j.table.EachGradient(func(_ int32, grad []float32) { p.clip(grad) })
		}
		j.table.Update(&g.steps, w)
		return
	}
	shared := &g.rule.Shared
	_, width := p.p.Rows()
	lo, hi := j.lo*width, j.hi*width
	for at := lo; at < hi; at += chunkElements {
		end := min(at+chunkElements, hi)
		for k, s := range p.slots {
			j.chunk[k] = s[at:end]
		}
		grad := p.grad[at:end]
		p.clip(grad)
		if p.decays {
			for i, v := range w[at:end] {
				w[at+i] = v - float32(float32(v*shared.WeightDecay)*g.decay)
			}
		}
		if p.occurrences {
			g.rule.UpdateSquares(&g.steps.Now, w[at:end], grad, p.squares[at:end], j.chunk)
			clear(p.squares[at:end])
		} else {
			g.rule.Update(&g.steps.Now, w[at:end], grad, j.chunk)
		}
		clear(grad)
		if p.average != nil {
			g.follow(p.average[at:end], w[at:end])
		}
	}
}

// ended notes that all jobs of a step are done, and lets constraints act. After an error the step counts all the same, and
// its gradients are dropped: elements that it has not reached are as if they had had none.
func (u *update) ended(failed error) (err error) {
	if u.behind {
		for _, g := range u.groups {
			g.steps.Done = append(g.steps.Done, g.steps.Now)
		}
		u.late = true
	}
	u.balance.updated()
	if failed != nil {
		u.drop()
		return failed
	}
	if len(u.constrained) == 0 {
		return nil
	}
	defer recovering(&err)
	for _, p := range u.constrained {
		p.Constraint().Apply(plan.Elements(key, p), p.Shape())
	}
	return nil
}

// beginCatchUp stands before a phase of catchUp.
func (u *update) beginCatchUp() { u.catching++ }

// catchUp brings the rows up to date that the batch reads, of a worker's parts, and then of those parts of other workers
// that nobody has begun: rare rows have many steps to make up, and how many the parts have of them is not known
// beforehand.
func (u *update) catchUp(worker int) {
	if u.team.Solo() {
		for i := range u.whole {
			u.catchUpPart(&u.whole[i], worker)
		}
		return
	}
	for k := range u.jobs {
		jobs := u.jobs[(worker+k)%len(u.jobs)]
		for i := range jobs {
			if k == 0 {
				i = len(jobs) - 1 - i // rare rows first: what takes long is begun before others look for what is left
			}
			if j := &jobs[i]; j.table != nil && u.caught[j.number].Swap(u.catching) != u.catching {
				u.catchUpPart(j, worker)
			}
		}
	}
}

// catchUpPart brings up to date what the batch reads of a part, if it is one of a table whose rows fall behind.
func (u *update) catchUpPart(j *job, worker int) {
	if j.table != nil && j.table.FallsBehind() {
		p := &u.params[j.param]
		j.table.CatchUp(&p.group.steps, plan.Elements(key, p.p), worker)
	}
}

// settle brings all rows up to date, which must be so before anybody else looks at the weights or the slots. Where a rule
// panics, some rows stay as they are, and no further step can be taken.
func (u *update) settle() error {
	if !u.late {
		return u.broken
	}
	err := u.team.Run(func(worker int) {
		jobs := u.jobsOf(u.team, worker)
		for i := range jobs {
			if j := &jobs[i]; j.table != nil && j.table.FallsBehind() {
				p := &u.params[j.param]
				j.table.Settle(&p.group.steps, plan.Elements(key, p.p))
			}
		}
	})
	for _, g := range u.groups {
		g.steps.Done = g.steps.Done[:0]
	}
	u.late = false
	u.broken = err
	return err
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
