package imdb

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMalformedWordIndex reads recorded broken files.
func TestMalformedWordIndex(t *testing.T) {
	want := map[string]string{
		"word_index-empty.json":      "byte 0: unexpected end of JSON input",
		"word_index-float.json":      "byte 21: number 2.5 where the rank of a word, a whole number, should be",
		"word_index-negative.json":   `the rank of "and" is -2; ranks count from 1`,
		"word_index-not-utf8.json":   "byte 13: not UTF-8",
		"word_index-same-index.json": `"and" and "the" share the rank 1`,
		"word_index-trailing.json":   "byte 29: invalid character ']' after top-level value",
	}
	files, err := filepath.Glob("testdata/malformed/word_index-*")
	if err != nil || len(files) != len(want) {
		t.Fatalf("%d files, want %d (%v)", len(files), len(want), err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parseWordIndex(data); err == nil || err.Error() != want[filepath.Base(file)] {
			t.Errorf("%s: error %v\nwant  %s", file, err, want[filepath.Base(file)])
		}
	}
	for data, want := range map[string]string{
		"[1, 2]":        "byte 1: array where the rank of a word, a whole number, should be",
		"{}":            "it has no words",
		"null":          "it has no words",
		`{"a": 1e999}`:  "byte 11: number 1e999 where the rank of a word, a whole number, should be",
		`{"a": "1"}`:    "byte 9: string where the rank of a word, a whole number, should be",
		`{"a": 1, "b":`: "byte 13: unexpected end of JSON input",
	} {
		if _, err := parseWordIndex([]byte(data)); err == nil || err.Error() != want {
			t.Errorf("%s: error %v\nwant  %s", data, err, want)
		}
	}
}

// An error says where the index is, without what a terminal obeys.
func TestWordIndexPath(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a\x1b[2J.json")
	if err := os.WriteFile(path, []byte("{}"), 0o666); err != nil {
		t.Skip(err)
	}
	done, cancel := context.WithCancel(t.Context())
	cancel()
	for _, ctx := range []context.Context{t.Context(), done} {
		if _, err := WordIndex(ctx, Options{Path: path}); err == nil || !strings.Contains(err.Error(), `a\x1b[2J.json`) || errors.Is(err, context.Canceled) != (ctx == done) {
			t.Errorf("error %q", err)
		}
	}
}

func TestDecode(t *testing.T) {
	index := map[string]int{"the": 1, "film": 2}
	if got, want := Decode([]int32{1, 4, 5, 2, 3, 0, 99, -1}, index), "<START> the film <UNK> <UNUSED> <PAD> ? ?"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
