//go:build unix

package atomicfile

import (
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A new file has the mode that the user's umask gives; an old file keeps its mode, and its owner if the process may set it.
func TestMode(t *testing.T) {
	folder := t.TempDir()
	plain, path := filepath.Join(folder, "plain"), filepath.Join(folder, "file")
	modeOf := func(path string) fs.FileMode {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return info.Mode()
	}
	if err := errors.Join(os.WriteFile(plain, nil, 0o666), Write(t.Context(), path, text("new"))); err != nil {
		t.Fatal(err)
	}
	if got, want := modeOf(path), modeOf(plain); got != want {
		t.Errorf("a new file has the mode %v, want %v", got, want)
	}
	root := os.Geteuid() == 0
	for _, mode := range []fs.FileMode{0o600, 0o640, 0o666, 0o777} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if root {
			if err := os.Chown(path, 12345, 54321); err != nil {
				t.Fatal(err)
			}
		}
		if err := Write(t.Context(), path, text("new")); err != nil {
			t.Fatal(err)
		}
		if got := modeOf(path); got != mode {
			t.Errorf("mode %v, want %v", got, mode)
		}
		if info, err := os.Stat(path); err != nil {
			t.Error(err)
		} else if s := info.Sys().(*syscall.Stat_t); root && (s.Uid != 12345 || s.Gid != 54321) {
			t.Errorf("the owner is %d:%d", s.Uid, s.Gid)
		}
	}
}

