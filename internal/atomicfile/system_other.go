//go:build !unix && !windows

package atomicfile

import (
	"errors"
	"io/fs"
	"os"
)

const nonBlocking = 0

// The system's own words are good enough here.
func full(error) bool            { return false }
func overQuota(error) bool       { return false }
func readOnly(error) bool        { return false }
func notFolder(error) bool       { return false }
func inUse(error) bool           { return false }
func diskFull(err error) error   { return err }
func unsupported(err error) bool { return errors.Is(err, errors.ErrUnsupported) }

const orInUse = ""

// Owners are not kept here.
func chown(*os.File, fs.FileInfo, fs.FileInfo) {}
