package nn

import (
	"context"
	"fmt"

	"github.com/linnet-ml/linnet/history"
)

// EvaluateOptions are the settings of Evaluate.
type EvaluateOptions struct {
	// Loss is required.
	Loss    Loss
	Metrics []Metric
	// WeightedMetrics are metrics that Data.Weights weigh; Metrics disregard them.
	WeightedMetrics []Metric
	// BatchSize is how many rows are computed at a time, 32 by default. It changes no bit of the result, but with a
	// MaskingLoss: that is a mean over the elements of a batch that count.
	BatchSize int
	// Threads is how many workers share a batch; 0 decides by itself. It changes no bit of the result.
	Threads int
	// NoFusion runs the layers as they were written, one after another.
	NoFusion bool
}

// Evaluate returns the loss and then the metrics over all of the data. The loss is the mean of the rows' losses, each
// times its weight. Like Keras it computes a cross-entropy behind a sigmoid or softmax from what goes into that.
func (m *Model) Evaluate(ctx context.Context, d Data, o EvaluateOptions) (*history.Logs, error) {
	if o.BatchSize < 0 {
		return nil, fmt.Errorf("nn: BatchSize %d must not be negative", o.BatchSize)
	}
	m.settled()
	p := &m.fused
	if o.NoFusion {
		p = &m.plain
	}
	batch := o.BatchSize
	if batch == 0 {
		batch = defaultBatch
	}
	from, err := m.newFeed(ctx, p, d, o.Loss, batch, 0, true)
	if err != nil {
		return nil, err
	}
	defer from.end()
	data := from.data
	results, err := startMetrics(p, data, o.Metrics, o.WeightedMetrics, o.Loss)
	if err != nil {
		return nil, err
	}
	w := m.workspace(p)
	if err := w.layout(m.values, data.signature()); err != nil {
		return nil, err
	}
	t := newTeam(from.threads(o.Threads))
	defer t.end()
	if err := newExecutor(w, t, data, o.Loss, nil).evaluate(ctx, results, from, nil); err != nil {
		return nil, err
	}
	var logs history.Logs
	results.log(&logs, results.names)
	return &logs, nil
}

// defaultBatch is Keras's batch size.
const defaultBatch = 32
