package nn

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/linnet-ml/linnet/nn/plan"
)

// InputError reports data that a model cannot take: see [plan.InputError].
type InputError = plan.InputError

// LossError reports that the loss of a batch was NaN or infinite: see [plan.LossError].
type LossError = plan.LossError

// PanicError reports that code of a user's panicked in a call of this package: see [plan.PanicError].
type PanicError = plan.PanicError

// placedError says where an error was met. That may be one of this package, whose name then stands in front but once.
type placedError struct {
	place string
	err   error
}

func (e *placedError) Error() string {
	return "nn: " + e.place + ": " + strings.TrimPrefix(e.err.Error(), "nn: ")
}

func (e *placedError) Unwrap() error { return e.err }

// nnError puts the package's name, and a place if there is one, in front of an error.
func nnError(place string, err error) error {
	switch {
	case place != "":
		return &placedError{place, err}
	case strings.HasPrefix(err.Error(), "nn: "):
		return err
	}
	return fmt.Errorf("nn: %w", err)
}

// placed puts a place, if there is one, in front of an error that names its own package.
func placed(place string, err error) error {
	if place == "" {
		return err
	}
	return &placedError{place, err}
}

// recovering makes a panic of a user's code an error. It is for defer.
func recovering(err *error) {
	if v := recover(); v != nil {
		*err = plan.Recovered(v)
	}
}

// isNil reports whether v is nil or an interface that holds a nil pointer, map or function.
func isNil(v any) bool {
	if v == nil {
		return true
	}
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Func, reflect.Slice, reflect.Chan, reflect.Interface:
		return r.IsNil()
	}
	return false
}
