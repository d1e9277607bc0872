//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package spill

import (
	"os"

	"golang.org/x/sys/unix"
)

const canMap = true

// TempFile makes a file for reading and writing in the folder for temporary files, and removes its name: it is gone when it is
// closed and unmapped, even by a signal that ends the program. On other systems Close must be followed by remove.
func TempFile() (f *os.File, remove func() error, err error) {
	if f, err = os.CreateTemp("", "linnet-*.tmp"); err != nil {
		return nil, nil, Failed(err)
	}
	if err := os.Remove(f.Name()); err != nil {
		f.Close()
		return nil, nil, Failed(err)
	}
	return f, func() error { return nil }, nil
}

func mapFile(f *os.File, size int) ([]byte, error) {
	return unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ, unix.MAP_SHARED)
}

func unmap(b []byte) error { return unix.Munmap(b) }
