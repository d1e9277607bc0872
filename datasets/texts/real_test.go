package texts

import (
	"archive/tar"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"

	"github.com/linnet-ml/linnet/internal/shared"
)

// The real data is read whole without an option: rows, classes, no bad row.
func TestRealFiles(t *testing.T) {
	for _, c := range []struct {
		file          string
		rows, classes int
		found         string
	}{
		{"r8/train.csv.gz", 5485, 8, `CSV with commas and a header, gzip, UTF-8; text "text", label "label" (guessed)`},
		{"r8/test.csv.gz", 2189, 8, `CSV with commas and a header, gzip, UTF-8; text "text", label "label" (guessed)`},
		{"20ng/train.jsonl.gz", 11293, 20, `JSON lines, gzip, UTF-8; text "text", label "label" (guessed)`},
		{"20ng/test.jsonl.gz", 7528, 20, `JSON lines, gzip, UTF-8; text "text", label "label" (guessed)`},
		{"spam/train.tsv.gz", 4836, 2, `CSV with tabs and a header, gzip, UTF-8; text "text", label "label" (guessed)`},
		{"spam/test.tsv.gz", 1210, 2, `CSV with tabs and a header, gzip, UTF-8; text "text", label "label" (guessed)`},
		{"corn-grain/train.jsonl.gz", 1554, 2, `JSON lines, gzip, UTF-8; text "text", label "labels" (guessed)`},
		{"corn-grain/test.jsonl.gz", 604, 2, `JSON lines, gzip, UTF-8; text "text", label "labels" (guessed)`},
	} {
		t.Run(c.file, func(t *testing.T) {
			s := mustOpen(t, shared.Path(t, "data/text/"+c.file), Options{})
			if got := s.Found().String(); got != c.found {
				t.Errorf("found %s, want %s", got, c.found)
			}
			check, rows := &Checker{}, 0
			for row, err := range check.Watch(s.Rows(context.Background())) {
				if err != nil {
					t.Fatal(err)
				}
				if !row.HasLabels || row.Text == "" && !strings.HasPrefix(c.file, "20ng") {
					t.Errorf("%s:%d: %v %q", row.File, row.Line, row.HasLabels, row.Text)
				}
				rows++
			}
			if rows != c.rows || len(check.Classes()) != c.classes {
				t.Errorf("%d rows and %d classes, want %d and %d", rows, len(check.Classes()), c.rows, c.classes)
			}
			for _, f := range check.Faults() {
				t.Logf("%d %v, such as %v", f.Count, f.Kind, f.Examples[0])
			}
		})
	}
}

// The reviews as folders: the counts of their README, and the 123 texts that are known to be in both parts.
func TestRealFolders(t *testing.T) {
	if testing.Short() {
		t.Skip("unpacks 50,000 files")
	}
	dir := t.TempDir()
	unpack(t, shared.Path(t, "data/imdb/aclImdb_labeled.tar.gz"), dir)
	root := filepath.Join(dir, "aclImdb")
	if _, err := Open(context.Background(), root, Options{}); err == nil || !strings.Contains(err.Error(), `the folder has parts and not classes: "test", "train"`) {
		t.Errorf("error %v", err)
	}
	var sources []*Source
	for _, part := range []string{"train", "test"} {
		s := mustOpen(t, root, Options{Part: part})
		sources = append(sources, s)
		t.Log(s.Found())
	}
	c, err := Check(context.Background(), sources...)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Rows(); got[0] != 25000 || got[1] != 25000 {
		t.Errorf("rows %v", got)
	}
	for _, k := range c.Classes() {
		if k.Name != "neg" && k.Name != "pos" || k.Rows[0] != 12500 || k.Rows[1] != 12500 {
			t.Errorf("class %v", k)
		}
	}
	leaks := 0
	for _, f := range c.Faults() {
		t.Logf("%d %v, such as %v", f.Count, f.Kind, f.Examples[0])
		if f.Kind == Leak {
			leaks = f.Count
		}
		if f.Kind == BadRow || f.Kind == NoText || f.Kind == NoLabel {
			t.Errorf("%d %v", f.Count, f.Kind)
		}
	}
	if leaks != 123 {
		t.Errorf("%d leaks, want 123", leaks)
	}
}

func unpack(t *testing.T, archive, dir string) {
	t.Helper()
	f, err := os.Open(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, filepath.FromSlash(h.Name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
