package mapfile

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/linnet-ml/linnet/internal/budget"
)

// unmapped is a mapper of a system that has none.
func unmapped(*os.File, int) ([]byte, func([]byte) error, error) {
	return nil, nil, errors.ErrUnsupported
}

// eachWay runs a test on files that are mapped and on files that are read.
func eachWay(t *testing.T, test func(t *testing.T, open func(string) (*File, error))) {
	for name, m := range map[string]mapper{"mapped": mapFile, "read": unmapped} {
		t.Run(name, func(t *testing.T) {
			test(t, func(path string) (*File, error) { return open(path, m) })
		})
	}
}

func newTestFile(t *testing.T, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, content, 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// The bytes are the file's, from none to many pages, at an address that is good for every type of numbers.
func TestOpen(t *testing.T) {
	eachWay(t, func(t *testing.T, open func(string) (*File, error)) {
		for _, size := range []int{0, 1, 5, 8, os.Getpagesize(), 100<<10 + 3} {
			content := make([]byte, size)
			for i := range content {
				content[i] = byte(rand.Uint32())
			}
			path := newTestFile(t, content)
			f, err := open(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := f.Acquire(); err != nil {
				t.Fatal(err)
			}
			if got := f.Bytes(); !bytes.Equal(got, content) || f.Size() != int64(size) || f.Name() != path {
				t.Errorf("%d bytes of %d, %q", len(got), f.Size(), f.Name())
			} else if size > 0 && uintptr(unsafe.Pointer(&got[0]))%8 != 0 {
				t.Errorf("%d bytes begin at %p", size, got)
			}
			f.Release()
			if err := f.Close(); err != nil {
				t.Error(err)
			}
		}
	})
}

// On the platforms of the release the file is mapped; a mapping that the test takes for one and is not would test nothing.
func TestIsMapped(t *testing.T) {
	switch runtime.GOOS {
	case "linux", "darwin", "windows":
	default:
		t.Skip("files are read here")
	}
	f, err := Open(newTestFile(t, []byte("content")))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if f.memory.unmap == nil {
		t.Error("the file was read")
	}
}

// After Close the file is an error and no fault; who holds it still has its bytes.
func TestClose(t *testing.T) {
	content := []byte("content")
	path := newTestFile(t, content)
	test := func(t *testing.T, f *File, name string) {
		if err := f.Acquire(); err != nil {
			t.Fatal(err)
		}
		b := f.Bytes()
		for range 2 {
			if err := f.Close(); err != nil {
				t.Error(err)
			}
			err := f.Acquire()
			if !errors.Is(err, fs.ErrClosed) || err.Error() != name+": file already closed" {
				t.Errorf("error %v", err)
			}
		}
		if !bytes.Equal(b, content) || !bytes.Equal(f.Bytes(), content) {
			t.Errorf("the holder has %q and %q", b, f.Bytes())
		}
		f.Release()
		if got := f.Bytes(); got != nil || f.Size() != int64(len(content)) {
			t.Errorf("after the last Release there are %q, size %d", got, f.Size())
		}
		if err := f.Acquire(); !errors.Is(err, fs.ErrClosed) {
			t.Errorf("error %v", err)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	eachWay(t, func(t *testing.T, open func(string) (*File, error)) {
		f, err := open(path)
		if err != nil {
			t.Fatal(err)
		}
		test(t, f, path)
	})
	t.Run("bytes", func(t *testing.T) { test(t, FromBytes("embedded", content), "embedded") })
}

// counted returns a mapper that counts what is not unmapped.
func counted(t *testing.T) (m mapper, mapped func() int) {
	var mu sync.Mutex
	n := 0
	return func(f *os.File, size int) ([]byte, func([]byte) error, error) {
			b, unmap, err := mapFile(f, size)
			if err != nil {
				t.Skip(err)
			}
			mu.Lock()
			n++
			mu.Unlock()
			return b, func(b []byte) error {
				mu.Lock()
				n--
				mu.Unlock()
				return unmap(b)
			}, nil
		}, func() int {
			mu.Lock()
			defer mu.Unlock()
			return n
		}
}

// Many goroutines use the file while others close it: each use sees the bytes or an error, and the memory is given back
// once.
func TestConcurrentClose(t *testing.T) {
	path := newTestFile(t, bytes.Repeat([]byte{7}, 100))
	m, mapped := counted(t)
	for range 50 {
		f, err := open(path, m)
		if err != nil {
			t.Fatal(err)
		}
		var users, closers sync.WaitGroup
		for range 8 {
			users.Go(func() {
				for range 10_000 { // ends sooner, with the error
					if err := f.Acquire(); err != nil {
						if !errors.Is(err, fs.ErrClosed) {
							t.Error(err)
						}
						return
					}
					if b := f.Bytes(); len(b) != 100 || b[50] != 7 {
						t.Errorf("bytes %v", b)
					}
					f.Release()
				}
			})
		}
		for range 3 {
			closers.Go(func() {
				time.Sleep(rand.N(200 * time.Microsecond))
				if err := f.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		closers.Wait()
		users.Wait()
		if n := mapped(); n != 0 {
			t.Fatalf("%d mappings are left", n)
		}
	}
}

// A File that nobody closes is unmapped when nobody refers to it.
func TestDropped(t *testing.T) {
	path := newTestFile(t, []byte("content"))
	m, mapped := counted(t)
	for range 10 {
		if _, err := open(path, m); err != nil {
			t.Fatal(err)
		}
	}
	for end := time.Now().Add(10 * time.Second); mapped() > 0 && time.Now().Before(end); {
		runtime.GC()
		time.Sleep(time.Millisecond)
	}
	if n := mapped(); n != 0 {
		t.Errorf("%d mappings are left", n)
	}
}

// A Release too many is found, open or closed.
func TestReleaseWithoutAcquire(t *testing.T) {
	for _, closeIt := range []bool{false, true} {
		f := FromBytes("x", nil)
		if closeIt {
			f.Close()
		}
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("no panic; closed: %t", closeIt)
				}
			}()
			f.Release()
		}()
	}
}

// Taking and giving back allocates nothing: every prediction does both.
func TestAcquireAllocates(t *testing.T) {
	f := FromBytes("x", []byte("content"))
	if n := testing.AllocsPerRun(100, func() {
		if f.Acquire() == nil {
			_ = f.Bytes()
			f.Release()
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// What is no file is an error at once.
func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	eachWay(t, func(t *testing.T, open func(string) (*File, error)) {
		for _, c := range []struct {
			path, want string
			is         error
		}{
			{dir, dir + " is a folder, not a plain file", ErrNotRegular},
			{os.DevNull, os.DevNull + " is a device, not a plain file", ErrNotRegular},
			{filepath.Join(dir, "none"), filepath.Join(dir, "none"), fs.ErrNotExist},
			{"", "", fs.ErrNotExist},
		} {
			f, err := open(c.path)
			if f != nil || !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%q: %v, want %s", c.path, err, c.want)
			}
		}
	})
}

// A file that claims more than the address space or the memory has is refused before memory is made for it.
func TestTooLarge(t *testing.T) {
	path := newTestFile(t, nil)
	size := int64(1) << 44
	if wide == 0 {
		size = 1<<30 + 1
	}
	if err := os.Truncate(path, size); err != nil {
		size = 1<<43 - 1<<20
		if err := os.Truncate(path, size); err != nil {
			t.Skip(err)
		}
	}
	m := mapFile
	if wide == 1 {
		m = unmapped // 64 bits can map it
	}
	if _, err := open(path, m); !errors.Is(err, budget.ErrTooLarge) || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v", err)
	}
}

// A file that ends while it is read is an error.
func TestReadCutShort(t *testing.T) {
	path := newTestFile(t, []byte("content"))
	_, err := open(path, func(f *os.File, size int) ([]byte, func([]byte) error, error) {
		if err := os.Truncate(path, 3); err != nil {
			t.Fatal(err)
		}
		return nil, nil, errors.ErrUnsupported
	})
	if want := path + " was cut short while it was read: unexpected EOF"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

// A panic that does not come from the mapping is none of the file's.
func TestOtherFault(t *testing.T) {
	f, err := Open(newTestFile(t, []byte("content")))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	index := func() (p any) {
		defer func() { p = recover() }()
		return f.Bytes()[len(f.Bytes())]
	}()
	null := func() (p any) {
		defer func() { p = recover() }()
		var x *int
		return *x
	}()
	for _, p := range []any{nil, "text", errors.New("error"), index, null} {
		if err := f.Fault(p); err != nil {
			t.Errorf("%v is %v", p, err)
		}
	}
}

// What ReadAll returns stays as it is when the file is written, and a context that has ended ends it.
func TestReadAll(t *testing.T) {
	content := bytes.Repeat([]byte("linnet"), 1<<20)
	path := newTestFile(t, content)
	b, err := ReadAll(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, bytes.ToUpper(content), 0o666); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b, content) {
		t.Error("other bytes")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := ReadAll(ctx, path); err != context.Canceled {
		t.Error(err)
	}
	if b, err := ReadAll(t.Context(), newTestFile(t, nil)); err != nil || len(b) != 0 {
		t.Errorf("%d bytes of an empty file, %v", len(b), err)
	}
	if _, err := ReadAll(t.Context(), t.TempDir()); !errors.Is(err, ErrNotRegular) {
		t.Errorf("a folder: %v", err)
	}
}
