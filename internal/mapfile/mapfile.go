package mapfile

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"unsafe"

	"github.com/linnet-ml/linnet/internal/budget"
	"github.com/linnet-ml/linnet/internal/plainfile"
)

// File is the content of a file. All methods may be called from any goroutine.
type File struct {
	name   string
	size   int64
	memory *memory
	// holders counts calls of Acquire without a Release. closed is added to it once the file is closed.
	holders atomic.Int64
}

// closed makes the number of holders negative, with room for mistakes below.
const closed = math.MinInt64 / 2

// memory is what lives until the last holder is gone. It does not refer to its File.
type memory struct {
	bytes atomic.Pointer[[]byte] // nil when it is gone
	first uintptr                // the address of the first byte of a mapping, 0 if the bytes were read
	unmap func([]byte) error     // nil if the bytes are the garbage collector's
}

// free gives the memory back, once.
func (m *memory) free() error {
	b := m.bytes.Swap(nil)
	if b == nil || m.unmap == nil {
		return nil
	}
	return m.unmap(*b)
}

// Open opens a file. What is no plain file (a folder, a device, a named pipe) is an error that wraps [ErrNotRegular], at
// once: nothing is waited for. A symbolic link is followed. A file that does not fit into the address space is an error
// that wraps budget.ErrTooLarge; on machines of 32 bits that is one of more than 1 GiB.
func Open(path string) (*File, error) { return open(path, mapFile) }

// ReadAll returns the content of a file that [Open] opens, in memory that is the garbage collector's: writing the file later changes
// nothing of it. It looks at ctx every 4 MiB. The machine must have the memory, else the error wraps budget.ErrTooLarge.
func ReadAll(ctx context.Context, path string) (b []byte, err error) {
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if err := f.Acquire(); err != nil {
		return nil, err
	}
	defer f.Release()
	if err := budget.Check(path, 1, len(f.Bytes())); err != nil {
		return nil, err
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if v := recover(); v != nil {
			if err = f.Fault(v); err == nil {
				panic(v)
			}
		}
	}()
	const step = 4 << 20
	b = make([]byte, len(f.Bytes()))
	for i := 0; i < len(b); i += step {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		copy(b[i:min(i+step, len(b))], f.Bytes()[i:])
	}
	return b, nil
}

// ErrNotRegular is wrapped by the error for what is no plain file.
var ErrNotRegular = plainfile.ErrNotRegular

// mapper maps a file of the given size, which is not 0, and says how to undo that.
type mapper func(f *os.File, size int) (b []byte, unmap func([]byte) error, err error)

// open reads the file if the mapper cannot map it.
func open(path string, m mapper) (*File, error) {
	f, info, err := plainfile.OS(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info.Size() > largest {
		return nil, fmt.Errorf("%s has %d bytes: %w", path, info.Size(), budget.ErrTooLarge)
	}
	size := int(info.Size())
	if size > 0 {
		if b, unmap, err := m(f, size); err == nil {
			return newFile(path, b, unmap), nil
		}
		// Not every file system can map, and those that can may have no address space left. What is really wrong with
		// the file reading it will tell.
	}
	b, err := read(f, size)
	if err != nil {
		return nil, err
	}
	return newFile(path, b, nil), nil
}

// largest is the size of the largest file that is opened. In 32 bits there is room for little more than one such mapping.
const (
	largest = wide*math.MaxInt + (1-wide)<<30
	wide    = math.MaxInt >> 62 // 1 if an int has 64 bits, else 0
)

// read reads the whole file into memory that is aligned to 8 bytes.
func read(f *os.File, size int) ([]byte, error) {
	words := (size + 7) / 8
	if err := budget.Check(f.Name(), 8, words); err != nil {
		return nil, err
	}
	aligned := make([]uint64, words)
	b := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(aligned))), size)
	if _, err := io.ReadFull(f, b); err != nil {
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return nil, fmt.Errorf("%s was cut short while it was read: %w", f.Name(), io.ErrUnexpectedEOF)
		}
		return nil, err
	}
	return b, nil
}

// FromBytes returns a File over bytes that are in memory already, as //go:embed puts them there. The name is for errors.
// The bytes must not change. They may begin at any address, while those of [Open] begin at a multiple of 8.
func FromBytes(name string, b []byte) *File { return newFile(name, b, nil) }

func newFile(name string, b []byte, unmap func([]byte) error) *File {
	m := &memory{unmap: unmap}
	if unmap != nil {
		m.first = uintptr(unsafe.Pointer(unsafe.SliceData(b)))
	}
	m.bytes.Store(&b)
	f := &File{name: name, size: int64(len(b)), memory: m}
	if unmap != nil {
		runtime.AddCleanup(f, func(m *memory) { m.free() }, m)
	}
	return f
}

// Name is the path that the file was opened with.
func (f *File) Name() string { return f.name }

// Size is the number of bytes. It stays when the file is closed.
func (f *File) Size() int64 { return f.size }

// Bytes are the file's bytes, which must not be written to. Between [File.Acquire] and [File.Release] they can be read;
// once the memory is gone Bytes returns nil.
func (f *File) Bytes() []byte {
	if b := f.memory.bytes.Load(); b != nil {
		return *b
	}
	return nil
}

// Acquire keeps the file's memory until a call of [File.Release]. After [File.Close] it returns an error that wraps
// fs.ErrClosed; Release must not be called then.
func (f *File) Acquire() error {
	if f.holders.Add(1) > 0 {
		return nil
	}
	f.Release()
	return fmt.Errorf("%s: %w", f.name, fs.ErrClosed)
}

// Release gives back what one call of [File.Acquire] took. It panics if there was none.
func (f *File) Release() {
	if n := f.holders.Add(-1); n < 0 {
		f.released(n)
	}
}

// released is the rest of a Release after Close.
func (f *File) released(n int64) {
	if n == -1 || n < closed {
		panic("mapfile: Release without Acquire")
	}
	if n == closed {
		f.memory.free()
	}
}

// Close makes later calls of [File.Acquire] fail. The memory is given back now if nobody holds the file, else by the last
// Release. Closing again is no error.
func (f *File) Close() error {
	for {
		n := f.holders.Load()
		if n < 0 {
			return nil
		}
		if !f.holders.CompareAndSwap(n, n+closed) {
			continue
		}
		if n > 0 {
			return nil
		}
		if err := f.memory.free(); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		return nil
	}
}

// Fault returns the error for a recovered panic that comes from reading the file's mapping where the file has no bytes
// any more: it was cut short, or its disk fails. For every other panic, and for nil, it returns nil. The error wraps
// io.ErrUnexpectedEOF. The goroutine must have called debug.SetPanicOnFault.
func (f *File) Fault(recovered any) error {
	fault, ok := recovered.(interface {
		runtime.Error
		Addr() uintptr
	})
	if !ok || f.memory.first == 0 {
		return nil
	}
	page := uint64(os.Getpagesize())
	pages := (uint64(f.size) + page - 1) / page * page // what is mapped
	if offset := fault.Addr() - f.memory.first; uint64(offset) >= pages {
		return nil
	}
	return fmt.Errorf("%s was cut short while it was open, or cannot be read any more: %w", f.name, io.ErrUnexpectedEOF)
}
