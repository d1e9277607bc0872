package nn

import (
	"context"
	"fmt"

	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/nn/internal/team"
	"github.com/linnet-ml/linnet/nn/plan"
)

// EvaluateOptions are the settings of Evaluate.
type EvaluateOptions struct {
	// Loss, Metrics and WeightedMetrics are asked of a model's one output. Where there are metrics, Loss may be nil: then
	// only the metrics are reported, labels are not checked, and the metrics take outputs as probabilities, as no loss says
	// that they are logits. WeightedMetrics are weighed by the data's weights; Metrics disregard them.
	Loss            Loss
	Metrics         []Metric
	WeightedMetrics []Metric
	// Outputs, in their place, has them for the outputs of a model with several, by name.
	Outputs map[string]OutputOptions
	// BatchSize is how many rows are computed at a time, 32 by default. It changes no bit of the result, unless the loss
	// leaves elements out or the output has a mask: that is a mean over the elements of a batch that count.
	BatchSize int
	// Threads is how many workers share a batch; 0 decides by itself. It changes no bit of the result.
	Threads int
	// NoFusion runs the layers as they were written, one after another.
	NoFusion bool
	// Warn is told of data that is probably not meant for the loss or a metric: see FitOptions.Warn.
	Warn func(format string, args ...any)
}

// Evaluate returns the loss, if there is one, and then the metrics over all of the data. The loss is the mean of the rows'
// losses, each times its weight, plus the penalties of regularizers. As in Keras, a cross-entropy after a sigmoid or softmax
// is computed from what goes into that. A batch whose loss is NaN or infinite is a [LossError], where Keras returns such a loss.
// Evaluations in a Fit log it.
//
// Data that the model cannot take is an [InputError]: see [Data].
func (m *Model) Evaluate(ctx context.Context, d Source, o EvaluateOptions) (_ *history.Logs, err error) {
	if err := m.usable(ctx); err != nil {
		return nil, err
	}
	if err := checkSizes(o.BatchSize, o.Threads); err != nil {
		return nil, err
	}
	objectives, err := m.objectives(o.Loss, o.Metrics, o.WeightedMetrics, o.Outputs)
	if err != nil {
		return nil, err
	}
	if len(objectives) == 0 {
		return nil, fmt.Errorf("nn: Evaluate needs a loss or a metric")
	}
	m.settled()
	held, err := m.borrow()
	if err != nil {
		return nil, err
	}
	defer held.release()
	defer m.explain(&err)
	g := m.programFor(o.NoFusion)
	batch := o.BatchSize
	if batch == 0 {
		batch = defaultBatch
	}
	from, err := m.newFeed(ctx, g, d, objectives, batch, 0, true)
	if err != nil {
		return nil, err
	}
	defer from.end()
	data := from.data
	warnings := &warner{tell: o.Warn}
	defer warnings.flushAfter(&err)
	results, err := startMetrics(g, data, objectives, warnings, "")
	if err == nil {
		err = warnings.flush() // before what may take long
	}
	if err != nil {
		return nil, err
	}
	w := newSpace(g)
	if err := w.layout(data.signatures); err != nil {
		return nil, err
	}
	t := team.New(from.threads(o.Threads))
	defer t.End()
	if err := newExecutor(w, t, data, objectives).evaluate(ctx, results, from, nil, refuseLoss); err != nil {
		return nil, err
	}
	var logs history.Logs
	return &logs, results.log(&logs, results.names)
}

// defaultBatch is Keras's batch size.
const defaultBatch = 32

// refuseLoss ends an evaluation at a loss that is no number.
func refuseLoss(loss float64, step int) error {
	if !finite(loss) {
		return &LossError{Epoch: -1, Step: step, Loss: loss}
	}
	return nil
}

// evaluate runs all that the feed has, in order, and measures. Before and after each batch it calls around, and with each
// batch's loss check, if these are given.
func (e *executor) evaluate(ctx context.Context, r *measured, from *feed, around func(ev plan.Event, step int) error,
	check func(loss float64, step int) error) (err error) {
	if err := r.reset(); err != nil {
		return err
	}
	if err := from.begin(ctx, 0, nil); err != nil {
		return err
	}
	defer from.endAfter(&err)
	for step := 0; ; step++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		data, rows, err := from.take(ctx)
		if err != nil || len(rows) == 0 {
			return err
		}
		if around != nil {
			if err := around(plan.TestBatchBegin, step); err != nil {
				return err
			}
		}
		if err := e.bind(data); err != nil {
			return err
		}
		if err := e.run(ctx, rows); err != nil {
			return err
		}
		loss, err := r.add(e)
		if err != nil {
			return err
		}
		if check != nil {
			if err := check(loss, step); err != nil {
				return err
			}
		}
		if around != nil {
			if err := around(plan.TestBatchEnd, step); err != nil {
				return err
			}
		}
	}
}
