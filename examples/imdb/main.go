package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// The exit codes besides 0.
const (
	exitError       = 1
	exitUsage       = 2
	exitInterrupted = 130
)

// run is the program. Steps and results go to stdout, progress and errors to stderr.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parseOptions(args, stdout)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err == nil {
		err = newTutorial(o, stdout, stderr).run(ctx)
	}
	if err == nil {
		return 0
	}
	// Package imdb puts its own name before its errors, which is this program's too.
	fmt.Fprintf(stderr, "imdb: %s\n", strings.TrimPrefix(err.Error(), "imdb: "))
	switch {
	case errors.As(err, new(usageError)):
		return exitUsage
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	}
	return exitError
}

// interrupted is the error of a run that Ctrl-C ended in its training; what was reached by then has been reported.
type interrupted struct{ epochs, of int }

func (e interrupted) Error() string {
	return fmt.Sprintf("interrupted after %d of %s", e.epochs, plural(e.of, "epoch"))
}

func (e interrupted) Unwrap() error { return context.Canceled }

// usageError is an error in what was asked for, as opposed to one that came up on the way.
type usageError struct{ message string }

func (e usageError) Error() string { return e.message }

func usagef(format string, args ...any) error { return usageError{fmt.Sprintf(format, args...)} }
