// Linnet works on model files from the command line: "linnet help" lists its commands.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	cobra.EnableCommandSorting = false // they are listed in the order in which they are needed
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is the program. Results go to stdout, progress and errors to stderr. It returns the exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := newRootFor(widthOf(stdout))
	args = slices.Clone(args)
	for i, a := range args {
		if a == "--" {
			break
		}
		if a == "-help" { // the spelling of Go's package flag
			args[i] = "--help"
		}
	}
	root.SetArgs(args)
	root.SetIn(stdin)
	results := &watched{to: stdout}
	root.SetOut(results)
	root.SetErr(stderr)
	addCompletion(root)
	err := root.ExecuteContext(ctx)
	if results.err != nil && !errors.Is(err, results.err) {
		err = errors.Join(err, results.err)
	}
	return exit(err, stderr)
}

// watched is the standard output. Its first error is one of the program, even if a command did not look at it: a result that
// was not written is none.
type watched struct {
	to  io.Writer
	err error
}

func (w *watched) Write(b []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	n, err := w.to.Write(b)
	if err != nil {
		w.err = unwritable(err)
	}
	return n, w.err
}

// unwritable is the error of the standard output.
func unwritable(err error) error {
	if path := (*fs.PathError)(nil); errors.As(err, &path) {
		err = path.Err
	}
	return fmt.Errorf("the standard output cannot be written: %w", err)
}

// unwatched is what a Writer writes to, which may be a terminal. Its errors must be looked at.
func unwatched(w io.Writer) io.Writer {
	if w, ok := w.(*watched); ok {
		return w.to
	}
	return w
}
