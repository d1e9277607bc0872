package plan

import (
	"errors"
	"fmt"
	"path"
	"runtime"
	"runtime/debug"
	"strings"
)

// PanicError reports that a layer, loss, metric, optimizer, tokeniser or callback panicked, in whatever goroutine. The
// call that ran it returns this error; a training step that was under way was not taken as a whole, so that the weights
// may be neither those before it nor those after it.
//
// Code that ended its goroutine (runtime.Goexit, as a test's FailNow does) in a worker or a goroutine of linnet's own is
// reported in the same way. In the caller's goroutine it ends that, once all workers have stopped.
type PanicError struct {
	// Value is what the code panicked with; of code that ended its goroutine an error that says so.
	Value any
	// Place is the function and line that panicked: "layers.dense.forward (dense.go:71)". Stack is the whole stack.
	Place string
	Stack []byte
}

// Error names the place and the value.
func (e *PanicError) Error() string {
	if e.Value == any(errExited) {
		return fmt.Sprintf("nn: %s %v", e.Place, errExited)
	}
	return fmt.Sprintf("nn: panic in %s: %v", e.Place, e.Value)
}

// Unwrap returns the value where that is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// Recovered returns the PanicError for what recover returned, in the deferred call that recovered it.
func Recovered(value any) error {
	if e, ok := value.(*PanicError); ok {
		return e
	}
	return &PanicError{Value: value, Place: panicked(), Stack: debug.Stack()}
}

// errExited is the Value of code that ended its goroutine.
var errExited = errors.New("ended its goroutine (runtime.Goexit)")

// Exited returns the PanicError for code that ended its goroutine, in a deferred call that runs for it.
func Exited() error {
	return &PanicError{Value: errExited, Place: panicked(), Stack: debug.Stack()}
}

// panicked names the function that panicked or ended its goroutine: the first outside the runtime that is below it on the
// stack.
func panicked() string {
	pc := make([]uintptr, 64)
	frames := runtime.CallersFrames(pc[:runtime.Callers(2, pc)])
	inside := false
	for {
		f, more := frames.Next()
		switch {
		case strings.HasPrefix(f.Function, "runtime."):
			inside = inside || strings.HasSuffix(f.Function, "panic") || strings.HasSuffix(f.Function, "Panic") || f.Function == "runtime.Goexit"
		case inside && !strings.HasPrefix(f.Function, "testing."): // FailNow is nobody's mistake
			return fmt.Sprintf("%s (%s:%d)", path.Base(f.Function), path.Base(f.File), f.Line)
		}
		if !more {
			return "an unknown place"
		}
	}
}
