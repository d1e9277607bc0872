package plainfile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"

	"github.com/linnet-ml/linnet/internal/budget"
	"github.com/linnet-ml/linnet/internal/filekind"
	"github.com/linnet-ml/linnet/internal/shown"
)

// Unlimited is the limit of readers that take a file in pieces and keep nothing of it that they have not checked.
const Unlimited = math.MaxInt64

var (
	// ErrNotRegular is wrapped by the error for what is no plain file.
	ErrNotRegular = errors.New("not a plain file")
	// ErrTooLarge is wrapped by the error for a file that is larger than its reader's limit.
	ErrTooLarge = errors.New("larger than such a file may be")
)

// Error says what is wrong with a file.
type Error struct {
	Path    string
	problem string // after the path, or after "it"
	err     error
}

func (e *Error) Error() string { return shown.Path(e.Path) + " " + e.problem }

func (e *Error) Unwrap() error { return e.err }

// Reason is the error without the path, for who names the path anyway.
func Reason(err error) error {
	if e := (*Error)(nil); errors.As(err, &e) {
		return &reason{e}
	}
	if e := (*fs.PathError)(nil); errors.As(err, &e) {
		return e.Err
	}
	return err
}

type reason struct{ of *Error }

func (r *reason) Error() string { return "it " + r.of.problem }

func (r *reason) Unwrap() error { return r.of }

// Regular refuses what is no plain file by its mode.
func Regular(path string, mode fs.FileMode) error {
	if mode.IsRegular() {
		return nil
	}
	return &Error{path, fmt.Sprintf("is %s, %v", filekind.Name(mode), ErrNotRegular), ErrNotRegular}
}

func tooLarge(path string, size, limit int64) error {
	has := fmt.Sprintf("has %d bytes", size)
	if size <= limit { // of what it says it has
		has = fmt.Sprintf("has more than %d bytes", limit)
	}
	return &Error{path, fmt.Sprintf("%s and is %v: at most %d are read", has, ErrTooLarge, limit), ErrTooLarge}
}

// OS opens the plain file at path for a reader that wants the system's file itself, and returns what it is. Nothing is waited
// for. Symbolic links are followed.
func OS(path string) (*os.File, fs.FileInfo, error) {
	// Opening a pipe waits for its other end, and opening a device may do anything.
	info, err := os.Stat(path)
	if err == nil {
		err = Regular(path, info.Mode())
	}
	if err != nil {
		return nil, nil, err
	}
	f, err := os.OpenFile(path, os.O_RDONLY|nonBlocking, 0)
	if err != nil {
		return nil, nil, err
	}
	if info, err = f.Stat(); err == nil { // it may be another one by now
		err = Regular(path, info.Mode())
	}
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, info, nil
}

// File is an open plain file. It is for one goroutine, but for ReadAt.
type File struct {
	ctx   context.Context
	name  string
	file  fs.File
	info  fs.FileInfo
	limit int64
	read  int64
	empty int // reads in a row that gave nothing
}

// Open opens the plain file at path. A file of more than limit bytes is an error; so is what Read finds beyond the limit, for
// a file may grow, and some tell no size. Reading ends with an error when ctx is done.
func Open(ctx context.Context, path string, limit int64) (*File, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f, info, err := OS(path)
	if err != nil {
		return nil, err
	}
	return newFile(ctx, path, f, info, limit)
}

// OpenFS is [Open] for a file of a file system. It asks for the kind of the file first, and opens nothing but a plain file.
// (A file system without a method Stat opens the file to answer: who lists a folder should pass over what its entries say is
// none.)
func OpenFS(ctx context.Context, fsys fs.FS, name string, limit int64) (*File, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	info, err := fs.Stat(fsys, name)
	if err == nil {
		err = Regular(name, info.Mode())
	}
	if err != nil {
		return nil, err
	}
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	if info, err = f.Stat(); err == nil {
		err = Regular(name, info.Mode())
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return newFile(ctx, name, f, info, limit)
}

func newFile(ctx context.Context, name string, f fs.File, info fs.FileInfo, limit int64) (*File, error) {
	if info.Size() > limit {
		f.Close()
		return nil, tooLarge(name, info.Size(), limit)
	}
	return &File{ctx: ctx, name: name, file: f, info: info, limit: limit}, nil
}

// Size is the number of bytes that the file had when it was opened, as the file system tells it.
func (f *File) Size() int64 { return f.info.Size() }

// piece is how much is read at most between two looks at the context.
const piece = 1 << 20

// Read reads on from where it is.
func (f *File) Read(p []byte) (int, error) {
	if err := f.ctx.Err(); err != nil {
		return 0, err
	}
	if f.read > f.limit {
		return 0, tooLarge(f.name, f.info.Size(), f.limit)
	}
	p = p[:min(len(p), piece)]
	if room := f.limit - f.read; room < int64(len(p)) {
		p = p[:room+1] // a byte more than may come tells that there is one
	}
	n, err := f.file.Read(p)
	if f.read += int64(n); f.read > f.limit {
		return 0, tooLarge(f.name, f.info.Size(), f.limit)
	}
	if n > 0 || err != nil || len(p) == 0 {
		f.empty = 0
	} else if f.empty++; f.empty == 100 {
		err = io.ErrNoProgress
	}
	return n, err
}

// ReadAt reads from any place, of a file that can do that: each that [Open] opens can. Any goroutine may call it.
func (f *File) ReadAt(p []byte, off int64) (int, error) {
	at, ok := f.file.(io.ReaderAt)
	if !ok {
		return 0, &fs.PathError{Op: "read", Path: f.name, Err: errors.ErrUnsupported}
	}
	n := 0
	for {
		if err := f.ctx.Err(); err != nil {
			return n, err
		}
		end := min(len(p), n+piece)
		m, err := at.ReadAt(p[n:end], off+int64(n))
		if n += m; err != nil || n >= len(p) {
			return n, err
		}
	}
}

// Close closes the file.
func (f *File) Close() error { return f.file.Close() }

// ReadAll reads the rest of the file. Memory is taken as it is filled.
func (f *File) ReadAll() ([]byte, error) {
	if err := budget.CheckBytes(f.name, uint64(max(f.info.Size(), 0))); err != nil {
		return nil, err
	}
	b := make([]byte, 0, min(max(f.info.Size(), 0), piece)+1)
	for {
		if len(b) == cap(b) {
			grown := make([]byte, len(b), 2*len(b)+512)
			copy(grown, b)
			b = grown
		}
		n, err := f.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if err == io.EOF {
			return b, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// Read returns the content of the plain file at path, which has at most limit bytes.
func Read(ctx context.Context, path string, limit int64) ([]byte, error) {
	f, err := Open(ctx, path, limit)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.ReadAll()
}
