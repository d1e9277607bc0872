package nn

import (
	"errors"
	"fmt"
	"math"
	"path"
	"slices"

	"github.com/linnet-ml/linnet/nn/internal/rowwise"
	"github.com/linnet-ml/linnet/nn/internal/team"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/simd"
)

// Group gives some parameters an optimizer of their own, or keeps them as they are.
type Group struct {
	// Parameters are patterns of names, as path.Match has them: "embedding/*", "*/bias". A parameter belongs to the first
	// group that has a pattern for it. A pattern that no trainable parameter matches is an error.
	Parameters []string
	// Optimizer is the group's own, with its own rate and steps; nil means that of FitOptions.
	Optimizer Optimizer
	// Frozen keeps the parameters as they are.
	Frozen bool
}

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

	gradientFn, changeFn, stepFn func(worker int)
	team                         *team.Team
	constrained                  []*plan.Parameter
}

// group is the parameters that one optimizer moves.
type group struct {
	rule  plan.Rule
	rate  float32 // unless there is a schedule
	state *plan.GroupState
	steps rowwise.Steps
	decay float32 // times the rate, in this step
	sum   float64 // of the squares of all its gradients in this step
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
}

type job struct {
	param  int
	lo, hi int // rows
	chunk  [][]float32
	table  *rowwise.Table
}

const (
	// jobElements is the size from which a parameter is shared out among workers.
	jobElements = 1 << 14
	// chunkElements is how much of a parameter is updated at a time: its gradient is cleared while still in the cache.
	chunkElements = 1 << 12
	// largeTable is the size from which only those rows of a table that have had a gradient are visited. Below it a plain
	// walk over all rows, which gives the same bits, is faster.
	largeTable = 1 << 21
	// mostSteps bounds how far rows fall behind.
	mostSteps = 1024
)

// updateOptions are what an update is laid out for.
type updateOptions struct {
	optimizer Optimizer
	groups    []Group
	state     *plan.TrainingState
	workers   int
	data      *dataset
	batch     int  // rows
	whole     bool // large tables keep gradients of all rows
}

// newUpdate lays out the jobs of a team, for an executor's workspace.
func newUpdate(ws *space, o *updateOptions) (_ *update, err error) {
	defer recovering(&err)
	u := &update{state: o.state, jobs: make([][]job, o.workers), accumulate: 1}
	if err := u.group(o); err != nil {
		return nil, err
	}
	g := ws.program
	matched := make([]int, len(o.groups))
	turn := 0
	for i, p := range g.Params {
		if !p.Trainable() {
			continue
		}
		of := u.groups[0]
		frozen := false
		for k := range o.groups {
			if o.groups[k].has(p.Name()) {
				matched[k]++
				frozen = o.groups[k].Frozen
				of = u.groups[1+k]
				break
			}
		}
		if frozen {
			continue
		}
		users, byRow, byOccurrence := usersOf(ws, i)
		if len(users) == 0 {
			continue
		}
		if err := plan.MakeWritable(key, p); err != nil {
			return nil, fmt.Errorf("nn: %w", err)
		}
		if err := u.add(p, of, users, byRow && !o.whole, byOccurrence, o, &turn); err != nil {
			return nil, err
		}
	}
	for k := range matched {
		if matched[k] == 0 {
			return nil, fmt.Errorf("nn: group %d: no trainable parameter matches %q", k, o.groups[k].Parameters)
		}
	}
	for _, i := range g.commits {
		for _, k := range g.Ops[i].Params {
			if err := plan.MakeWritable(key, g.Params[k]); err != nil {
				return nil, fmt.Errorf("nn: %w", err)
			}
		}
	}
	return u, nil
}

