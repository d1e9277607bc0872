//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd || windows)

package download

import (
	"context"
	"errors"
)

// lock is not to be had here.
func lock(context.Context, string, func()) (release func(), err error) {
	return nil, errors.ErrUnsupported
}
