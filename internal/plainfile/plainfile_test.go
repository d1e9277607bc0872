package plainfile

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"testing/iotest"
)

func put(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// A file of as many bytes as the limit is read, one of a byte more is not.
func TestLimit(t *testing.T) {
	path := put(t, "0123456789")
	for _, limit := range []int64{10, 11, Unlimited} {
		b, err := Read(t.Context(), path, limit)
		if err != nil || string(b) != "0123456789" {
			t.Errorf("limit %d: %q, %v", limit, b, err)
		}
	}
	_, err := Open(t.Context(), path, 9)
	if want := path + " has 10 bytes and is larger than such a file may be: at most 9 are read"; !errors.Is(err, ErrTooLarge) || err.Error() != want {
		t.Errorf("error %v\nwant  %s", err, want)
	}
	f, err := Open(t.Context(), path, 10)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	more, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err == nil {
		_, err = more.WriteString("x")
		more.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.ReadAll()
	if want := path + " has more than 10 bytes and is larger than such a file may be: at most 10 are read"; !errors.Is(err, ErrTooLarge) || err.Error() != want {
		t.Errorf("a file that grew: error %v\nwant  %s", err, want)
	}
	if n, err := f.Read(make([]byte, 5)); n != 0 || !errors.Is(err, ErrTooLarge) {
		t.Errorf("after the end: %d, %v", n, err)
	}
}

// Read and ReadAt are what package io asks of them.
func TestReader(t *testing.T) {
	content := strings.Repeat("0123456789abcdef", 3*piece/16) + "x"
	f, err := Open(t.Context(), put(t, content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if f.Size() != int64(len(content)) {
		t.Errorf("%d bytes", f.Size())
	}
	if err := iotest.TestReader(io.NewSectionReader(f, 0, 1000), []byte(content[:1000])); err != nil {
		t.Error(err)
	}
	whole := make([]byte, len(content))
	if n, err := f.ReadAt(whole, 0); n != len(whole) || err != nil && err != io.EOF || string(whole) != content {
		t.Errorf("%d, %v", n, err)
	}
	if n, err := f.ReadAt(whole, 10); n != len(whole)-10 || err != io.EOF {
		t.Errorf("%d, %v", n, err)
	}
	if b, err := f.ReadAll(); err != nil || string(b) != content {
		t.Errorf("%d bytes, %v", len(b), err)
	}
}

func TestContext(t *testing.T) {
	path := put(t, "0123456789")
	ctx, cancel := context.WithCancel(t.Context())
	f, err := Open(ctx, path, 10)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cancel()
	if _, err := f.ReadAll(); err != context.Canceled {
		t.Errorf("ReadAll: %v", err)
	}
	if _, err := f.ReadAt(make([]byte, 1), 0); err != context.Canceled {
		t.Errorf("ReadAt: %v", err)
	}
	if _, err := Open(ctx, path, 10); err != context.Canceled {
		t.Errorf("Open: %v", err)
	}
	if _, err := OpenFS(ctx, os.DirFS("."), "doc.go", 1<<20); err != context.Canceled {
		t.Errorf("OpenFS: %v", err)
	}
}

// What is no plain file is not opened, in any file system.
func TestKinds(t *testing.T) {
	dir := t.TempDir()
	_, _, err := OS(dir)
	if want := dir + " is a folder, not a plain file"; !errors.Is(err, ErrNotRegular) || err.Error() != want {
		t.Errorf("error %v\nwant  %s", err, want)
	}
	if err := Reason(err); err.Error() != "it is a folder, not a plain file" || !errors.Is(err, ErrNotRegular) {
		t.Error(err)
	}
	_, _, err = OS(filepath.Join(dir, "none"))
	if !errors.Is(err, fs.ErrNotExist) || strings.Contains(Reason(err).Error(), dir) || !errors.Is(Reason(err), fs.ErrNotExist) {
		t.Errorf("%v, %v", err, Reason(err))
	}
	fsys := fstest.MapFS{"p": {Mode: fs.ModeNamedPipe}, "d": {Mode: fs.ModeDevice}, "f": {Data: []byte("abc")}, "esc\x1b": {Mode: fs.ModeSocket}}
	if err := Regular("a\x9b2J", fs.ModeDir); err.Error() != `"a\x9b2J" is a folder, not a plain file` {
		t.Errorf("error %q", err)
	}
	for name, want := range map[string]string{
		"p": "p is a named pipe, not a plain file", "d": "d is a device, not a plain file", ".": ". is a folder, not a plain file",
		"esc\x1b": `"esc\x1b" is a socket, not a plain file`,
	} {
		if _, err := OpenFS(t.Context(), fsys, name, 10); !errors.Is(err, ErrNotRegular) || err.Error() != want {
			t.Errorf("error %v\nwant  %s", err, want)
		}
	}
	if _, err := OpenFS(t.Context(), fsys, "f", 2); !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
	f, err := OpenFS(t.Context(), fsys, "f", 3)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := f.ReadAll(); err != nil || string(b) != "abc" {
		t.Errorf("%q, %v", b, err)
	}
}

// stuck gives nothing for ever.
type stuck struct{ fs.File }

func (stuck) Read([]byte) (int, error) { return 0, nil }

func TestNoProgress(t *testing.T) {
	file, info, err := OS(put(t, "abc"))
	if err != nil {
		t.Fatal(err)
	}
	f, err := newFile(t.Context(), "f", stuck{file}, info, 10)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.ReadAll(); err != io.ErrNoProgress {
		t.Error(err)
	}
	if _, err := f.ReadAt(make([]byte, 1), 0); !errors.Is(err, errors.ErrUnsupported) {
		t.Error(err)
	}
}
