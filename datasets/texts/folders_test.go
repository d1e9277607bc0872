package texts

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// folder writes files and returns their folder.
func folder(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, "/") {
			if err := os.MkdirAll(path, 0o700); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestFolders(t *testing.T) {
	reviews := map[string]string{
		"train/pos/10.txt": "good\n", "train/pos/9.txt": "fine", "train/neg/b/1.txt": "bad", "train/neg/a.txt": "worse", "train/neg/.hidden": "x",
		"train/unsup/1.txt": "who knows", "train/urls.txt": "x", "test/pos/1.txt": "x", "test/neg/1.txt": "y", "README": "z",
	}
	for name, c := range map[string]struct {
		files       map[string]string
		sub         string
		o           Options
		found, want string // want: the rows, or the error
	}{
		"classes": {reviews, "train", Options{}, `a folder for each class ("neg", "pos"), without labels "unsup", 1 file beside them not read, UTF-8`,
			"train/neg/a.txt neg worse|train/neg/b/1.txt neg bad|train/pos/10.txt pos good\n|train/pos/9.txt pos fine|train/unsup/1.txt none who knows"},
		"parts": {reviews, "", Options{}, "", `texts: DIR: the folder has parts and not classes: "test", "train"; open one of them, such as DIR/train`},
		"part": {reviews, "", Options{Part: "TEST"}, `a folder for each class ("neg", "pos") in the part "test", UTF-8`,
			"test/neg/1.txt neg y|test/pos/1.txt pos x"},
		"no such part": {reviews, "", Options{Part: "dev"}, "", `texts: DIR: the folder has no part "dev"; it has "test", "train"`},
		"train and test are classes here": {map[string]string{"train/1": "a", "test/1": "b", "plane/1": "c"}, "", Options{Part: "train"},
			`a folder for each class ("plane", "test", "train"), UTF-8`, "plane/1 plane c|test/1 test b|train/1 train a"},
		"each file by itself": {map[string]string{"a/1": "caf\xE9", "a/2": "\xFF\xFEa\x00\xE4\x00", "a/3": "\xEF\xBB\xBFä", "a/4": gzipped("ö"), "a/5": zstdOf("caf\xE9"), "a/6": ""}, "", Options{},
			`a folder for each class ("a"), UTF-8, UTF-16LE (1 file) and Windows-1252 (2 files)`, "a/1 a café|a/2 a aä|a/3 a ä|a/4 a ö|a/5 a café|a/6 a "},
		"a given encoding": {map[string]string{"a/1": "\xE4\x00", "a/2": "b\x00", "a/3": "c\x00\x00\xD8"}, "", Options{Encoding: "utf-16le"},
			`a folder for each class ("a"), UTF-16LE`, "a/1 a ä|a/2 a b|error a/3:1:2: half of a UTF-16 character"},
		"a given encoding and marks": {map[string]string{"a/1": "\xE4", "a/2": "\xFE\xFF\x00b", "a/3": "\xEF\xBB\xBFä", "b/1": ""}, "", Options{Encoding: "latin-1"},
			`a folder for each class ("a", "b"), Windows-1252, UTF-8 (1 file) and UTF-16BE (1 file)`, "a/1 a ä|a/2 a b|a/3 a ä|b/1 b "},
		"marks alone": {map[string]string{"a/1": "\xFE\xFF\x00a", "a/2": "\xFE\xFF\x00b"}, "", Options{}, `a folder for each class ("a"), UTF-16BE`, "a/1 a a|a/2 a b"},
		"faults": {map[string]string{"a/1": "ä ö\nä\xE9x", "a/2": "x\x00", "a/3": "PK\x03\x04", "a/4": gzipped("ö")[:20], "a/5": strings.Repeat("x", 65), "a/6": gzipped(strings.Repeat("x", 65)), "a/7": strings.Repeat("x", 64)}, "", Options{MaxText: 64},
			`a folder for each class ("a"), UTF-8`, "error a/1:2:2: the byte 0xE9 is not valid UTF-8|error a/2:1:2: a NUL byte|" +
				"error a/3: it is a zip archive, or a file of Excel or OpenOffice; unpack it, or export it as CSV|error a/4: the gzip data is cut short: unexpected EOF|" +
				"error a/5: the row has more than 64 bytes (MaxText)|error a/6: the row has more than 64 bytes (MaxText)|a/7 a " + strings.Repeat("x", 64)},
		"no classes":            {map[string]string{"1.txt": "a", "2.txt": "b"}, "", Options{}, "", "texts: DIR: the folder has 2 files and no folders; it must have a folder for each class, or give one of its files"},
		"no classes, no labels": {map[string]string{"1.txt": "a", "2.txt": "b"}, "", Options{LabelsOptional: true}, "a folder of files without labels, UTF-8", "1.txt none a|2.txt none b"},
		"empty":                 {map[string]string{".x": ""}, "", Options{}, "", "texts: DIR: the folder is empty: no rows"},
		"empty classes":         {map[string]string{"a/": "", "b/": ""}, "", Options{}, `a folder for each class ("a", "b"), UTF-8`, "error texts: DIR: no rows"},
		"columns":               {reviews, "train", Options{Text: "x"}, "", "texts: DIR: it is a folder, which has no columns to give a name or number of"},
		"another format":        {reviews, "train", Options{Format: CSV}, "", `texts: DIR: it is a folder, not a file of the format "csv"`},
		"a file":                {reviews, "README", Options{Format: Folders}, "", `texts: DIR: it is a file, not a folder`},
		"nothing":               {reviews, "none", Options{}, "", `texts: stat DIR: no such file or directory`},
	} {
		t.Run(name, func(t *testing.T) {
			dir := folder(t, c.files)
			path := filepath.Join(dir, c.sub)
			s, err := Open(context.Background(), path, c.o)
			if err != nil {
				got := strings.ReplaceAll(filepath.ToSlash(err.Error()), filepath.ToSlash(path), "DIR")
				if got != c.want && !(runtime.GOOS == "windows" && errors.Is(err, fs.ErrNotExist)) { // which has words of its own for it
					t.Errorf("error\n\t%s\nwant\n\t%s", got, c.want)
				}
				return
			}
			for range 2 {
				var rows []string
				for row, err := range s.Rows(context.Background()) {
					if err != nil {
						rows = append(rows, "error "+err.Error())
						continue
					}
					rows = append(rows, row.File+" "+joinedLabels(row)+" "+row.Text)
				}
				got := strings.ReplaceAll(filepath.ToSlash(strings.Join(rows, "|")), filepath.ToSlash(dir)+"/", "")
				if got = strings.ReplaceAll(got, filepath.ToSlash(dir), "DIR"); got != c.want {
					t.Errorf("rows\n\t%s\nwant\n\t%s", got, c.want)
				}
			}
			if got := s.Found().String(); got != c.found {
				t.Errorf("found\n\t%s\nwant\n\t%s", got, c.found)
			}
		})
	}
}

// Links to files and to classes are followed; links inside a class are not, so that none leads in a circle.
func TestFolderLinks(t *testing.T) {
	dir := folder(t, map[string]string{"real/1.txt": "a", "data/pos/1.txt": "b"})
	for from, to := range map[string]string{"data/neg": "../real", "data/pos/2.txt": "../../real/1.txt", "data/pos/circle": "..", "data/pos/3.txt": "nowhere"} {
		if err := os.Symlink(filepath.FromSlash(to), filepath.Join(dir, filepath.FromSlash(from))); err != nil {
			t.Skip(err)
		}
	}
	s := mustOpen(t, filepath.Join(dir, "data"), Options{})
	got := strings.ReplaceAll(filepath.ToSlash(strings.Join(dump(t, s), "|")), filepath.ToSlash(dir), "DIR")
	if diff := cmp.Diff("1: neg: a|1: pos: b|1: pos: a|error DIR/data/pos/3.txt: a link that leads nowhere", got); diff != "" {
		t.Error(diff)
	}
}
