package nn

import (
	"context"
	"errors"
	"fmt"

	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/tensor"
)

// Prepare does once what Fit, Evaluate and Predict do with x each time they are given it: it checks x and brings it into
// the form that the model's first layers compute with, which all of them take in its place. For an Embedding with an
// average after it these are text.Bags. Where there is nothing to prepare it returns x. The results have the same bits.
//
// What it returns serves models of one input with the same first layers; not with NoFusion.
func (m *Model) Prepare(ctx context.Context, x tensor.Rows) (tensor.Rows, error) {
	if err := m.usable(ctx); err != nil {
		return nil, err
	}
	if isNil(x) || x.Len() == 0 {
		return nil, fault("nn: there are no rows to prepare")
	}
	if len(m.inputs) > 1 {
		return nil, fmt.Errorf("nn: the model has the inputs %q, and only those of a model of one are prepared", m.InputNames())
	}
	rows := []tensor.Rows{x}
	if err := m.checkInputs(m.fused, rows); err != nil {
		return nil, err
	}
	prepared, err := m.prepare(ctx, m.fused, rows, nil, false)
	if err != nil {
		return nil, err
	}
	if m.fused.copied[0] || len(prepared) != 1 {
		return x, nil
	}
	return prepared[0].data, nil
}

// prepare lets the program's operations prepare the inputs, which are checked. It uses the memory of old, an earlier
// result or nil, again. What is read but once stays unprepared where an operation can do so.
func (m *Model) prepare(ctx context.Context, g *program, rows []tensor.Rows, old []preparedInput, once bool) (prepared []preparedInput, err error) {
	defer recovering(&err)
	return m.prepareInputs(ctx, g, rows, old, once)
}

// prepareInputs is prepare for a caller that recovers.
func (m *Model) prepareInputs(ctx context.Context, g *program, rows []tensor.Rows, old []preparedInput, once bool) ([]preparedInput, error) {
	prepared := old[:0]
	for i := range g.inputs {
		use := &g.inputs[i]
		s := g.Ops[use.op].Source
		if s == nil {
			continue
		}
		var own tensor.Rows
		if n := len(prepared); n < len(old) {
			own = old[n].own
		}
		x := rows[use.input]
		data := x
		if s.Prepare != nil && (!once || s.Unprepared == nil || !s.Unprepared(x)) {
			var err error
			if data, err = s.Prepare(ctx, x, own); err != nil {
				return old, m.inputError(use, g, err)
			}
		}
		if data != x {
			own = data
		}
		prepared = append(prepared, preparedInput{op: use.op, in: use.in, data: data, own: own})
	}
	return prepared, nil
}

// inputError says which layer, and of several inputs which, refused an input.
func (m *Model) inputError(use *inputUse, g *program, err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	err = fmt.Errorf("nn: layer %q: %w", g.Ops[use.op].Layer, err)
	return dataError(m.inputName(use.input), err)
}

// dataError makes what an operation found wrong with data an InputError. A cancelled context and a panic are no fault of
// the data.
func dataError(input string, err error) error {
	if p := (*plan.PanicError)(nil); errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.As(err, &p) {
		return err
	}
	return plan.NewInputError(input, err)
}

// inputName is the name of an input of a model with several, for errors.
func (m *Model) inputName(i int) string {
	if len(m.inputs) == 1 {
		return ""
	}
	return m.inputs[i].name
}
