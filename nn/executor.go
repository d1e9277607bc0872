package nn

import (
	"context"

	"github.com/linnet-ml/linnet/nn/internal/team"
	"github.com/linnet-ml/linnet/nn/internal/workspace"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/simd"
	"github.com/linnet-ml/linnet/tensor"
)

// executor runs batches through a program: rows are shared out among the workers of a team. Where something must be known
// of the whole batch before it goes on, a segment ends.
type executor struct {
	ws   *space
	team *team.Team
	data *dataset

	objectives []objective
	losses     []runningLoss // those of the objectives that have one
	update     *update       // or nil

	backs    []bool // which operations' Backward runs
	segments []segment
	partial  []float64 // sums of shards
	catchFn  func(worker int)
}

// runningLoss is an objective's loss in an executor.
type runningLoss struct {
	set  int // the place of its labels in dataset.labels
	end  int // the output
	on   int // the value that the loss reads
	rule *plan.LossRule
	mask int // the value that says which of its rows count, or none
	// counted is what the losses of the batch's rows are multiplied by so that their mean is one over those that count.
	counted float32
	weight  float32
}

// segment is what workers do one after another without waiting for each other.
type segment struct {
	steps []instruction
	// After the segment: the operation whose sums are combined, or none.
	combine  int
	backward bool
	masks    bool // sums of masks are combined
	run      func(worker int)
}

type instruction struct {
	do deed
	at int // an operation, a loss, an objective
}

type deed uint8

const (
	feedInputs deed = iota
	forward
	addForward // the sums of Op.Reduce
	addMask
	feedLabels // of an objective without a loss
	computeLoss
	sumGradients // of an operation's outputs
	addBackward
	backward
	sumInputs
)

// newExecutor makes an executor for a workspace that is laid out.
func newExecutor(ws *space, t *team.Team, data *dataset, objectives []objective) *executor {
	e := &executor{ws: ws, team: t, objectives: objectives}
	e.lay(data)
	e.use(data)
	return e
}

// useUpdate makes the executor catch up rows of large tables before it reads them.
func (e *executor) useUpdate(u *update) {
	e.update = u
	e.catchFn = u.catchUp
}

// lay fits the executor to the workspace's layout.
func (e *executor) lay(data *dataset) {
	w, g := e.ws, e.ws.program
	e.losses = e.losses[:0]
	var on []int
	for i := range e.objectives {
		o := &e.objectives[i]
		if o.Loss == nil {
			continue
		}
		l := runningLoss{set: i, end: o.output, on: g.ends[o.output].value, weight: o.LossWeight, mask: none}
		if data.labels[i].rule.BeforeActivation {
			l.on = g.ends[o.output].before
		}
		if data.labels[i].masked {
			l.mask = g.Masks[o.output]
		}
		e.losses = append(e.losses, l)
		on = append(on, l.on)
	}
	w.wire(on)
	for len(w.run.Fails) < e.team.Size() {
		w.run.Fails = append(w.run.Fails, workspace.Failure{})
	}
	for i := range w.ops {
		op := &w.ops[i]
		for len(op.Scratch) < e.team.Size() {
			op.Scratch, op.Local = append(op.Scratch, nil), append(op.Local, nil)
		}
	}
	e.backs = make([]bool, len(w.ops))
	for i := range w.ops {
		o := &g.Ops[i]
		for _, wanted := range w.ops[i].Wants {
			e.backs[i] = e.backs[i] || wanted
		}
		if o.BackwardForGradient && o.Backward != nil {
			for _, v := range o.Out {
				e.backs[i] = e.backs[i] || w.wants[v]
			}
		}
	}
	e.cut()
}

// cut makes the segments.
func (e *executor) cut() {
	w, g := e.ws, e.ws.program
	e.segments = e.segments[:0]
	now := segment{combine: none}
	add := func(do deed, at int) { now.steps = append(now.steps, instruction{do, at}) }
	end := func() {
		k := len(e.segments)
		now.run = func(worker int) { e.segment(k, worker) }
		e.segments = append(e.segments, now)
		now = segment{combine: none}
	}
	reduces := w.run.Training && !w.run.Noiseless
	for _, copied := range g.copied {
		if copied {
			add(feedInputs, 0)
			break
		}
	}
	for i := range g.Ops {
		if g.Ops[i].Reduce != nil && reduces {
			add(addForward, i)
			now.combine = i
			end()
		}
		add(forward, i)
	}
	for i := range e.objectives {
		if e.objectives[i].Loss == nil {
			add(feedLabels, i)
		}
	}
	masks := false
	for k := range e.losses {
		if e.losses[k].mask != none {
			add(addMask, k)
			masks = true
		}
	}
	if masks {
		now.masks = true
		end()
	}
	for k := range e.losses {
		add(computeLoss, k)
	}
	if w.run.Training {
		for i := len(g.Ops) - 1; i >= 0; i-- {
			wanted := e.backs[i]
			for _, v := range g.Ops[i].Out {
				wanted = wanted || w.wants[v]
			}
			if wanted {
				add(sumGradients, i)
			}
			if !e.backs[i] {
				continue
			}
			if g.Ops[i].BackwardReduce != nil && reduces {
				add(addBackward, i)
				now.combine, now.backward = i, true
				end()
			}
			add(backward, i)
		}
		add(sumInputs, 0)
	}
	end()
}