// group starts the optimizers.
func (u *update) group(o *updateOptions) error {
	if err := o.state.Check(); err != nil {
		return fmt.Errorf("nn: %w", err)
	}
	optimizers := []Optimizer{o.optimizer}
	for k, g := range o.groups {
		if len(g.Parameters) == 0 {
			return fmt.Errorf("nn: group %d names no parameters", k)
		}
		for _, pattern := range g.Parameters {
			if _, err := path.Match(pattern, ""); err != nil {
				return fmt.Errorf("nn: group %d: pattern %q: %w", k, pattern, err)
			}
		}
		if g.Frozen && !isNil(g.Optimizer) {
			return fmt.Errorf("nn: group %d is frozen and has an optimizer", k)
		}
		by := g.Optimizer
		if isNil(by) {
			by = o.optimizer
		}
		optimizers = append(optimizers, by)
	}
	if o.state.Version != 0 && len(o.state.Groups) == 0 {
		return errors.New("nn: the training state has no optimizer")
	}
	if o.state.Accumulated > 0 && o.state.Gradients == nil {
		return fmt.Errorf("nn: the training state has no gradients of the %d batches that wait for a step", o.state.Accumulated)
	}
	if n := len(o.state.Groups); n > 0 && n != len(optimizers) {
		return fmt.Errorf("nn: the training state has %d optimizers, and this run %d", n, len(optimizers))
	}
	fresh := len(o.state.Groups) == 0
	if fresh {
		o.state.Groups = make([]plan.GroupState, len(optimizers))
	}
	for k, by := range optimizers {
		rule, err := by.Rule()
		if err != nil {
			return err
		}
		g := &group{rule: rule, rate: rule.Rate, state: &o.state.Groups[k]}
		if err := checkRule(by, &rule); err != nil {
			return err
		}
		if err := g.state.Fits(&rule); err != nil {
			return fmt.Errorf("nn: %w", err)
		}
		if rule.Schedule == nil {
			if err := checkRate(rule.Rate); err != nil {
				return err
			}
			if !fresh && g.state.Optimizer != "" {
				g.rate = g.state.Rate
			}
		}
		g.state.Optimizer, g.state.Slots = rule.Name, plan.SlotNames(rule.Slots)
		if g.state.Scalars == nil {
			for _, s := range rule.Scalars {
				g.state.Scalars = append(g.state.Scalars, s.First)
			}
		}
		g.steps.Rule = &g.rule
		u.groups = append(u.groups, g)
		n := max(1, rule.Shared.AccumulateSteps)
		if k > 0 && n != u.accumulate {
			return errors.New("nn: all groups must accumulate the gradients of the same number of batches")
		}
		u.accumulate = n
		if rule.Shared.ClipNorm > 0 || rule.Shared.GlobalClipNorm > 0 {
			u.apart = true
		}
	}
	if n := o.state.Accumulated; n >= u.accumulate {
		return fmt.Errorf("nn: the training state has the gradients of %d batches, and %d make a step of this run", n, u.accumulate)
	}
	return nil
}

// checkRule refuses a rule that cannot run.
func checkRule(o Optimizer, r *plan.Rule) error {
	if r.Coefficients == nil || r.Update == nil {
		return fmt.Errorf("nn: the optimizer %s has no Coefficients or no Update", o.Kind())
	}
	if err := r.Shared.Check(); err != nil {
		return nnError("", fmt.Errorf("%s: %w", r.Name, err))
	}
	if r.UpdateSquares != nil && (r.Shared.ClipValue > 0 || r.Shared.ClipNorm > 0 || r.Shared.GlobalClipNorm > 0) {
		return fmt.Errorf("nn: %s: squares of occurrences and clipping cannot go together", r.Name)
	}
	if r.UpdateSquares != nil && r.Shared.AccumulateSteps > 1 {
		return fmt.Errorf("nn: %s: squares of occurrences and accumulated gradients cannot go together", r.Name)
	}
	return nil
}

// has reports whether one of the patterns is for the name.
func (g *Group) has(name string) bool {
	return slices.ContainsFunc(g.Parameters, func(pattern string) bool {
		ok, _ := path.Match(pattern, name)
		return ok
	})
}

