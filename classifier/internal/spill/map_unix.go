//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package spill

import (
	"os"

	"golang.org/x/sys/unix"
)

const canMap = true

// unnamed makes a file that is gone when it is closed and unmapped, even by a signal that ends the program.
func unnamed() (*os.File, error) {
	f, err := os.CreateTemp("", "linnet-*.tmp")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func mapFile(f *os.File, size int) ([]byte, error) {
	return unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ, unix.MAP_SHARED)
}

func unmap(b []byte) error { return unix.Munmap(b) }
