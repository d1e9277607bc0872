package main

import (
	"bytes"
	"context"
	"os"
	"testing"

	"github.com/linnet-ml/linnet/internal/shared"
)

// TestReproducible makes the embedded file again, byte for byte.
func TestReproducible(t *testing.T) {
	got, err := build(context.Background(), shared.Path(t, "data/imdb"))
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("../imdb.counts")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the program makes another file (%d bytes) than the embedded one (%d bytes); run it", len(got), len(want))
	}
}
