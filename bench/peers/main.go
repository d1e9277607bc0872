package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/linnet-ml/linnet/simd"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	os.Exit(exitCode(run(ctx, os.Args[1:], os.Stdout, os.Stderr), os.Stderr))
}

// exitCode says what went wrong: 2 for a flag, 1 for anything else.
func exitCode(err error, stderr io.Writer) int {
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return 0
	}
	fmt.Fprintf(stderr, "peers: %v\n", err)
	if errors.As(err, new(usageError)) {
		return 2
	}
	return 1
}

// usageError is an error in the flags.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// settings are the flags.
type settings struct {
	shared, venv, out, only, linnet string
	rounds, epochs, seed            int
	jit, compile, quick             bool
}

// The numbers of a whole run.
const (
	wholeRounds = 5
	wholeEpochs = 40
)

func parseFlags(args []string, help io.Writer) (s settings, set *flag.FlagSet, err error) {
	set = flag.NewFlagSet("peers", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.Usage = func() {}
	set.StringVar(&s.shared, "shared", "", "`folder` with data/imdb and peers (default $LINNET_SHARED, else ../shared beside the repository)")
	set.StringVar(&s.venv, "venv", "", "Python virtual environment `folder` (default linnet/peers-venv in the user's cache folder, made when missing)")
	set.StringVar(&s.out, "out", "", "`file` whose tables are replaced (default bench/RESULTS.md for a whole run)")
	set.StringVar(&s.only, "only", "", "comma-separated `names` of sections ("+strings.Join(sectionKeys, ", ")+")\nor peers (linnet, keras, torch-bag, ...): measure no others")
	set.StringVar(&s.linnet, "linnet", "", "measure this `program` in place of ./examples/imdb in the section fit")
	set.IntVar(&s.rounds, "rounds", wholeRounds, "how often each peer runs")
	set.IntVar(&s.epochs, "epochs", wholeEpochs, "epochs of the section fit")
	set.IntVar(&s.seed, "seed", 1, "seed of the first round; each round adds 1")
	set.BoolVar(&s.jit, "jit", false, "measure Keras with XLA too")
	set.BoolVar(&s.compile, "compile", false, "measure PyTorch under torch.compile too (needs a C++ compiler)")
	set.BoolVar(&s.quick, "quick", false, "one round of 2 epochs and small sizes, to see that all works")
	if err := set.Parse(args); errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(help, "usage: peers [flags]")
		set.SetOutput(help)
		set.PrintDefaults()
		return s, nil, err
	} else if err != nil {
		return s, nil, usageError{err}
	}
	if set.NArg() > 0 {
		return s, nil, usagef("unknown argument %q", set.Arg(0))
	}
	if s.rounds < 1 || s.epochs < 2 {
		return s, nil, usagef("-rounds must be at least 1, -epochs at least 2")
	}
	if s.quick {
		s.rounds, s.epochs = 1, 2
	}
	return s, set, nil
}

// whole reports whether the run is one that bench/RESULTS.md is made of.
func (s settings) whole() bool {
	return s.only == "" && s.linnet == "" && !s.quick && s.epochs == wholeEpochs && s.rounds >= wholeRounds
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	s, set, err := parseFlags(args, stdout)
	if err != nil {
		return err
	}
	repository, err := findRepository()
	if err != nil {
		return err
	}
	if s.shared == "" {
		if s.shared = os.Getenv("LINNET_SHARED"); s.shared == "" {
			s.shared = filepath.Join(repository, "..", "shared")
		}
	}
	for _, path := range []*string{&s.shared, &s.linnet} { // the programs run in another folder
		if *path != "" {
			if *path, err = filepath.Abs(*path); err != nil {
				return err
			}
		}
	}
	b := bench{settings: s, repository: repository, log: stderr}
	sections, products, curves, err := b.choose()
	if err != nil {
		return err
	}
	if b.scratch, err = os.MkdirTemp("", "linnet-peers-"); err != nil {
		return err
	}
	defer os.RemoveAll(b.scratch)

	r := report{
		command: command(set), date: time.Now().UTC().Format(time.DateOnly),
		cpu: cpuModel(), cores: runtime.NumCPU(), platform: runtime.GOOS + "/" + runtime.GOARCH, goVersion: runtime.Version(),
		path: simd.Path(), load: loadAverage(), rounds: s.rounds, epochs: s.epochs, sections: sections,
	}
	missing, err := b.prepare(ctx, sections, products)
	if err != nil {
		return err
	}
	start := time.Now()
	for _, sec := range sections {
		result, err := measure(ctx, sec, missing, s.rounds, s.seed, stderr)
		if err != nil {
			return err
		}
		r.results = append(r.results, result)
	}
	if products {
		if r.products, err = b.runProducts(ctx); err != nil {
			return err
		}
	}
	if curves {
		if r.curves, err = b.runCurves(ctx); err != nil {
			return err
		}
	}
	fmt.Fprintf(stderr, "measured for %v\n", time.Since(start).Round(time.Second))
	text := render(r)
	fmt.Fprint(stdout, text)
	out := s.out
	if out == "" {
		if !s.whole() {
			return nil
		}
		out = filepath.Join(repository, "bench", "RESULTS.md")
	}
	return replaceSection(out, text)
}

// command is what to type for the same tables: the flags that change what is measured, without the paths of this machine.
func command(set *flag.FlagSet) string {
	words := []string{"go run ./bench/peers"}
	set.Visit(func(f *flag.Flag) {
		if !slices.Contains([]string{"shared", "venv", "out", "linnet"}, f.Name) {
			words = append(words, fmt.Sprintf("-%s=%s", f.Name, f.Value))
		}
	})
	return strings.Join(words, " ")
}

// findRepository is the folder with go.mod at or above the working folder.
func findRepository() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for start := dir; ; {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", fmt.Errorf("no go.mod at or above %s: run this in the repository", start)
		}
		dir = parent
	}
}

// cpuModel is the processor's name as Linux gives it.
func cpuModel() string {
	b, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown"
	}
	return parseCPUModel(string(b))
}

func parseCPUModel(cpuinfo string) string {
	for line := range strings.Lines(cpuinfo) {
		key, value, ok := strings.Cut(line, ":")
		if ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

// loadAverage is how many threads wanted to run in the last minute, as Linux gives it: about 0 on a quiet machine.
func loadAverage() string {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	load, _, _ := strings.Cut(string(b), " ")
	return load
}