// bind makes the executor read other data, whose rows may have another shape.
func (e *executor) bind(data *dataset) error {
	if data == e.data {
		return nil
	}
	if !e.ws.fits(data.signatures) {
		if err := e.ws.layout(data.signatures); err != nil {
			return err
		}
		e.lay(data)
	}
	e.use(data)
	return nil
}

// use makes the executor read other data, prepared for the same program.
func (e *executor) use(data *dataset) {
	e.data = data
	for _, p := range data.prepared {
		e.ws.ops[p.op].Sources[p.in] = p.data
	}
	for k := range e.losses {
		l := &e.losses[k]
		set := &data.labels[l.set]
		l.rule = &set.rule
	}
	for i := range e.objectives {
		set := &data.labels[i]
		end := &e.ws.ends[e.objectives[i].output]
		end.labelWidth, end.perRow = set.width, set.perRow
	}
}

// run computes a batch of rows, numbers of rows of the data.
func (e *executor) run(ctx context.Context, rows []int32) error {
	w := e.ws
	w.run.Context = ctx
	clear(w.run.Fails) // a batch that panicked may have left some
	if err := w.resize(len(rows)); err != nil {
		return err
	}
	copy(w.run.Index, rows)
	if w.program.unit > 1 {
		e.reserve()
	}
	for i := range e.objectives {
		set, end := &e.data.labels[i], &w.ends[e.objectives[i].output]
		n := len(rows) * end.perRow
		end.labels = workspace.Grow(end.labels, n*end.labelWidth)
		end.losses = workspace.Grow(end.losses, n)
		end.weights = end.weights[:0]
		if set.weights != nil || set.masked {
			end.weights = workspace.Grow(end.weights, n)
		}
	}
	for k := range e.losses {
		if l := &e.losses[k]; l.rule.Counted != nil {
			l.count(&e.data.labels[l.set], rows)
		} else {
			l.counted = 1
		}
	}
	if e.update != nil && e.update.behind {
		e.update.beginCatchUp()
		if err := e.team.Run(e.catchFn); err != nil {
			return err
		}
	}
	for k := range e.segments {
		s := &e.segments[k]
		if err := e.team.Run(s.run); err != nil {
			return err
		}
		if s.combine != none {
			if err := e.combine(s); err != nil {
				return err
			}
		}
		if s.masks {
			e.combineMasks()
		}
	}
	for i, f := range w.run.Fails {
		if f.Err != nil {
			clear(w.run.Fails[i:])
			return dataError(e.inputOf(f.Op), f.Err)
		}
	}
	return nil
}

// inputOf names the input of the model that an operation reads, where the model has several.
func (e *executor) inputOf(op *workspace.Op) string {
	for _, use := range e.ws.program.inputs {
		if &e.ws.ops[use.op] == op && e.ws.program.names != nil {
			return e.ws.program.names[use.input]
		}
	}
	return ""
}

// count notes how much those elements weigh that the loss counts.
func (l *runningLoss) count(set *labelSet, rows []int32) {
	width := set.width * set.perRow
	n := 0
	for _, row := range rows {
		n += l.rule.Counted(set.values[int(row)*width : (int(row)+1)*width])
	}
	l.counted = float32(len(rows)*width) / (float32(n) + 1e-7)
}

