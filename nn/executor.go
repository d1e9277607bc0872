package nn

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/simd"
	"github.com/linnet-ml/linnet/tensor"
)

// dataset is data that a plan can run on: checked, and prepared as the plan's steps want it.
type dataset struct {
	x        tensor.Rows
	prepared []preparedInput
	lo, n    int // the rows that belong to the set: lo to lo+n-1

	labels     []float32    // of all rows of x, row-major
	labelShape tensor.Shape // of one row
	output     tensor.Shape // of one row of what the model makes of the data
	labelWidth int
	weights    []float32 // one for each row of x, or none
}

// preparedInput is what a SourceStep made of the input.
type preparedInput struct {
	frame, in int
	data      tensor.Rows
	own       tensor.Rows // memory to use again: data, unless that is the user's own
}

// prepare lets the plan's steps prepare x, which is checked. It uses the memory of old, an earlier result or nil, again.
// What is read but once stays unprepared where a step can do so.
func (m *Model) prepare(p *plan, x tensor.Rows, old []preparedInput, once bool) ([]preparedInput, error) {
	prepared := old[:0]
	for i := range p.inputs {
		use := &p.inputs[i]
		if use.source == nil {
			continue
		}
		var own tensor.Rows
		if n := len(prepared); n < len(old) {
			own = old[n].own
		}
		data := x
		if !once || use.unprepared == nil || !use.unprepared.Unprepared(x) {
			var err error
			if data, err = use.source.Prepare(x, own); err != nil {
				return old, fmt.Errorf("nn: layer %q: %w", p.steps[use.step].layer, err)
			}
		}
		if data != x {
			own = data
		}
		prepared = append(prepared, preparedInput{frame: use.step, in: use.in, data: data, own: own})
	}
	return prepared, nil
}

// executor runs batches through a plan: rows are shared out among the workers of a team.
type executor struct {
	ws   *workspace
	team *team
	data *dataset

	given  Loss // as the user gave it; nil to predict only
	loss   Loss // what runs
	lossOn int  // the value that the loss reads
	// masking is the loss where it leaves elements out, and counted what the losses of the batch's rows are multiplied by
	// that their mean is one over the elements that count.
	masking MaskingLoss
	counted float32
	update  *update

	backs    []bool // which steps' Backward runs
	rowsFn   func(worker int)
	catchFn  func(worker int)
	trainFns []func(worker int) // the phases of a step's update
}

// newExecutor makes an executor for a workspace that is laid out. With an update it trains.
func newExecutor(ws *workspace, t *team, data *dataset, loss Loss, u *update) *executor {
	e := &executor{ws: ws, team: t, update: u, given: loss}
	e.lay()
	e.use(data)
	e.rowsFn = e.rows
	if u == nil {
		return e
	}
	e.catchFn = func(worker int) { u.catchUp(ws, u.jobsOf(t, worker), worker) }
	if u.apart {
		e.trainFns = []func(int){
			func(worker int) { u.do(ws, u.jobsOf(t, worker), worker, true, false) },
			func(worker int) { u.do(ws, u.jobsOf(t, worker), worker, false, true) },
		}
	} else {
		e.trainFns = []func(int){func(worker int) { u.do(ws, u.jobsOf(t, worker), worker, true, true) }}
	}
	return e
}

// lay fits the executor to the workspace's layout.
func (e *executor) lay() {
	e.setLoss(e.given)
	w := e.ws
	for len(w.fails) < e.team.size {
		w.fails = append(w.fails, nil)
	}
	for i := range w.frames {
		f := &w.frames[i]
		for len(f.scratch) < e.team.size {
			f.scratch, f.local = append(f.scratch, nil), append(f.local, nil)
		}
	}
}

// bind makes the executor read other data, whose rows may have another shape.
func (e *executor) bind(data *dataset) error {
	if data == e.data {
		return nil
	}
	w := e.ws
	if s := data.signature(); !w.fits(s, w.training, w.inputGrad) {
		if err := w.layout(len(w.values), s); err != nil {
			return err
		}
		e.lay()
	}
	e.use(data)
	return nil
}

// use makes the executor read other data, prepared for the same plan.
func (e *executor) use(data *dataset) {
	e.data = data
	for _, p := range data.prepared {
		e.ws.frames[p.frame].sources[p.in] = p.data
	}
	e.ws.labelWidth = data.labelWidth
}

