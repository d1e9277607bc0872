package nn

import (
	"errors"
	"fmt"

	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/tensor"
)

// checkInputs refuses inputs that are not what the model was built for, or that an operation of g refuses. It looks at all
// of them, once.
func (m *Model) checkInputs(g *program, rows []tensor.Rows) (err error) {
	for i, x := range rows {
		if g.ready(i, x) {
			continue
		}
		if err := m.checkInput(g, i, x); err != nil {
			return dataError(m.inputName(i), err)
		}
	}
	return nil
}

func (m *Model) checkInput(g *program, input int, x tensor.Rows) (err error) {
	defer recovering(&err)
	return m.checkRowsOf(g, input, x)
}

// checkRowsOf is checkInput for a caller that recovers.
func (m *Model) checkRowsOf(g *program, input int, x tensor.Rows) error {
	want, got := m.inputs[input].signature, plan.Signature{Type: x.Type(), Shape: x.Shape()}
	if want.Type != got.Type {
		return fmt.Errorf("nn: %w: the model reads %v rows %v, not %v rows %v", tensor.ErrShape, want.Type, want.Shape, got.Type, got.Shape)
	}
	fits := len(want.Shape) == len(got.Shape)
	for i := 1; fits && i < len(want.Shape); i++ {
		fits = want.Shape[i] == tensor.Unknown || got.Shape[i] == tensor.Unknown || want.Shape[i] == got.Shape[i]
	}
	if !fits {
		return fmt.Errorf("nn: %w: the model reads rows %v, not %v", tensor.ErrShape, want.Shape, got.Shape)
	}
	if err := checkFinite(x); err != nil {
		return err
	}
	for i := range g.inputs {
		use := &g.inputs[i]
		check := g.Ops[use.op].CheckInput
		if use.input != input || check == nil {
			continue
		}
		if err := check(x); err != nil {
			return fmt.Errorf("nn: layer %q: %w", g.Ops[use.op].Layer, err)
		}
	}
	switch x.(type) {
	case *tensor.Float32, *tensor.Int32, *tensor.String, *tensor.Sparse:
		return nil
	}
	// Other kinds of rows are for a Source to know, or to refuse in Prepare.
	if g.copied[input] {
		return fmt.Errorf("nn: the model's layers read arrays of %v, not %T", want.Type, x)
	}
	return nil
}

// checkFinite names the first NaN or infinity of x. A sigmoid would make a plausible score of an infinity.
func checkFinite(x tensor.Rows) error {
	refused := func(row, column int, v float32) error {
		e := &plan.InputError{Row: row, Column: column}
		e.Err = fmt.Errorf("nn: the input is %v at row %d, column %d", v, row, column)
		return e
	}
	switch x := x.(type) {
	case *tensor.Float32:
		width := x.Shape().Width()
		for i, v := range x.Data() {
			if v-v != 0 { // NaN or infinite
				return refused(i/width, i%width, v)
			}
		}
	case *tensor.Sparse:
		for i := range x.Len() {
			columns, values := x.Row(i)
			for k, v := range values {
				if v-v != 0 {
					return refused(i, int(columns[k]), v)
				}
			}
		}
	}
	return nil
}

// errNoRows reports a prediction of nothing.
var errNoRows = &plan.InputError{Row: -1, Column: -1, Err: errors.New("nn: there are no rows to predict")}
