package fetch

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/linnet-ml/linnet/internal/boundary"
)

// entry is one of a tar archive: a file unless kind says otherwise.
type entry struct {
	name, content string
	kind          byte
	link          string
}

func tarOf(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		h := &tar.Header{Name: e.name, Mode: 0o644, Size: int64(len(e.content)), Typeflag: e.kind, Linkname: e.link}
		switch e.kind {
		case 0:
			h.Typeflag = tar.TypeReg
		case tar.TypeXGlobalHeader:
			h = &tar.Header{Typeflag: e.kind, PAXRecords: map[string]string{"comment": "hello"}}
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(e, err)
		}
		if _, err := w.Write([]byte(e.content)); err != nil {
			t.Fatal(e, err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zipped(t testing.TB, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func tarGz(t testing.TB, entries ...entry) []byte {
	t.Helper()
	return zipped(t, tarOf(t, entries...))
}

// files are those below a folder, by their paths; a folder's content is "/".
func files(t testing.TB, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if d.IsDir() {
			all[rel] = "/"
			return nil
		}
		if !d.Type().IsRegular() {
			t.Errorf("%s is no regular file", path)
		}
		b, err := os.ReadFile(path)
		all[rel] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func small() limits { return limits{bytes: 1 << 20, files: 50} }

var model = entry{name: "saved_model.pb", content: "model"}

func TestUnpack(t *testing.T) {
	for name, c := range map[string]struct {
		entries []entry
		want    map[string]string
	}{
		"as tar -C DIR . makes it": {
			[]entry{{name: "./", kind: tar.TypeDir}, {name: "./saved_model.pb", content: "model"}, {name: "./assets/", kind: tar.TypeDir},
				{name: "./assets/tokens.txt", content: "a\nb\n"}, {name: "./variables/variables.index"}},
			map[string]string{"saved_model.pb": "model", "assets": "/", "assets/tokens.txt": "a\nb\n", "variables": "/", "variables/variables.index": ""},
		},
		"folders come late, twice or not at all": {
			[]entry{{name: "a/b/c", content: "x"}, {name: "a/", kind: tar.TypeDir}, {name: "a/b", kind: tar.TypeDir}, {name: "a/b/d"}, model, {kind: tar.TypeXGlobalHeader}},
			map[string]string{"saved_model.pb": "model", "a": "/", "a/b": "/", "a/b/c": "x", "a/b/d": ""},
		},
		"strange names": {
			[]entry{{name: "a//b/./c...", content: "x"}, {name: ".hidden"}, {name: "...", kind: tar.TypeDir}, {name: "ä ö"}, model},
			map[string]string{"saved_model.pb": "model", "a": "/", "a/b": "/", "a/b/c...": "x", ".hidden": "", "...": "/", "ä ö": ""},
		},
	} {
		if name == "strange names" && os.PathSeparator == '\\' {
			continue
		}
		dir := t.TempDir()
		if err := unpack(t.Context(), dir, bytes.NewReader(tarGz(t, c.entries...)), small()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := files(t, dir); !maps.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// Archives that would write elsewhere, that are damaged, or that are not for a module.
func TestUnpackRefuses(t *testing.T) {
	good := tarGz(t, model, entry{name: "b", content: strings.Repeat("hello", 1000)})
	plain := tarOf(t, model, entry{name: "b", content: "hello"})
	many := []entry{model}
	for _, c := range "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" {
		many = append(many, entry{name: "f/" + string(c) + "-" + string(c|0x20)})
	}
	flipped := bytes.Clone(good)
	flipped[len(flipped)-8] ^= 1 // of the checksum
	wrongSize := bytes.Clone(plain)
	copy(wrongSize[124:], "77777777777\x00")
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"nothing":       {nil, `it is not compressed by gzip: it begins with ""`},
		"a page":        {[]byte("<!DOCTYPE html><html></html>"), `it is not compressed by gzip: it begins with "<!DOCTYPE html><"`},
		"tar alone":     {plain, `it is not compressed by gzip: it begins with "saved_model.pb\x00\x00"`},
		"cut header":    {good[:5], "unexpected EOF"},
		"cut":           {good[:len(good)/2], "unexpected EOF"},
		"cut checksum":  {good[:len(good)-3], "unexpected EOF"},
		"wrong sum":     {flipped, "gzip: invalid checksum"},
		"no tar":        {zipped(t, bytes.Repeat([]byte("hello "), 1000)), "entry 1: archive/tar: invalid tar header"},
		"cut tar":       {zipped(t, plain[:514]), `entry 1, "saved_model.pb": unexpected EOF`},
		"huge size":     {zipped(t, wrongSize), "entry 1: archive/tar: invalid tar header"},
		"behind gzip":   {append(bytes.Clone(good), "hello"...), "unexpected EOF"},
		"empty":         {tarGz(t), "there is no file saved_model.pb at its top"},
		"in a folder":   {tarGz(t, entry{name: "nnlm/saved_model.pb"}), "there is no file saved_model.pb at its top"},
		"model folder":  {tarGz(t, entry{name: "saved_model.pb", kind: tar.TypeDir}), "there is no file saved_model.pb at its top"},
		"up":            {tarGz(t, model, entry{name: "../x"}), `entry 2, "../x": the name leads out of the archive`},
		"up inside":     {tarGz(t, entry{name: "a/../../x"}), "the name leads out of the archive"},
		"up and back":   {tarGz(t, entry{name: "a/../x"}), "the name leads out of the archive"},
		"up, folder":    {tarGz(t, entry{name: "../x/", kind: tar.TypeDir}), "the name leads out of the archive"},
		"absolute":      {tarGz(t, entry{name: "/tmp/x"}), "the name is not one of a file within the archive"},
		"backslash":     {tarGz(t, entry{name: `..\x`}), `the name has a '\' or a zero byte`},
		"no name":       {tarGz(t, entry{name: "."}), "it is a file without a name"},
		"no UTF-8":      {tarGz(t, entry{name: "a\xff"}), "the name is not UTF-8"},
		"long name":     {tarGz(t, entry{name: strings.Repeat("a/", 101) + "b"}), "the name has more than 200 bytes"},
		"symbolic link": {tarGz(t, entry{name: "x", kind: tar.TypeSymlink, link: "/etc/passwd"}), "it is neither a file nor a folder, but of type '2'"},
		"hard link":     {tarGz(t, entry{name: "x", kind: tar.TypeLink, link: "saved_model.pb"}), "of type '1'"},
		"device":        {tarGz(t, entry{name: "x", kind: tar.TypeChar}), "of type '3'"},
		"pipe":          {tarGz(t, entry{name: "x", kind: tar.TypeFifo}), "of type '6'"},
		"twice":         {tarGz(t, model, entry{name: "./saved_model.pb"}), "there are two of this name"},
		"file, folder":  {tarGz(t, model, entry{name: "saved_model.pb/x"}), `"saved_model.pb" is a file and a folder`},
		"folder, file":  {tarGz(t, entry{name: "a/b"}, entry{name: "a"}), "there are two of this name"},
		"many files":    {tarGz(t, many...), "with it there are more than 50 files and folders"},
		"many entries":  {tarGz(t, slices.Repeat([]entry{{name: "a", kind: tar.TypeDir}}, 51)...), "it has more than 50 entries"},
		"many folders":  {tarGz(t, entry{name: strings.Repeat("a/", 60) + "b"}), "with it there are more than 50 files and folders"},
		"a large file":  {tarGz(t, entry{name: "a", content: strings.Repeat("a", 1<<20)}), "it unpacks to more than 1048576 bytes"},
		"large, behind": {zipped(t, append(tarOf(t, model), make([]byte, 1<<20)...)), "it unpacks to more than 1048576 bytes"},
		// Zeros are the end of a tar archive; what follows counts all the same.
		"a bomb": {zipped(t, make([]byte, 8<<20)), "it unpacks to more than 1048576 bytes"},
	} {
		root := t.TempDir()
		dir := filepath.Join(root, "in", "module")
		if err := os.MkdirAll(dir, 0o777); err != nil {
			t.Fatal(err)
		}
		err := unpack(t.Context(), dir, bytes.NewReader(c.data), small())
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v\nwant %s", name, err, c.want)
		}
		if !errors.As(err, new(malformed)) {
			t.Errorf("%s: the error is not the archive's: %v", name, err)
		}
		for path := range files(t, root) {
			if path != "in" && path != "in/module" && !strings.HasPrefix(path, "in/module/") {
				t.Errorf("%s: there is %s", name, path)
			}
		}
	}
}

// A file with holes claims a size that nobody sends.
func TestUnpackSparse(t *testing.T) {
	// The entry of GNU tar's format 1.0: a map of the data in front of it, and the real size in its records.
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	body := "1\n0\n5\n" + strings.Repeat("\x00", 506) + "hello"
	h := &tar.Header{Name: "x", Mode: 0o644, Size: int64(len(body)), Typeflag: tar.TypeReg, PAXRecords: map[string]string{
		"VENDOR.abc.major": "1", "VENDOR.abc.minor": "0", "VENDOR.abc.name": "x", "VENDOR.abc.realsize": "1000000000000"}}
	if err := w.WriteHeader(h); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(body)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	// archive/tar writes no such records; the names that stand in for them are as long.
	data := bytes.ReplaceAll(b.Bytes(), []byte("VENDOR.abc."), []byte("GNU.sparse."))
	err := unpack(t.Context(), t.TempDir(), bytes.NewReader(zipped(t, data)), small())
	if err == nil || !strings.Contains(err.Error(), "it is a file with holes") {
		t.Errorf("error %v", err)
	}
}

// What reading or the end of ctx causes is not the archive's fault.
func TestUnpackReading(t *testing.T) {
	data := tarGz(t, model)
	broken := errors.New("the disk is on fire")
	err := unpack(t.Context(), t.TempDir(), io.MultiReader(bytes.NewReader(data[:40]), iotest.ErrReader(broken)), small())
	if !errors.Is(err, broken) || errors.As(err, new(malformed)) {
		t.Errorf("error %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err = unpack(ctx, t.TempDir(), bytes.NewReader(data), small())
	if !errors.Is(err, context.Canceled) || errors.As(err, new(malformed)) {
		t.Errorf("error %v", err)
	}
	// Nor is a folder that cannot be written to.
	err = unpack(t.Context(), filepath.Join(t.TempDir(), "none"), bytes.NewReader(data), small())
	if !errors.Is(err, fs.ErrNotExist) || errors.As(err, new(malformed)) {
		t.Errorf("error %v", err)
	}
}

// Whatever an archive holds, it is unpacked within its folder and its limits or refused, without a panic.
func FuzzUnpack(f *testing.F) {
	good := tarOf(f, entry{name: "./", kind: tar.TypeDir}, model, entry{name: "./variables/variables.index", content: "x"})
	for _, data := range [][]byte{
		good, zipped(f, good), tarOf(f, entry{name: "../x", content: "x"}), tarOf(f, entry{name: "/x"}),
		tarOf(f, model, entry{name: "l", kind: tar.TypeSymlink, link: ".."}, entry{name: "l/x"}),
		tarOf(f, entry{name: strings.Repeat("long/", 30) + "x"}), tarOf(f, entry{kind: tar.TypeXGlobalHeader}, model),
	} {
		f.Add(data)
	}
	for changed := range boundary.Every(3, boundary.Tar(tarOf(f, model))) {
		f.Add(changed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		l := limits{bytes: 1 << 16, files: 20}
		// A fuzzer finds no checksums: give it those of gzip.
		for _, archive := range [][]byte{data, zipped(t, data)} {
			root := t.TempDir()
			dir := filepath.Join(root, "module")
			if err := os.Mkdir(dir, 0o777); err != nil {
				t.Fatal(err)
			}
			err := unpack(t.Context(), dir, bytes.NewReader(archive), l)
			all := files(t, root)
			if err == nil {
				if content, ok := all["module/saved_model.pb"]; !ok || content == "/" {
					t.Errorf("unpacked without a model: %q", slices.Collect(maps.Keys(all)))
				}
			} else if !errors.As(err, new(malformed)) {
				t.Errorf("the error is not the archive's: %v", err)
			}
			var size int64
			for path, content := range all {
				if path != "module" && !strings.HasPrefix(path, "module/") {
					t.Errorf("there is %s", path)
				}
				size += int64(len(content))
			}
			if len(all) > l.files+1 || size > l.bytes+int64(len(all)) {
				t.Errorf("%d files of %d bytes", len(all), size)
			}
		}
	})
}