// setLoss decides where the loss reads: in front of the output activation, if the loss can.
func (e *executor) setLoss(loss Loss) {
	p := e.ws.plan
	e.loss, e.lossOn = loss, p.output
	if l, ok := loss.(LogitsLoss); ok && p.logits != none {
		if from, ok := l.FromActivation(p.activation); ok {
			e.loss, e.lossOn = from, p.logits
		}
	}
	if l, ok := e.loss.(ShapedLoss); ok {
		e.loss = l.For(e.ws.values[e.lossOn].shape)
	}
	e.masking = nil
	if l, ok := e.loss.(MaskingLoss); ok && l.Masks() {
		e.masking = l
	}
	e.backs = make([]bool, len(p.steps))
	for i, s := range p.steps {
		if e.lossOn != p.output && s.out == p.output {
			continue // the loss gives the gradient in front of it
		}
		for _, wanted := range e.ws.frames[i].wants {
			e.backs[i] = e.backs[i] || wanted
		}
	}
}

// run computes a batch of rows, numbers of rows of the data.
func (e *executor) run(rows []int32) error {
	w := e.ws
	if err := w.resize(len(rows)); err != nil {
		return err
	}
	copy(w.index, rows)
	if e.loss != nil {
		w.labels = grow(w.labels, len(rows)*w.labelWidth)
		w.weights = w.weights[:0]
		if e.data.weights != nil {
			w.weights = grow(w.weights, len(rows))
		}
		if e.masking != nil {
			e.count(rows)
		}
	}
	if e.update != nil && len(e.update.steps) > 0 {
		e.team.run(e.catchFn)
	}
	e.team.run(e.rowsFn)
	for i, err := range w.fails {
		if err != nil {
			clear(w.fails[i:])
			return err
		}
	}
	return nil
}

// count notes how much those elements weigh that a masking loss counts.
func (e *executor) count(rows []int32) {
	d, n := e.data, 0
	for _, row := range rows {
		n += e.masking.Counted(d.labels[int(row)*d.labelWidth : (int(row)+1)*d.labelWidth])
	}
	e.counted = float32(len(rows)*d.labelWidth) / (float32(n) + 1e-7)
}

// rows is the phase in which workers own batch rows: forward, the loss, and backward.
func (e *executor) rows(worker int) {
	w := e.ws
	lo, hi := e.team.share(w.rows, worker)
	if lo == hi {
		return
	}
	s := Span{Lo: lo, Hi: hi, Worker: worker}
	if w.copied {
		e.feed(s)
	}
	for i := range w.plan.steps {
		w.plan.steps[i].step.Forward(&w.frames[i], s)
	}
	if e.loss == nil {
		return
	}
	e.feedLabels(s)
	out := &w.values[e.lossOn]
	a, b := lo*out.width, hi*out.width
	var gradient []float32
	if w.training {
		gradient = out.grad[a:b]
	}
	e.loss.Rows(w.losses[lo:hi], gradient, out.floats[a:b], w.labels[lo*w.labelWidth:hi*w.labelWidth])
	if !w.training {
		return
	}
	e.scale(gradient, out.width, s)
	for i := len(w.plan.steps) - 1; i >= 0; i-- {
		w.values[w.plan.steps[i].out].sumParts(s)
		if e.backs[i] {
			w.plan.steps[i].step.(BackwardStep).Backward(&w.frames[i], s)
		}
	}
	w.values[0].sumParts(s)
}

// scale turns gradients of rows' losses into gradients of the batch's: each times its weight, over the rows.
func (e *executor) scale(gradient []float32, width int, s Span) {
	w := e.ws
	mean := 1 / float32(w.rows)
	if e.masking != nil {
		mean *= e.counted
	}
	if len(w.weights) == 0 {
		simd.Scale(gradient, gradient, mean)
		return
	}
	for i := s.Lo; i < s.Hi; i++ {
		row := gradient[(i-s.Lo)*width : (i-s.Lo+1)*width]
		simd.Scale(row, row, w.weights[i]*mean)
	}
}

// feed copies rows of the data into the batch.
func (e *executor) feed(s Span) {
	v := &e.ws.values[0]
	switch x := e.data.x.(type) {
	case *tensor.Float32:
		gather(v.floats, x.Data(), v.width, e.ws.index, s)
	case *tensor.Int32:
		gather(v.ints, x.Data(), v.width, e.ws.index, s)
	case *tensor.String:
		gather(v.strings, x.Data(), v.width, e.ws.index, s)
	}
}

