package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// The files are what the program writes, and small.
func TestFiles(t *testing.T) {
	total := 0
	for name, want := range files() {
		got, err := os.ReadFile(filepath.Join("..", name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s differs: go run ./docs/data/make", name)
		}
		total += len(got)
	}
	if total > 60_000 {
		t.Errorf("%d bytes", total)
	}
}
