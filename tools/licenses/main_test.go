package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// tree writes files and returns their folder.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, content := range files {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// Licences lie beside the module, beside a linked package that somebody else wrote, and in a folder. Those of packages that
// are not linked do not count.
func TestFiles(t *testing.T) {
	dir := tree(t, map[string]string{
		"LICENSE": "", "NOTICE": "", "a.go": "", "license.go": "", "README.md": "", "LICENSES/MIT.txt": "",
		"linked/COPYING": "", "linked/deep/a.go": "", "other/LICENSE": "", "licensed/a.go": "",
	})
	m := &module{Path: "example.com/m", Version: "v1.0.0", Dir: dir, folders: map[string]bool{".": true, "linked": true, "linked/deep": true}}
	files, err := m.files()
	if want := []string{"LICENSE", "LICENSES/MIT.txt", "NOTICE", "linked/COPYING"}; err != nil || !slices.Equal(files, want) {
		t.Errorf("%v: %q, want %q", err, files, want)
	}
	m.Dir = tree(t, map[string]string{"a.go": ""})
	m.folders = map[string]bool{".": true}
	if files, err := m.files(); err == nil || !strings.Contains(err.Error(), "example.com/m v1.0.0 has no licence") {
		t.Errorf("%v: %q", err, files)
	}
}

// The main module is first, without a version; a text of several modules is there once.
func TestWrite(t *testing.T) {
	top := map[string]bool{".": true}
	modules := []*module{
		{Path: "Go", Dir: tree(t, map[string]string{"LICENSE": "shared\n"}), folders: top},
		{Path: "example.com/a", Version: "v1.0.0", Dir: tree(t, map[string]string{"LICENSE": "shared\r\n\r\n"}), folders: top},
		{Path: "example.com/main", Version: "v1.1.1-dirty", Main: true, Dir: tree(t, map[string]string{"LICENSE": "its own"}), folders: top},
	}
	var b bytes.Buffer
	if err := write(&b, modules); err != nil {
		t.Fatal(err)
	}
	_, got, _ := strings.Cut(b.String(), "\n\n")
	const want = "    example.com/main\n    Go\n    example.com/a v1.0.0\n" +
		"\n" + line + "example.com/main, LICENSE\n" + line + "\nits own\n" +
		"\n" + line + "Go, LICENSE\nexample.com/a v1.0.0, LICENSE\n" + line + "\nshared\n"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
