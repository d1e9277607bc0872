package nn

import (
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/linnet-ml/linnet/nn/internal/rowwise"
	"github.com/linnet-ml/linnet/nn/internal/workspace"
	"github.com/linnet-ml/linnet/nn/plan"
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
	if err := u.checkParts(g.Params, o.groups); err != nil {
		return nil, err
	}
	matched := make([]int, len(o.groups))
	l := loads{of: make([]float64, o.workers), costs: map[int][]float32{}}
	for i, p := range g.Params {
		if !plan.Born(key, p) {
			continue
		}
		of, k := u.groupOf(p, o.groups)
		frozen := !p.Trainable()
		if !frozen && k >= 0 {
			matched[k]++
			frozen = o.groups[k].Frozen
		}
		var users []user
		var byRow, byOccurrence bool
		if !frozen {
			users, byRow, byOccurrence = usersOf(ws, i)
		}
		if len(users) == 0 {
			u.resting = append(u.resting, resting{p, of})
			continue
		}
		if err := plan.MakeWritable(key, p); err != nil {
			return nil, fmt.Errorf("nn: %w", err)
		}
		if err := u.add(p, of, users, byRow && !o.whole, byOccurrence, o, &l); err != nil {
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
	u.caught = make([]atomic.Uint32, l.tables)
	u.balance = newBalance(u, l.costs)
	return u, nil
}

// loads are what workers have to do in a layout under way.
type loads struct {
	of    []float64         // each worker
	costs map[int][]float32 // of each row of the tables whose parts may move, by number of parameter
	// tables is how many parts of large tables there are, and slots where theirs lie.
	tables int
	slots  rowwise.Memory
}

// add lays out the jobs of a parameter, and adds to the workers' loads what they take. A parameter that is little work is
// one job, of the worker that has the least to do so far.
func (u *update) add(p *plan.Parameter, of *group, users []user, byRow, byOccurrence bool, o *updateOptions, l *loads) error {
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
	if len(kept) > 0 && len(kept) != p.Size() {
		return fmt.Errorf("nn: the training state has %d gradients of %q, which has %d elements", len(kept), p.Name(), p.Size())
	}
	u.params = append(u.params, one)
	workers := 1
	n, isKernel := products(users, p.Size(), o.batch)
	work := visit*float64(p.Size()) + n/productsAtOnce
	if p.Size() >= jobElements || isKernel && n >= jobProducts {
		workers = min(o.workers, rows)
	}
	parts := workers
	if large && workers > 1 {
		parts = min(largeParts*workers, rows)
	}
	ends := make([]int, parts)
	for k := range ends {
		ends[k] = rows * (k + 1) / parts
	}
	if n := contributions(users, o.data, o.batch, parts); n != nil {
		if len(n) != rows {
			return fmt.Errorf("nn: parameter %q has %d rows, and its operation told the contributions to %d", p.Name(), rows, len(n))
		}
		costs := rowCosts(n, large)
		shareRows(ends, costs)
		if !large {
			l.costs[len(u.params)-1] = costs
		}
	}
	for k := range parts {
		j := job{param: len(u.params) - 1, lo: 0, hi: ends[k], chunk: make([][]float32, len(rule.Slots))}
		if k > 0 {
			j.lo = ends[k-1]
		}
		if j.lo == j.hi || width == 0 {
			continue
		}
		if large {
			j.number = l.tables
			l.tables++
			j.table = rowwise.New(j.lo, j.hi, width, rule.Slots, one.occurrences, readersOf(users), &l.slots)
			u.behind = u.behind || j.table.FallsBehind()
			if saved != nil {
				j.table.Load(saved)
			}
		}
		w := workerOf(k, workers)
		if workers == 1 {
			w = slices.Index(l.of, slices.Min(l.of))
		}
		l.of[w] += work / float64(parts)
		u.jobs[w] = append(u.jobs[w], j)
		if last := len(u.whole) - 1; k > 0 && !large && last >= 0 && u.whole[last].param == j.param {
			u.whole[last].hi = j.hi
		} else {
			u.whole = append(u.whole, j)
		}
	}
	if len(kept) > 0 && u.state.Accumulated > 0 {
		u.addGradient(len(u.params)-1, kept)
	}
	return nil
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

// products is how many multiplications a step's gradient of a parameter of that size takes, or additions if it is a bias:
// one with few elements for each of the output, whose gradient is no faster in parts.
func products(users []user, size, batch int) (n float64, isKernel bool) {
	for i := range users {
		by := &users[i]
		if by.op.Rows.Has(by.param) {
			continue
		}
		n += float64(size) * float64(batch) * float64(by.steps)
		out := by.frame.OutShape(0)
		isKernel = isKernel || len(out) > 0 && size > mostBias*max(1, out[len(out)-1])
	}
	return n, isKernel
}

// stepsOf is how many rows of a matrix a row of the batch is to an operation.
func stepsOf(op *workspace.Op) int {
	steps := op.Fold
	if len(op.In) > 0 {
		if shape := op.In[0].Shape; len(shape) > 1 {
			steps *= shape[:len(shape)-1].Size()
		}
	}
	return steps
}

// rowCosts is what each row is expected to cost in a step, by how often the batch contributes to its gradient. A row of a
// large table is only visited in a step that contributes to it.
func rowCosts(contributions []float32, large bool) []float32 {
	costs := make([]float32, len(contributions))
	for row, n := range contributions {
		visits := float32(1)
		if large {
			visits = min(1, n)
		}
		costs[row] = visit*visits + n
	}
	return costs
}

// shareRows cuts rows into parts of equal cost, as far as rows allow, and writes where each part ends.
func shareRows(ends []int, costs []float32) {
	total := 0.0
	for _, c := range costs {
		total += float64(c)
	}
	k, sum, last := 0, 0.0, len(ends)-1
	for row, c := range costs {
		if sum += float64(c); k < last && sum >= total*float64(k+1)/float64(len(ends)) {
			ends[k] = row + 1
			k++
		}
	}
	for ; k <= last; k++ {
		ends[k] = len(costs)
	}
}

// largeParts is how many parts of a large table each worker has, some among the first rows and some among the last ones:
// the ids of the former are often frequent, with many contributions, those of the latter rare, with many steps to make up.
// No one range has a fair share of both.
const largeParts = 4

// workerOf gives part k to a worker: to each in turn, there and back.
func workerOf(k, workers int) int {
	k %= 2 * workers
	return min(k, 2*workers-1-k)
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
			users = append(users, user{frame: &ws.frames[i], op: &o.Op, at: i, param: k, steps: stepsOf(&ws.ops[i])})
			byRow = byRow && o.Rows.Has(k)
			byOccurrence = byOccurrence && o.Rows.Has(k) && o.Rows.Squares != nil
		}
	}
	return users, byRow, byOccurrence
}
