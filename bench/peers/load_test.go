package main

import (
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// A peer that predicts something else than linnet has loaded something else: its time says nothing.
func TestLoadRefusesOtherPredictions(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a shell script stands for Python")
	}
	venv := t.TempDir()
	if err := os.MkdirAll(filepath.Dir(pythonIn(venv)), 0o777); err != nil {
		t.Fatal(err)
	}
	script := "#!/bin/sh\n" + `echo '{"first_ms": 2.5, "prediction": 0.25, "safetensors": "0.8.0"}'` + "\n"
	if err := os.WriteFile(pythonIn(venv), []byte(script), 0o777); err != nil {
		t.Fatal(err)
	}
	b := bench{settings: settings{venv: venv}, scratch: t.TempDir(), log: io.Discard, loadPredictions: map[string]float64{"tutorial": 0.2500001, "table": 0.75}}
	m, err := b.loadScript("safetensors", "tutorial")(t.Context(), 1)
	if err != nil || m.figures["first_ms"] != 2.5 || m.facts["safetensors"] != "0.8.0" {
		t.Errorf("%+v, %v", m, err)
	}
	if _, err := b.loadScript("safetensors", "table")(t.Context(), 1); err == nil || !strings.Contains(err.Error(), "it predicts 0.25, linnet 0.75") {
		t.Errorf("got %v", err)
	}
	// fastText's model is another one.
	if _, err := b.loadScript("fasttext", "texts")(t.Context(), 1); err != nil {
		t.Error(err)
	}
}

// Each part of the results has markers of its own, or one measurement would replace another.
func TestLoadPart(t *testing.T) {
	text := render(report{part: loadPart, rounds: 1, sections: (&bench{}).loadSections()[3:4], results: []outcome{{runs: map[string][]measurement{
		"linnet": {{figures: map[string]float64{"open_ms": 2, "first_ms": 4, "heap_mb": 3}}}, "linnet-memory": {{figures: map[string]float64{"first_ms": 16}}},
	}}}})
	for _, want := range []string{
		loadPart.begin + "\n## Saved models", "\n" + loadPart.end + "\n", loadNote,
		"| open a file of 200 MB | at most 5 ms | 2.000 ms | yes |", "| heap that opening it takes | at most 2 MB | 3.000 MB | no: 1.50 times the limit |",
		"| linnet, into memory | 16.00 | 4.00 |",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	for _, other := range []string{mainPart.begin, mainPart.end, hubPart.begin, hubPart.end} {
		if strings.Contains(text, other+"\n") {
			t.Errorf("it has %q, another part's", other)
		}
	}
}
