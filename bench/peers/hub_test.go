package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseHubLinnet(t *testing.T) {
	m, err := parseHubLinnet([]byte(`{"module_s":0.125,"build_s":0.25,"tokenise_s":1.5,"tokenise_test_s":0.5,
		"full":{"fit_s":2,"epoch_s":[9,0.5,0.75],"evaluate_s":0.25},"full_history":{"loss":[1]},"full_test_accuracy":0.75,"interrupted":false}`))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]float64{
		"epoch_s": 0.75, "fit_s": 3, "evaluate_s": 0.75, "evaluate_ids_s": 0.25, "open_s": 0.125, "open_read_s": 0.375, "test_accuracy": 0.75,
	}
	if d := cmp.Diff(want, m.figures); d != "" {
		t.Error(d)
	}
	if _, err := parseHubLinnet([]byte(`{"module_s":1,"full":{"epoch_s":[1,2]}}`)); err == nil || !strings.Contains(err.Error(), "lacks a field") {
		t.Errorf("got %v", err)
	}
}

func TestParseHubKeras(t *testing.T) {
	m, err := parseHubKeras([]byte("a warning\n" + `{"peer": "keras_hub", "tf": "2.19.1", "threads": 1, "params": 48191433, "fit_s": 20.5, ` +
		`"epoch_median_s": 6.5, "evaluate_s": 1.25, "val_acc_best": 0.8, "history": {"loss": [1]}, "test_loss": 0.5, "test_acc": 0.75}` + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := measurement{
		map[string]float64{"epoch_s": 6.5, "fit_s": 20.5, "evaluate_s": 1.25, "test_accuracy": 0.75},
		map[string]string{"TensorFlow": "2.19.1", "Keras (tf-keras)": "2.19.0", "TensorFlow Hub": "0.16.1"},
	}
	if d := cmp.Diff(want, m, cmp.AllowUnexported(measurement{})); d != "" {
		t.Error(d)
	}
	if _, err := parseHubKeras([]byte(`{"fit_s": 1}`)); err == nil || !strings.Contains(err.Error(), "lacks epoch_median_s") {
		t.Errorf("got %v", err)
	}
}

// The two parts of the results do not share their markers, or one measurement would replace the other.
func TestRenderHub(t *testing.T) {
	b := bench{settings: settings{quick: true}}
	s := b.hubSection()
	run := func(epoch, evaluate, ids float64) measurement {
		f := map[string]float64{"epoch_s": epoch, "evaluate_s": evaluate}
		if ids > 0 {
			f["evaluate_ids_s"] = ids
		}
		return measurement{figures: f}
	}
	text := render(report{part: hubPart, rounds: 1, epochs: 2, sections: []section{s}, results: []outcome{{runs: map[string][]measurement{
		"linnet": {run(0.25, 0.5, 0.125)}, "keras": {run(8, 2, 0)},
	}, missing: map[string]string{"keras-2": "gone"}}}})
	for _, want := range []string{
		hubPart.begin + "\n## The second tutorial beside Keras\n", "\n" + hubPart.end + "\n", hubNote,
		"### The second tutorial: 2 epochs with validation",
		"| an epoch with validation, beside Keras | at least 40 times as fast | 32.00 | no: 1.25 times the limit |",
		"| evaluate 25,000 texts whose ids are ready, beside Keras | at least 10 times as fast | 16.00 | yes |",
		"| evaluate 25,000 texts, tokenising in, beside Keras | at least 10 times as fast | 4.00 | no: 2.50 times the limit |",
		"| linnet | 0.250 |  | 0.500 |  | 0.125 |", "| Keras | 8.000 | 32.00 | 2.000 | 4.00 | – |", "Keras, 2 threads is missing: gone.",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if strings.Contains(text, sectionBegin+"\n") || strings.Contains(text, sectionEnd+"\n") {
		t.Error("it has the other part's markers")
	}
}

// A module that was not finished must not be taken for one that is there.
func TestMakeModule(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a shell script stands for Python")
	}
	venv := t.TempDir()
	b := bench{settings: settings{hubVenv: venv, shared: "shared"}, scratch: t.TempDir(), log: io.Discard}
	python := func(script string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(pythonIn(venv)), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(pythonIn(venv), []byte("#!/bin/sh\n"+script), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	python(`mkdir "$2"; echo half >"$2/saved_model.pb"; exit 1`)
	if err := b.makeModule(t.Context(), nil); err == nil {
		t.Fatal("a script that fails is no error")
	}
	if left, _ := filepath.Glob(filepath.Join(venv, "module-*")); left != nil {
		t.Fatalf("it left %q", left)
	}
	python(`mkdir "$2"; echo "$@" >"$2/saved_model.pb"; touch "$TMPDIR/words"`)
	if err := b.makeModule(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	python("exit 1") // it is not made again
	if err := b.makeModule(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	made, err := os.ReadFile(filepath.Join(b.hubModule(), "saved_model.pb"))
	if err != nil || !strings.HasSuffix(string(made), "--dim 50 --rows 963812\n") {
		t.Errorf("made with %q, %v", made, err)
	}
	if _, err := os.Stat(filepath.Join(b.scratch, "words")); err != nil {
		t.Error("the script's temporary files lie elsewhere")
	}
}

// The peak of a process that held much more than this one.
func TestPeakMemory(t *testing.T) {
	if os.Getenv("LINNET_HOLD_MEMORY") != "" {
		held := make([]byte, 128e6)
		for i := range held {
			held[i] = 1
		}
		runtime.KeepAlive(held)
		return
	}
	if runtime.GOOS != "linux" && runtime.GOOS != "darwin" {
		t.Skip("not counted here")
	}
	t.Setenv("LINNET_HOLD_MEMORY", "1")
	b := bench{scratch: t.TempDir()}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	_, whole, err := b.timed(context.Background(), 1, program, "-test.run", "^TestPeakMemory$")
	if err != nil {
		t.Fatal(err)
	}
	if peak := whole["peak_mb"]; peak < 128 || peak > 4000 {
		t.Errorf("a peak of %v MB, want 128 and more, under the race detector much more", peak)
	}
	if whole["process_s"] <= 0 {
		t.Errorf("it took %v s", whole["process_s"])
	}
}
