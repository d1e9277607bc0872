package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"time"
)

// hubKey is the section that has a part of the results for itself.
const hubKey = "hub"

const (
	hubRounds = 3 // at most: Keras takes half a minute
	hubEpochs = 3
	hubRows   = 963812
	hubDim    = 50
)

// hubPinned are the versions that the tutorial's module needs: TensorFlow Hub knows no Keras but the second.
var hubPinned = []pin{
	{"tensorflow-cpu", "2.19.1"},
	{"tf-keras", "2.19.0"},
	{"tensorflow-hub", "0.16.1"},
	{"setuptools", "<81"}, // TensorFlow Hub imports pkg_resources, which later ones have no more
}

// hubSection is the second tutorial in linnet and in Keras.
func (b *bench) hubSection() section {
	return section{
		key:   hubKey,
		title: fmt.Sprintf("The second tutorial: %d epochs with validation, a trainable table of 963,812 × 50", b.hubEpochs()),
		figures: []figure{
			{"epoch_s", "an epoch, s", 3, true},
			{"fit_s", "all epochs, tokenising in, s", 2, true},
			{"evaluate_s", "evaluate 25,000 texts, s", 3, true},
			{"evaluate_ids_s", "their ids ready, s", 3, false},
			{"open_s", "open the module, s", 3, false},
			{"open_read_s", "and read its table, s", 3, false},
			{"peak_mb", "peak memory, MB", 0, true},
			{"process_s", "process, s", 2, false},
			{"test_accuracy", "test accuracy", 4, false},
		},
		peers: []peer{
			{"linnet", "linnet", nil, b.hubLinnet(1)},
			{"linnet-2", "linnet, 2 threads", nil, b.hubLinnet(2)},
			{"keras", "Keras", nil, b.hubKeras(1)},
			{"keras-2", "Keras, 2 threads", nil, b.hubKeras(2)},
		},
	}
}

const hubNote = "linnet is `examples/imdb_hub`, each program is a process of its own, and all read the same texts and the same module: GloVe's words " +
	"and made-up ones, 963,812 × 50. An epoch is the slowest after the first: 30 steps and the validation of 10,000 texts. " +
	"linnet tokenises before the first epoch, Keras whenever it reads a text. So that of the training texts is added to linnet's epochs " +
	"where tokenising is in, and that of the test texts to its evaluation, but for the column where their ids are ready. " +
	"Peak memory is that of the whole process, in Keras's with Python and TensorFlow; an MB is 1,000,000 bytes."

func (b *bench) hubEpochs() int {
	if b.quick {
		return 2
	}
	return hubEpochs
}

// texts is the folder of the reviews' archive.
func (b *bench) texts() string { return filepath.Join(b.shared, "data", "imdb") }

// hubModule is where the module lies, made when missing.
func (b *bench) hubModule() string {
	return filepath.Join(b.hubVenv, fmt.Sprintf("module-%dx%d", hubRows, hubDim))
}

// prepareHub builds and makes what the section needs. It returns why peers are missing, by their keys: without a module
// they all are.
func (b *bench) prepareHub(ctx context.Context, s section) (missing map[string]string, err error) {
	if _, err := os.Stat(b.texts()); err != nil {
		return nil, fmt.Errorf("no data (name its folder with -shared or LINNET_SHARED): %w", err)
	}
	if err := b.build(ctx, map[string]string{"imdb_hub": "./examples/imdb_hub"}); err != nil {
		return nil, err
	}
	var noKeras error
	if b.hubVenv, noKeras = b.completeVenv(ctx, b.hubVenv, "peers-hub-venv", "-hub-venv", hubPinned); noKeras != nil {
		fmt.Fprintln(b.log, noKeras)
		noKeras = errors.New("no Python environment with TensorFlow Hub")
	}
	noModule := b.makeModule(ctx, noKeras)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if noModule != nil {
		fmt.Fprintln(b.log, noModule)
	}
	missing = map[string]string{}
	for _, p := range s.peers {
		switch python := p.key == "keras" || p.key == "keras-2"; {
		case noKeras != nil && python:
			missing[p.key] = noKeras.Error()
		case noModule != nil:
			missing[p.key] = "no module to read"
		}
	}
	return missing, nil
}

