//go:build unix

package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

const nonBlocking = syscall.O_NONBLOCK | syscall.O_NOFOLLOW

func full(err error) bool      { return errors.Is(err, syscall.ENOSPC) }
func overQuota(err error) bool { return errors.Is(err, syscall.EDQUOT) }
func readOnly(err error) bool  { return errors.Is(err, syscall.EROFS) }
func notFolder(err error) bool { return errors.Is(err, syscall.ENOTDIR) }
func inUse(error) bool         { return false }
func diskFull(err error) error { return err }
func unsupported(err error) bool {
	return errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported)
}

const orInUse = ""

// chown gives a file another one's owner and group, as far as the system allows it.
func chown(f *os.File, own, other fs.FileInfo) {
	a, ok := own.Sys().(*syscall.Stat_t)
	b, ok2 := other.Sys().(*syscall.Stat_t)
	if ok && ok2 && (a.Uid != b.Uid || a.Gid != b.Gid) {
		_ = f.Chown(int(b.Uid), int(b.Gid))
	}
}
