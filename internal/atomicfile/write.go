package atomicfile

import (
	"bufio"
	"context"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// Write replaces the file at path by what the function write writes, or makes it. A symbolic link is followed, not
// replaced; if nothing is where it points to, the file is made there. Writes to w are buffered.
//
// After an error, or a panic in write, the old file is as it was. An error of the function write is returned as it is;
// every other one is an [*Error]. When ctx ends, w fails and Write returns ctx.Err(). One error comes after the new file
// has taken the old one's place: that the folder could not be brought to the disk.
func Write(ctx context.Context, path string, write func(w io.Writer) error) error {
	return system{}.write(ctx, path, write)
}

// Check returns the error that [Write] would have before its function is called: the path is not that of a file, the
// folder is missing or cannot be written to. The file is not changed.
func Check(path string) error {
	t, err := resolve(path)
	if err != nil {
		return err
	}
	return t.check()
}

// CheckFolder returns an error if files cannot be made in a folder: it is missing, is none, or cannot be written to.
func CheckFolder(folder string) error {
	t := &target{path: folder, name: "folder", shown: filepath.Clean(folder)}
	if err := t.enter(folder); err != nil {
		return err
	}
	return t.check()
}

// check makes a temporary file and takes it away, and with it those of checks that were killed.
func (t *target) check() error {
	t.removeStale()
	temporary, err := t.create(system{})
	if err != nil {
		return err
	}
	temporary.discard()
	return nil
}

// bufferSize is that of the buffer; chunk is the most that is written between two looks at the context.
const (
	bufferSize = 64 << 10
	chunk      = 4 << 20
)

func (s system) write(ctx context.Context, path string, write func(w io.Writer) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	t, err := resolve(path)
	if err != nil {
		return err
	}
	t.removeStale()
	f, err := t.create(s)
	if err != nil {
		return err
	}
	defer f.discard() // after a panic, too
	out := &output{ctx: ctx, file: f}
	defer func() { out.err = fs.ErrClosed }() // for a w that outlives the call
	buffer := bufio.NewWriterSize(out, bufferSize)
	err = write(buffer)
	if out.err != nil { // write may have wrapped it, or overlooked it
		return out.err
	}
	if err != nil {
		return err
	}
	if err := buffer.Flush(); err != nil {
		return err
	}
	if err := f.finish(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return f.rename()
}

// output writes to the temporary file. Its first error is its last.
type output struct {
	ctx  context.Context
	file *temporary
	err  error
}

func (o *output) Write(b []byte) (n int, err error) {
	for len(b) > 0 && o.err == nil {
		if o.err = o.ctx.Err(); o.err != nil {
			break
		}
		part := b[:min(len(b), chunk)]
		wrote, err := o.file.system.Write(o.file.File, part)
		n += wrote
		b = b[wrote:]
		if err == nil && wrote < len(part) {
			err = io.ErrShortWrite
		}
		if err != nil {
			o.err = o.file.failed(writing, err)
		}
	}
	return n, o.err
}

// system is what tests put errors into. Its zero value is the operating system.
type system struct {
	fail func(s step) error
}

func (s system) failure(at step) error {
	if s.fail == nil {
		return nil
	}
	return s.fail(at)
}

func (s system) Write(f *os.File, b []byte) (int, error) {
	if err := s.failure(writing); err != nil {
		return 0, err
	}
	return f.Write(b)
}

func (s system) create(name string, mode fs.FileMode) (*os.File, error) {
	if err := s.failure(creating); err != nil {
		return nil, err
	}
	return os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, mode)
}

func (s system) sync(f *os.File) error {
	if err := s.failure(syncing); err != nil {
		return err
	}
	return f.Sync()
}

func (s system) rename(from, to string) error {
	if err := s.failure(renaming); err != nil {
		return err
	}
	return os.Rename(from, to)
}

// syncFolder makes a new name last.
func (s system) syncFolder(folder string) error {
	if err := s.failure(syncingFolder); err != nil {
		return err
	}
	if runtime.GOOS == "windows" || runtime.GOOS == "plan9" || runtime.GOOS == "js" {
		return nil // folders cannot be synced
	}
	f, err := os.Open(filepath.Clean(folder))
	if err != nil {
		return nil // a folder need not be readable to be written to
	}
	defer f.Close()
	return f.Sync()
}
