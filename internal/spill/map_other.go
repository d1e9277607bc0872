//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package spill

import (
	"errors"
	"os"
)

const canMap = false

// TempFile makes a file for reading and writing in the folder for temporary files. Close must be followed by remove.
func TempFile() (f *os.File, remove func() error, err error) {
	if f, err = os.CreateTemp("", "linnet-*.tmp"); err != nil {
		return nil, nil, Failed(err)
	}
	return f, func() error { return os.Remove(f.Name()) }, nil
}

func mapFile(*os.File, int) ([]byte, error) { return nil, errors.ErrUnsupported }

func unmap([]byte) error { return errors.ErrUnsupported }
