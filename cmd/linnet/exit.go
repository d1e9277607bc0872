package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/linnet-ml/linnet/classifier"
	"github.com/linnet-ml/linnet/internal/shown"
)

// The exit codes besides 0. exitCodes describes them to users.
const (
	exitFault       = 1
	exitUsage       = 2
	exitInterrupted = 130
)

const exitCodes = `Exit codes:
  0    done; also of a server that was told to stop, which is its end
  1    a fault in the data, a file or the machine; the message says where
  2    the command line is wrong; nothing was done
  130  interrupted by Ctrl-C or SIGTERM; no file was written or changed
  141  nobody reads the output any more, as after "| true" (SIGPIPE)`

// usageError is an error in what was asked for, as opposed to one that came up on the way.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// exit writes an error, if there is one, and returns the exit code.
func exit(err error, stderr io.Writer) int {
	if err == nil {
		return 0
	}
	code, message := exitFault, err.Error()
	switch {
	case errors.As(err, new(usageError)):
		code = exitUsage
	case errors.Is(err, context.Canceled):
		code, message = exitInterrupted, "interrupted"
		if others := besides(err); len(others) > 0 {
			message = errors.Join(append([]error{errors.New("interrupted")}, others...)...).Error()
		}
	case errors.Is(err, classifier.ErrStopped):
		code, message = exitInterrupted, "interrupted before anything was learned"
	}
	fmt.Fprintf(stderr, "linnet: %s\n", shown.Lines(withoutPackages(strings.TrimSuffix(message, "\n"))))
	return code
}

// besides returns the errors that were joined with that of an interrupt.
func besides(err error) (others []error) {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			if !errors.Is(e, context.Canceled) {
				others = append(others, e)
			}
		}
	}
	return others
}

// withoutPackages leaves out the names of packages and calls with which errors of the library begin: they tell a user of the
// program nothing.
func withoutPackages(message string) string {
	for _, name := range []string{"classifier: ", "evaluation: ", "texts: ", "model: ", "plots: ", "history: ", "safetensors: ", "serve: ", "stat ", "open "} {
		message = strings.TrimPrefix(message, name)
		message = strings.ReplaceAll(message, ": "+name, ": ")
	}
	return message
}
