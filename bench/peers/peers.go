package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// peer is one program to measure. To measure something else, add a peer here, or a figure to what one returns and to
// the rows of the table.
type peer struct {
	key      string   // for -only
	title    string   // the table's column
	packages []string // Python packages that it needs
	run      func(ctx context.Context, seed int) (measurement, error)
}

// measurement is what one run of a peer gave.
type measurement struct {
	figures map[string]float64 // by the keys of rows; one that a peer does not have is absent
	facts   map[string]string  // versions and the like, equal in all runs
}

// rival is a peer, or the best of several, to whose figures linnet's are compared.
type rival struct {
	title string
	peers []string
}

var rivals = []rival{
	{"Keras", []string{"keras"}},
	{"Keras XLA", []string{"keras-jit"}},
	{"PyTorch's best", []string{"torch-mean", "torch-bag", "torch-compile"}},
}

// bench holds what the peers' runs share.
type bench struct {
	settings
	repository string
	scratch    string // an empty folder, removed at the end
	log        io.Writer
}

func (b *bench) choosePeers() ([]peer, error) {
	keras := []string{"tensorflow-cpu", "keras", "numpy"}
	torch := []string{"torch", "numpy"}
	all := []peer{
		{"linnet", "linnet", nil, b.runLinnet},
		{"keras", "Keras", keras, b.python("keras_imdb.py")},
		{"keras-jit", "Keras XLA", keras, b.python("keras_imdb.py", "--jit")},
		{"torch-mean", "PyTorch Embedding + mean", torch, b.python("torch_imdb.py", "--mode", "mean")},
		{"torch-bag", "PyTorch EmbeddingBag", torch, b.python("torch_imdb.py", "--mode", "bag")},
		{"torch-compile", "PyTorch compiled", torch, b.python("torch_imdb.py", "--mode", "compile")},
	}
	wanted := []string{"linnet", "keras", "torch-mean", "torch-bag"}
	if b.only != "" {
		wanted = strings.Split(b.only, ",")
	}
	if b.jit {
		wanted = append(wanted, "keras-jit")
	}
	if b.compile {
		wanted = append(wanted, "torch-compile")
	}
	for _, key := range wanted {
		if !slices.ContainsFunc(all, func(p peer) bool { return p.key == key }) {
			return nil, fmt.Errorf("-only: no peer is called %q", key)
		}
	}
	return slices.DeleteFunc(all, func(p peer) bool { return !slices.Contains(wanted, p.key) }), nil
}

// prepare builds and installs what the peers need, so that the rounds measure and nothing else.
func (b *bench) prepare(ctx context.Context, peers []peer) error {
	data := b.npz()
	if _, err := os.Stat(data); err != nil {
		return fmt.Errorf("no data (name its folder with -shared or LINNET_SHARED): %w", err)
	}
	var packages []string
	for _, p := range peers {
		packages = append(packages, p.packages...)
		if p.key == "linnet" && b.linnet == "" {
			if err := b.buildLinnet(ctx); err != nil {
				return err
			}
		}
	}
	if len(packages) == 0 {
		return nil
	}
	return b.prepareVenv(ctx, packages)
}

func (b *bench) npz() string { return filepath.Join(b.shared, "data", "imdb", "imdb.npz") }

func (b *bench) buildLinnet(ctx context.Context) error {
	if _, err := os.Stat(filepath.Join(b.repository, "examples", "imdb")); err != nil {
		return fmt.Errorf("linnet's program: %w", err)
	}
	b.linnet = filepath.Join(b.scratch, "imdb.exe")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", b.linnet, "./examples/imdb")
	cmd.Dir = b.repository
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build ./examples/imdb: %w\n%s", err, out)
	}
	return nil
}

