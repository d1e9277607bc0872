package mapfile_test

import (
	"bytes"
	"errors"
	"hash/crc32"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"testing"
	"unsafe"

	"github.com/linnet-ml/linnet/internal/mapfile"
	"github.com/linnet-ml/linnet/simd"
)

const pages = 64

// cut opens a file of many pages and cuts it down to one.
func cut(t *testing.T) (f *mapfile.File, path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, make([]byte, pages*os.Getpagesize()), 0o666); err != nil {
		t.Fatal(err)
	}
	f, err := mapfile.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	if err := os.Truncate(path, int64(os.Getpagesize())); err != nil {
		t.Fatal(err)
	}
	return f, path
}

// try calls read as doc.go tells, and returns the error of a fault.
func try(f *mapfile.File, read func(b []byte)) (err error) {
	if err := f.Acquire(); err != nil {
		return err
	}
	defer f.Release()
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			if err = f.Fault(p); err == nil {
				panic(p)
			}
		}
	}()
	read(f.Bytes())
	return nil
}

func floats(b []byte) []float32 {
	return unsafe.Slice((*float32)(unsafe.Pointer(&b[0])), len(b)/4)
}

// reads are ways to read all of a file. Each begins in the page that is left.
var reads = map[string]func(b []byte){
	"loop": func(b []byte) {
		sum := byte(0)
		for _, c := range b {
			sum += c
		}
		runtime.KeepAlive(sum)
	},
	"last byte": func(b []byte) { runtime.KeepAlive(b[len(b)-1]) },
	"copy":      func(b []byte) { copy(make([]byte, len(b)), b) },
	"compare":   func(b []byte) { bytes.Equal(make([]byte, len(b)), b) },
	"count":     func(b []byte) { bytes.Count(b, []byte{1}) },
	"checksum":  func(b []byte) { crc32.ChecksumIEEE(b) },
	"Sum":       func(b []byte) { simd.Sum(floats(b)) },
	"Dot":       func(b []byte) { simd.Dot(floats(b), floats(b)) },
	"Axpy":      func(b []byte) { simd.Axpy(2, floats(b), make([]float32, len(b)/4)) },
	"Exp":       func(b []byte) { simd.Exp(make([]float32, len(b)/4), floats(b)) },
	"Gather": func(b []byte) {
		table := floats(b)
		simd.Gather(make([]float32, 16*2), table, 16, []int32{0, int32(len(table)/16 - 1)})
	},
	"BagMean": func(b []byte) {
		table := floats(b)
		simd.BagMean(make([]float32, 16), table, 16, []int32{0, int32(len(table)/16 - 1)}, []float32{1, 1}, 2)
	},
	"BagsMean": func(b []byte) {
		table := floats(b)
		last := uint32(len(table)/16-1) | 1<<16
		simd.BagsMean(make([]float32, 2*16), table, 16, []uint32{1 << 16, last}, []int{0, 1}, []int{1, 2}, []float32{1, 1})
	},
	"GemmNN": func(b []byte) {
		n := 64
		k := len(b) / 4 / n
		simd.GemmNN(8, n, k, make([]float32, 8*k), k, floats(b), n, make([]float32, 8*n), n, false)
	},
	"GemmTN": func(b []byte) {
		m := 64
		k := len(b) / 4 / m
		simd.GemmTN(m, 8, k, floats(b), m, make([]float32, 8*k), 8, make([]float32, m*8), 8, false)
	},
	"GemmNT": func(b []byte) {
		k := 64
		n := len(b) / 4 / k
		simd.GemmNT(8, n, k, make([]float32, 8*k), k, floats(b), k, make([]float32, 8*n), n, false, make([]float32, simd.GemmWork(n, k)))
	},
}

// Reading what is gone from a file that was cut short is an error, from Go code and from the kernels of each path, and
// the process goes on to compute right results.
func TestCutShort(t *testing.T) {
	f, path := cut(t)
	want := path + " was cut short while it was open, or cannot be read any more: unexpected EOF"
	x := slices.Repeat([]float32{0.5}, 1003)
	for name, read := range reads {
		for range 3 {
			err := try(f, read)
			if !errors.Is(err, io.ErrUnexpectedEOF) || err.Error() != want {
				t.Errorf("%s: %v, want %s", name, err, want)
			}
			if sum, dot := simd.Sum(x), simd.Dot(x, x); sum != 501.5 || dot != 250.75 {
				t.Errorf("after %s Sum is %v and Dot %v", name, sum, dot)
			}
		}
	}
	if err := try(f, func(b []byte) { simd.Sum(floats(b[:os.Getpagesize()])) }); err != nil {
		t.Errorf("what is left cannot be read: %v", err)
	}
	// A fault belongs to one file.
	other, _ := cut(t)
	defer func() {
		if p := recover(); p == nil || f.Fault(p) == nil {
			t.Errorf("panic %v", p)
		}
	}()
	try(other, func([]byte) { reads["loop"](f.Bytes()) })
}

// Goroutines that fault at the same time each get the error, while garbage is collected.
func TestCutShortConcurrent(t *testing.T) {
	f, _ := cut(t)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for i := range 50 {
				for _, name := range []string{"Sum", "BagMean", "copy"} {
					if err := try(f, reads[name]); err == nil {
						t.Errorf("%s: no error", name)
					}
				}
				if i%10 == 0 {
					runtime.GC()
				}
			}
		})
	}
	all.Wait()
}

// The same holds for the kernels that this processor has and does not choose.
func TestCutShortOnEachPath(t *testing.T) {
	const inner = "LINNET_TEST_INNER"
	if os.Getenv(inner) != "" {
		t.Skip("runs inside itself")
	}
	for _, setting := range []string{"cpu.avx512f=off", "cpu.all=off"} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestCutShort(Concurrent)?$")
		cmd.Env = append(os.Environ(), inner+"=1", "GODEBUG="+setting)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", setting, err, out)
		}
	}
}
