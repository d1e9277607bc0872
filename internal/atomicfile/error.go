package atomicfile

import (
	"errors"
	"io/fs"
	"os"

	"github.com/linnet-ml/linnet/internal/shown"
)

// Error says why a file could not be written. It wraps what the system said, so that errors.Is finds fs.ErrNotExist,
// fs.ErrPermission, syscall.ENOSPC and [ErrNotRegular].
type Error struct {
	Path    string // as the caller gave it
	Problem string // what goes after the path: "is a folder"
	Err     error
}

// Error names the path and the problem. What is not printable in them is escaped.
func (e *Error) Error() string {
	if e.Path == "" {
		return shown.Text(e.Problem)
	}
	return shown.Text(e.Path + " " + e.Problem)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// ErrNotRegular is wrapped by the error for a path that is no plain file: a folder, a device, a named pipe, a socket.
var ErrNotRegular = errors.New("not a plain file")

var errNoFolder = errors.New("not a folder")

// step is a part of a Write that can fail.
type step int

const (
	resolving step = iota // finding the target
	opening               // the old file, for writing
	creating              // the temporary file
	writing
	syncing
	renaming
	syncingFolder
)

// failed is the error for a step, about the caller's path.
func (t *target) failed(at step, err error) error {
	err = cause(err)
	problem := t.problem(at, err)
	if at == syncingFolder {
		problem = "was replaced, and may be the old one again after a power cut: " + problem
	} else {
		problem = "cannot be written: " + problem
	}
	if full(err) {
		err = diskFull(err)
	}
	return &Error{Path: t.path, Problem: problem, Err: err}
}

func (t *target) problem(at step, err error) string {
	switch {
	case full(err):
		return "the disk is full"
	case overQuota(err):
		return "the disk quota is used up"
	case readOnly(err):
		return "the file system is read-only"
	case at == resolving && (errors.Is(err, errNoFolder) || notFolder(err)):
		return t.shown + " is not a folder"
	case (at == resolving || at == creating) && errors.Is(err, fs.ErrNotExist):
		return "there is no folder " + t.shown
	case at == resolving && errors.Is(err, fs.ErrPermission):
		return "no permission to look into the folder " + t.shown
	case at == creating && errors.Is(err, fs.ErrPermission):
		return "no permission to make files in the folder " + t.shown
	case at == opening && errors.Is(err, fs.ErrPermission):
		return "no permission to change it"
	case at == renaming && (errors.Is(err, fs.ErrPermission) || inUse(err)):
		return "no permission to replace it" + orInUse
	case at == renaming && errors.Is(err, fs.ErrNotExist):
		return "its folder or the temporary file was removed meanwhile"
	}
	return err.Error()
}

// cause is what the system said, without the names of files.
func cause(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return path.Err
	case errors.As(err, &link):
		return link.Err
	}
	return err
}
