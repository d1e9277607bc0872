//go:build !windows

package download

import "os"

func removeLocked(f *os.File, name string) {
	os.Remove(name)
	f.Close()
}
