// Package textfile keeps and reads the texts of data sets.
package textfile

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/linnet-ml/linnet/internal/plainfile"
	"github.com/linnet-ml/linnet/internal/shown"
)

// Arena keeps many texts in few pieces of memory. The zero value is ready.
type Arena struct{ b *strings.Builder }

// A piece is small beside a data set, and large beside a text.
const piece = 256 << 10

// Add returns a copy of the text.
func (a *Arena) Add(text []byte) string {
	if a.b == nil || a.b.Cap()-a.b.Len() < len(text) {
		if len(text) >= piece/4 {
			return string(text)
		}
		a.b = &strings.Builder{}
		a.b.Grow(piece)
	}
	from := a.b.Len()
	a.b.Write(text)
	return a.b.String()[from:]
}

// Limits say how much is read of a file: its first Cut bytes, unless that is 0, else all of it. A file of more than Max bytes
// that is not cut is an error.
type Limits struct {
	Cut int
	Max int64
}

// Read returns the content of the files in their order, as far as the limits say. It reads on all processors. An error names
// the first file that could not be read; what is no plain file is one, and is not opened.
func Read(ctx context.Context, fsys fs.FS, names []string, limits Limits) ([]string, error) {
	const block = 64
	texts := make([]string, len(names))
	var (
		next   atomic.Int64
		wait   sync.WaitGroup
		mu     sync.Mutex
		failed = len(names) // the first one
		reason error
	)
	for range min(runtime.GOMAXPROCS(0), (len(names)+block-1)/block) {
		wait.Go(func() {
			var a Arena
			var buf []byte
			for {
				from := int(next.Add(block)) - block
				if from >= len(names) {
					return
				}
				for i := from; i < min(from+block, len(names)); i++ {
					err := ctx.Err()
					if err == nil {
						buf, err = readFile(ctx, fsys, names[i], buf[:0], limits)
					}
					if err != nil {
						mu.Lock()
						defer mu.Unlock()
						if i < failed {
							failed, reason = i, err
						}
						next.Store(int64(len(names))) // blocks before this one are under way and come to their end
						return
					}
					texts[i] = a.Add(buf)
				}
			}
		})
	}
	wait.Wait()
	if reason != nil {
		return nil, named(names[failed], reason)
	}
	return texts, nil
}

// named puts the file's name into the error, unless it is there already.
func named(name string, err error) error {
	if kind := (*plainfile.Error)(nil); errors.As(err, &kind) && kind.Path == name {
		return err
	}
	if path := (*fs.PathError)(nil); errors.As(err, &path) && strings.Contains(path.Path, name) {
		return err
	}
	return shown.Errorf("%s: %w", name, err)
}

// readFile appends the content to buf, which grows by what was read and not by what the file system claims. It looks at
// ctx before each piece.
func readFile(ctx context.Context, fsys fs.FS, name string, buf []byte, limits Limits) ([]byte, error) {
	most := limits.Max
	if limits.Cut > 0 {
		most = plainfile.Unlimited
	}
	f, err := plainfile.OpenFS(ctx, fsys, name, most)
	if err != nil {
		return buf, err
	}
	defer f.Close()
	for limits.Cut == 0 || len(buf) < limits.Cut {
		if len(buf) == cap(buf) {
			grown := make([]byte, len(buf), max(16<<10, 2*len(buf)))
			copy(grown, buf)
			buf = grown
		}
		room := buf[len(buf):cap(buf)]
		if limits.Cut != 0 && len(room) > limits.Cut-len(buf) {
			room = room[:limits.Cut-len(buf)]
		}
		n, err := f.Read(room)
		buf = buf[:len(buf)+n]
		if err == io.EOF {
			break
		}
		if err != nil {
			return buf, err
		}
	}
	return buf, nil
}
