package nn

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/linnet-ml/linnet/nn/internal/team"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/tensor"
)

// PredictOptions are the settings of predictions. The zero value is good for most.
type PredictOptions struct {
	// BatchSize is how many rows are computed at a time, 512 by default. It changes no bit of the result.
	BatchSize int
	// Threads is how many workers share a batch, 1 by default. It changes no bit of the result.
	Threads int
	// NoFusion runs the layers as they were written, one after another.
	NoFusion bool
}

// Predict returns the output of a model with one input and one output for each row of x. A prediction for a row does not
// depend on the other rows: it has the same bits alone and in any batch. Any number of goroutines may predict at once.
//
// An input that does not fit is an [InputError] that names the place. So is NaN or an infinity in it, even where the
// output would be a number, such as the sigmoid of an infinity.
func (m *Model) Predict(ctx context.Context, x tensor.Rows, o PredictOptions) (*tensor.Float32, error) {
	values, err := m.PredictInto(ctx, nil, x, o)
	if err != nil {
		return nil, err
	}
	out := m.outputs[0].signature.Shape.Clone()
	out[0] = x.Len()
	if w := out.Width(); w == tensor.Unknown || x.Len()*w != len(values) {
		// The number of steps was open: it is what the values say, where one dimension is.
		known, open := x.Len(), -1
		for i, d := range out[1:] {
			if d == tensor.Unknown {
				open = i + 1
			} else {
				known *= d
			}
		}
		if open < 0 || known == 0 {
			return nil, fmt.Errorf("nn: %w: %d values for an output of shape %v", tensor.ErrShape, len(values), out)
		}
		out[open] = len(values) / known
	}
	return tensor.Of(values, out...)
}

// PredictInto appends what Predict returns, row-major, to dst and returns the extended slice. When dst has room for the
// result and an earlier call had rows like these, it allocates nothing. With an error, dst is returned as it was.
func (m *Model) PredictInto(ctx context.Context, dst []float32, x tensor.Rows, o PredictOptions) (full []float32, err error) {
	// One recovery for all that may panic: a prediction of one row takes less than a microsecond.
	defer func() {
		if v := recover(); v != nil {
			full, err = dst, plan.Recovered(v)
		}
		if err != nil && m != nil {
			m.explain(&err)
		}
	}()
	return m.predictInto(ctx, dst, x, &o)
}

func (m *Model) predictInto(ctx context.Context, dst []float32, x tensor.Rows, o *PredictOptions) ([]float32, error) {
	if err := m.usable(ctx); err != nil {
		return dst, err
	}
	if len(m.inputs) != 1 || len(m.outputs) != 1 {
		return dst, fmt.Errorf("nn: the model has the inputs %q and the outputs %q: PredictAll takes and gives them by name", m.InputNames(), m.OutputNames())
	}
	if isNilRows(x) || x.Len() == 0 {
		return dst, errNoRows
	}
	if err := checkSizes(o.BatchSize, o.Threads); err != nil {
		return dst, err
	}
	m.settled()
	if m.lenders.Load() != nil {
		held, err := m.borrow()
		if err != nil {
			return dst, err
		}
		defer held.release()
	}
	w, err := m.predictSpace(o, x)
	if err != nil {
		return dst, err
	}
	if !o.NoFusion {
		defer m.give(w)
	}
	return m.predict(ctx, w, dst, o)
}

// isNilRows reports whether x is a nil array in an interface.
func isNilRows(x tensor.Rows) bool {
	switch x := x.(type) {
	case *tensor.Float32:
		return x == nil
	case *tensor.Int32:
		return x == nil
	case *tensor.String:
		return x == nil
	}
	return isNil(x)
}

// checkSizes refuses settings of a call below 0.
func checkSizes(batch, threads int) error {
	if batch < 0 {
		return fmt.Errorf("nn: BatchSize %d must not be negative", batch)
	}
	if threads < 0 {
		return fmt.Errorf("nn: Threads %d must not be negative", threads)
	}
	return nil
}

// predictor is what predictions keep in a workspace, so that the next one allocates nothing.
type predictor struct {
	data  dataset
	exec  *executor
	order []int32
	rows  [1]tensor.Rows
}

// predictSpace is the workspace that a prediction of a model with one input runs in, with x in it.
func (m *Model) predictSpace(o *PredictOptions, x tensor.Rows) (*space, error) {
	in := [1]plan.Signature{{Type: x.Type(), Shape: x.Shape()}}
	g := m.programFor(o.NoFusion)
	rows := [1]tensor.Rows{x}
	if !g.ready(0, x) {
		if err := m.checkRowsOf(g, 0, x); err != nil {
			return nil, dataError("", err)
		}
	}
	var w *space
	var err error
	if o.NoFusion {
		w = newSpace(g)
		err = w.layout(in[:])
	} else {
		w, err = m.take(in[:])
	}
	if err != nil {
		return nil, err
	}
	if w.predict == nil {
		w.predict = &predictor{}
		w.predict.exec = newExecutor(w, team.New(1), &w.predict.data, nil)
	}
	w.predict.rows = rows
	return w, nil
}

