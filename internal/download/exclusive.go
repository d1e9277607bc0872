package download

import (
	"context"
	"os"
	"strings"

	"github.com/linnet-ml/linnet/internal/shown"
)

// Lock is for work on what was downloaded that only one process should do: it waits until nobody else holds the lock of
// the name, in this process or another, and takes it. The name is that of a file that exists only as long as the lock is
// held; its folder must be there. While Lock waits it calls waiting from time to time. Where the system knows no locks
// the error wraps errors.ErrUnsupported.
func Lock(ctx context.Context, name string, waiting func()) (release func(), err error) {
	release, err = lock(ctx, name, waiting)
	if err != nil {
		file := strings.TrimSuffix(name, ".lock")
		return nil, shown.Errorf("download: %s: %w", file, shown.Instead(err, name, file))
	}
	return release, nil
}

// Arrived returns how many bytes of a file have come so far that [Fetch] is downloading to that path, in this process or
// another; false if none is on its way.
func Arrived(file string) (int64, bool) {
	info, err := os.Stat(file + ".part")
	if err != nil {
		return 0, false
	}
	return info.Size(), true
}
