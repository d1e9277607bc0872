package main

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

//go:embed scripts/*.py scripts/*.lua
var scripts embed.FS

// bench holds what the peers' runs share.
type bench struct {
	settings
	repository string
	scratch    string // an empty folder, removed at the end
	log        io.Writer

	meanPrediction  float64            // of linnet's network, which the peers' must have too
	loadPredictions map[string]float64 // of linnet's saved models, which the peers' must have too
	data            map[string]data    // of the sections of classifiers, by their names
	wholeAccuracy   map[string]float64 // of linnet's classifiers before they are made smaller, by their data
}

func (b *bench) npz() string { return filepath.Join(b.shared, "data", "imdb", "imdb.npz") }

func (b *bench) program(name string) string { return filepath.Join(b.scratch, name+".exe") }

// prepare builds, installs and writes what the peers need, so that the rounds measure and nothing else. It returns why
// peers are missing, by their keys.
func (b *bench) prepare(ctx context.Context, sections []section, products bool) (missing map[string]string, err error) {
	if _, err := os.Stat(b.npz()); err != nil {
		return nil, fmt.Errorf("no data (name its folder with -shared or LINNET_SHARED): %w", err)
	}
	if err := b.build(ctx, map[string]string{"measure": "./bench/peers/linnet", "plain": "./bench/peers/plain", "imdb": "./examples/imdb"}); err != nil {
		return nil, err
	}
	if b.linnet == "" {
		b.linnet = b.program("imdb")
	}
	if err := b.copyScripts(); err != nil {
		return nil, err
	}
	if slices.ContainsFunc(sections, func(s section) bool { return s.key != "fit" }) {
		if err := os.Mkdir(b.exported(), 0o777); err != nil {
			return nil, err
		}
		if _, err := b.start(ctx, 1, b.program("measure"), "-data", filepath.Dir(b.npz()), "-export", b.exported()); err != nil {
			return nil, err
		}
		if b.meanPrediction, err = b.meanOf(ctx); err != nil {
			return nil, err
		}
	}
	var more []string
	if products {
		more = []string{"numpy"} // for its OpenBLAS
	}
	return b.missingPeers(ctx, sections, more...)
}

// copyScripts writes the Python scripts to the scratch folder, unless they are there.
func (b *bench) copyScripts() error {
	if _, err := os.Stat(filepath.Join(b.scratch, "scripts")); err == nil {
		return nil
	}
	return os.CopyFS(b.scratch, scripts)
}

// missingPeers installs the packages that the peers of the sections need, and more, where that is allowed. It returns why
// peers are missing, by their keys.
func (b *bench) missingPeers(ctx context.Context, sections []section, more ...string) (missing map[string]string, err error) {
	packages := more
	for _, s := range sections {
		for _, p := range s.peers {
			packages = append(packages, p.packages...)
		}
	}
	if len(packages) == 0 {
		return map[string]string{}, nil
	}
	why := b.prepareVenv(ctx, packages)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if why != nil {
		fmt.Fprintln(b.log, why)
	}
	missing = map[string]string{}
	for _, s := range sections {
		for _, p := range s.peers {
			if len(p.packages) == 0 {
				continue
			}
			if lacking, err := missingPackages(ctx, b.venv, pinsOf(p.packages)); err != nil {
				missing[p.key] = "no Python environment"
			} else if len(lacking) > 0 {
				missing[p.key] = "not installed: " + strings.Join(lacking, " ")
			}
		}
	}
	return missing, nil
}

// build makes programs, by their names, of folders of the repository.
func (b *bench) build(ctx context.Context, folders map[string]string) error {
	for name, folder := range folders {
		cmd := exec.CommandContext(ctx, "go", "build", "-o", b.program(name), folder)
		cmd.Dir = b.repository
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("go build %s: %w\n%s", folder, err, out)
		}
	}
	return nil
}

// exported is the folder of the reviews and weights for the peers.
func (b *bench) exported() string { return filepath.Join(b.scratch, "exported") }

func (b *bench) meanOf(ctx context.Context) (float64, error) {
	m, err := b.jsonOf(ctx, 1, b.program("measure"), "-what", "inference", "-data", filepath.Dir(b.npz()), "-repeats", "1")
	return m.figures["mean_prediction"], err
}

// tutorial runs examples/imdb and reads its report, while other threads keep every core busy if so asked.
func (b *bench) tutorial(threads int, busy bool) func(context.Context, int) (measurement, error) {
	return func(ctx context.Context, seed int) (measurement, error) {
		if busy {
			defer takeCores()()
		}
		file := filepath.Join(b.scratch, "report.json")
		if err := os.Remove(file); err != nil && !os.IsNotExist(err) {
			return measurement{}, err
		}
		start := time.Now()
		_, err := b.start(ctx, threads, b.linnet, "-data", filepath.Dir(b.npz()), "-threads", strconv.Itoa(threads), "-quiet",
			"-report", file, "-seed", strconv.Itoa(seed), "-epochs", strconv.Itoa(b.epochs))
		if err != nil {
			return measurement{}, err
		}
		wall := time.Since(start)
		text, err := os.ReadFile(file)
		if err != nil {
			return measurement{}, err
		}
		m, err := parseLinnet(text)
		if err == nil {
			m.figures["process_s"] = wall.Seconds()
		}
		return m, err
	}
}

