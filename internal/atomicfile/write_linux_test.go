package atomicfile

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// mount mounts a file system for a test, which is skipped where that is not allowed.
func mount(t *testing.T, source, folder, kind string, flags uintptr, data string) {
	t.Helper()
	if err := syscall.Mount(source, folder, kind, flags, data); err != nil {
		t.Skipf("mount: %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(folder, syscall.MNT_DETACH) })
}

// A disk that is really full.
func TestFullDisk(t *testing.T) {
	folder := t.TempDir()
	mount(t, "tmpfs", folder, "tmpfs", 0, "size=1m")
	path := filepath.Join(folder, "file")
	old := bytes.Repeat([]byte("old"), 200<<10)
	if err := os.WriteFile(path, old, 0o666); err != nil {
		t.Fatal(err)
	}
	err := Write(t.Context(), path, func(w io.Writer) error {
		_, err := w.Write(make([]byte, 600<<10))
		return err
	})
	wantError(t, err, path+" cannot be written: the disk is full")
	if !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("%v is not ENOSPC", err)
	}
	wantContent(t, path, string(old))
	wantNames(t, folder, "file")
	if err := Write(t.Context(), path, text("small")); err != nil {
		t.Errorf("what fits is an error: %v", err)
	}
}

// A file system that is really read-only.
func TestReadOnly(t *testing.T) {
	folder, path := oldFile(t)
	mount(t, folder, folder, "", syscall.MS_BIND, "")
	if err := syscall.Mount("", folder, "", syscall.MS_BIND|syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Skip(err)
	}
	for _, path := range []string{path, filepath.Join(folder, "new")} {
		err := Write(t.Context(), path, text("new"))
		wantError(t, err, path+" cannot be written: the file system is read-only")
		wantError(t, Check(path), path+" cannot be written: the file system is read-only")
	}
	wantContent(t, path, "old")
	wantNames(t, folder, "file")
}

// A user without permission to write to a folder, to a file, or to look into a folder.
func TestNoPermission(t *testing.T) {
	folder := t.TempDir()
	join := func(name string) string { return filepath.Join(folder, name) }
	for _, name := range []string{"closed", "read-only", "open"} {
		if err := errors.Join(os.Mkdir(join(name), 0o777), os.WriteFile(join(name+"/file"), []byte("old"), 0o666)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(os.Chmod(join("closed"), 0), os.Chmod(join("read-only"), 0o555), os.Chmod(join("open"), 0o777),
		os.Chmod(join("open/file"), 0o444)); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(join("closed"), 0o777)
	defer os.Chmod(join("read-only"), 0o777)
	asNobody(t, folder, func() {
		for _, c := range []struct{ path, want string }{
			{join("closed/file"), "no permission to look into the folder " + join("closed")},
			{join("read-only/file"), "no permission to make files in the folder " + join("read-only")},
			{join("read-only/new"), "no permission to make files in the folder " + join("read-only")},
			{join("open/file"), "no permission to change it"},
		} {
			if c.path == join("read-only/file") {
				c.want = "no permission to change it" // root's
				if os.Geteuid() != 0 {
					c.want = "no permission to make files in the folder " + join("read-only")
				}
			}
			for _, err := range []error{Write(t.Context(), c.path, text("new")), Check(c.path)} {
				wantError(t, err, c.path+" cannot be written: "+c.want)
				if !errors.Is(err, fs.ErrPermission) {
					t.Errorf("%v is not fs.ErrPermission", err)
				}
			}
		}
		if err := Write(t.Context(), join("open/new"), text("new")); err != nil {
			t.Error(err)
		}
	})
	wantNames(t, join("read-only"), "file")
	wantNames(t, join("open"), "file", "new")
	wantContent(t, join("open/file"), "old")
}

// asNobody calls f on a thread without root's rights to files. It skips the test if the folder lies where only root may
// look.
func asNobody(t *testing.T, folder string, f func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		f()
		return
	}
	for dir := folder; dir != "/tmp" && dir != "/"; dir = filepath.Dir(dir) {
		if info, err := os.Stat(dir); err == nil && info.Mode().Perm()&0o55 != 0o55 {
			if err := os.Chmod(dir, info.Mode().Perm()|0o55); err != nil {
				t.Fatal(err)
			}
		}
	}
	done := make(chan error)
	go func() {
		defer close(done)
		runtime.LockOSThread() // never unlocked: the thread ends with its goroutine
		if err := unix.Setfsuid(65534); err != nil {
			done <- err
			return
		}
		probe, err := os.Open(folder)
		if err != nil {
			done <- err
			return
		}
		probe.Close()
		f()
	}()
	if err := <-done; err != nil {
		t.Skip(err)
	}
}
