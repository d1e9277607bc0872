package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/windows"
)

const nonBlocking = 0

func full(err error) bool {
	return errors.Is(err, windows.ERROR_DISK_FULL) || errors.Is(err, windows.ERROR_HANDLE_DISK_FULL) || errors.Is(err, syscall.ENOSPC)
}
func overQuota(err error) bool { return errors.Is(err, windows.ERROR_DISK_QUOTA_EXCEEDED) }
func readOnly(err error) bool  { return errors.Is(err, windows.ERROR_WRITE_PROTECT) }
func notFolder(err error) bool { return errors.Is(err, windows.ERROR_DIRECTORY) }
func inUse(err error) bool {
	return errors.Is(err, windows.ERROR_SHARING_VIOLATION) || errors.Is(err, windows.ERROR_USER_MAPPED_FILE)
}
func unsupported(error) bool { return false }

// diskFull makes errors.Is find syscall.ENOSPC as elsewhere.
func diskFull(err error) error { return errors.Join(syscall.ENOSPC, err) }

// Windows has one error for both.
const orInUse = ", or a program has it open"

// Owners are not kept here.
func chown(*os.File, fs.FileInfo, fs.FileInfo) {}