// makeModule makes the module unless it is there. Under its name there is a whole one or none.
func (b *bench) makeModule(ctx context.Context, noPython error) (err error) {
	if _, err := os.Stat(b.hubModule()); err == nil || noPython != nil {
		return err
	}
	fmt.Fprintf(b.log, "making %s\n", b.hubModule())
	unfinished, err := os.MkdirTemp(b.hubVenv, "module-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(unfinished)) }()
	made := filepath.Join(unfinished, "module")
	cmd := b.command(ctx, runtime.NumCPU(), pythonIn(b.hubVenv), filepath.Join(b.shared, "peers", "make_hub_module.py"), made,
		"--glove", filepath.Join(b.shared, "data", "embeddings", "glove.6B.100d.imdb-vocab.txt.gz"),
		"--dim", strconv.Itoa(hubDim), "--rows", strconv.Itoa(hubRows))
	cmd.Env = append(cmd.Env, "TMPDIR="+b.scratch) // the script leaves a copy of the words there
	if _, err := b.output(ctx, cmd); err != nil {
		return err
	}
	return os.Rename(made, b.hubModule())
}

// hubLinnet runs examples/imdb_hub and reads its report.
func (b *bench) hubLinnet(threads int) func(context.Context, int) (measurement, error) {
	return func(ctx context.Context, seed int) (measurement, error) {
		file := filepath.Join(b.scratch, "hub.json")
		if err := os.Remove(file); err != nil && !errors.Is(err, os.ErrNotExist) {
			return measurement{}, err
		}
		_, whole, err := b.timed(ctx, threads, b.program("imdb_hub"), "-quiet", "-patience", "-1", "-data", b.texts(), "-module", b.hubModule(),
			"-threads", strconv.Itoa(threads), "-epochs", strconv.Itoa(b.hubEpochs()), "-seed", strconv.Itoa(seed), "-report", file)
		if err != nil {
			return measurement{}, err
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return measurement{}, err
		}
		m, err := parseHubLinnet(text)
		return m.with(whole), err
	}
}

// hubKeras runs the tutorial in Keras.
func (b *bench) hubKeras(threads int) func(context.Context, int) (measurement, error) {
	return func(ctx context.Context, seed int) (measurement, error) {
		out, whole, err := b.timed(ctx, threads, pythonIn(b.hubVenv), filepath.Join(b.shared, "peers", "keras_hub.py"), b.hubModule(),
			filepath.Join(b.texts(), "aclImdb_labeled.tar.gz"),
			"--epochs", strconv.Itoa(b.hubEpochs()), "--threads", strconv.Itoa(threads), "--seed", strconv.Itoa(seed))
		if err != nil {
			return measurement{}, err
		}
		m, err := parseHubKeras(out)
		return m.with(whole), err
	}
}

// timed runs a program to its end and returns its standard output, and the figures of the process as a whole. Its peak
// memory is among them where the system counts it.
func (b *bench) timed(ctx context.Context, threads int, program string, args ...string) ([]byte, map[string]float64, error) {
	cmd := b.command(ctx, threads, program, args...)
	start := time.Now()
	out, err := b.output(ctx, cmd)
	if err != nil {
		return nil, nil, err
	}
	whole := map[string]float64{"process_s": time.Since(start).Seconds(), "cpu_s": (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()}
	if peak, ok := peakMemory(cmd.ProcessState); ok {
		whole["peak_mb"] = float64(peak) / 1e6
	}
	return out, whole, nil
}

// parseHubLinnet reads the report of examples/imdb_hub.
func parseHubLinnet(text []byte) (measurement, error) {
	var r struct {
		ModuleS       *float64 `json:"module_s"`
		BuildS        *float64 `json:"build_s"`
		TokeniseS     *float64 `json:"tokenise_s"`
		TokeniseTestS *float64 `json:"tokenise_test_s"`
		Full          struct {
			FitS      *float64  `json:"fit_s"`
			EpochS    []float64 `json:"epoch_s"`
			EvaluateS *float64  `json:"evaluate_s"`
		} `json:"full"`
		TestAccuracy *float64 `json:"full_test_accuracy"`
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return measurement{}, fmt.Errorf("linnet's report: %w", err)
	}
	f := r.Full
	if slices.Contains([]*float64{r.ModuleS, r.BuildS, r.TokeniseS, r.TokeniseTestS, f.FitS, f.EvaluateS, r.TestAccuracy}, nil) || len(f.EpochS) < 2 {
		return measurement{}, fmt.Errorf("linnet's report lacks a field or has fewer than 2 epochs: %.200s", text)
	}
	return measurement{figures: map[string]float64{
		// As the peer's script does: without the first, and of two in the middle the longer one.
		"epoch_s":        slices.Sorted(slices.Values(f.EpochS[1:]))[(len(f.EpochS)-1)/2],
		"fit_s":          *r.TokeniseS - *r.TokeniseTestS + *f.FitS,
		"evaluate_s":     *r.TokeniseTestS + *f.EvaluateS,
		"evaluate_ids_s": *f.EvaluateS,
		"open_s":         *r.ModuleS,
		"open_read_s":    *r.ModuleS + *r.BuildS,
		"test_accuracy":  *r.TestAccuracy,
	}, facts: map[string]string{}}, nil
}

// parseHubKeras reads the last line of what the tutorial in Keras printed.
func parseHubKeras(out []byte) (measurement, error) {
	m, err := parseFigures(out)
	if err != nil {
		return m, err
	}
	if m.figures, err = renamed(m.figures, out, [][2]string{
		{"epoch_median_s", "epoch_s"}, {"fit_s", "fit_s"}, {"evaluate_s", "evaluate_s"}, {"test_acc", "test_accuracy"},
	}); err != nil {
		return measurement{}, err
	}
	// The script does not tell them, but the environment has these.
	for _, p := range hubPinned {
		if title, ok := map[string]string{"tf-keras": "Keras (tf-keras)", "tensorflow-hub": "TensorFlow Hub"}[p.name]; ok {
			m.facts[title] = p.version
		}
	}
	return m, nil
}
