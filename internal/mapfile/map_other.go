//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd || windows)

package mapfile

import (
	"errors"
	"os"
)

// Files are read here.
func mapFile(*os.File, int) ([]byte, func([]byte) error, error) {
	return nil, nil, errors.ErrUnsupported
}
