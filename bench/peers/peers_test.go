package main

import (
	"context"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		list []float64
		want float64
	}{{[]float64{3, 1, 2}, 2}, {[]float64{4, 1, 2, 9}, 3}, {[]float64{7}, 7}} {
		if got := median(c.list); got != c.want {
			t.Errorf("median(%v) = %v, want %v", c.list, got, c.want)
		}
	}
	if !math.IsNaN(median(nil)) {
		t.Error("the median of nothing is a number")
	}
}

func runs(figure string, list ...float64) []measurement {
	var out []measurement
	for _, v := range list {
		out = append(out, measurement{figures: map[string]float64{figure: v}})
	}
	return out
}

// The machine's speed drifts between rounds: the ratio must be taken inside each, against the round's own best.
func TestRatioIsTakenByRound(t *testing.T) {
	results := map[string][]measurement{
		"linnet":     runs("fit_s", 1, 2, 4),
		"torch-mean": runs("fit_s", 3, 12, 20),
		"torch-bag":  runs("fit_s", 6, 4, 40),
	}
	torch := rival{"", []string{"torch-compile", "torch-bag", "torch-mean"}}
	if got := ratio(results, torch, "fit_s"); got != 3 { // of 3, 2 and 5
		t.Errorf("got %v, want 3", got)
	}
	if got := ratio(results, torch, "load_pad_s"); !math.IsNaN(got) {
		t.Errorf("a figure that nobody has gives %v", got)
	}
	if got := ratio(results, rival{"", []string{"keras"}}, "fit_s"); !math.IsNaN(got) {
		t.Errorf("a peer that did not run gives %v", got)
	}
}

func TestParseLinnet(t *testing.T) {
	m, err := parseLinnet([]byte(`{"cpu":"c","path":"avx2","threads":1,"data":"d","load_s":0.25,"pad_s":0.5,"fit_s":2,
		"epoch_s":[9,0.05,0.07,0.06],"evaluate_s":0.03,"history":{"loss":[1]},"test_loss":0.3,"test_accuracy":0.87}`))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]float64{"load_pad_s": 0.75, "fit_s": 2, "epoch_median_s": 0.06, "evaluate_s": 0.03, "test_accuracy": 0.87}
	if d := cmp.Diff(want, m.figures); d != "" {
		t.Error(d)
	}
	if _, err := parseLinnet([]byte(`{"load_s":1}`)); err == nil || !strings.Contains(err.Error(), "lacks a field") {
		t.Errorf("got %v", err)
	}
}

