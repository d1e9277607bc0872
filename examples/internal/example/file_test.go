package example

import (
	"os"
	"path/filepath"
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