// add lays out the jobs of a parameter. One below jobElements is one job.
func (u *update) add(p *plan.Parameter, of *group, users []user, byRow, byOccurrence bool, o *updateOptions, turn *int) error {
	rule := &of.rule
	one := updated{p: p, group: of, users: users, occurrences: byOccurrence && rule.UpdateSquares != nil}
	one.decays = rule.Shared.WeightDecay > 0 && !(&Group{Parameters: rule.Shared.NoDecay}).has(p.Name())
	for i := range users {
		u.apart = u.apart || users[i].op.GradientReadsParameters
	}
	large := byRow && p.Size() >= largeTable && !rule.MovesWithoutGradient && !one.decays && !rule.Shared.Average &&
		p.Regularizer() == nil && p.Constraint() == nil
	if p.Constraint() != nil {
		u.constrained = append(u.constrained, p)
	}
	rows, width := p.Rows()
	if rule.Shared.ClipNorm > 0 || rule.Shared.GlobalClipNorm > 0 {
		one.norms = make([]float64, rows)
	}
	var err error
	var saved *plan.RowSlots
	if large {
		if saved, err = u.rowsFor(p, rule); err != nil {
			return err
		}
	} else {
		one.grad = make([]float32, p.Size())
		if one.slots, err = u.slotsFor(p, rule); err != nil {
			return err
		}
		if one.occurrences {
			one.squares = make([]float32, p.Size())
		}
		if rule.Shared.Average {
			_, known := u.state.Averages[p.Name()]
			one.fresh = !known
			if one.average, err = u.averageFor(p); err != nil {
				return err
			}
		}
	}
	kept := u.state.Gradients[p.Name()]
	if kept != nil && len(kept) != p.Size() {
		return fmt.Errorf("nn: the training state has %d gradients of %q, which has %d elements", len(kept), p.Name(), p.Size())
	}
	u.params = append(u.params, one)
	parts := 1
	if p.Size() >= jobElements {
		parts = min(o.workers, rows)
	}
	ends := shareRows(rows, parts, large, contributions(users, o.data, o.batch, parts))
	for k := range parts {
		j := job{param: len(u.params) - 1, lo: 0, hi: ends[k], chunk: make([][]float32, len(rule.Slots))}
		if k > 0 {
			j.lo = ends[k-1]
		}
		if j.lo == j.hi || width == 0 {
			continue
		}
		if large {
			j.table = rowwise.New(j.lo, j.hi, width, rule.Slots, one.occurrences, readersOf(users))
			u.behind = u.behind || j.table.FallsBehind()
			if saved != nil {
				j.table.Load(saved)
			}
		}
		w := k
		if parts == 1 {
			w = *turn % o.workers
			*turn++
		}
		u.jobs[w] = append(u.jobs[w], j)
		if last := len(u.whole) - 1; k > 0 && !large && last >= 0 && u.whole[last].param == j.param {
			u.whole[last].hi = j.hi
		} else {
			u.whole = append(u.whole, j)
		}
	}
	if kept != nil && u.state.Accumulated > 0 {
		u.addGradient(len(u.params)-1, kept)
	}
	return nil
}

// useTeam makes the phases of a step for a team.
func (u *update) useTeam(t *team.Team) {
	u.team = t
	u.gradientFn = func(worker int) { u.do(u.jobsOf(t, worker), worker, true, false) }
	u.changeFn = func(worker int) { u.do(u.jobsOf(t, worker), worker, false, true) }
	u.stepFn = func(worker int) { u.do(u.jobsOf(t, worker), worker, true, true) }
}

// readersOf returns how the users of a table read it when all of them can tell which rows they read; otherwise nil.
func readersOf(users []user) []rowwise.Reader {
	var all []rowwise.Reader
	for i := range users {
		by := &users[i]
		if by.op.Rows == nil || by.op.Rows.Reads == nil {
			return nil
		}
		all = append(all, rowwise.Reader{Frame: by.frame, Param: by.param, Reads: by.op.Rows.Reads})
	}
	return all
}