// runLinnet runs examples/imdb and reads its report.
func (b *bench) runLinnet(ctx context.Context, seed int) (measurement, error) {
	file := filepath.Join(b.scratch, "report.json")
	if err := os.Remove(file); err != nil && !os.IsNotExist(err) {
		return measurement{}, err
	}
	start := time.Now()
	_, err := b.start(ctx, b.linnet, "-data", filepath.Dir(b.npz()), "-threads", strconv.Itoa(b.threads), "-quiet",
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

// python runs one of the peers' scripts and reads the line of JSON that it prints.
func (b *bench) python(script string, args ...string) func(context.Context, int) (measurement, error) {
	return func(ctx context.Context, seed int) (measurement, error) {
		start := time.Now()
		out, err := b.start(ctx, pythonIn(b.venv), append([]string{
			filepath.Join(b.shared, "peers", script), b.npz(), "--epochs", strconv.Itoa(b.epochs),
			"--threads", strconv.Itoa(b.threads), "--seed", strconv.Itoa(seed)}, args...)...)
		if err != nil {
			return measurement{}, err
		}
		wall := time.Since(start)
		m, err := parsePython(out)
		if err == nil {
			m.figures["process_s"] = wall.Seconds()
		}
		return m, err
	}
}

// start runs a program to its end and returns its standard output.
func (b *bench) start(ctx context.Context, program string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = environment(os.Environ(), b.threads)
	cmd.Dir = b.scratch
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("%s: %w\n%s", filepath.Base(program), err, lastLines(stderr.String(), 15))
	}
	return stdout.Bytes(), nil
}

// environment drops the variables that make a peer other than its plain installation is, and bounds its threads.
func environment(env []string, threads int) []string {
	env = slices.DeleteFunc(slices.Clone(env), func(e string) bool {
		for _, prefix := range []string{"OPENBLAS_", "MKL_", "OMP_", "KMP_", "DNNL_", "ONEDNN_", "TF_", "XLA_", "KERAS_",
			"TORCH", "PYTHON", "GOMAXPROCS="} {
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
		Threads      int       `json:"threads"`
		LoadS        *float64  `json:"load_s"`
		PadS         *float64  `json:"pad_s"`
		FitS         *float64  `json:"fit_s"`
		EpochS       []float64 `json:"epoch_s"`
		EvaluateS    *float64  `json:"evaluate_s"`
		TestAccuracy *float64  `json:"test_accuracy"`
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return measurement{}, fmt.Errorf("linnet's report: %w", err)
	}
	if r.LoadS == nil || r.PadS == nil || r.FitS == nil || r.EvaluateS == nil || r.TestAccuracy == nil || len(r.EpochS) < 2 {
		return measurement{}, fmt.Errorf("linnet's report lacks a field or has fewer than 2 epochs: %.200s", text)
	}
	return measurement{
		figures: map[string]float64{
			"load_pad_s": *r.LoadS + *r.PadS, "fit_s": *r.FitS, "evaluate_s": *r.EvaluateS, "test_accuracy": *r.TestAccuracy,
			// As the peers' scripts do: without the first epoch, which warms caches up.
			"epoch_median_s": median(r.EpochS[1:]),
		},
		facts: map[string]string{"linnet's kernels": r.Path},
	}, nil
}

// parsePython reads the last line of a script's output. PyTorch's script pads while it loads.
func parsePython(out []byte) (measurement, error) {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	last := lines[len(lines)-1]
	var r struct {
		Keras, TF, Torch string
		LoadS            *float64 `json:"load_s"`
		PadS             float64  `json:"pad_s"`
		FitS             *float64 `json:"fit_s"`
		EpochMedianS     *float64 `json:"epoch_median_s"`
		EvaluateS        *float64 `json:"evaluate_s"`
		TestAcc          *float64 `json:"test_acc"`
	}
	if err := json.Unmarshal([]byte(last), &r); err != nil {
		return measurement{}, fmt.Errorf("the script's last line is not its result: %w: %.200s", err, last)
	}
	if r.LoadS == nil || r.FitS == nil || r.EpochMedianS == nil || r.EvaluateS == nil || r.TestAcc == nil {
		return measurement{}, fmt.Errorf("the script's result lacks a field: %.200s", last)
	}
	m := measurement{
		figures: map[string]float64{
			"load_pad_s": *r.LoadS + r.PadS, "fit_s": *r.FitS, "epoch_median_s": *r.EpochMedianS,
			"evaluate_s": *r.EvaluateS, "test_accuracy": *r.TestAcc,
		},
		facts: map[string]string{},
	}
	for name, version := range map[string]string{"Keras": r.Keras, "TensorFlow": r.TF, "PyTorch": r.Torch} {
		if version != "" {
			m.facts[name] = version
		}
	}
	return m, nil
}