// takeCores keeps a thread on every core busy until stop is called.
func takeCores() (stop func()) {
	var done atomic.Bool
	var running sync.WaitGroup
	for range runtime.NumCPU() {
		running.Go(func() {
			for !done.Load() {
			}
		})
	}
	return func() {
		done.Store(true)
		running.Wait()
	}
}

// fitScript runs a peer's script for the tutorial.
func (b *bench) fitScript(script string, args ...string) func(context.Context, int) (measurement, error) {
	return func(ctx context.Context, seed int) (measurement, error) {
		return b.fit(ctx, pythonIn(b.venv), append([]string{filepath.Join(b.shared, "peers", script), b.npz(),
			"--epochs", strconv.Itoa(b.epochs), "--threads", "1", "--seed", strconv.Itoa(seed)}, args...)...)
	}
}

func (b *bench) plain(ctx context.Context, seed int) (measurement, error) {
	return b.fit(ctx, b.program("plain"), "-epochs", strconv.Itoa(b.epochs), "-seed", strconv.Itoa(seed), filepath.Dir(b.npz()))
}

func (b *bench) fit(ctx context.Context, program string, args ...string) (measurement, error) {
	start := time.Now()
	out, err := b.start(ctx, 1, program, args...)
	if err != nil {
		return measurement{}, err
	}
	wall := time.Since(start)
	m, err := parseFit(out)
	if err == nil {
		m.figures["process_s"] = wall.Seconds()
	}
	return m, err
}

// compiled sets the time that compiling took apart: what the epochs took beyond their median. The first round's run
// compiles; later ones find most of it in PyTorch's cache.
func (b *bench) compiled(run func(context.Context, int) (measurement, error)) func(context.Context, int) (measurement, error) {
	return func(ctx context.Context, seed int) (measurement, error) {
		m, err := run(ctx, seed)
		if err == nil {
			fit := float64(b.epochs) * m.figures["epoch_median_s"]
			m.figures["compile_s"] = max(0, m.figures["fit_s"]-fit)
			m.figures["fit_s"] = fit
		}
		return m, err
	}
}

func (b *bench) linnetInference(ctx context.Context, _ int) (measurement, error) {
	return b.jsonOf(ctx, 1, b.program("measure"), "-what", "inference", "-data", filepath.Dir(b.npz()), "-repeats", b.repeats(9))
}

// inferenceScript runs a peer with linnet's weights, and refuses it when it predicts something else.
func (b *bench) inferenceScript(peer string) func(context.Context, int) (measurement, error) {
	return func(ctx context.Context, _ int) (measurement, error) {
		m, err := b.jsonOf(ctx, 1, pythonIn(b.venv), filepath.Join(b.scratch, "scripts", "inference.py"), peer, b.exported(), "--repeats", b.repeats(5))
		if got := m.figures["mean_prediction"]; err == nil && !(math.Abs(got-b.meanPrediction) <= 1e-5) {
			err = fmt.Errorf("its predictions are %v on average, linnet's %v", got, b.meanPrediction)
		}
		return m, err
	}
}

func (b *bench) repeats(whole int) string {
	if b.quick {
		return "1"
	}
	return strconv.Itoa(whole)
}

func (b *bench) linnetTable(threads int) func(context.Context, int) (measurement, error) {
	return func(ctx context.Context, _ int) (measurement, error) {
		return b.jsonOf(ctx, threads, b.program("measure"), "-what", "table", "-data", filepath.Dir(b.npz()), "-threads", strconv.Itoa(threads))
	}
}

func (b *bench) tableScript(ctx context.Context, _ int) (measurement, error) {
	return b.jsonOf(ctx, 1, pythonIn(b.venv), filepath.Join(b.scratch, "scripts", "table.py"), b.exported())
}

// jsonOf runs a program whose last line is a JSON object, and takes its numbers for figures.
func (b *bench) jsonOf(ctx context.Context, threads int, program string, args ...string) (measurement, error) {
	out, err := b.start(ctx, threads, program, args...)
	if err != nil {
		return measurement{}, err
	}
	return parseFigures(out)
}

// start runs a program to its end and returns its standard output.
func (b *bench) start(ctx context.Context, threads int, program string, args ...string) ([]byte, error) {
	return b.output(ctx, b.command(ctx, threads, program, args...))
}

