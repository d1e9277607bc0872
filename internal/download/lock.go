package download

import (
	"context"
	"os"

	"github.com/linnet-ml/linnet/internal/filelock"
)

// lock waits until no other process, and no other call in this one, holds the lock of the name, and takes it. While it
// waits it calls waiting from time to time. The system gives the lock back when the process dies. Where there are no locks
// the error is errors.ErrUnsupported.
func lock(ctx context.Context, name string, waiting func()) (release func(), err error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, context.Cause(ctx)
		}
		f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o666)
		if err != nil {
			return nil, err
		}
		taken, err := filelock.Try(f)
		if err != nil {
			removeLocked(f, name)
			return nil, err
		}
		// Who held it before has removed the name: a lock on a file without a name shuts nobody out.
		if taken && !named(f, name) {
			f.Close()
			continue
		}
		if taken {
			return func() { removeLocked(f, name) }, nil
		}
		f.Close()
		waiting()
		if err := sleep(ctx, tick); err != nil {
			return nil, err
		}
	}
}

// named reports whether f is still the file of the name.
func named(f *os.File, name string) bool {
	a, err := f.Stat()
	if err != nil {
		return false
	}
	b, err := os.Stat(name)
	return err == nil && os.SameFile(a, b)
}
