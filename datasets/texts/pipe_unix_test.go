//go:build unix

package texts

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A named pipe is read as a stream; who waits for its writer can be called off.
func TestNamedPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skip(err)
	}
	before := runtime.NumGoroutine()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	begin := time.Now()
	if _, err := Open(ctx, path, Options{}); !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) > 120*time.Millisecond {
		t.Errorf("after %v the error %v", time.Since(begin), err)
	}
	go func() {
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			t.Error(err)
			return
		}
		io.WriteString(f, "text,label\ngood film,pos\n")
		f.Close()
	}()
	s := mustOpen(t, path, Options{})
	if got := dump(t, s); len(got) != 1 || got[0] != "2: pos: good film" {
		t.Error(got)
	}
	for range 100 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d goroutines, %d before", runtime.NumGoroutine(), before)
}

func TestDevices(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	if l, err := net.Listen("unix", socket); err != nil {
		t.Skip(err)
	} else {
		defer l.Close()
	}
	for path, want := range map[string]string{
		"/dev/zero": "texts: /dev/zero: it is a device, not a file; - reads the standard input",
		socket:      "texts: " + socket + ": it is a socket, not a file",
	} {
		if _, err := Open(context.Background(), path, Options{}); err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	dir := folder(t, map[string]string{"a/1": "x"})
	if err := syscall.Mkfifo(filepath.Join(dir, "a", "2"), 0o600); err != nil {
		t.Skip(err)
	}
	s := mustOpen(t, dir, Options{})
	if got := dump(t, s); len(got) != 2 || !strings.HasSuffix(got[1], filepath.Join("a", "2")+": it is a named pipe, not a file") {
		t.Error(got)
	}
}
