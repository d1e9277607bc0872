package example

import (
	"os"

	"golang.org/x/sys/unix"
)

// nowhere reports whether f is the null device, open to read and to write: what Go's runtime puts in the place of a standard file
// that is closed. (A shell opens the null device to write alone. Other programs may open it like this on purpose.)
func nowhere(f *os.File) bool {
	var s unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &s); err != nil || s.Mode&unix.S_IFMT != unix.S_IFCHR || uint64(s.Rdev) != unix.Mkdev(1, 3) {
		return false
	}
	flags, err := unix.FcntlInt(f.Fd(), unix.F_GETFL, 0)
	return err == nil && flags&unix.O_ACCMODE == unix.O_RDWR
}