// segment runs a worker's share of a segment: it owns rows of the batch.
func (e *executor) segment(k, worker int) {
	w := e.ws
	lo, hi := e.team.Share(w.run.Rows, w.program.unit, worker)
	if lo == hi {
		return
	}
	span := plan.Span{Lo: lo, Hi: hi, Worker: worker}
	for _, step := range e.segments[k].steps {
		i := step.at
		switch step.do {
		case feedInputs:
			e.feed(span)
		case forward:
			w.program.Ops[i].Forward(&w.frames[i], w.span(i, span))
		case addForward:
			e.addShards(i, w.program.Ops[i].Reduce, len(w.ops[i].Sums), span)
		case addMask:
			e.feedLabels(e.losses[i].set, span)
			e.mask(e.losses[i].end, span)
		case feedLabels:
			e.feedLabels(i, span)
			if e.data.labels[i].masked {
				e.mask(e.objectives[i].output, span)
			}
		case computeLoss:
			e.loss(i, span)
		case sumGradients:
			for _, v := range w.program.Ops[i].Out {
				w.values[v].SumParts(lo, hi)
			}
			for _, v := range w.unread[i] {
				v := &w.values[v]
				clear(v.Grad[lo*v.Fold*v.Width : hi*v.Fold*v.Width])
			}
		case addBackward:
			e.addShards(i, w.program.Ops[i].BackwardReduce, len(w.ops[i].BackwardSums), span)
		case backward:
			w.program.Ops[i].Backward(&w.frames[i], w.span(i, span))
		case sumInputs:
			for _, v := range w.program.Inputs {
				if w.wants[v] {
					w.values[v].SumParts(lo, hi)
				}
			}
		}
	}
}

// span is a span of the batch in an operation's rows.
func (s *space) span(op int, span plan.Span) plan.Span {
	if f := s.ops[op].Fold; f != 1 {
		span.Lo *= f
		span.Hi *= f
	}
	return span
}

// addShards adds up each shard of a worker's rows on its own.
func (e *executor) addShards(op int, r *plan.Reduction, width int, span plan.Span) {
	for lo := span.Lo; lo < span.Hi; lo += plan.ShardRows {
		shard := lo / plan.ShardRows
		sums := e.partial[shard*width : (shard+1)*width]
		clear(sums)
		rows := plan.Span{Lo: lo, Hi: min(lo+plan.ShardRows, span.Hi), Worker: span.Worker}
		r.Add(&e.ws.frames[op], e.ws.span(op, rows), sums)
	}
}

// combine adds the shards' sums in order.
func (e *executor) combine(s *segment) (err error) {
	defer recovering(&err)
	o, op := &e.ws.program.Ops[s.combine], &e.ws.ops[s.combine]
	sums, finish := op.Sums, o.Reduce
	if s.backward {
		sums, finish = op.BackwardSums, o.BackwardReduce
	}
	clear(sums)
	for shard := range ceilDiv(e.ws.run.Rows, plan.ShardRows) {
		for i, v := range e.partial[shard*len(sums) : (shard+1)*len(sums)] {
			sums[i] += v
		}
	}
	if finish.Finish != nil {
		finish.Finish(&e.ws.frames[s.combine], sums)
	}
	return nil
}

// reserve makes room for the shards' sums of a batch.
func (e *executor) reserve() {
	width := 0
	for i := range e.ws.ops {
		width = max(width, len(e.ws.ops[i].Sums), len(e.ws.ops[i].BackwardSums))
	}
	e.partial = workspace.Grow(e.partial, width*ceilDiv(e.ws.run.Rows, plan.ShardRows))
}

// loss computes the losses of a worker's rows and, to train, their gradient.
func (e *executor) loss(k int, span plan.Span) {
	w, l := e.ws, &e.losses[k]
	end := &w.ends[l.end]
	if l.mask == none {
		e.feedLabels(l.set, span)
	}
	lo, hi := span.Lo*end.perRow, span.Hi*end.perRow
	out := &w.values[l.on]
	width := out.Width * out.Fold / end.perRow // of one of the loss's rows
	var gradient []float32
	if w.wants[l.on] {
		grad := out.Grad
		if part := w.lossParts[k]; part != none {
			grad = out.Parts[part]
		}
		gradient = grad[lo*width : hi*width]
	}
	l.rule.Rows(end.losses[lo:hi], gradient, out.Floats[lo*width:hi*width], end.labels[lo*end.labelWidth:hi*end.labelWidth])
	if gradient != nil {
		e.scale(l, gradient, width, lo, hi)
	}
}

