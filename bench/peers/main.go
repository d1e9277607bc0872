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
	"strconv"
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
	shared, venv, hubVenv, out, only, linnet string
	part, linnetArgs                         string
	rounds, epochs, seed, threads            int
	soak                                     time.Duration
	jit, compile, quick                      bool
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
	set.StringVar(&s.hubVenv, "hub-venv", "", "the same for the section hub, whose module it keeps (default linnet/peers-hub-venv there)")
	set.StringVar(&s.out, "out", "", "`file` whose tables are replaced (default bench/RESULTS.md for a whole run, and for a whole one of a section that has a part there)")
	set.StringVar(&s.only, "only", "", "comma-separated `names` of sections ("+strings.Join(sectionKeys, ", ")+")\nor peers (linnet, keras, torch-bag, ...): measure no others")
	set.StringVar(&s.linnet, "linnet", "", "measure this `program` in place of ./examples/imdb in the section fit, and of ./cmd/linnet in those of classifiers")
	set.StringVar(&s.part, "part", heldOutPart, "the `rows` that classifiers are asked about: held-out ones of the training data, or those of the test data (test)")
	set.StringVar(&s.linnetArgs, "linnet-args", "", "measure linnet train with these `arguments` too in the section classify")
	set.IntVar(&s.threads, "threads", 1, "threads that classifiers learn on")
	set.IntVar(&s.rounds, "rounds", wholeRounds, "how often each peer runs; in the section hub "+strconv.Itoa(hubRounds)+" times at most, in those of classifiers once")
	set.IntVar(&s.epochs, "epochs", wholeEpochs, "epochs of the section fit")
	set.IntVar(&s.seed, "seed", 1, "seed of the first round; each round adds 1")
	set.DurationVar(&s.soak, "soak", 0, "how long the section serve keeps linnet serve at full load too; 0 for not at all")
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
	if s.threads < 1 {
		return s, nil, usagef("-threads must be at least 1")
	}
	if s.part != heldOutPart && s.part != testPart {
		return s, nil, usagef("-part is %q, not %s or %s", s.part, heldOutPart, testPart)
	}
	if s.part == testPart && s.only != classifyKey && !strings.HasPrefix(s.only, classifyKey+",") {
		return s, nil, usagef("-part test is for -only %s", classifyKey)
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

// wholeHub reports whether the run is one that the second tutorial's part is made of.
func (s settings) wholeHub() bool {
	return s.whole() || s.only == hubKey && !s.quick && s.rounds >= hubRounds
}

// wholeLoad reports whether the run is one that the part on saved models is made of.
func (s settings) wholeLoad() bool {
	return s.whole() || s.only == loadKey && !s.quick && s.rounds >= wholeRounds
}

// wholeClassify reports whether the run is one that a part on classifiers is made of.
func (s settings) wholeClassify(name string) bool {
	return s.only == name && !s.quick && s.linnet == "" && s.linnetArgs == ""
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
	b := bench{settings: s, repository: repository, log: stderr, wholeAccuracy: map[string]float64{}}
	sections, products, curves, err := b.choose()
	if err != nil {
		return err
	}
	sections, hub, saved, classify, servers := apart(sections)
	if b.scratch, err = os.MkdirTemp("", "linnet-peers-"); err != nil {
		return err
	}
	defer os.RemoveAll(b.scratch)

	r := report{
		command: command(set), date: time.Now().UTC().Format(time.DateOnly),
		cpu: cpuModel(), cores: runtime.NumCPU(), platform: runtime.GOOS + "/" + runtime.GOARCH, goVersion: runtime.Version(),
		path: simd.Path(), load: loadAverage(), rounds: s.rounds, epochs: s.epochs,
	}
	if len(sections) > 0 || products || curves {
		r := r
		r.part, r.sections = mainPart, sections
		if err := b.measureMain(ctx, &r, products, curves); err != nil {
			return err
		}
		if err := b.write(r, s.whole(), stdout); err != nil {
			return err
		}
	}
	if hub != nil {
		r := r
		r.part, r.sections, r.rounds, r.epochs = hubPart, []section{*hub}, min(s.rounds, hubRounds), b.hubEpochs()
		missing, err := b.prepareHub(ctx, *hub)
		if err == nil {
			err = b.measureSections(ctx, &r, missing)
		}
		if err != nil {
			return err
		}
		if err := b.write(r, s.wholeHub(), stdout); err != nil {
			return err
		}
	}
	if len(saved) > 0 {
		r.part, r.sections = loadPart, saved
		missing, err := b.prepareLoad(ctx, saved)
		if err == nil {
			err = b.measureSections(ctx, &r, missing)
		}
		if err != nil {
			return err
		}
		if err := b.write(r, s.wholeLoad(), stdout); err != nil {
			return err
		}
	}
	for _, name := range classifyKeys {
		of := slices.DeleteFunc(slices.Clone(classify), func(sec section) bool { return sec.name() != name })
		if len(of) == 0 {
			continue
		}
		r := r
		r.part, r.sections, r.results, r.rounds, r.threads, r.data = classifyPartOf(name, s.part), of, nil, 1, s.threads, s.part
		missing, err := b.prepareClassify(ctx, of)
		if err == nil {
			err = b.measureSections(ctx, &r, missing)
		}
		if err != nil {
			return err
		}
		if err := b.write(r, s.wholeClassify(name), stdout); err != nil {
			return err
		}
	}
	if len(servers) > 0 {
		r.part, r.sections, r.results, r.rounds = servePart, servers, nil, min(s.rounds, serveRounds)
		missing, err := b.prepareServe(ctx, servers)
		if err == nil {
			err = b.measureSections(ctx, &r, missing)
		}
		if err != nil {
			return err
		}
		if err := b.write(r, s.wholeServe(), stdout); err != nil {
			return err
		}
	}
	return nil
}

// wholeServe reports whether the run is one that the part on servers is made of.
func (s settings) wholeServe() bool {
	return s.only == serveKey && !s.quick && s.linnet == "" && s.rounds >= serveRounds && s.soak >= 10*time.Minute
}

// apart takes the sections that have a part of the results for themselves out of the others; nil: not among them.
func apart(sections []section) (others []section, hub *section, load, classify, servers []section) {
	for _, sec := range sections {
		switch name := sec.name(); name {
		case hubKey:
			hub = &sec
		case loadKey:
			load = append(load, sec)
		case serveKey:
			servers = append(servers, sec)
		default:
			if slices.Contains(classifyKeys, name) {
				classify = append(classify, sec)
			} else {
				others = append(others, sec)
			}
		}
	}
	return others, hub, load, classify, servers
}

// measureMain measures all but the second tutorial.
func (b *bench) measureMain(ctx context.Context, r *report, products, curves bool) error {
	missing, err := b.prepare(ctx, r.sections, products)
	if err != nil {
		return err
	}
	start := time.Now()
	for _, sec := range r.sections {
		rounds := r.rounds
		if sec.key == serveSoakKey {
			rounds = 1 // it is long enough
		}
		result, err := measure(ctx, sec, missing, rounds, b.seed, b.log)
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
	fmt.Fprintf(b.log, "measured for %v\n", time.Since(start).Round(time.Second))
	return nil
}

// measureSections measures a part's sections.
func (b *bench) measureSections(ctx context.Context, r *report, missing map[string]string) error {
	start := time.Now()
	for _, sec := range r.sections {
		rounds := r.rounds
		if sec.key == serveSoakKey {
			rounds = 1 // it is long enough
		}
		result, err := measure(ctx, sec, missing, rounds, b.seed, b.log)
		if err != nil {
			return err
		}
		r.results = append(r.results, result)
	}
	fmt.Fprintf(b.log, "measured for %v\n", time.Since(start).Round(time.Second))
	return nil
}

// write prints a part's tables, and puts those of a whole run into bench/RESULTS.md, or any into the file that -out names.
// Hours of work are not lost with one of them.
func (b *bench) write(r report, whole bool, stdout io.Writer) error {
	text := render(r)
	_, err := io.WriteString(stdout, text)
	out := b.out
	if out == "" {
		if !whole {
			return err
		}
		out = filepath.Join(b.repository, "bench", "RESULTS.md")
	}
	return errors.Join(err, replacePart(out, r.part, text))
}

// command is what to type for the same tables: the flags that change what is measured, without the paths of this machine.
func command(set *flag.FlagSet) string {
	words := []string{"go run ./bench/peers"}
	set.Visit(func(f *flag.Flag) {
		if !slices.Contains([]string{"shared", "venv", "hub-venv", "out", "linnet"}, f.Name) {
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
