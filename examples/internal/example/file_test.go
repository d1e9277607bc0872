package example

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A file is replaced whole, through a link too, and nothing is left beside it.
func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	file, link := filepath.Join(dir, "file"), filepath.Join(dir, "link")
	for _, text := range []string{"first, and longer", "second"} {
		if err := WriteFile(file, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"file"}
	if err := os.Symlink(file, link); err == nil { // not everyone may on Windows
		want = append(want, "link")
		if err := WriteFile(link, []byte("second")); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(file); err != nil || string(got) != "second" {
		t.Errorf("got %q, %v", got, err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != len(want) {
		t.Errorf("the folder has %v, %v; want %v", entries, err, want)
	}
}

// A file that cannot be written is found before the training, and nothing is left of the attempt.
func TestCheckWritable(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("old"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"", file, filepath.Join(dir, "new"), os.DevNull} {
		if err := CheckWritable(path); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	for _, path := range []string{dir, filepath.Join(dir, "none", "new"), filepath.Join(file, "new"), dir + "/" + strings.Repeat("x", 1000)} {
		if err := CheckWritable(path); err == nil {
			t.Errorf("%s: no error", path)
		}
	}
	entries, err := os.ReadDir(dir)
	if got, _ := os.ReadFile(file); err != nil || len(entries) != 1 || string(got) != "old" {
		t.Errorf("the folder has %v, %v, and the file %q", entries, err, got)
	}
}
