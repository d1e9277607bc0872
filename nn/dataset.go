package nn

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/tensor"
)

// dataset is data that a program can run on: checked, and prepared as the program's operations want it.
type dataset struct {
	inputs     []tensor.Rows    // in the order of the model's inputs
	signatures []plan.Signature // of the inputs, the number of rows aside
	prepared   []preparedInput
	lo, n      int        // the rows that belong to the set: lo to lo+n-1
	labels     []labelSet // one for each objective
}

// labelSet is what the data has for an objective.
type labelSet struct {
	values  []float32 // of all rows, row-major
	weights []float32 // or none
	// shape is of one of the loss's rows, and width its size: a row of the labels, or one of its steps.
	shape   tensor.Shape
	width   int
	perRow  int          // the loss's rows for each row
	output  tensor.Shape // of what the model makes for one of the loss's rows
	perStep bool         // there is a weight for each step
	masked  bool         // the output's mask says which steps count
	rule    plan.LossRule
}

// preparedInput is what an operation's Source made of an input.
type preparedInput struct {
	op, in int
	data   tensor.Rows
	own    tensor.Rows // memory to use again: data, unless that is the user's own
}

// inputRows brings a batch's inputs into the model's order.
func (m *Model) inputRows(b *Batch) ([]tensor.Rows, error) {
	if b.Inputs == nil {
		if len(m.inputs) > 1 {
			return nil, fault("nn: the model has the inputs %q: give them by name, in Inputs", m.InputNames())
		}
		if isNil(b.X) {
			return nil, errNeedsBoth
		}
		return []tensor.Rows{b.X}, nil
	}
	if b.X != nil {
		return nil, fault("nn: data has either X or Inputs, not both")
	}
	rows := make([]tensor.Rows, len(m.inputs))
	for i, in := range m.inputs {
		if rows[i] = b.Inputs[in.name]; isNil(rows[i]) {
			return nil, fault("nn: the data has no rows for the input %q", in.name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(b.Inputs)) {
		if !slices.Contains(m.InputNames(), name) {
			return nil, fault("nn: the model has no input %q; there are %q", name, m.InputNames())
		}
	}
	return rows, nil
}

// knownOutputs refuses labels and weights for outputs that the model does not have.
func (m *Model) knownOutputs(b *Batch) error {
	for _, name := range slices.Sorted(maps.Keys(b.Labels)) {
		if !slices.Contains(m.OutputNames(), name) {
			return fault("nn: the data has labels for %q; the model has the outputs %q", name, m.OutputNames())
		}
	}
	for _, name := range slices.Sorted(maps.Keys(b.OutputWeights)) {
		if !slices.Contains(m.OutputNames(), name) {
			return fault("nn: the data has weights for %q; the model has the outputs %q", name, m.OutputNames())
		}
	}
	return nil
}

// fault is an error about data as a whole, in the words of fmt.Errorf.
func fault(format string, args ...any) error {
	return &plan.InputError{Row: -1, Column: -1, Err: fmt.Errorf(format, args...)}
}

// errNeedsBoth reports data without inputs or labels.
var errNeedsBoth error = fault("nn: data needs both X and Y")

// labelRows returns a batch's labels and weights for an objective.
func (m *Model) labelRows(b *Batch, o *objective) (y tensor.Rows, weights []float32, err error) {
	name := m.outputs[o.output].name
	switch {
	case b.Labels == nil && b.OutputWeights == nil && len(m.outputs) == 1:
		y, weights = b.Y, b.Weights
	case b.Y != nil || b.Weights != nil:
		return nil, nil, fault("nn: the model has the outputs %q: give labels and weights by name, in Labels and OutputWeights", m.OutputNames())
	default:
		y, weights = b.Labels[name], b.OutputWeights[name]
	}
	if isNil(y) {
		if len(m.outputs) > 1 || b.Labels != nil {
			return nil, nil, fault("nn: the data has no labels for the output %q", name)
		}
		return nil, nil, errNeedsBoth
	}
	return y, weights, nil
}

// checkRows checks that the inputs have the same number of rows, and returns it. Labels y, if there are any, need rows,
// too.
func (m *Model) checkRows(rows []tensor.Rows, y tensor.Rows) (int, error) {
	n := 0
	for i, x := range rows {
		if !isNil(y) && (len(x.Shape()) == 0 || len(y.Shape()) == 0) {
			return 0, fault("nn: %w: X has shape %v and Y %v; both need rows", tensor.ErrShape, x.Shape(), y.Shape())
		}
		if len(x.Shape()) == 0 {
			return 0, fault("nn: %w: X has shape %v; it needs rows", tensor.ErrShape, x.Shape())
		}
		switch {
		case i == 0:
			n = x.Len()
		case x.Len() != n:
			return 0, fault("nn: input %q has %d rows and %q has %d", m.inputs[0].name, n, m.inputs[i].name, x.Len())
		}
	}
	switch {
	case n == 0:
		return 0, fault("nn: the data is empty")
	case n > math.MaxInt32:
		return 0, fault("nn: %d rows are more than %d", n, math.MaxInt32)
	}
	return n, nil
}

// signaturesOf are the program's inputs for these rows.
func signaturesOf(rows []tensor.Rows, into []plan.Signature) []plan.Signature {
	into = into[:0]
	for _, x := range rows {
		into = append(into, plan.Signature{Type: x.Type(), Shape: append(tensor.Shape{tensor.Unknown}, x.Shape()[1:]...)})
	}
	return into
}

// dataset checks a batch and prepares it for a program. It is told of data that is read but once, and uses the memory of
// what an earlier dataset, or nil, had prepared.
func (m *Model) dataset(ctx context.Context, g *program, b *Batch, objectives []objective, once bool, old *dataset) (*dataset, error) {
	rows, err := m.inputRows(b)
	if err != nil {
		return nil, err
	}
	set := &dataset{inputs: rows}
	if set.n, err = m.checkRows(rows, b.Y); err != nil {
		return nil, err
	}
	if err := m.checkInputs(g, rows); err != nil {
		return nil, err
	}
	set.signatures = signaturesOf(rows, nil)
	if len(objectives) > 0 {
		signatures, _, err := g.Signatures(set.signatures)
		if err != nil {
			return nil, dataError("", fmt.Errorf("nn: %w", err))
		}
		if err := m.knownOutputs(b); err != nil {
			return nil, err
		}
		for i := range objectives {
			o := &objectives[i]
			labels, err := m.labelSet(g, b, o, set.n, signatures[g.Outputs[o.output]])
			if err != nil {
				return nil, err
			}
			set.labels = append(set.labels, *labels)
		}
	}
	var prepared []preparedInput
	if old != nil {
		prepared = old.prepared
	}
	set.prepared, err = m.prepare(ctx, g, rows, prepared, once)
	return set, err
}

// labelSet checks the labels and weights for an objective, whose output has the given signature.
func (m *Model) labelSet(g *program, b *Batch, o *objective, n int, output plan.Signature) (*labelSet, error) {
	y, weights, err := m.labelRows(b, o)
	if err != nil {
		return nil, err
	}
	if y.Len() != n {
		return nil, unequal(o, n, "Y", y.Len())
	}
	set := &labelSet{weights: weights, output: output.Shape[1:], shape: y.Shape()[1:], perRow: 1}
	if err := set.steps(g, o, n); err != nil {
		return nil, err
	}
	for i, w := range weights {
		if math.IsNaN(float64(w)) || math.IsInf(float64(w), 0) {
			return nil, nnError(o.place(), fault("the weight of row %d is %v", i/max(1, len(weights)/n), w))
		}
	}
	set.width = set.shape.Size()
	if o.Loss != nil {
		if set.rule, err = g.ruleFor(o, plan.LossInfo{Output: set.output, Labels: set.shape}); err != nil {
			return nil, err
		}
	}
	if set.values, err = floatLabels(y); err == nil {
		err = set.checkLabels()
	}
	if err != nil {
		return nil, nnError(o.place(), err)
	}
	return set, nil
}

// unequal reports numbers of rows that differ.
func unequal(o *objective, n int, what string, rows int) error {
	if place := o.place(); place != "" {
		return fault("nn: %s: X has %d rows and %s has %d", place, n, what, rows)
	}
	return fault("nn: X has %d rows and %s has %d", n, what, rows)
}

// steps decides whether each step of a row is a row to the loss: where the output has a mask for its steps, or there is
// a weight for each of them.
func (set *labelSet) steps(g *program, o *objective, n int) error {
	weights := len(set.weights)
	sequence := len(set.output) > 1
	set.masked = sequence && g.Masks[o.output] != none
	set.perStep = sequence && weights > 0 && weights == n*set.output[0] && set.output[0] != 1
	if !set.perStep && set.weights != nil && weights != n {
		return unequal(o, n, "Weights", weights)
	}
	if !set.masked && !set.perStep {
		return nil
	}
	if len(set.shape) == 0 || set.shape[0] != set.output[0] {
		return nnError(o.place(), fault("%w: the output has %d steps in each row, and a row of the labels has shape %v", tensor.ErrShape, set.output[0], set.shape))
	}
	if set.output[0] == 0 {
		return nnError(o.place(), fault("%w: the rows have no steps", tensor.ErrShape))
	}
	set.perRow = set.output[0]
	set.output, set.shape = set.output[1:], set.shape[1:]
	return nil
}

// floatLabels returns labels as float32.
func floatLabels(y tensor.Rows) ([]float32, error) {
	switch y := y.(type) {
	case *tensor.Float32:
		return y.Data(), nil
	case *tensor.Int32:
		all := make([]float32, len(y.Data()))
		for i, v := range y.Data() {
			if all[i] = float32(v); int32(all[i]) != v {
				return nil, fault("the label %d of row %d is not exact in float32", v, i/max(1, y.Shape().Width()))
			}
		}
		return all, nil
	}
	return nil, fault("labels are float32 or int32, not %v", y.Type())
}

// checkLabels refuses labels that the loss is not defined for.
func (set *labelSet) checkLabels() (err error) {
	defer recovering(&err)
	row := set.width * set.perRow
	refused := func(i int, err error) error {
		e := &plan.InputError{Row: i / row, Column: i % row}
		e.Err = fmt.Errorf("the label of row %d, column %d: %w", e.Row, e.Column, err)
		return e
	}
	if check := set.rule.CheckLabel; check != nil {
		for i, v := range set.values {
			if err := check(v); err != nil {
				return refused(i, err)
			}
		}
	}
	if check := set.rule.CheckLabels; check != nil {
		for at := 0; at+set.width <= len(set.values); at += set.width {
			if column, err := check(set.values[at : at+set.width]); err != nil {
				return refused(at+column, err)
			}
		}
	}
	return nil
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
	a.labels, b.labels = slices.Clone(d.labels), slices.Clone(d.labels)
	return &a, &b, nil
}
