package main

import (
	"context"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

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

// The machine's speed drifts between rounds: a ratio must be taken inside each.
func TestRatiosAreTakenByRound(t *testing.T) {
	o := outcome{runs: map[string][]measurement{
		"linnet": runs("fit_s", 1, 2, 4),
		"keras":  runs("fit_s", 3, 12, 20),
	}}
	if got, want := o.ratios("keras", "linnet", "fit_s"), []float64{3, 6, 5}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := o.ratios("keras", "linnet", "load_pad_s"); got != nil {
		t.Errorf("a figure that nobody has gives %v", got)
	}
	if got := o.ratios("plain", "linnet", "fit_s"); got != nil {
		t.Errorf("a peer that did not run gives %v", got)
	}
}

func TestParseLinnet(t *testing.T) {
	m, err := parseLinnet([]byte(`{"cpu":"c","path":"avx2","threads":1,"data":"d","load_s":0.25,"pad_s":0.5,"fit_s":2,
		"epoch_s":[9,0.05,0.07,0.06],"evaluate_s":0.03,"history":{"loss":[1]},"test_loss":0.3,"test_accuracy":0.87}`))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]float64{"load_pad_s": 0.75, "fit_s": 2, "epoch_median_s": 0.06, "test_accuracy": 0.87}
	if d := cmp.Diff(want, m.figures); d != "" {
		t.Error(d)
	}
	if _, err := parseLinnet([]byte(`{"load_s":1}`)); err == nil || !strings.Contains(err.Error(), "lacks a field") {
		t.Errorf("got %v", err)
	}
}

