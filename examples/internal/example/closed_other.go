//go:build !linux

package example

import "os"

// nowhere cannot tell a standard file that is closed from a null device that somebody wants.
func nowhere(*os.File) bool { return false }
