package nn

import (
	"context"
	"errors"
	"fmt"

	"github.com/linnet-ml/linnet/tensor"
)

// PredictOptions are the settings of PredictWith. The zero value is what Predict uses.
type PredictOptions struct {
	// BatchSize is how many rows are computed at a time, 512 by default. It changes no bit of the result.
	BatchSize int
	// Threads is how many workers share a batch, 1 by default. It changes no bit of the result.
	Threads int
	// NoFusion runs the layers as they were written, one after another.
	NoFusion bool
}

// Predict appends the model's output for each row of x to dst, row-major, and returns the extended slice. When dst has
// room for the result and an earlier call had rows like these, it allocates nothing. A prediction for a row does not
// depend on the other rows: it has the same bits alone and in any batch. Any number of goroutines may predict at once.
//
// An input that does not fit is an error that names the place: *text.IDError, for instance, for an id outside the
// vocabulary. With an error, dst is returned as it was.
func (m *Model) Predict(ctx context.Context, dst []float32, x tensor.Rows) ([]float32, error) {
	return m.PredictWith(ctx, dst, x, PredictOptions{})
}

// PredictWith is Predict with options.
func (m *Model) PredictWith(ctx context.Context, dst []float32, x tensor.Rows, o PredictOptions) ([]float32, error) {
	if x == nil || x.Len() == 0 {
		return dst, errors.New("nn: there are no rows to predict")
	}
	if o.BatchSize < 0 {
		return dst, fmt.Errorf("nn: BatchSize %d must not be negative", o.BatchSize)
	}
	m.settled()
	p := &m.fused
	if o.NoFusion {
		p = &m.plain
	}
	if err := m.checkInput(p, x); err != nil {
		return dst, err
	}
	w, err := m.predictSpace(p, x)
	if err != nil {
		return dst, err
	}
	if !o.NoFusion {
		defer m.give(w)
	}
	out, err := m.predict(ctx, w, dst, x, &o)
	if err != nil {
		return dst, err
	}
	return out, nil
}

// predictSpace is the workspace that a prediction runs in.
func (m *Model) predictSpace(p *plan, x tensor.Rows) (*workspace, error) {
	signature := Signature{Type: x.Type(), Shape: x.Shape()}
	if p == &m.plain {
		w := m.workspace(p)
		return w, w.layout(m.values, signature)
	}
	return m.take(signature)
}

// predictor is what predictions keep in a workspace, so that the next one allocates nothing.
type predictor struct {
	data  dataset
	exec  *executor
	order []int32
}

func (m *Model) predict(ctx context.Context, w *workspace, dst []float32, x tensor.Rows, o *PredictOptions) ([]float32, error) {
	if w.predict == nil {
		w.predict = &predictor{}
		w.predict.exec = newExecutor(w, newTeam(1), &w.predict.data, nil, nil)
	}
	p := w.predict
	prepared, err := m.prepare(w.plan, x, p.data.prepared, true)
	p.data = dataset{x: x, prepared: prepared, n: x.Len()}
	defer p.forget(w)
	if err != nil {
		return dst, err
	}
	batch := o.BatchSize
	if batch == 0 {
		batch = predictBatch
	}
	e := p.exec
	if n := m.threads(max(1, o.Threads), min(batch, x.Len()), w.input); n > 1 {
		t := newTeam(n)
		defer t.end()
		e = newExecutor(w, t, &p.data, nil, nil)
	} else {
		e.use(&p.data)
	}
	for at := 0; at < x.Len(); at += batch {
		if err := ctx.Err(); err != nil {
			return dst, err
		}
		p.order = consecutive(p.order, at, min(batch, x.Len()-at))
		if err := e.run(p.order); err != nil {
			return dst, err
		}
		dst = append(dst, e.output()...)
	}
	return dst, nil
}

// predictBatch is how many rows are computed at a time when nothing else is asked for.
const predictBatch = 512

// forget drops the user's data but keeps the memory that preparing it took.
func (p *predictor) forget(w *workspace) {
	p.data.x = nil
	for i := range p.data.prepared {
		input := &p.data.prepared[i]
		input.data = nil
		w.frames[input.frame].sources[input.in] = nil
	}
}