func TestParseFit(t *testing.T) {
	m, err := parseFit([]byte("a warning\n" + `{"peer": "keras", "keras": "3.15.1", "tf": "2.20.0", "load_s": 3.5, "pad_s": 0.5, ` +
		`"fit_s": 20, "epoch_median_s": 0.5, "evaluate_s": 0.6, "test_acc": 0.87, "jit": false}` + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := measurement{
		map[string]float64{"load_pad_s": 4, "fit_s": 20, "epoch_median_s": 0.5, "test_accuracy": 0.87},
		map[string]string{"Keras": "3.15.1", "TensorFlow": "2.20.0"},
	}
	if d := cmp.Diff(want, m, cmp.AllowUnexported(measurement{})); d != "" {
		t.Error(d)
	}
	for _, bad := range []string{"", "Killed", `{"epoch_median_s": null, "load_s": 1, "fit_s": 1, "test_acc": 1}`} {
		if _, err := parseFit([]byte(bad)); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}

// torch.compile compiles in its first epochs; what is left is what the others are compared with.
func TestCompilingIsApart(t *testing.T) {
	b := &bench{settings: settings{epochs: 40}}
	m, err := b.compiled(func(context.Context, int) (measurement, error) {
		return measurement{figures: map[string]float64{"fit_s": 30, "epoch_median_s": 0.25}}, nil
	})(t.Context(), 1)
	if err != nil || m.figures["fit_s"] != 10 || m.figures["compile_s"] != 20 {
		t.Errorf("got %v, %v", m.figures, err)
	}
}

func TestRender(t *testing.T) {
	fit := func(fit, accuracy float64, facts map[string]string) measurement {
		return measurement{map[string]float64{"fit_s": fit, "test_accuracy": accuracy}, facts}
	}
	figures := []figure{{"fit_s", "fit, s", 3, true}, {"compile_s", "compiling, s", 1, false}, {"test_accuracy", "test accuracy", 4, false}}
	got := render(report{
		command: "go run ./bench/peers -rounds=2", date: "2026-01-02", cpu: "A CPU", platform: "linux/amd64", goVersion: "go1.26.0",
		path: "avx2", load: "0.01", cores: 2, rounds: 2, epochs: 40, part: mainPart,
		sections: []section{{key: "fit", title: "Fit", figures: figures,
			peers: []peer{{key: "linnet", title: "linnet"}, {key: "keras", title: "Keras"}, {key: "torch-bag", title: "PyTorch"}}}},
		results: []outcome{{runs: map[string][]measurement{
			"linnet": {fit(0.25, 0.87, nil), fit(0.5, 0.8710, nil)},
			"keras":  {fit(20, 0.88, map[string]string{"Keras": "3.15.1"}), fit(30, 0.875, nil)},
		}, missing: map[string]string{"torch-bag": "not installed: torch==1"}}},
		products: &products{missing: "cc is gone"},
		curves: []curvePoint{
			{"batch", 32, 10, 7, 1.5, 1e6, 50, 8}, {"batch", 64, 20, 7, 1.5, 2e6, 75, 9},
			{"threads", 1, 20, 7, 1.5, 2e6, 80, 9}, {"threads", 2, 20, 7, 1.5, 2e6, 40, 9},
		},
	})
	want := `<!-- begin: go run ./bench/peers -->
## linnet beside its peers

` + "`go run ./bench/peers -rounds=2`" + `, 2026-01-02. 2 rounds of each program in turn, each begun by another; one thread unless said. Each round has its own seed.
Medians over the rounds, least and greatest in brackets; a ratio is taken in each round, then its median.

- CPU: A CPU, 2 cores, linux/amd64; load average 0.01 at the start
- Go 1.26.0
- linnet's kernels: avx2
- Keras 3.15.1

### What is asked of linnet

| | asked for | reached | met |
| --- | --- | --- | --- |
| fit, beside Keras | at least 60 times as fast | 70.00 (60.00–80.00) | yes |
| fit, beside PyTorch's mean | at least 18 times as fast | not measured | – |
| fit, beside PyTorch's bag | at least 18 times as fast | not measured | – |
| fit, beside torch.compile without its compiling | at least 14 times as fast | not measured | – |
| fit, beside plain Go loops | at least 9 times as fast | not measured | – |
| fit | at most 0.3 s | 0.375 (0.250–0.500) s | no: 1.25 times the limit |
| fit, 2 threads beside 1 | at least 1.5 times as fast | not measured | – |
| the same, every core taken by others | at least 0.909 times as fast | not measured | – |
| matrix products, the slowest beside the faster of OpenBLAS and oneDNN | at least 0.97 | not measured | – |
| matrix products, geometric mean | at least 1.00 | not measured | – |

### Fit

| | fit, s | by linnet's | test accuracy |
| --- | ---: | ---: | ---: |
| linnet | 0.375 (0.250–0.500) |  | 0.8705 (0.8700–0.8710) |
| Keras | 25.000 (20.000–30.000) | 70.00 | 0.8775 (0.8750–0.8800) |
| PyTorch | – |  | – |

PyTorch is missing: not installed: torch==1.

### Matrix products

They are missing: cc is gone.

### Cost against size

` + curvesNote + `

| batch | step, µs | ids in bags | rows moved | their MiB | work, 10⁶ | ns a unit | predict a row, ns |
| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
| 32 | 50.0 | 10 | 7 | 1.5 | 1.00 | 0.0500 | 8 |
| 64 | 75.0 | 20 | 7 | 1.5 | 2.00 | 0.0375 | 9 |

From end to end the work grows 2.00 times, the time of a step 1.50 times: no faster than the work.

| threads | step, µs | ids in bags | rows moved | their MiB | work, 10⁶ | ns a unit | predict a row, ns |
| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
| 1 | 80.0 | 20 | 7 | 1.5 | 2.00 | 0.0400 | 9 |
| 2 | 40.0 | 20 | 7 | 1.5 | 2.00 | 0.0200 | 9 |

From end to end a step is 2.00 times as fast.
<!-- end: go run ./bench/peers -->
`
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// A limit that is missed says by how much; one of nothing is kept by nothing only.
func TestJudge(t *testing.T) {
	both := runs("x", 6, 6)
	for _, m := range both {
		m.figures["y"] = 24
	}
	o := outcome{runs: map[string][]measurement{"a": runs("x", 4, 4), "b": both, "zero": runs("x", 0)}}
	for _, c := range []struct {
		target
		want string
	}{
		{target{peer: "a", figure: "x", most: 4}, "yes"},
		{target{peer: "a", figure: "x", most: 2}, "no: 2.00 times the limit"},
		{target{peer: "a", figure: "x", rival: "b", least: 1.5}, "yes"},
		{target{peer: "a", figure: "x", rival: "b", least: 3}, "no: 2.00 times the limit"},
		{target{peer: "a", figure: "x", rival: "b", rivalFigure: "y", least: 6}, "yes"},
		{target{peer: "a", figure: "x"}, "no"},
		{target{peer: "zero", figure: "x"}, "yes"},
		{target{peer: "c", figure: "x", most: 1}, "–"},
		{target{peer: "a", figure: "x", rival: "c", least: 1}, "–"},
	} {
		if _, _, met := c.judge(o); met != c.want {
			t.Errorf("%+v: %q, want %q", c.target, met, c.want)
		}
	}
}

// A target of a figure or peer that is not there would never be judged.
func TestTargetsAreMeasured(t *testing.T) {
	for _, c := range targets {
		found := false
		for _, s := range (&bench{settings: settings{soak: time.Minute}}).sections() {
			has := func(key string) bool { return slices.ContainsFunc(s.peers, func(p peer) bool { return p.key == key }) }
			measures := func(key string) bool {
				return slices.ContainsFunc(s.figures, func(f figure) bool { return f.key == key })
			}
			rival := c.rival == "" || has(c.rival) && (c.rivalFigure == "" || measures(c.rivalFigure))
			found = found || s.key == c.section && has(c.peer) && measures(c.figure) && rival
		}
		if !found {
			t.Errorf("%s: no such section, figure or peers", c.what)
		}
	}
}

func TestParseProducts(t *testing.T) {
	p, err := parseProducts([]byte(`{"openblas":"OpenBLAS 0.3.31","onednn":"oneDNN 2.6","rounds":9,"geometric_mean":1.02,"rows":[` +
		`{"form":"NN","m":16,"k":16,"n":16,"linnet_ns":70,"openblas_ns":75,"onednn_ns":900,"ratio":1.07},` +
		`{"form":"TN","m":16,"k":512,"n":8,"linnet_ns":700,"openblas_ns":690,"onednn_ns":900,"ratio":0.98}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if name, ratio := p.worst(); name != "TN 16 × 512 × 8" || ratio != 0.98 {
		t.Errorf("the slowest is %s, %v", name, ratio)
	}
	want := "GFLOP/s of processor time on one thread, medians of 9 rounds in turn.\n\n" +
		"| m × k × n | linnet | OpenBLAS | oneDNN | linnet by the faster |\n| --- | ---: | ---: | ---: | ---: |\n" +
		"| NN 16 × 16 × 16 | 117.0 | 109.2 | 9.1 | 1.070 |\n| TN 16 × 512 × 8 | 187.2 | 190.0 | 145.6 | 0.980 |\n| geometric mean | | | | 1.020 |\n"
	if d := cmp.Diff(want, renderProducts(p)); d != "" {
		t.Error(d)
	}
	for _, bad := range []string{"", "{}", `{"geometric_mean":1,"rows":[{"ratio":1}]}`} {
		if _, err := parseProducts([]byte(bad)); err == nil {
			t.Errorf("%q is accepted", bad)
		}
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
		if err := replacePart(file, mainPart, section("1")); err != nil {
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
	if _, err := mainPart.splice(sectionBegin+"\n", section("1")); err == nil {
		t.Error("a section without an end is accepted")
	}
	// A part leaves the other as it is, whichever comes first.
	other := hubPart.begin + "\n2\n" + hubPart.end + "\n"
	for _, old := range []string{section("0") + "\n" + other, other + "\n" + section("0")} {
		got, err := mainPart.splice(old, section("1"))
		if want := strings.Replace(old, section("0"), section("1"), 1); err != nil || got != want {
			t.Errorf("%q, %v, want %q", got, err, want)
		}
		got, err = hubPart.splice(old, "new\n")
		if want := strings.Replace(old, other, "new\n", 1); err != nil || got != want {
			t.Errorf("%q, %v, want %q", got, err, want)
		}
	}
}

func TestComparePins(t *testing.T) {
	installed := "Keras 3.15.1\ntensorflow_cpu 2.19.0\ntorch " + pinned[2].version + "+cpu\n"
	got := comparePins(installed, pinsOf([]string{"tensorflow-cpu", "keras", "torch"}))
	if d := cmp.Diff([]string{"tensorflow-cpu==2.20.0"}, got); d != "" {
		t.Error(d)
	}
	for installed, want := range map[string][]string{"setuptools 80.9.0\n": nil, "setuptools 81.0.0\n": {"setuptools<81"}, "": {"setuptools<81"}} {
		if d := cmp.Diff(want, comparePins(installed, hubPinned[len(hubPinned)-1:])); d != "" {
			t.Errorf("%q: %s", installed, d)
		}
	}
}

// Thread counts and tuning left over in the shell must not reach the peers.
func TestEnvironment(t *testing.T) {
	got := environment([]string{"HOME=/h", "MKL_DEBUG_CPU_TYPE=5", "OMP_NUM_THREADS=8", "DNNL_VERBOSE=1", "GOGC=off", "XOMP_=1"}, 2)
	want := []string{"HOME=/h", "XOMP_=1", "OMP_NUM_THREADS=2", "MKL_NUM_THREADS=2", "OPENBLAS_NUM_THREADS=2", "GOMAXPROCS=2"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// In each round another peer goes first, and all peers of a round have the same seed. A peer that fails is left out
// with its reason; linnet must not fail.
func TestMeasureTakesTurns(t *testing.T) {
	var order []string
	note := func(key string) peer {
		return peer{key: key, run: func(_ context.Context, seed int) (measurement, error) {
			order = append(order, key+string(rune('0'+seed)))
			if key == "c" && seed == 4 {
				return measurement{}, errors.New("gone\nfor good")
			}
			return measurement{}, nil
		}}
	}
	s := section{key: "fit", peers: []peer{note("a"), note("b"), note("c"), note("d")}}
	o, err := measure(t.Context(), s, map[string]string{"b": "not there"}, 3, 3, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(order, " "); got != "a3 c3 d3 c4 d4 a4 d5 a5" {
		t.Errorf("order %s", got)
	}
	if d := cmp.Diff(map[string]string{"b": "not there", "c": "gone"}, o.missing); d != "" {
		t.Error(d)
	}
	if len(o.runs["a"]) != 3 || o.runs["c"] != nil {
		t.Errorf("a ran %d times, c left %v", len(o.runs["a"]), o.runs["c"])
	}
	broken := peer{key: "linnet-2", run: func(context.Context, int) (measurement, error) { return measurement{}, errors.New("gone") }}
	if _, err := measure(t.Context(), section{key: "fit", peers: []peer{broken}}, nil, 1, 1, io.Discard); err == nil || err.Error() != "fit, linnet-2, round 1: gone" {
		t.Errorf("got %v", err)
	}
}

func TestFlags(t *testing.T) {
	_, set, err := parseFlags([]string{"-rounds", "3", "-venv", "/somewhere", "-hub-venv", "/here", "-jit"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if got := command(set); got != "go run ./bench/peers -jit=true -rounds=3" {
		t.Errorf("command %q", got)
	}
	for _, bad := range [][]string{{"-rounds", "0"}, {"-rounds", "x"}, {"more"}, {"-epochs", "1"}, {"-what"}, {"-only", "keras,pytorch"}} {
		var stderr, stdout strings.Builder
		if code := exitCode(run(t.Context(), bad, &stdout, &stderr), &stderr); code != 2 {
			t.Errorf("%q: exit code %d", bad, code)
		}
		if stdout.Len() > 0 || strings.Count(stderr.String(), "\n") != 1 {
			t.Errorf("%q: %q and %q, want one line", bad, stdout.String(), stderr.String())
		}
	}
	var help strings.Builder
	if code := exitCode(run(t.Context(), []string{"-h"}, &help, io.Discard), io.Discard); code != 0 || !strings.Contains(help.String(), "-quick") {
		t.Errorf("-h: exit code %d, %s", code, help.String())
	}
}

// Only a whole run may replace the recorded results.
func TestWholeRuns(t *testing.T) {
	for _, c := range []struct {
		args  string
		whole bool
	}{{"", true}, {"-jit -compile -rounds 9", true}, {"-quick", false}, {"-only fit", false}, {"-epochs 3", false}, {"-rounds 4", false}, {"-linnet x", false}} {
		s, _, err := parseFlags(strings.Fields(c.args), io.Discard)
		if err != nil || s.whole() != c.whole || s.wholeHub() != c.whole || s.wholeLoad() != c.whole {
			t.Errorf("%q: whole %v, of hub %v, of load %v, %v", c.args, s.whole(), s.wholeHub(), s.wholeLoad(), err)
		}
	}
	for args, whole := range map[string]bool{"-only hub": true, "-only hub -rounds 3": true, "-only hub -rounds 2": false, "-only hub -quick": false, "-only hub,fit": false} {
		s, _, err := parseFlags(strings.Fields(args), io.Discard)
		if err != nil || s.whole() || s.wholeHub() != whole {
			t.Errorf("%q: whole %v, of hub %v, %v", args, s.whole(), s.wholeHub(), err)
		}
	}
	for args, whole := range map[string]bool{"-only load": true, "-only load -rounds 9": true, "-only load -rounds 4": false, "-only load -quick": false, "-only load,fit": false} {
		s, _, err := parseFlags(strings.Fields(args), io.Discard)
		if err != nil || s.whole() || s.wholeHub() || s.wholeLoad() != whole {
			t.Errorf("%q: whole %v, of hub %v, of load %v, %v", args, s.whole(), s.wholeHub(), s.wholeLoad(), err)
		}
	}
}

func TestChoose(t *testing.T) {
	const load = "load-tutorial:linnet,linnet-memory,torch-load,torch-mmap,safetensors,keras " +
		"load-table:linnet,linnet-memory,torch-load,torch-mmap,safetensors,keras load-texts:linnet,linnet-memory,fasttext " +
		"load-open:linnet,linnet-memory load-save:linnet,torch-load,safetensors"
	for _, c := range []struct {
		settings
		want string
	}{
		{settings{}, "fit:linnet,linnet-2,linnet-busy,linnet-2-busy,plain,keras,torch-mean,torch-bag inference:linnet,onnxruntime,torch-bag,keras table:linnet,linnet-2,keras hub:linnet,linnet-2,keras,keras-2 " +
			load + " products curves"},
		{settings{only: "hub"}, "hub:linnet,linnet-2,keras,keras-2"},
		{settings{only: "load"}, load},
		{settings{only: "inference,curves"}, "inference:linnet,onnxruntime,torch-bag,keras curves"},
		{settings{only: "linnet,keras"}, "fit:linnet,keras inference:linnet,keras table:linnet,keras hub:linnet,keras " +
			"load-tutorial:linnet,keras load-table:linnet,keras load-texts:linnet load-open:linnet load-save:linnet"},
		{settings{only: "fit,plain,keras-jit"}, "fit:plain,keras-jit"},
		{settings{only: "fit", jit: true, compile: true}, "fit:linnet,linnet-2,linnet-busy,linnet-2-busy,plain,keras,keras-jit,torch-mean,torch-bag,torch-compile"},
	} {
		b := bench{settings: c.settings}
		sections, products, curves, err := b.choose()
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range sections {
			var keys []string
			for _, p := range s.peers {
				keys = append(keys, p.key)
			}
			got = append(got, s.key+":"+strings.Join(keys, ","))
		}
		if products {
			got = append(got, "products")
		}
		if curves {
			got = append(got, "curves")
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("-only %q: %s\nwant %s", c.only, strings.Join(got, " "), c.want)
		}
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