func gather[E any](dst, src []E, width int, index []int32, s Span) {
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

func (e *executor) feedLabels(s Span) {
	w := e.ws
	gather(w.labels, e.data.labels, w.labelWidth, w.index, s)
	if len(w.weights) > 0 {
		gather(w.weights, e.data.weights, 1, w.index, s)
	}
}

// lossSum is the sum of the batch's losses times their weights, in row order.
func (e *executor) lossSum() float64 {
	_, batch := e.addLosses(0)
	return batch
}

// addLosses adds the batch's losses times their weights to a sum, in row order. A sum over several batches is made so,
// and not from their sums, that it does not depend on where one batch ends; the batch's own is returned too.
func (e *executor) addLosses(before float64) (sum, batch float64) {
	w := e.ws
	sum = before
	for i, l := range w.losses[:w.rows] {
		if len(w.weights) > 0 {
			l = float32(l * w.weights[i])
		}
		if e.masking != nil {
			l = float32(l * e.counted)
		}
		sum += float64(l)
		batch += float64(l)
	}
	return sum, batch
}

// output is the model's output for the batch.
func (e *executor) output() []float32 { return e.ws.values[e.ws.plan.output].floats }

// measured is the loss and the metrics over batches.
type measured struct {
	total    float64
	rows     int
	metrics  []Accumulator
	weighted []Accumulator
	names    []string
}

// startMetrics starts the metrics; loss is what Fit and Evaluate were given.
func startMetrics(p *plan, data *dataset, metrics, weighted []Metric, loss Loss) (*measured, error) {
	r := &measured{names: []string{"loss"}}
	info := MetricInfo{Output: data.output, Labels: data.labelShape}
	if l, ok := loss.(LogitsLoss); ok && l.TakesLogits() {
		// Behind an activation that the loss would look through, the output is a probability whatever the loss was told.
		through := false
		if p.logits != none {
			_, through = l.FromActivation(p.activation)
		}
		info.Logits = !through
	}
	for i, list := range [][]Metric{metrics, weighted} {
		for _, x := range list {
			if x == nil {
				return nil, errors.New("nn: a metric is nil")
			}
			a, err := x.Start(info)
			if err != nil {
				return nil, err
			}
			for _, name := range r.names {
				if name == x.Name() {
					return nil, fmt.Errorf("nn: two logs are named %q", name)
				}
			}
			r.names = append(r.names, x.Name())
			if i == 0 {
				r.metrics = append(r.metrics, a)
			} else {
				r.weighted = append(r.weighted, a)
			}
		}
	}
	return r, nil
}

func (r *measured) reset() {
	r.total, r.rows = 0, 0
	for _, a := range r.metrics {
		a.Reset()
	}
	for _, a := range r.weighted {
		a.Reset()
	}
}

// add takes the batch that e has just run and returns its loss.
func (r *measured) add(e *executor) float64 {
	w := e.ws
	var batch float64
	r.total, batch = e.addLosses(r.total)
	r.rows += w.rows
	for _, a := range r.metrics {
		a.Add(w.labels, e.output(), nil)
	}
	for _, a := range r.weighted {
		a.Add(w.labels, e.output(), w.weights)
	}
	return batch / float64(w.rows)
}

// log writes the results so far, under their names with a prefix.
func (r *measured) log(l *history.Logs, names []string) {
	l.Set(names[0], r.total/float64(max(r.rows, 1)))
	for i, a := range r.metrics {
		l.Set(names[1+i], a.Result())
	}
	for i, a := range r.weighted {
		l.Set(names[1+len(r.metrics)+i], a.Result())
	}
}

// evaluate runs all that the feed has, in order, and measures. Before and after each batch it calls around, if that is
// given.
func (e *executor) evaluate(ctx context.Context, r *measured, from *feed, around func(ev Event, step int) error) error {
	r.reset()
	if err := from.begin(ctx, 0, nil); err != nil {
		return err
	}
	defer from.end()
	for step := 0; ; step++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		data, rows, err := from.take()
		if err != nil || len(rows) == 0 {
			return err
		}
		if around != nil {
			if err := around(TestBatchBegin, step); err != nil {
				return err
			}
		}
		if err := e.bind(data); err != nil {
			return err
		}
		if err := e.run(rows); err != nil {
			return err
		}
		r.add(e)
		if around != nil {
			if err := around(TestBatchEnd, step); err != nil {
				return err
			}
		}
	}
}

// consecutive returns the numbers lo to lo+n-1, in the memory of s.
func consecutive(s []int32, lo, n int) []int32 {
	s = grow(s, n)
	for i := range s {
		s[i] = int32(lo + i)
	}
	return s
}

// finite reports whether a loss is a number to go on with.
func finite(loss float64) bool { return !math.IsNaN(loss) && !math.IsInf(loss, 0) }