// Links are followed and stay, and a file is made where one points to nothing.
func TestLinks(t *testing.T) {
	folder := t.TempDir()
	join := func(name string) string { return filepath.Join(folder, name) }
	link := func(to, name string) {
		t.Helper()
		if err := os.Symlink(to, join(name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(join("deep/er"), 0o777); err != nil {
		t.Fatal(err)
	}
	link("deep/file", "relative")
	link("relative", "chain")
	link(join("deep/absolute"), "absolute")
	link("deep/er", "folder")
	link("folder/../up", "up") // deep/up, not up
	link("../file", "deep/back")
	for _, c := range []struct{ path, file string }{
		{"chain", "deep/file"}, // it is made
		{"chain", "deep/file"},
		{"relative", "deep/file"},
		{"absolute", "deep/absolute"},
		{"folder/inside", "deep/er/inside"},
		{"up", "deep/up"},
		{"folder/../back", "file"},
	} {
		path := folder + "/" + c.path // filepath.Join would take folder/.. away
		want := c.path + " to " + c.file
		if err := errors.Join(Check(path), Write(t.Context(), path, text(want))); err != nil {
			t.Errorf("%s: %v", c.path, err)
		}
		wantContent(t, join(c.file), want)
	}
	for _, name := range []string{"relative", "chain", "absolute", "folder", "up", "deep/back"} {
		if info, err := os.Lstat(join(name)); err != nil || info.Mode()&fs.ModeSymlink == 0 {
			t.Errorf("%s is no link any more: %v", name, err)
		}
	}
	wantNames(t, folder, "relative", "chain", "absolute", "folder", "up", "file", "deep")
	wantNames(t, join("deep"), "file", "absolute", "er", "up", "back")

	link("none/file", "nowhere")
	link("loop", "loop")
	link("deep", "a folder")
	wantError(t, Write(t.Context(), join("nowhere"), text("x")), join("nowhere")+" cannot be written: there is no folder "+join("none"))
	wantError(t, Write(t.Context(), join("loop"), text("x")), join("loop")+" cannot be written: too many symbolic links")
	wantError(t, Write(t.Context(), join("a folder"), text("x")), join("a folder")+" is a folder")
}

// What is not a file is not replaced, and not waited for.
func TestSpecialFiles(t *testing.T) {
	folder := t.TempDir()
	pipe, socket := filepath.Join(folder, "pipe"), filepath.Join(folder, "s")
	if err := syscall.Mkfifo(pipe, 0o666); err != nil {
		t.Skip(err)
	}
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Skip(err)
	}
	defer l.Close()
	for path, kind := range map[string]string{pipe: "a named pipe", socket: "a socket", os.DevNull: "a device"} {
		err := Write(t.Context(), path, text("x"))
		wantError(t, err, path+" is "+kind+", which cannot be replaced by a file")
		if !errors.Is(err, ErrNotRegular) {
			t.Errorf("%v is not ErrNotRegular", err)
		}
	}
	wantNames(t, folder, "pipe", "s")
}

// Each step may fail. The error is about the caller's path; the old file stays and the temporary one does not.
func TestFailures(t *testing.T) {
	other := errors.New("other error")
	for _, c := range []struct {
		at   step
		err  error
		want string // after "PATH cannot be written: ", if it does not begin with the path; DIR is the folder
	}{
		{creating, syscall.ENOSPC, "the disk is full"},
		{creating, syscall.EDQUOT, "the disk quota is used up"},
		{creating, syscall.EROFS, "the file system is read-only"},
		{creating, syscall.EACCES, "no permission to make files in the folder DIR"},
		{creating, syscall.EPERM, "no permission to make files in the folder DIR"},
		{creating, syscall.ENOENT, "there is no folder DIR"},
		{creating, syscall.EIO, "input/output error"},
		{writing, syscall.ENOSPC, "the disk is full"},
		{writing, syscall.EDQUOT, "the disk quota is used up"},
		{writing, syscall.EFBIG, "file too large"},
		{writing, syscall.EIO, "input/output error"},
		{writing, other, "other error"},
		{syncing, syscall.ENOSPC, "the disk is full"},
		{syncing, syscall.EDQUOT, "the disk quota is used up"},
		{syncing, syscall.EIO, "input/output error"},
		{renaming, syscall.EPERM, "no permission to replace it"},
		{renaming, syscall.EACCES, "no permission to replace it"},
		{renaming, syscall.EROFS, "the file system is read-only"},
		{renaming, syscall.ENOSPC, "the disk is full"},
		{renaming, syscall.ENOENT, "its folder or the temporary file was removed meanwhile"},
	} {
		folder, path := oldFile(t)
		// The system's errors have the temporary name in them.
		var failure error = &fs.PathError{Op: "op", Path: path + suffix, Err: c.err}
		if c.at == renaming {
			failure = &os.LinkError{Op: "rename", Old: path + suffix, New: path, Err: c.err}
		}
		s := system{fail: func(at step) error {
			if at == c.at {
				return failure
			}
			return nil
		}}
		// The function wraps the writer's error, or overlooks it.
		for _, write := range []func(w io.Writer) error{
			text("new"),
			func(w io.Writer) error { w.Write(make([]byte, 3*bufferSize)); return nil },
			func(w io.Writer) error {
				_, err := w.Write(make([]byte, 3*bufferSize))
				if err != nil {
					err = errors.Join(errors.New("the function's words"), err)
				}
				return err
			},
		} {
			err := s.write(t.Context(), path, write)
			wantError(t, err, path+" cannot be written: "+strings.ReplaceAll(c.want, "DIR", folder))
			if !errors.Is(err, c.err) {
				t.Errorf("%v is not %v", err, c.err)
			}
			wantContent(t, path, "old")
			wantNames(t, folder, "file")
		}
	}
}

// A folder that cannot be synced is an error, though the file is replaced; one of a file system that knows no such thing
// is not.
func TestFolderFailure(t *testing.T) {
	folder, path := oldFile(t)
	for _, err := range []error{syscall.EINVAL, syscall.ENOTSUP, syscall.EIO} {
		got := system{fail: func(at step) error {
			if at == syncingFolder {
				return err
			}
			return nil
		}}.write(t.Context(), path, text("new"))
		if err != syscall.EIO {
			if got != nil {
				t.Error(got)
			}
			continue
		}
		wantError(t, got, path+" was replaced, and may be the old one again after a power cut: input/output error")
	}
	wantContent(t, path, "new")
	wantNames(t, folder, "file")
}