func (m *Model) predict(ctx context.Context, w *space, dst []float32, o *PredictOptions) ([]float32, error) {
	p := w.predict
	x := p.rows[0]
	n := x.Len()
	prepared, err := m.prepareInputs(ctx, w.program, p.rows[:], p.data.prepared, true)
	p.data.inputs, p.data.prepared, p.data.n, p.data.signatures = p.rows[:], prepared, n, w.inputs
	defer p.forget(w)
	if err != nil {
		return dst, err
	}
	batch := o.BatchSize
	if batch == 0 {
		batch = predictBatch
	}
	e := p.exec
	workers := 1
	if o.Threads > 1 {
		workers = m.threads(w.program, o.Threads, min(batch, n), w.inputs)
	}
	if workers > 1 {
		t := team.New(workers)
		defer t.End()
		e = newExecutor(w, t, &p.data, nil)
	} else {
		e.use(&p.data)
	}
	full := dst
	for at := 0; at < n; at += batch {
		if err := ctx.Err(); err != nil {
			return dst, err
		}
		p.order = consecutive(p.order, at, min(batch, n-at))
		if err := e.run(ctx, p.order); err != nil {
			return dst, err
		}
		out := &w.values[w.program.Outputs[0]]
		full = append(full, out.Floats[:len(p.order)*out.Width]...)
	}
	return full, nil
}

// predictBatch is how many rows are computed at a time when nothing else is asked for.
const predictBatch = 512

// forget drops the user's data and context but keeps the memory that preparing the data took.
func (p *predictor) forget(w *space) {
	p.rows[0], w.run.Context = nil, nil
	for i := range p.data.prepared {
		input := &p.data.prepared[i]
		input.data = nil
		w.ops[input.op].Sources[input.in] = nil
	}
}

// PredictAll yields the outputs of a model, by name, for each batch of the source, in order: of Data for the rows in
// batches of o.BatchSize. It is for models with several inputs or outputs, and for data that comes in batches. The arrays
// are the caller's own.
func (m *Model) PredictAll(ctx context.Context, d Source, o PredictOptions) iter.Seq2[map[string]*tensor.Float32, error] {
	return func(yield func(map[string]*tensor.Float32, error) bool) {
		if err := m.predictAll(ctx, d, &o, yield); err != nil && !errors.Is(err, errStopped) {
			yield(nil, err)
		}
	}
}

// errStopped reports that nobody wants more.
var errStopped = errors.New("stopped")

func (m *Model) predictAll(ctx context.Context, d Source, o *PredictOptions, yield func(map[string]*tensor.Float32, error) bool) (err error) {
	if err := m.usable(ctx); err != nil {
		return err
	}
	if err := checkSizes(o.BatchSize, o.Threads); err != nil {
		return err
	}
	m.settled()
	held, err := m.borrow()
	if err != nil {
		return err
	}
	defer held.release()
	defer m.explain(&err)
	g := m.programFor(o.NoFusion)
	batch := o.BatchSize
	if batch == 0 {
		batch = predictBatch
	}
	from, err := m.newFeed(ctx, g, d, nil, batch, 0, true)
	if err != nil {
		return err
	}
	defer from.endAfter(&err)
	w := newSpace(g)
	if err := w.layout(from.data.signatures); err != nil {
		return err
	}
	t := team.New(from.threads(max(1, o.Threads)))
	defer t.End()
	e := newExecutor(w, t, from.data, nil)
	if err := from.begin(ctx, 0, nil); err != nil {
		return err
	}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		data, rows, err := from.take(ctx)
		if err != nil || len(rows) == 0 {
			return err
		}
		if err := e.bind(data); err != nil {
			return err
		}
		if err := e.run(ctx, rows); err != nil {
			return err
		}
		out := map[string]*tensor.Float32{}
		for k, v := range g.Outputs {
			value := &w.values[v]
			shape := append(tensor.Shape{len(rows)}, value.Shape...)
			copied := append([]float32(nil), value.Floats[:len(rows)*value.Width]...)
			if out[m.outputs[k].name], err = tensor.Of(copied, shape...); err != nil {
				return err
			}
		}
		if !yield(out, nil) {
			return errStopped
		}
	}
}
