package classifier

import (
	"errors"
	"fmt"
)

// Kinds of errors, for errors.Is.
var (
	// ErrTooFewClasses is wrapped by the error for examples that have fewer than two classes.
	ErrTooFewClasses = errors.New("too few classes")
	// ErrTooFewExamples is wrapped by the error for examples that have too few of a class to learn from and to test with.
	ErrTooFewExamples = errors.New("too few examples")
	// ErrStopped is wrapped by the error for a training that Options.Stop ended before anything was learned.
	ErrStopped = errors.New("stopped before anything was learned")
	// ErrFile is wrapped by errors about the content of a file.
	ErrFile = errors.New("not a classifier's file")
	// ErrUnknownClass is wrapped by the error for a class that the Classifier does not have.
	ErrUnknownClass = errors.New("unknown class")
)

// An ExampleError says which example cannot be learned from.
type ExampleError struct {
	Index   int // in the list of examples
	Problem string
}

// emptyLabel is the Problem of an example with an empty label: a Result without a label has it.
const emptyLabel = "has an empty label"

// Error names the example and the problem.
func (e *ExampleError) Error() string {
	return fmt.Sprintf("classifier: example %d %s", e.Index, e.Problem)
}

// An OptionError says which of the [Options] or [ContinueOptions] is impossible.
type OptionError struct {
	Option  string // the field's name
	Problem string
}

// Error names the option and the problem.
func (e *OptionError) Error() string { return fmt.Sprintf("classifier: %s %s", e.Option, e.Problem) }

// A PanicError says that the Progress of Options or ContinueOptions panicked, in whatever goroutine, or ended its goroutine.
type PanicError struct {
	Value any    // what it panicked with
	Stack []byte // of the goroutine
}

// Error names the value.
func (e *PanicError) Error() string {
	return fmt.Sprintf("classifier: Progress panicked: %.200v", e.Value)
}

// Unwrap returns the value if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}
