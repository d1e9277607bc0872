package plan

import (
	"errors"
	"fmt"
	"strings"
)

// InputError reports data that a model cannot take: the caller's fault, and not the model's. errors.As finds it in what
// Fit, Evaluate and Predict return.
type InputError struct {
	// Input is the name of the model's input. It is empty in a model of one input, and for labels and weights.
	Input string
	// Row and Column are the place, counted from 0, or -1 where there is none.
	Row, Column int
	Err         error
}

// Error names the input of a model with several, and the cause, which says where.
func (e *InputError) Error() string {
	if e.Input == "" {
		return e.Err.Error()
	}
	return fmt.Sprintf("nn: input %q: %s", e.Input, strings.TrimPrefix(e.Err.Error(), "nn: "))
}

// Unwrap returns the cause.
func (e *InputError) Unwrap() error { return e.Err }

// Placed is an error that knows the row and column of the input it is about, such as *text.IDError.
type Placed interface {
	error
	// Place returns the row and column, counted from 0.
	Place() (row, column int)
}

// NewInputError returns err as an InputError for the named input, with the place that err, or an error in it, knows.
func NewInputError(input string, err error) *InputError {
	if e := (*InputError)(nil); errors.As(err, &e) {
		if e.Input == "" && input != "" {
			return &InputError{Input: input, Row: e.Row, Column: e.Column, Err: err}
		}
		return e
	}
	e := &InputError{Input: input, Row: -1, Column: -1, Err: err}
	if p := Placed(nil); errors.As(err, &p) {
		e.Row, e.Column = p.Place()
	}
	return e
}