// scale turns gradients of rows' losses into gradients of the batch's: each times its weight, over the rows.
func (e *executor) scale(l *runningLoss, gradient []float32, width, lo, hi int) {
	end := &e.ws.ends[l.end]
	mean := 1 / float32(e.ws.run.Rows*end.perRow)
	if l.counted != 1 {
		mean *= l.counted
	}
	if l.weight != 1 {
		mean *= l.weight
	}
	if len(end.weights) == 0 {
		simd.Scale(gradient, gradient, mean)
		return
	}
	for i := lo; i < hi; i++ {
		row := gradient[(i-lo)*width : (i-lo+1)*width]
		simd.Scale(row, row, end.weights[i]*mean)
	}
}

// mask multiplies the weights of a worker's rows of an output by their mask, 0 or 1.
func (e *executor) mask(output int, span plan.Span) {
	end, mask := &e.ws.ends[output], &e.ws.values[e.ws.program.Masks[output]]
	for i, on := range mask.Ints[span.Lo*end.perRow : span.Hi*end.perRow] {
		if on == 0 {
			end.weights[span.Lo*end.perRow+i] = 0
		}
	}
}

// combineMasks notes how much the rows weigh that masks leave.
func (e *executor) combineMasks() {
	for k := range e.losses {
		l := &e.losses[k]
		if l.mask == none {
			continue
		}
		end := &e.ws.ends[l.end]
		n := e.ws.run.Rows * end.perRow
		on := 0
		for _, v := range e.ws.values[l.mask].Ints[:n] {
			if v != 0 {
				on++
			}
		}
		l.counted *= float32(n) / float32(max(on, 1))
	}
}

// feed copies rows of the data into the batch.
func (e *executor) feed(s plan.Span) {
	w := e.ws
	for k, at := range w.program.Inputs {
		if !w.program.copied[k] {
			continue
		}
		v := &w.values[at]
		switch x := e.data.inputs[k].(type) {
		case *tensor.Float32:
			gather(v.Floats, x.Data(), v.Width, w.run.Index, s)
		case *tensor.Int32:
			gather(v.Ints, x.Data(), v.Width, w.run.Index, s)
		case *tensor.String:
			gather(v.Strings, x.Data(), v.Width, w.run.Index, s)
		}
	}
}

func gather[E any](dst, src []E, width int, index []int32, s plan.Span) {
	if width == 1 { // labels and weights: a copy of one element each would take longer than the element
		for i := s.Lo; i < s.Hi; i++ {
			dst[i] = src[index[i]]
		}
		return
	}
	for i := s.Lo; i < s.Hi; i++ {
		from := int(index[i]) * width
		copy(dst[i*width:(i+1)*width], src[from:from+width])
	}
}

// feedLabels copies a worker's rows of an objective's labels and weights into the batch.
func (e *executor) feedLabels(i int, s plan.Span) {
	w := e.ws
	set, end := &e.data.labels[i], &w.ends[e.objectives[i].output]
	gather(end.labels, set.values, end.labelWidth*end.perRow, w.run.Index, s)
	switch {
	case len(end.weights) == 0:
	case set.weights == nil:
		for k := s.Lo * end.perRow; k < s.Hi*end.perRow; k++ {
			end.weights[k] = 1
		}
	case set.perStep:
		gather(end.weights, set.weights, end.perRow, w.run.Index, s)
	case end.perRow == 1:
		gather(end.weights, set.weights, 1, w.run.Index, s)
	default:
		for r := s.Lo; r < s.Hi; r++ {
			v := set.weights[w.run.Index[r]]
			for k := r * end.perRow; k < (r+1)*end.perRow; k++ {
				end.weights[k] = v
			}
		}
	}
}

// addLosses adds one loss's losses of the batch, times their weights, to a sum, in row order. A sum over several batches
// is made so, and not from their sums, so that it does not depend on where one batch ends; the batch's own is returned
// too.
func (e *executor) addLosses(k int, before float64) (sum, batch float64) {
	w, l := e.ws, &e.losses[k]
	end := &w.ends[l.end]
	sum = before
	for i, v := range end.losses[:w.run.Rows*end.perRow] {
		if len(end.weights) > 0 {
			v = float32(v * end.weights[i])
		}
		if l.counted != 1 {
			v = float32(v * l.counted)
		}
		sum += float64(v)
		batch += float64(v)
	}
	return sum, batch
}

// output is the model's output of the given number for the batch.
func (e *executor) output(i int) []float32 { return e.ws.values[e.ws.program.Outputs[i]].Floats }

// consecutive returns the numbers lo to lo+n-1, in the memory of s.
func consecutive(s []int32, lo, n int) []int32 {
	s = workspace.Grow(s, n)
	for i := range s {
		s[i] = int32(lo + i)
	}
	return s
}

func ceilDiv(a, b int) int { return (a-1)/b + 1 }
