package example

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// CheckWritable finds out before a training, and not after it, that a file cannot be written.
func CheckWritable(path string) error {
	if path == "" {
		return nil
	}
	if info, err := os.Stat(filepath.Dir(path)); err != nil {
		return err
	} else if !info.IsDir() {
		return fmt.Errorf("%s is no folder", filepath.Dir(path))
	}
	path, replace, err := target(path)
	if err != nil || !replace {
		return err
	}
	f, err := beside(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// target is the file that a name stands for: links are followed, so that they stay. A device or a pipe, such as
// /dev/stdout, is written to; anything else is replaced.
func target(path string) (file string, replace bool, err error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return path, true, nil
	case err != nil:
		return "", false, err
	case info.IsDir():
		return "", false, fmt.Errorf("%s is a folder", path)
	case !info.Mode().IsRegular():
		return path, false, nil
	}
	file, err = filepath.EvalSymlinks(path)
	return file, true, err
}

// beside makes a new file in the folder of the one that it will replace.
func beside(path string) (*os.File, error) {
	return os.OpenFile(fmt.Sprintf("%s.%d.tmp", path, os.Getpid()), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
}

// WriteFile writes a file so that at any moment there is the old one or the whole new one under its name.
func WriteFile(path string, data []byte) (err error) {
	path, replace, err := target(path)
	if err != nil {
		return err
	}
	if !replace {
		return os.WriteFile(path, data, 0o666)
	}
	f, err := beside(path)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	if _, err = f.Write(data); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
