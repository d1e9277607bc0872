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
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(0)
	case err != nil:
		fmt.Fprintf(os.Stderr, "peers: %v\n", err)
		os.Exit(1)
	}
}

// settings are the flags.
type settings struct {
	shared, venv, out, only, linnet string
	rounds, epochs, threads, seed   int
	jit, compile                    bool
}

func parseFlags(args []string, stderr io.Writer) (s settings, set *flag.FlagSet, err error) {
	set = flag.NewFlagSet("peers", flag.ContinueOnError)
	set.SetOutput(stderr)
	set.StringVar(&s.shared, "shared", "", "`folder` with data/imdb and peers (default $LINNET_SHARED, else ../shared beside the repository)")
	set.StringVar(&s.venv, "venv", "", "Python virtual environment `folder` (default linnet/peers-venv in the user's cache folder, made when missing)")
	set.StringVar(&s.out, "out", "", "`file` whose table is replaced (default bench/RESULTS.md for a whole run)")
	set.StringVar(&s.only, "only", "", "comma-separated `peers`: linnet, keras, keras-jit, torch-mean, torch-bag, torch-compile")
	set.StringVar(&s.linnet, "linnet", "", "measure this `program` instead of building ./examples/imdb")
	set.IntVar(&s.rounds, "rounds", 5, "how often each peer runs")
	set.IntVar(&s.epochs, "epochs", 40, "epochs")
	set.IntVar(&s.threads, "threads", 1, "threads of each peer")
	set.IntVar(&s.seed, "seed", 1, "seed of the first round; each round adds 1")
	set.BoolVar(&s.jit, "jit", false, "measure Keras with XLA too")
	set.BoolVar(&s.compile, "compile", false, "measure PyTorch under torch.compile too (needs a C++ compiler)")
	if err := set.Parse(args); err != nil {
		return s, nil, err
	}
	if set.NArg() > 0 {
		return s, nil, fmt.Errorf("unknown argument %q", set.Arg(0))
	}
	if s.rounds < 1 || s.epochs < 2 || s.threads < 1 {
		return s, nil, errors.New("-rounds and -threads must be at least 1, -epochs at least 2")
	}
	return s, set, nil
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	s, set, err := parseFlags(args, stderr)
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
	if b.scratch, err = os.MkdirTemp("", "linnet-peers-"); err != nil {
		return err
	}
	defer os.RemoveAll(b.scratch)

	peers, err := b.choosePeers()
	if err != nil {
		return err
	}
	if err := b.prepare(ctx, peers); err != nil {
		return err
	}
	results, err := measure(ctx, peers, s.rounds, s.seed, stderr)
	if err != nil {
		return err
	}
	section := render(report{
		command: command(set), date: time.Now().UTC().Format(time.DateOnly),
		cpu: cpuModel(), cores: runtime.NumCPU(), platform: runtime.GOOS + "/" + runtime.GOARCH, goVersion: runtime.Version(),
		rounds: s.rounds, epochs: s.epochs, threads: s.threads, peers: peers, results: results,
	})
	fmt.Fprint(stdout, section)
	out := s.out
	if out == "" {
		if s.only != "" || s.epochs != 40 || s.linnet != "" {
			return nil
		}
		out = filepath.Join(repository, "bench", "RESULTS.md")
	}
	return replaceSection(out, section)
}

// command is what to type for the same table: the flags that change what is measured, without the paths of this machine.
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
