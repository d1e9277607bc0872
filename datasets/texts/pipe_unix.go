//go:build unix

package texts

import (
	"os"
	"syscall"
)

// wakePipe ends an os.Open of a named pipe that waits for a writer.
func wakePipe(path string) {
	if f, err := os.OpenFile(path, os.O_WRONLY|syscall.O_NONBLOCK, 0); err == nil {
		f.Close()
	}
}
