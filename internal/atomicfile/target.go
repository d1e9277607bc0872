package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/linnet-ml/linnet/internal/filekind"
)

// target is the file that a path stands for.
type target struct {
	path         string      // as the caller gave it
	shown        string      // the folder in the caller's words
	folder, name string      // where the file is or will be, without symbolic links
	old          fs.FileInfo // nil if there is none
}

// file is the path without symbolic links.
func (t *target) file() string { return filepath.Join(t.folder, t.name) }

// resolve follows symbolic links, the last one even if nothing is where it points to.
func resolve(path string) (*target, error) {
	if path == "" {
		return nil, &Error{Problem: "a file without a name cannot be written", Err: fs.ErrInvalid}
	}
	t := &target{path: path}
	// Links of a system's own, such as /dev/stdout, may point to a name that no file has.
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, t.irregular(info)
	}
	for range maxLinks {
		folder, name := filepath.Split(path)
		t.shown = filepath.Clean(folder)
		if err := t.enter(folder); err != nil {
			return nil, err
		}
		t.name = name
		info, err := os.Lstat(t.file())
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return t, nil
		case err != nil:
			return nil, t.failed(resolving, err)
		case info.Mode()&fs.ModeSymlink != 0:
			to, err := os.Readlink(t.file())
			if err != nil {
				return nil, t.failed(resolving, err)
			}
			if path = to; !filepath.IsAbs(to) {
				// Joined without filepath.Join, which would take ".." after a link to a folder for the link's own folder.
				path = t.folder + string(filepath.Separator) + to
			}
		case !info.Mode().IsRegular():
			return nil, t.irregular(info)
		default:
			t.old = info
			return t, t.writable()
		}
	}
	return nil, t.failed(resolving, errLinks)
}

// maxLinks is how many links are followed one after the other, as in package path/filepath.
const maxLinks = 255

var errLinks = errors.New("too many symbolic links")

// enter sets the folder.
func (t *target) enter(folder string) error {
	if folder == "" {
		folder = "."
	}
	info, err := os.Stat(folder)
	if err != nil {
		return t.failed(resolving, err)
	}
	if !info.IsDir() {
		return t.failed(resolving, errNoFolder)
	}
	if t.folder, err = filepath.EvalSymlinks(folder); err != nil {
		t.folder = folder // some volumes of Windows have no path of their own; the system can use the folder all the same
	}
	return nil
}

func (t *target) irregular(info fs.FileInfo) error {
	if info.IsDir() {
		return &Error{Path: t.path, Problem: "is a folder", Err: ErrNotRegular}
	}
	return &Error{Path: t.path, Problem: "is " + filekind.Name(info.Mode()) + ", which cannot be replaced by a file", Err: ErrNotRegular}
}

// writable refuses to replace a file that the caller may not write to, although its folder would allow it.
func (t *target) writable() error {
	f, err := os.OpenFile(t.file(), os.O_WRONLY|nonBlocking, 0)
	if err == nil {
		return f.Close()
	}
	if errors.Is(err, fs.ErrPermission) || readOnly(err) {
		return t.failed(opening, err)
	}
	return nil // a program that runs cannot be written to and can be replaced
}