func TestParsePython(t *testing.T) {
	m, err := parsePython([]byte("a warning\n" + `{"peer": "keras", "keras": "3.15.1", "tf": "2.20.0", "load_s": 3.5, "pad_s": 0.5, ` +
		`"fit_s": 20, "epoch_median_s": 0.5, "evaluate_s": 0.6, "test_acc": 0.87}` + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := measurement{
		map[string]float64{"load_pad_s": 4, "fit_s": 20, "epoch_median_s": 0.5, "evaluate_s": 0.6, "test_accuracy": 0.87},
		map[string]string{"Keras": "3.15.1", "TensorFlow": "2.20.0"},
	}
	if d := cmp.Diff(want, m, cmp.AllowUnexported(measurement{})); d != "" {
		t.Error(d)
	}
	for _, bad := range []string{"", "Killed", `{"epoch_median_s": null, "load_s": 1, "fit_s": 1, "evaluate_s": 1, "test_acc": 1}`} {
		if _, err := parsePython([]byte(bad)); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}

func TestRender(t *testing.T) {
	full := func(fit, accuracy float64, facts map[string]string) measurement {
		return measurement{map[string]float64{"fit_s": fit, "test_accuracy": accuracy}, facts}
	}
	got := render(report{
		command: "go run ./bench/peers -rounds=2", date: "2026-01-02", cpu: "A CPU", platform: "linux/amd64", goVersion: "go1.26.0",
		cores: 2, rounds: 2, epochs: 40, threads: 1,
		peers: []peer{{key: "linnet", title: "linnet"}, {key: "keras", title: "Keras"}},
		results: map[string][]measurement{
			"linnet": {full(2, 0.87, map[string]string{"linnet's kernels": "avx2"}), full(2.5, 0.8710, nil)},
			"keras":  {full(20, 0.88, map[string]string{"Keras": "3.15.1"}), full(30, 0.875, nil)},
		},
	})
	want := `<!-- begin: go run ./bench/peers -->
## linnet beside its peers

` + "`go run ./bench/peers -rounds=2`" + `, 2026-01-02. 40 epochs of 512, 1 thread, 2 rounds of each program in turn; each round has its own seed.
Medians over the rounds, least and greatest in brackets; a ratio is taken in each round, then its median.

- CPU: A CPU, 2 cores, linux/amd64
- Go 1.26.0
- Keras 3.15.1
- linnet's kernels avx2

| | linnet | Keras | Keras / linnet |
| --- | ---: | ---: | ---: |
| fit with validation, s | 2.250 (2.000–2.500) | 25.000 (20.000–30.000) | 11.0 |
| an epoch (median), s | – | – |  |
| evaluate 25,000 reviews, s | – | – |  |
| read and pad the data, s | – | – |  |
| whole process, s | – | – |  |
| test accuracy | 0.8705 (0.8700–0.8710) | 0.8775 (0.8750–0.8800) |  |
<!-- end: go run ./bench/peers -->
`
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// What else stands in RESULTS.md must survive a new measurement.
func TestReplaceSection(t *testing.T) {
	file := filepath.Join(t.TempDir(), "RESULTS.md")
	section := func(s string) string { return sectionBegin + "\n" + s + "\n" + sectionEnd + "\n" }
	for _, step := range []struct{ before, want string }{
		{"", "# Results\n\n" + section("1")},
		{"# Mine\n\n" + section("0") + "\n## Other\n", "# Mine\n\n" + section("1") + "\n## Other\n"},
		{"# Mine\n", "# Mine\n\n" + section("1")},
	} {
		if err := os.WriteFile(file, []byte(step.before), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := replaceSection(file, section("1")); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(step.want, string(got)); d != "" {
			t.Error(d)
		}
	}
	if _, err := spliceSection(sectionBegin+"\n", section("1")); err == nil {
		t.Error("a section without an end is accepted")
	}
}

func TestComparePins(t *testing.T) {
	installed := "Keras 3.15.1\ntensorflow_cpu 2.19.0\ntorch " + pinned[2].version + "+cpu\n"
	got := comparePins(installed, []string{"tensorflow-cpu", "keras", "torch"})
	if d := cmp.Diff([]string{"tensorflow-cpu==2.20.0"}, got); d != "" {
		t.Error(d)
	}
}

// Thread counts and tuning left over in the shell must not reach the peers.
func TestEnvironment(t *testing.T) {
	got := environment([]string{"HOME=/h", "MKL_DEBUG_CPU_TYPE=5", "OMP_NUM_THREADS=8", "DNNL_VERBOSE=1", "XOMP_=1"}, 2)
	want := []string{"HOME=/h", "XOMP_=1", "OMP_NUM_THREADS=2", "MKL_NUM_THREADS=2", "OPENBLAS_NUM_THREADS=2", "GOMAXPROCS=2"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// In each round another peer goes first, and all peers of a round have the same seed.
func TestMeasureTakesTurns(t *testing.T) {
	var order []string
	note := func(key string) peer {
		return peer{key: key, run: func(_ context.Context, seed int) (measurement, error) {
			order = append(order, key+string(rune('0'+seed)))
			return measurement{}, nil
		}}
	}
	if _, err := measure(t.Context(), []peer{note("a"), note("b")}, 2, 3, io.Discard); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(order, " "); got != "a3 b3 b4 a4" {
		t.Errorf("order %s", got)
	}
	broken := peer{key: "c", run: func(context.Context, int) (measurement, error) { return measurement{}, errors.New("gone") }}
	if _, err := measure(t.Context(), []peer{broken}, 1, 1, io.Discard); err == nil || err.Error() != "c, round 1: gone" {
		t.Errorf("got %v", err)
	}
}

func TestFlags(t *testing.T) {
	_, set, err := parseFlags([]string{"-rounds", "3", "-venv", "/somewhere", "-jit"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if got := command(set); got != "go run ./bench/peers -jit=true -rounds=3" {
		t.Errorf("command %q", got)
	}
	for _, bad := range [][]string{{"-rounds", "0"}, {"-rounds", "x"}, {"more"}, {"-epochs", "1"}} {
		if _, _, err := parseFlags(bad, io.Discard); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
	b := bench{settings: settings{only: "keras,pytorch"}}
	if _, err := b.choosePeers(); err == nil || err.Error() != `-only: no peer is called "pytorch"` {
		t.Errorf("got %v", err)
	}
}

func TestCPUModel(t *testing.T) {
	if got := parseCPUModel("processor\t: 0\nmodel name\t: Some CPU @ 2.5GHz\n"); got != "Some CPU @ 2.5GHz" {
		t.Errorf("got %q", got)
	}
}

func TestMissingPython(t *testing.T) {
	t.Setenv("PATH", "")
	b := bench{settings: settings{venv: filepath.Join(t.TempDir(), "venv")}, log: io.Discard}
	if err := b.prepareVenv(t.Context(), []string{"keras"}); err == nil || !strings.Contains(err.Error(), "python3.11 is not installed") {
		t.Errorf("got %v", err)
	}
}
