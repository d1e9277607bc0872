package download

import "os"

// removeLocked closes first, as an open file cannot be removed here; when another process has opened it by then, it
// stays.
func removeLocked(f *os.File, name string) {
	f.Close()
	os.Remove(name)
}
