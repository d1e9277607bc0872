package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/linnet-ml/linnet/examples/internal/example"
	"github.com/linnet-ml/linnet/examples/internal/exampletest"
	"github.com/linnet-ml/linnet/internal/shared"
	"github.com/linnet-ml/linnet/simd"
)

var underTest = exampletest.Program{Name: "imdb_hub", Run: run}

func TestMain(m *testing.M) { underTest.Main(m) }

// moviesModule is a small module of the same make as nnlm-en-dim50.
const moviesModule = "../../pretrained/testdata/hub/movie"

// program runs it and expects an exit code.
func program(t *testing.T, want int, args ...string) (stdout, stderr string) {
	t.Helper()
	return underTest.Output(t, want, args...)
}

// reported runs the program and reads its report.
func reported(t *testing.T, args ...string) (r report) {
	t.Helper()
	underTest.Report(t, &r, args...)
	return r
}

func readReport(t *testing.T, file string) (r report) {
	t.Helper()
	exampletest.ReadReport(t, file, &r)
	return r
}

// historyOf reads a history of a report.
func historyOf(t *testing.T, text json.RawMessage) (h map[string][]float64) {
	t.Helper()
	if err := json.Unmarshal(text, &h); err != nil {
		t.Fatal(err)
	}
	return h
}

