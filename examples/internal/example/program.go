package example

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/linnet-ml/linnet/internal/shown"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/simd"
)

// The exit codes besides 0.
const (
	ExitError       = 1
	ExitUsage       = 2
	ExitInterrupted = 130
)

// Main runs a program on the command line until it ends, or the first Ctrl-C; a second one ends it at once.
func Main(run func(ctx context.Context, args []string, stdout, stderr io.Writer) int) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// Exit writes an error, if there is one, after the program's name and returns the exit code. For flag.ErrHelp it is 0. Each of
// several joined errors has a line of its own; one that is no interruption decides the code.
func Exit(name string, err error, stderr io.Writer) int {
	if err == nil || IsHelp(err) {
		return 0
	}
	code := 0
	for _, e := range each(err) {
		// A package may have put its own name before its errors, which is the program's too.
		message, own := strings.TrimPrefix(e.Error(), name+": "), ExitError
		switch {
		case errors.As(e, new(UsageError)):
			own = ExitUsage
		case errors.As(e, new(Interrupted)):
			own = ExitInterrupted
		case errors.Is(e, ErrTestInterrupted):
			message, own = "interrupted before the model was tested", ExitInterrupted
		case errors.Is(e, context.Canceled):
			message, own = "interrupted before the training", ExitInterrupted // where else does not matter to who pressed Ctrl-C
		}
		fmt.Fprintf(stderr, "%s: %s\n", name, shown.Text(message))
		if code == 0 || code == ExitInterrupted {
			code = own
		}
	}
	return code
}

// each are the errors that were joined.
func each(err error) []error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok || errors.Join(joined.Unwrap()...).Error() != err.Error() {
		return []error{err}
	}
	var all []error
	for _, e := range joined.Unwrap() {
		all = append(all, each(e)...)
	}
	return all
}

// IsHelp reports whether an error says that help was asked for.
func IsHelp(err error) bool { return errors.Is(err, flag.ErrHelp) }

// UsageError is an error in what was asked for, as opposed to one that came up on the way.
type UsageError struct{ message string }

// Error says what is wrong with the command line.
func (e UsageError) Error() string { return e.message }

// Usagef makes a UsageError.
func Usagef(format string, args ...any) error { return UsageError{fmt.Sprintf(format, args...)} }

// Interrupted is the error of a run that Ctrl-C ended in its training; what was reached by then has been reported.
type Interrupted struct {
	Epochs, Of int
	Training   string // which of several, such as "second"; empty for the only one
}

// Error says how far the run had come.
func (e Interrupted) Error() string {
	message := fmt.Sprintf("interrupted after %d of %s", e.Epochs, Plural(e.Of, "epoch"))
	if e.Training != "" {
		message += fmt.Sprintf(" of the %s training", e.Training)
	}
	return message
}

// Unwrap is context.Canceled.
func (e Interrupted) Unwrap() error { return context.Canceled }

// ErrTestInterrupted is the error of a run that trains nothing, as with -load, and that Ctrl-C ended.
var ErrTestInterrupted = fmt.Errorf("interrupted before the model was tested: %w", context.Canceled)

// OfTest makes ErrTestInterrupted of an error that Ctrl-C has caused in a run that trains nothing.
func OfTest(err error) error {
	if errors.Is(err, context.Canceled) {
		return ErrTestInterrupted
	}
	return err
}

// SmallerRate adds to the error of a training whose loss is no number what helps.
func SmallerRate(err error, rate float64) error {
	if errors.As(err, new(*nn.LossError)) {
		return fmt.Errorf("%w; try a smaller -lr than %v", err, rate)
	}
	return err
}

// Parse reads the flags of f. For -h it writes them to help and returns flag.ErrHelp; what is wrong with them is a
// UsageError.
func Parse(f *flag.FlagSet, args []string, help io.Writer) error {
	f.SetOutput(io.Discard)
	f.Usage = func() {}
	if err := f.Parse(args); err != nil {
		if err == flag.ErrHelp {
			printHelp(f, NewPage(help))
			return err
		}
		return Usagef("%v (-h lists the flags)", strings.Join(strings.Fields(err.Error()), " "))
	}
	if f.NArg() > 0 {
		return Usagef("unknown argument %q (-h lists the flags)", f.Arg(0))
	}
	return nil
}

// printHelp writes what each flag does, as wide as the page is.
func printHelp(f *flag.FlagSet, p *Page) {
	fmt.Fprintf(p, "usage: %s [flags]\n", f.Name())
	const indent = "    "
	f.VisitAll(func(f *flag.Flag) {
		value, usage := flag.UnquoteUsage(f)
		if value != "" {
			value = " " + value
		}
		if f.DefValue != "" && f.DefValue != "false" && !strings.Contains(usage, "(default") {
			usage += fmt.Sprintf(" (default %s)", f.DefValue)
		}
		fmt.Fprintf(p, "  -%s%s\n", f.Name, value)
		for line := range strings.SplitSeq(wrap(usage, p.limit-len(indent)), "\n") {
			fmt.Fprintf(p, "%s%s\n", indent, line)
		}
	})
}

// Versions says what runs: two lines. 0 threads are as many as pay.
func Versions(threads int) string {
	version := "(devel)"
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		version = info.Main.Version
	}
	workers := Plural(threads, "thread")
	if threads == 0 {
		workers = "as many threads as pay"
	}
	return fmt.Sprintf("linnet %s, Go %s, %s\nCPU: %s; kernels: %s; %s\n", version, strings.TrimPrefix(runtime.Version(), "go"),
		Platform(), CPUName(), simd.Path(), workers)
}

// Platform is the operating system and the architecture: "linux/amd64".
func Platform() string { return runtime.GOOS + "/" + runtime.GOARCH }
