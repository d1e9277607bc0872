package example

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/linnet-ml/linnet/internal/atomicfile"
)

// checkFile is CheckWritable for a flag.
func checkFile(flag, path string) error {
	if err := CheckWritable(path); err != nil {
		return fmt.Errorf("-%s: %w", flag, err)
	}
	return nil
}

// CheckWritable finds out before a training, and not after it, that a file cannot be written.
func CheckWritable(path string) error {
	if path == "" || isSpecial(path) {
		return nil
	}
	return atomicfile.Check(path)
}

// WriteFile writes a file so that at any moment there is the old one or the whole new one under its name. A device or a
// pipe, such as /dev/stdout, is written to.
func WriteFile(path string, data []byte) error {
	if isSpecial(path) {
		return os.WriteFile(path, data, 0o666)
	}
	return atomicfile.Write(context.Background(), path, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// isSpecial reports whether a path is that of a device, a pipe or a socket.
func isSpecial(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.Mode().IsRegular() && !info.IsDir()
}
