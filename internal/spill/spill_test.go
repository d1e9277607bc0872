package spill

import (
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// An array has what was written, on the heap or mapped, and no file is left.
func TestArray(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("TMPDIR", folder)
	var want []uint32
	for i := range uint32(3*buffered + 17) {
		want = append(want, i*2654435761)
	}
	for _, bound := range []int{0, 4 * len(want), 4*len(want) - 1, 1, 4 * buffered} {
		for _, step := range []int{1000, buffered - 1, len(want)} {
			s := &Space{Bound: bound}
			w := NewWriter[uint32](s, 10)
			for part := range slices.Chunk(want, step) {
				if err := w.Append(part); err != nil {
					t.Fatal(err)
				}
			}
			a, err := w.Array()
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(a.Data, want) {
				t.Fatalf("bound %d, step %d: another array", bound, step)
			}
			if mapped := canMap && bound > 0 && bound < 4*len(want); a.Mapped() != mapped || len(s.mapped) > 1 || (len(s.mapped) == 1) != mapped {
				t.Errorf("bound %d: mapped: %v, %d regions", bound, a.Mapped(), len(s.mapped))
			}
			if bound == 1 {
				a.Free()
			}
			if err := s.Close(); err != nil || len(s.mapped) > 0 {
				t.Errorf("%d regions are left: %v", len(s.mapped), err)
			}
		}
	}
	if files, err := filepath.Glob(filepath.Join(folder, "*")); err != nil || len(files) > 0 {
		t.Errorf("left behind: %v, %v", files, err)
	}
}

// Nil is a Space on the heap; an array of nothing is one.
func TestNothing(t *testing.T) {
	for _, s := range []*Space{nil, {}, {Bound: 1}} {
		a, err := NewWriter[float32](s, 0).Array()
		if err != nil || len(a.Data) > 0 || a.Mapped() {
			t.Errorf("%v, %v", a, err)
		}
		a.Free()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// Without a folder for temporary files the error names it.
func TestNoFolder(t *testing.T) {
	if !canMap {
		t.Skip("all arrays are on the heap here")
	}
	missing := filepath.Join(t.TempDir(), "missing")
	t.Setenv("TMPDIR", missing)
	t.Setenv("TMP", missing) // Windows
	w := NewWriter[uint16](&Space{Bound: 1}, 0)
	err := w.Append([]uint16{1, 2})
	if want := "a temporary file in " + missing + ": no such file or directory"; err == nil || err.Error() != want && !(runtime.GOOS == "windows" && errors.Is(err, fs.ErrNotExist)) {
		t.Errorf("%v, want %s", err, want)
	}
	if _, err := os.Stat(missing); !os.IsNotExist(err) {
		t.Error(err)
	}
}

// An array that is larger than addresses reach is an error that says so, not a negative size.
func TestMapSize(t *testing.T) {
	if n, err := mapSize(1000, 4); n != 4000 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if _, err := mapSize(math.MaxInt/4+1, 4); err == nil || !strings.Contains(err.Error(), "addresses") {
		t.Errorf("too many elements: %v", err)
	}
}
