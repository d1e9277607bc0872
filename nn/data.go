package nn

import (
	"errors"
	"fmt"
	"math"

	"github.com/linnet-ml/linnet/tensor"
)

// Data is what a model trains on or is evaluated on.
type Data struct {
	// X are the model's inputs: tensor arrays, a tensor.Sparse, or text.Bags.
	X tensor.Rows
	// Y are the labels, one row for each row of X: a tensor.Float32 or tensor.Int32 of shape (rows,) or (rows, width).
	Y tensor.Rows
	// Weights, one for each row, weigh the rows' losses; nil means 1.
	Weights []float32
	// Stream, in place of X, Y and Weights, is where Fit and Evaluate read batches from. What orders or divides rows in
	// memory (BatchSize, NoShuffle, Order, ValidationSplit) has no say over its batches.
	Stream Stream
}

// rows checks that the parts have the same length.
func (d Data) rows() (int, error) {
	if d.X == nil || d.Y == nil {
		return 0, errors.New("nn: data needs both X and Y")
	}
	n := d.X.Len()
	switch {
	case len(d.X.Shape()) == 0 || len(d.Y.Shape()) == 0:
		return 0, fmt.Errorf("nn: %w: X has shape %v and Y %v; both need rows", tensor.ErrShape, d.X.Shape(), d.Y.Shape())
	case n == 0:
		return 0, errors.New("nn: the data is empty")
	case n > math.MaxInt32:
		return 0, fmt.Errorf("nn: %d rows are more than %d", n, math.MaxInt32)
	case d.Y.Len() != n:
		return 0, fmt.Errorf("nn: X has %d rows and Y has %d", n, d.Y.Len())
	case d.Weights != nil && len(d.Weights) != n:
		return 0, fmt.Errorf("nn: X has %d rows and Weights has %d", n, len(d.Weights))
	}
	for i, w := range d.Weights {
		if math.IsNaN(float64(w)) || math.IsInf(float64(w), 0) {
			return 0, fmt.Errorf("nn: the weight of row %d is %v", i, w)
		}
	}
	return n, nil
}

// labels returns Y as float32, checked for an output of the given shape of one row.
func (d Data) labels(loss Loss, output tensor.Shape) ([]float32, error) {
	var all []float32
	switch y := d.Y.(type) {
	case *tensor.Float32:
		all = y.Data()
	case *tensor.Int32:
		all = make([]float32, len(y.Data()))
		for i, v := range y.Data() {
			if all[i] = float32(v); int32(all[i]) != v {
				return nil, fmt.Errorf("nn: the label %d of row %d is not exact in float32", v, i/max(1, y.Shape().Width()))
			}
		}
	default:
		return nil, fmt.Errorf("nn: labels are float32 or int32, not %v", d.Y.Type())
	}
	width := d.Y.Shape().Width()
	for i, v := range all {
		if err := loss.CheckLabel(v); err != nil {
			return nil, fmt.Errorf("nn: the label of row %d, column %d: %w", i/width, i%width, err)
		}
	}
	if l, ok := loss.(RowLabelsLoss); ok {
		for i := range d.Y.Len() {
			if column, err := l.CheckLabels(output, all[i*width:(i+1)*width]); err != nil {
				return nil, fmt.Errorf("nn: the label of row %d, column %d: %w", i, column, err)
			}
		}
	}
	return all, nil
}

// dataset checks d and prepares it for a plan. It is told of data that is read but once.
func (m *Model) dataset(p *plan, d Data, loss Loss, once bool) (*dataset, error) {
	return m.datasetInto(p, d, loss, once, nil)
}

// datasetInto is dataset with memory to use again: what an earlier one had prepared.
func (m *Model) datasetInto(p *plan, d Data, loss Loss, once bool, old []preparedInput) (*dataset, error) {
	n, err := d.rows()
	if err != nil {
		return nil, err
	}
	if loss == nil {
		return nil, errors.New("nn: a loss is needed")
	}
	if err := m.checkInput(p, d.X); err != nil {
		return nil, err
	}
	set := &dataset{x: d.X, n: n, weights: d.Weights, labelShape: d.Y.Shape()[1:]}
	signatures, err := p.signatures(m.values, set.signature())
	if err != nil {
		return nil, fmt.Errorf("nn: %w", err)
	}
	set.output = signatures[p.output].Shape[1:]
	set.labelWidth = set.labelShape.Size()
	if err := loss.Check(set.output, set.labelShape); err != nil {
		return nil, fmt.Errorf("nn: %w", err)
	}
	if set.labels, err = d.labels(loss, set.output); err != nil {
		return nil, err
	}
	if set.prepared, err = m.prepare(p, d.X, old, once); err != nil {
		return nil, err
	}
	return set, nil
}

// split returns the data set's first rows and its last ones, n times fraction of them, as Keras's validation_split
// does.
func (d *dataset) split(fraction float64) (first, last *dataset, err error) {
	at := int(math.Floor(float64(d.n) * (1 - fraction)))
	if at == 0 || at == d.n {
		return nil, nil, fmt.Errorf("nn: a validation split of %v leaves %d of %d rows to train on", fraction, at, d.n)
	}
	a, b := *d, *d
	a.n = at
	b.lo, b.n = at, d.n-at
	return &a, &b, nil
}

// signature is the plan's input for this data.
func (d *dataset) signature() Signature {
	return Signature{Type: d.x.Type(), Shape: append(tensor.Shape{tensor.Unknown}, d.x.Shape()[1:]...)}
}
