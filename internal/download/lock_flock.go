//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package download

import (
	"errors"
	"os"
	"syscall"
)

func tryLock(f *os.File) (bool, error) {
	for {
		switch err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err {
		case nil:
			return true, nil
		case syscall.EINTR:
		case syscall.EWOULDBLOCK:
			return false, nil
		case syscall.ENOLCK: // a file system from the network
			return false, errors.ErrUnsupported
		default:
			return false, err
		}
	}
}

func removeLocked(f *os.File, name string) {
	os.Remove(name)
	f.Close()
}