// command is a program in its environment, in a folder of its own.
func (b *bench) command(ctx context.Context, threads int, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = append(environment(os.Environ(), threads), "TORCHINDUCTOR_CACHE_DIR="+filepath.Join(b.scratch, "inductor"))
	cmd.Dir = b.scratch
	return cmd
}

// output runs a command to its end and returns its standard output.
func (b *bench) output(ctx context.Context, cmd *exec.Cmd) ([]byte, error) {
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("%s: %w\n%s", filepath.Base(cmd.Path), err, lastLines(stderr.String(), 15))
	}
	return stdout.Bytes(), nil
}

// environment drops the variables that make a peer other than its plain installation is, and bounds its threads.
func environment(env []string, threads int) []string {
	env = slices.DeleteFunc(slices.Clone(env), func(e string) bool {
		for _, prefix := range []string{"OPENBLAS_", "MKL_", "OMP_", "KMP_", "GOMP_", "DNNL_", "ONEDNN_", "TF_", "XLA_", "KERAS_",
			"TORCH", "PYTHON", "GOMAXPROCS=", "GOGC=", "GOMEMLIMIT=", "GODEBUG="} {
			if strings.HasPrefix(e, prefix) {
				return true
			}
		}
		return false
	})
	n := strconv.Itoa(threads)
	return append(env, "OMP_NUM_THREADS="+n, "MKL_NUM_THREADS="+n, "OPENBLAS_NUM_THREADS="+n, "GOMAXPROCS="+n)
}

func lastLines(s string, n int) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// parseLinnet reads the report of examples/imdb.
func parseLinnet(text []byte) (measurement, error) {
	var r struct {
		Path         string    `json:"path"`
		LoadS        *float64  `json:"load_s"`
		PadS         *float64  `json:"pad_s"`
		FitS         *float64  `json:"fit_s"`
		EpochS       []float64 `json:"epoch_s"`
		TestAccuracy *float64  `json:"test_accuracy"`
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return measurement{}, fmt.Errorf("linnet's report: %w", err)
	}
	if r.LoadS == nil || r.PadS == nil || r.FitS == nil || r.TestAccuracy == nil || len(r.EpochS) < 2 {
		return measurement{}, fmt.Errorf("linnet's report lacks a field or has fewer than 2 epochs: %.200s", text)
	}
	return measurement{
		figures: map[string]float64{
			"load_pad_s": *r.LoadS + *r.PadS, "fit_s": *r.FitS, "test_accuracy": *r.TestAccuracy,
			// As the peers' scripts do: without the first epoch, which warms caches up.
			"epoch_median_s": median(r.EpochS[1:]),
		},
		facts: map[string]string{},
	}, nil
}

// parseFit reads the last line of what a peer's tutorial printed. Not every peer tells its padding from its loading.
func parseFit(out []byte) (measurement, error) {
	m, err := parseFigures(out)
	if err != nil {
		return m, err
	}
	f, err := renamed(m.figures, out, [][2]string{
		{"load_s", "load_pad_s"}, {"fit_s", "fit_s"}, {"epoch_median_s", "epoch_median_s"}, {"test_acc", "test_accuracy"},
	})
	if err != nil {
		return measurement{}, err
	}
	f["load_pad_s"] += m.figures["pad_s"]
	return measurement{f, m.facts}, nil
}

// renamed are the figures of a result, each as {from, to} says, and no others. One that is not there is an error.
func renamed(figures map[string]float64, out []byte, names [][2]string) (map[string]float64, error) {
	f := map[string]float64{}
	for _, n := range names {
		v, ok := figures[n[0]]
		if !ok {
			return nil, fmt.Errorf("the result lacks %s: %.200s", n[0], lastLines(string(out), 1))
		}
		f[n[1]] = v
	}
	return f, nil
}

// versionNames are what the peers call their versions.
var versionNames = map[string]string{"keras": "Keras", "tf": "TensorFlow", "torch": "PyTorch", "onnxruntime": "onnxruntime", "safetensors": "safetensors",
	"fasttext": "fastText (fasttext-wheel)", "sklearn": "scikit-learn", "fastapi": "FastAPI", "uvicorn": "uvicorn"}

// parseFigures reads the JSON object in the last line of a program's output.
func parseFigures(out []byte) (measurement, error) {
	last := lastLines(string(out), 1)
	var fields map[string]any
	if err := json.Unmarshal([]byte(last), &fields); err != nil {
		return measurement{}, fmt.Errorf("the last line is not a result: %w: %.200s", err, last)
	}
	m := measurement{map[string]float64{}, map[string]string{}}
	for name, v := range fields {
		switch v := v.(type) {
		case float64:
			m.figures[name] = v
		case string:
			if title, ok := versionNames[name]; ok {
				m.facts[title] = v
			}
		}
	}
	return m, nil
}