// write makes a file in a folder of its own.
func write(t *testing.T, name, text string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// notUnderRace skips tests that load and train again what others do, too.
func notUnderRace(t *testing.T) {
	t.Helper()
	if exampletest.Race {
		t.Skip("the race detector makes each run take many seconds")
	}
}

// What cannot be done is one line that says so, and an exit code: 2 for a flag, 1 for anything else.
func TestErrors(t *testing.T) {
	dir := t.TempDir()
	file := write(t, "file", "")
	noVectors := write(t, "vectors.txt", "good 0.1 0.2\nbad 0.3\n")
	for _, c := range []struct {
		args string
		code int
		want string
	}{
		{"-nonsense", 2, "flag provided but not defined: -nonsense (-h lists the flags)"},
		{"-trainable false", 2, `unknown argument "false" (-h lists the flags)`},
		{"-trainable=maybe", 2, `invalid boolean value "maybe" for -trainable: parse error (-h lists the flags)`},
		{"-epochs 0", 2, "-epochs 0 is not from 1 to 1000000"},
		{"-units 0", 2, "-units 0 is not from 1 to 4096"},
		{"-batch 15001", 2, "-batch 15001 is not from 1 to 15000"},
		{"-threads -1", 2, "-threads -1 is not from 0 to 1024"},
		{"-patience -2", 2, "-patience -2 is not from -1 to 2147483647"},
		{"-lr 0", 2, "-lr 0 is not a positive float32"},
		{"-lr 1e300", 2, "-lr 1e+300 is not a positive float32"},
		{"-lr NaN", 2, "-lr NaN is not a positive float32"},
		{"-scale 0 -module " + noVectors, 2, "-scale 0 is not a positive float32"},
		{"-scale Inf -module " + noVectors, 2, "-scale +Inf is not a positive float32"},
		{"-scale 0.1", 2, `-scale is for a file of vectors, which -module "" is not`},
		{"-scale 0.1 -module nnlm-en-dim50", 2, `-scale is for a file of vectors, which -module "nnlm-en-dim50" is not`},
		{"-combiner max", 2, `-combiner "max" is none of sqrtn, mean and sum`},
		{"-data=", 2, "-data is empty"},
		{"-module=", 2, "-module is empty"},
		{"-try=", 2, "-try is empty"},
		{"-plot=", 2, "-plot is empty"},
		{"-plot history.jpg", 2, "-plot history.jpg ends neither in .png nor in .svg"},
		{"-report " + dir, 1, "-report: " + dir + " is a folder"},
		{"-history " + filepath.Join(file, "h.csv"), 1, "-history: " + filepath.Join(file, "h.csv") + " cannot be written: " + file + " is not a folder"},
		{"-module none", 1, "-module: no file or folder is called none, and pretrained: no module is known by the name \"none\": known are " +
			"nnlm-en-dim50, nnlm-en-dim50-with-normalization, nnlm-en-dim128, nnlm-en-dim128-with-normalization; " +
			"any other goes by its URL, https://tfhub.dev/PUBLISHER/NAME/VERSION"},
		{"-module https://example.org/m", 1, `-module: pretrained: "https://example.org/m" is not the URL of a module: it does not begin with https://tfhub.dev/`},
		{"-module " + noVectors, 1, "-module: pretrained: " + noVectors + ": wordvectors: line 2 has 1 values behind the word \"bad\", not 2"},
		{"-lr 1e30", 1, "nn: the loss is NaN in epoch 1, step 2; the weights are those before this step; try a smaller -lr than 1e+30"},
	} {
		if c.code == 1 && strings.HasPrefix(c.args, "-lr") && exampletest.Race {
			continue // it trains
		}
		stdout, stderr := program(t, c.code, append([]string{"-quiet"}, strings.Fields(c.args)...)...)
		if want := "imdb_hub: " + c.want + "\n"; stderr != want || stdout != "" {
			t.Errorf("%s:\ngot  %swant %s%s", c.args, stderr, want, stdout)
		}
	}
}

// Data that is asked for and not there, or damaged, ends the program; it takes nothing else in its place. The error says
// where it looked and what to do.
func TestBadFiles(t *testing.T) {
	notUnderRace(t)
	missing, folder, cut := filepath.Join(t.TempDir(), "missing"), t.TempDir(), write(t, "aclImdb_v1.tar.gz", "\x1f\x8b cut")
	for _, c := range []struct {
		args  []string
		wants []string
	}{
		{[]string{"-data", missing}, []string{"imdb_hub: -data: ", missing}},
		{[]string{"-data", folder}, []string{"imdb_hub: -data: ", folder, "aclImdb_v1.tar.gz", "https://ai.stanford.edu/"}},
		{[]string{"-data", cut}, []string{"imdb_hub: -data: ", cut, "damaged or incomplete"}},
		{[]string{"-module", folder}, []string{"imdb_hub: -module: ", filepath.Join(folder, "saved_model.pb")}},
		{[]string{"-module", "nnlm-en-dim50"}, []string{"imdb_hub: -module: ", os.Getenv("LINNET_DATA"), "-module https://tfhub.dev/google/nnlm-en-dim50/2 downloads it"}},
	} {
		_, stderr := program(t, 1, append(c.args, "-quiet")...)
		for _, want := range c.wants {
			if !strings.Contains(stderr, want) || strings.Count(stderr, "\n") != 1 {
				t.Errorf("%v: %s lacks %s", c.args, stderr, want)
			}
		}
	}
	// Without flags the caches are searched first. What lies there is not passed over when it is broken.
	cache := t.TempDir()
	t.Setenv("LINNET_DATA", cache)
	module := filepath.Join(cache, "tfhub", "google", "nnlm-en-dim50", "2")
	if err := os.MkdirAll(filepath.Join(module, "variables"), 0o777); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"saved_model.pb", "variables/variables.index", "variables/variables.data-00000-of-00001"} {
		if err := os.WriteFile(filepath.Join(module, filepath.FromSlash(name)), []byte("cut"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if _, stderr := program(t, 1, "-quiet"); !strings.Contains(stderr, module) {
		t.Errorf("got %s", stderr)
	}
	if err := os.Rename(cut, filepath.Join(cache, filepath.Base(cut))); err != nil {
		t.Fatal(err)
	}
	if _, stderr := program(t, 1, "-quiet"); !strings.Contains(stderr, filepath.Join(cache, filepath.Base(cut))+" is damaged or incomplete") {
		t.Errorf("got %s", stderr)
	}
}

func TestHelp(t *testing.T) {
	stdout, stderr := program(t, 0, "-h")
	if !strings.HasPrefix(stdout, "usage: imdb_hub [flags]\n") || !strings.Contains(stdout, "-module where") || stderr != "" {
		t.Errorf("got %s%s", stdout, stderr)
	}
	for line := range strings.Lines(stdout) {
		if n := len(strings.TrimSuffix(line, "\n")); n > 80 {
			t.Errorf("a line of %d characters: %s", n, line)
		}
	}
}

// All that the tutorial prints, but for the machine and the times, is the same everywhere: 3 epochs, and twice 3 more.
func TestOutput(t *testing.T) {
	notUnderRace(t)
	stdout, stderr := program(t, 0, "-epochs", "3", "-try", "A great film, the best I have ever seen; zyzzyva!")
	exampletest.Golden(t, "builtin.txt", stdout)
	if n := strings.Count(stderr, "\n"); n != 6 {
		t.Errorf("%d lines of progress for 6 epochs:\n%s", n, stderr)
	}
}

func TestReport(t *testing.T) {
	dir := t.TempDir()
	file, table := filepath.Join(dir, "report.json"), filepath.Join(dir, "history.csv")
	stdout, stderr := program(t, 0, "-epochs", "2", "-threads", "2", "-seed", "3", "-quiet", "-report", file, "-history", table)
	if !regexp.MustCompile(`^Test loss: 0\.\d+, test accuracy: 0\.\d+ \(2 epochs\)
Test loss: 0\.\d+, test accuracy: 0\.\d+ \(2 epochs, weights of epoch 2\)
$`).MatchString(stdout) || stderr != "" {
		t.Errorf("with -quiet: %s%s", stdout, stderr)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(text, &fields); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"cpu", "path", "threads", "data", "module", "load_s", "module_s", "build_s", "tokenise_s",
		"full_history", "full_test_loss", "full_test_accuracy", "full_weights_sha256",
		"fit_s", "epoch_s", "evaluate_s", "history", "test_loss", "test_accuracy", "weights_sha256"} {
		if fields[name] == nil {
			t.Errorf("the report has no %s", name)
		}
	}
	r := readReport(t, file)
	if r.Threads != 2 || r.Seed != 3 || r.Data != "builtin" || r.Path != simd.Path() || r.Interrupted || !r.Trainable || r.Scale != 1 ||
		r.Module != "glove-imdb-50" || r.ModuleRows != 51001 || r.ModuleDim != 50 ||
		len(r.Full.EpochS) != 2 || len(r.EpochS) != 2 || len(r.WeightsSHA256) != 64 {
		t.Errorf("got %+v", r)
	}
	// The second training was the same as the first, as nothing stopped it.
	if r.WeightsSHA256 != r.FullWeightsSHA256 || *r.TestAccuracy != *r.FullTestAccuracy || *r.TestLoss != *r.FullTestLoss || !bytes.Equal(r.History, r.FullHistory) {
		t.Errorf("the two trainings differ: %+v", r)
	}
	for _, part := range []timing{r.Full, r.timing} {
		if sum := part.EpochS[0] + part.EpochS[1]; sum > part.FitS || sum < part.FitS/2 {
			t.Errorf("epochs of %v s in a fit of %v s", part.EpochS, part.FitS)
		}
	}
	names := regexp.MustCompile(`"(\w+)":`).FindAllStringSubmatch(string(r.History), -1)
	if len(names) != 4 || names[0][1] != "loss" || names[1][1] != "accuracy" || names[2][1] != "val_loss" || names[3][1] != "val_accuracy" {
		t.Errorf("history: %s", r.History)
	}
	if val := historyOf(t, r.History)["val_loss"]; len(val) != 2 || val[1] >= val[0] {
		t.Errorf("history: %v", val)
	}
	csv, err := os.ReadFile(table)
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Split(string(csv), "\n"); len(lines) != 4 || lines[0] != "epoch,loss,accuracy,val_loss,val_accuracy" || !strings.HasPrefix(lines[2], "1,") {
		t.Errorf("history: %s", csv)
	}
	// Without the second training its fields are not there.
	var once map[string]any
	underTest.Report(t, &once, "-epochs", "1", "-patience", "-1")
	if once["full_test_accuracy"] == nil || once["full_history"] == nil || once["test_accuracy"] != nil || once["history"] != nil {
		t.Errorf("with -patience -1: %v", once)
	}
}

// The history is drawn into the file that -plot names, or printed.
func TestPlot(t *testing.T) {
	notUnderRace(t)
	for name, begin := range exampletest.Pictures() {
		file := filepath.Join(t.TempDir(), name)
		stdout, _ := program(t, 0, "-epochs", "1", "-patience", "-1", "-plot", file)
		if !strings.Contains(stdout, "Drawn into "+file+"\n") || strings.Contains(stdout, "Training and validation loss") {
			t.Errorf("-plot %s: %s", name, stdout)
		}
		picture, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.HasPrefix(picture, []byte(begin)) || len(picture) < 10_000 {
			t.Errorf("%s has %d bytes, which begin %.20q", name, len(picture), picture)
		}
	}
	stdout, _ := program(t, 0, "-epochs", "2", "-patience", "-1", "-quiet", "-plot", "-")
	for _, want := range exampletest.Drawn() {
		if !strings.Contains(stdout, want) {
			t.Errorf("-quiet -plot - prints no %q:\n%s", want, stdout)
		}
	}
}

// A seed gives the same weights with any number of threads. The sums are recorded, so that all paths of the kernels and
// all machines are held to them.
func TestSameWeights(t *testing.T) {
	notUnderRace(t)
	for _, c := range []struct{ args, want string }{
		{"-epochs 2 -patience -1", "7c7fa5567ee753fa06893a7bd2ed4c432fd1ad45e8007ba9c7d5679e22de3b1f"},
		{"-epochs 2 -patience -1 -trainable=false -combiner mean -units 19 -batch 300", "1d1f1f9d7c6373ef9a17b48184f1da99adb2aae65a8a9e3540352b1d8d82e4b6"},
	} {
		args := append(strings.Fields(c.args), "-data", "builtin", "-module", "builtin")
		for _, threads := range []string{"1", "2"} {
			if got := reported(t, append(args, "-threads", threads)...).FullWeightsSHA256; got != c.want {
				t.Errorf("%s -threads %s: %s, want %s", c.args, threads, got, c.want)
			}
		}
		if other := reported(t, append(args, "-seed", "2")...).FullWeightsSHA256; other == c.want {
			t.Errorf("%s: seeds 1 and 2 give the same weights", c.args)
		}
	}
}

// Ctrl-C ends the training; what was reached is reported. A training of which no epoch was completed reached nothing.
func TestInterrupt(t *testing.T) {
	for _, c := range []struct {
		at            []string
		args          string
		full, stopped int // completed epochs
		wants         []string
		message       string
	}{
		{[]string{"Train the model"}, "-try good", 0, 0, []string{"0 epochs in "}, "interrupted after 0 of 40 epochs"},
		{[]string{"Epoch 2/40"}, "-try good", 2, 0, []string{"2 epochs in ", "(2 epochs, interrupted)\n", "Drawn into ", "Your text: "},
			"interrupted after 2 of 40 epochs"},
		{[]string{"Stop in time"}, "-epochs 2", 2, 0, []string{"(2 epochs)\n"}, "interrupted after 0 of 2 epochs of the second training"},
		{[]string{"Stop in time", "Epoch 1/2"}, "-epochs 2", 2, 1, []string{"(2 epochs)\n", "(1 epoch, interrupted)\n"},
			"interrupted after 1 of 2 epochs of the second training"},
	} {
		if exampletest.Race && c.stopped == 0 {
			continue // the longest is enough
		}
		ctx, cancel := context.WithCancel(t.Context())
		dir := t.TempDir()
		file := filepath.Join(dir, "report.json")
		stop := &exampletest.StopAt{Texts: slices.Clone(c.at), Stop: cancel}
		var stdout, stderr bytes.Buffer
		code := run(ctx, append(strings.Fields(c.args), "-report", file, "-plot", filepath.Join(dir, "p.svg")),
			io.MultiWriter(&stdout, stop), io.MultiWriter(&stderr, stop))
		cancel()
		if code != 130 || !strings.HasSuffix(stderr.String(), "imdb_hub: "+c.message+"\n") {
			t.Errorf("at %q: exit code %d\n%s", c.at, code, stderr.String())
		}
		r := readReport(t, file)
		if !r.Interrupted || len(r.Full.EpochS) != c.full || (r.FullTestAccuracy != nil) != (c.full > 0) || (r.Stopped != nil) != (c.stopped > 0) {
			t.Errorf("at %q: %+v", c.at, r)
		}
		if r.Stopped != nil && (len(r.EpochS) != c.stopped || r.TestAccuracy == nil) {
			t.Errorf("at %q: %+v", c.at, r.Stopped)
		}
		for _, want := range c.wants {
			if !strings.Contains(stdout.String(), want) {
				t.Errorf("at %q: the output lacks %q:\n%s", c.at, want, stdout.String())
			}
		}
		if n := strings.Count(stdout.String(), "Test loss"); n != min(c.full, 1)+min(c.stopped, 1) {
			t.Errorf("at %q: %d tests:\n%s", c.at, n, stdout.String())
		}
	}
	// Before the training nothing is reached.
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var stderr bytes.Buffer
	code := run(ctx, nil, &exampletest.StopAt{Texts: []string{"Explore the data"}, Stop: cancel}, &stderr)
	if want := "imdb_hub: interrupted before the training\n"; code != 130 || stderr.String() != want {
		t.Errorf("exit code %d\n%s", code, stderr.String())
	}
}

// The second training stops in time and keeps the best weights.
func TestPatience(t *testing.T) {
	notUnderRace(t)
	r := reported(t, "-patience", "1", "-lr", "0.01", "-epochs", "5")
	val, full := historyOf(t, r.History)["val_loss"], historyOf(t, r.FullHistory)["val_loss"]
	n := len(val)
	if n < 2 || n == 5 || len(full) != 5 || val[n-1] < val[n-2] || !slices.Equal(val, full[:n]) {
		t.Fatalf("stopped after val_loss %v of %v", val, full)
	}
	// The weights are those of the best epoch, the last but one.
	if best := reported(t, "-patience", "-1", "-lr", "0.01", "-epochs", strconv.Itoa(n-1)); best.FullWeightsSHA256 != r.WeightsSHA256 ||
		*best.FullTestLoss != *r.TestLoss {
		t.Errorf("the weights are not those after epoch %d", n-1)
	}
}

// A module may be a folder, a file of vectors, or lie in the cache, where it goes by its name and is found without one.
func TestModules(t *testing.T) {
	cache := t.TempDir()
	if err := os.CopyFS(filepath.Join(cache, "tfhub", "google", "nnlm-en-dim50", "2"), os.DirFS(moviesModule)); err != nil {
		t.Fatal(err)
	}
	part := t.TempDir() // a download that was cut off
	place := filepath.Join(part, "tfhub", "google", "nnlm-en-dim50", "2")
	if err := os.CopyFS(place, os.DirFS(moviesModule)); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(place, "variables", "variables.index")); err != nil {
		t.Fatal(err)
	}
	vectors := write(t, "words.txt", "good 1 2\nbad -1 -2\ngreat 3 1\n")
	for _, c := range []struct {
		cache, args string
		module      string
		scale       float64
	}{
		{"", "-module " + moviesModule, "movie", 1},
		{"", "-module " + vectors, "words", trainedScale},
		{"", "-module " + vectors + " -trainable=false", "words", 1},
		{"", "-module " + vectors + " -scale 0.5", "words", 0.5},
		{cache, "-module nnlm-en-dim50", "nnlm-en-dim50", 1},
		{cache, "-module https://tfhub.dev/google/nnlm-en-dim50/2", "nnlm-en-dim50", 1},
		{cache, "", "nnlm-en-dim50", 1},
		{part, "", "glove-imdb-50", 1},
		{cache, "-module builtin", "glove-imdb-50", 1},
	} {
		if c.cache != "" {
			t.Setenv("LINNET_DATA", c.cache)
		}
		o, err := parseOptions(strings.Fields(c.args), io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		m, err := openModule(t.Context(), o, nil)
		if err != nil {
			t.Fatal(err)
		}
		if m.Name() != c.module || o.scale != c.scale {
			t.Errorf("%s: %s times %v", c.args, m.Name(), o.scale)
		}
		table := make([]float32, m.Rows()*m.Dim())
		if err := m.ReadTable(context.Background(), table); err != nil {
			t.Fatal(err)
		}
		if c.module == "words" && table[0] != float32(c.scale) { // a 1 in the file
			t.Errorf("%s: the first number is %v", c.args, table[0])
		}
	}
	stdout, _ := program(t, 0, "-module", vectors, "-epochs", "1", "-patience", "-1", "-combiner", "sum", "-try", "Good!  Bad, zyzzyva -")
	for _, want := range []string{
		"\nFrom: words (", "\n3 words, and 1 row for all others, of 2 numbers each.\n", "All numbers are multiplied by 0.1 (-scale).\n", "shape (3, 2):\n",
		"(2 of its 3 words known)\n",
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("the output lacks %q:\n%s", want, stdout)
		}
	}
}

// The error for a module that is not there, or there in part, says by which -module it is downloaded.
func TestModuleHints(t *testing.T) {
	t.Setenv("LINNET_DATA", t.TempDir())
	half := filepath.Join(os.Getenv("LINNET_DATA"), "tfhub", "google", "nnlm-en-dim128", "2")
	if err := errors.Join(os.MkdirAll(half, 0o777), os.WriteFile(filepath.Join(half, "saved_model.pb"), []byte("x"), 0o666)); err != nil {
		t.Fatal(err)
	}
	for module, want := range map[string]string{
		"nnlm-en-dim50":                      "; -module https://tfhub.dev/google/nnlm-en-dim50/2 downloads it",
		"nnlm-en-dim128":                     "; -module https://tfhub.dev/google/nnlm-en-dim128/2 downloads it",
		"google/nnlm-en-dim50/2":             "; -module https://tfhub.dev/google/nnlm-en-dim50/2 downloads it",
		"me/texts/words/3":                   "; -module https://tfhub.dev/me/texts/words/3 downloads it",
		"google/nnlm/tensorFlow2/en-dim50/1": "; -module https://tfhub.dev/google/nnlm-en-dim50/2 downloads it",
		"me/words/tensorFlow2/small/3":       `; kagglehub.model_download("me/words/tensorFlow2/small/3") in Python downloads it`,
	} {
		err := findNamed(module)
		if err == nil || !strings.HasSuffix(err.Error(), want) || strings.Count(err.Error(), "downloads it") != 1 {
			t.Errorf("%s: error %v\nwant %s", module, err, want)
		}
	}
	for _, url := range []string{"https://tfhub.dev/google/nnlm-en-dim50/2", "https://tfhub.dev/google/nnlm-en-dim128/2"} {
		if err := findNamed(url); err != nil { // it is downloaded later
			t.Errorf("%s: error %v", url, err)
		}
	}
}

// served runs the program with a server in place of the official ones.
func served(t *testing.T, mirror string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	o, err := parseOptions(args, &out)
	if err == nil {
		o.mirror = mirror
		err = newTutorial(o, &out, &errs).run(t.Context())
	}
	return example.Exit("imdb_hub", err, &errs), out.String(), errs.String()
}

// archive packs a folder as TensorFlow Hub does.
func archive(t *testing.T, folder string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	if err := w.AddFS(os.DirFS(folder)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// A module that goes by its URL is downloaded once. What cannot be downloaded ends the program, which says how to do
// without.
func TestDownload(t *testing.T) {
	notUnderRace(t)
	cache := t.TempDir()
	t.Setenv("LINNET_DATA", cache)
	packed := archive(t, moviesModule)
	mirror := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/google/nnlm-en-dim50/2.tar.gz" {
			http.NotFound(w, r)
			return
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(packed))
	}))
	defer mirror.Close()
	for _, c := range []struct{ args, want string }{
		{"-module https://tfhub.dev/google/none/1", "-module: fetch: download: " + mirror.URL + "/google/none/1.tar.gz: the server answers 404 Not Found; -module builtin needs no network"},
		{"-data download", "-data download: fetch: download: " + mirror.URL + "/aclImdb_v1.tar.gz: the server answers 404 Not Found; -data builtin needs no network"},
	} {
		code, stdout, stderr := served(t, mirror.URL, append(strings.Fields(c.args), "-quiet")...)
		if code != 1 || stdout != "" || stderr != "imdb_hub: "+c.want+"\n" {
			t.Errorf("%s: exit code %d\n%swant %s", c.args, code, stderr, c.want)
		}
	}
	// Another program's download that was cut off is no module.
	half := filepath.Join(t.TempDir(), "74a841d6eb84e8d93d913d716fb5440d020cc291")
	if err := errors.Join(os.MkdirAll(half, 0o777), os.WriteFile(filepath.Join(half, "saved_model.pb"), []byte("x"), 0o666)); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TFHUB_CACHE_DIR", filepath.Dir(half))
	args := []string{"-module", "https://tfhub.dev/google/nnlm-en-dim50/2", "-epochs", "1", "-patience", "-1"}
	code, stdout, stderr := served(t, mirror.URL, args...)
	if code != 0 || !strings.HasPrefix(stderr, "nnlm-en-dim50: downloading ") || !strings.Contains(stdout, "\nFrom: nnlm-en-dim50 (") {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
	}
	mirror.Close()
	if code, _, stderr := served(t, mirror.URL, append(args, "-quiet")...); code != 0 || stderr != "" {
		t.Errorf("exit code %d\n%s", code, stderr)
	}
}