// contributions says how often a batch is expected to contribute to the gradient of each row of a parameter, or nil where
// nothing is known of that or it does not matter.
func contributions(users []user, data *dataset, batch, parts int) []float32 {
	if parts == 1 {
		return nil
	}
	for i := range users {
		by := &users[i]
		if by.op.Rows == nil || by.op.Rows.Contributions == nil {
			continue
		}
		for _, p := range data.prepared {
			if p.op == by.at {
				return by.op.Rows.Contributions(by.param, p.data, batch)
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

// usersOf lists the operations that use a parameter and whose outputs a loss depends on, and reports whether all of them
// give its gradient row by row, and whether all of them give squares of occurrences.
func usersOf(ws *space, param int) (users []user, byRow, byOccurrence bool) {
	byRow, byOccurrence = true, true
	for i := range ws.program.Ops {
		o := &ws.program.Ops[i]
		wanted := false
		for _, v := range o.Out {
			wanted = wanted || ws.wants[v]
		}
		for k, j := range o.Params {
			if j != param || !wanted || o.Gradient == nil {
				continue
			}
			users = append(users, user{frame: &ws.frames[i], op: &o.Op, at: i, param: k})
			byRow = byRow && o.Rows.Has(k)
			byOccurrence = byOccurrence && o.Rows.Has(k) && o.Rows.Squares != nil
		}
	}
	return users, byRow, byOccurrence
}

// coming is the rate of the group's coming step.
func (g *group) coming() float32 {
	if g.rule.Schedule != nil {
		return g.rule.Schedule.Rate(g.state.Step)
	}
	return g.rate
}

// begin starts the coming step, unless its rate is invalid.
func (u *update) begin() (err error) {
	defer recovering(&err)
	for _, g := range u.groups {
		if err := checkRate(g.coming()); err != nil {
			return fmt.Errorf("%w in step %d (counted from 0)", err, g.state.Step)
		}
	}
	for _, g := range u.groups {
		rate := g.coming()
		g.state.Step++
		g.steps.Now = g.rule.Coefficients(g.state.Step, rate, g.state.Scalars)
		g.decay = rate
	}
	return nil
}

// step takes the step for the batch that the executor has run.
func (u *update) step() error {
	u.state.Accumulated++
	if u.state.Accumulated < u.accumulate {
		return u.team.Run(u.gradientFn)
	}
	if err := u.begin(); err != nil {
		u.state.Accumulated--
		return err
	}
	u.state.Accumulated = 0
	if !u.apart {
		if err := u.team.Run(u.stepFn); err != nil {
			return err
		}
		return u.ended()
	}
	if err := u.team.Run(u.gradientFn); err != nil {
		return err
	}
	return u.changeAll()
}

// changeAll changes the parameters by their gradients.
func (u *update) changeAll() error {
	u.clipNorms()
	if err := u.team.Run(u.changeFn); err != nil {
		return err
	}
	return u.ended()
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

// complete brings a job's gradient into the form that the rule gets: the mean over accumulated batches, the penalty's
// slope, clipped by value; and takes the norms of its rows.
func (u *update) complete(j *job) {
	p := &u.params[j.param]
	shared := &p.group.rule.Shared
	_, width := p.p.Rows()
	if j.table != nil {
		if u.accumulate > 1 {
			j.table.Divide(float32(u.accumulate))
		}
		if shared.ClipValue > 0 {
			j.table.Clip(shared.ClipValue)
		}
		if p.norms != nil {
			clear(p.norms[j.lo:j.hi])
			j.table.EachGradient(func(row int32, g []float32) { p.norms[row] = sumSquares(g) })
		}
		return
	}
	grad := p.grad[j.lo*width : j.hi*width]
	if u.accumulate > 1 {
		n := float32(u.accumulate)
		for i := range grad {
			grad[i] /= n
		}
	}
	if r := p.p.Regularizer(); r != nil {
		w := plan.Elements(key, p.p)
		for i := j.lo; i < j.hi; i++ {
			r.Penalty(w[i*width:(i+1)*width], p.grad[i*width:(i+1)*width])
		}
	}
	if limit := shared.ClipValue; limit > 0 {
		for i, g := range grad {
			grad[i] = min(max(g, -limit), limit)
		}
	}
	if p.norms != nil {
		for i := j.lo; i < j.hi; i++ {
			p.norms[i] = sumSquares(p.grad[i*width : (i+1)*width])
		}
	}
}

func sumSquares(g []float32) float64 {
	sum := 0.0
	for _, v := range g {
		sum += float64(float64(v) * float64(v))
	}
	return sum
}

// clipNorms decides how gradients are shortened in this step. Sums go over rows in order, whoever made them.
func (u *update) clipNorms() {
	for _, g := range u.groups {
		g.sum = 0
	}
	for i := range u.params {
		p := &u.params[i]
		if p.norms == nil {
			continue
		}
		sum := 0.0
		for _, v := range p.norms {
			sum += v
		}
		p.group.sum += sum
		if limit := p.group.rule.Shared.ClipNorm; limit > 0 {
			p.norm = max(float32(math.Sqrt(sum)), limit)
		}
	}
	for i := range u.params {
		p := &u.params[i]
		limit := p.group.rule.Shared.GlobalClipNorm
		if p.norms == nil || limit == 0 {
			continue
		}
		norm := float32(math.Sqrt(p.group.sum))
		p.factor = limit * min(1/norm, 1/limit)
	}
}

// clip shortens a part of the gradient as clipNorms decided.
func (p *updated) clip(grad []float32) {
	if limit := p.group.rule.Shared.ClipNorm; limit > 0 {
		for i, g := range grad {
			grad[i] = float32(g*limit) / p.norm
		}
	}
	if p.group.rule.Shared.GlobalClipNorm > 0 {
		simd.Scale(grad, grad, p.factor)
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

// follow moves a moving average towards the weights; it begins as those after the first step.
func (g *group) follow(average, w []float32) {
	if g.state.Step == 1 {
		copy(average, w)
	} else {
		keep := g.rule.Shared.AverageMomentum.Or(0.99)
		rest := 1 - keep
		for i, v := range w {
			average[i] = float32(average[i]*keep) + float32(v*rest)
		}
	}
	if n := g.rule.Shared.AverageEvery; n > 0 && g.state.Step%n == 0 {
		copy(w, average)
	}
}

// ended notes that all jobs of a step are done, and lets constraints act.
func (u *update) ended() (err error) {
	if u.behind {
		for _, g := range u.groups {
			g.steps.Done = append(g.steps.Done, g.steps.Now)
		}
		u.late = true
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

// hasLate reports whether rows may be behind.
func (u *update) hasLate() bool { return u.late }

// catchUp brings the rows up to date that the batch reads, of one worker's parts.
func (u *update) catchUp(jobs []job, worker int) {
	for i := range jobs {
		j := &jobs[i]
		if j.table != nil && j.table.FallsBehind() {
			p := &u.params[j.param]
			j.table.CatchUp(&p.group.steps, plan.Elements(key, p.p), worker)
		}
	}
}

// settle brings all rows up to date, which must be so before anybody else looks at the weights or the slots.
func (u *update) settle() error {
	if !u.late {
		return nil
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
	return err
}

// finish gives the model the moving averages at the end of training. The weights they replace, from which another run
// goes on, are then in the state.
func (s *stepper) finish() error {
	u := s.update
	if err := u.settle(); err != nil {
		return err
	}
	for i := range u.params {
		if p := &u.params[i]; p.average != nil && p.group.state.Step > 0 {
			if s.state.Weights == nil {
				s.state.Weights = s.model.weightsByName()
			}
			copy(plan.Elements(key, p.p), p.average)
		}
	}
	return nil
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