// What the tutorial shows of the reviews themselves.
func TestTexts(t *testing.T) {
	notUnderRace(t)
	dir := shared.Path(t, "data/imdb")
	stdout, _ := program(t, 0, "-data", dir, "-epochs", "1", "-patience", "-1", "-plot", "-")
	for _, want := range []string{
		"\nFrom: " + dir, "\nTraining entries: 25000, test entries: 25000\n", "\n10. ", "\n[1 0 0 1 0 0 1 0 1 0]\n",
		"\nThe first 10000 validate, 15000 remain to train on.\n",
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("the output lacks %q", want)
		}
	}
	if strings.Contains(stdout, getTexts[:70]) || strings.Contains(stdout, "×") {
		t.Error("the real texts are taken for the built-in ones")
	}
}

// The built-in module, trained with the rest and stopped in time, is what the tutorial promises, and a real table of
// vectors is no worse.
func TestAccuracy(t *testing.T) {
	if testing.Short() || exampletest.Race || simd.Path() == "portable" {
		t.Skip("it takes long, and the weights have the same bits as with fast kernels")
	}
	for _, c := range []struct {
		name, data, module string
	}{
		{"builtin", builtinName, builtinName},
		{"texts and GloVe", "data/imdb", "data/embeddings/glove.6B.100d.imdb-vocab.txt.gz"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.module != builtinName && os.Getenv("LINNET_REQUIRE_DATA") != "1" {
				t.Skip("it takes long: only where everything is tested")
			}
			for _, where := range []*string{&c.data, &c.module} {
				if strings.Contains(*where, "/") {
					*where = shared.Path(t, *where)
				}
			}
			r := reported(t, "-data", c.data, "-module", c.module, "-epochs", "10")
			if !(*r.TestAccuracy >= 0.87 && *r.FullTestAccuracy < *r.TestAccuracy) {
				t.Errorf("test accuracy %.4f stopped early, %.4f after all epochs", *r.TestAccuracy, *r.FullTestAccuracy)
			}
			t.Logf("test accuracy %.4f stopped early, %.4f after all epochs", *r.TestAccuracy, *r.FullTestAccuracy)
		})
	}
}

// README.md shows a run with the default settings; all but its times holds on every machine.
func TestReadme(t *testing.T) {
	// With portable kernels it takes long: only where everything is tested.
	if testing.Short() || exampletest.Race || simd.Path() == "portable" && os.Getenv("LINNET_REQUIRE_DATA") != "1" {
		t.Skip("it takes long")
	}
	stdout, stderr := program(t, 0, "-plot", filepath.Join(t.TempDir(), "p.svg"))
	exampletest.Readme(t, "imdb_hub output", stdout+stderr)
}

// The flags that both tutorials have mean the same.
func TestSharedFlags(t *testing.T) { underTest.SharedFlags(t) }

func TestOutputs(t *testing.T) {
	notUnderRace(t)
	underTest.Outputs(t, []string{"report", "plot"}, "-epochs", "1", "-patience", "-1", "-module", write(t, "words.txt", "good 1 2\nbad -1 -2\n"))
}
