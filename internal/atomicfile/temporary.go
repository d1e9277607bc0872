package atomicfile

import (
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/linnet-ml/linnet/internal/filelock"
)

// temporary is the file that will have the target's name. While it is open it is locked, so that other processes know
// that somebody is writing it.
type temporary struct {
	*os.File
	*target
	system system
	closed bool // File is
	done   bool // it has its name, or is gone
}

const suffix = ".linnet-tmp"

// prefix begins the names of all temporary files of a target. A long name is shortened: with the digits and the suffix it
// would be longer than file systems allow.
func prefix(name string) string {
	if len(name) <= 180 {
		return "." + name + "."
	}
	h := fnv.New64a()
	io.WriteString(h, name)
	return fmt.Sprintf(".%s.%016x.", strings.ToValidUTF8(name[:150], ""), h.Sum64())
}

// isTemporary reports whether a name is one that create gives.
func isTemporary(name, prefix string) bool {
	digits, ok := strings.CutPrefix(name, prefix)
	digits, ok2 := strings.CutSuffix(digits, suffix)
	return ok && ok2 && len(digits) == 16 && strings.Trim(digits, "0123456789abcdef") == ""
}

// create makes the temporary file, with the old file's mode.
func (t *target) create(s system) (*temporary, error) {
	mode := fs.FileMode(0o666)
	if t.old != nil {
		mode = t.old.Mode().Perm()
	}
	for {
		name := filepath.Join(t.folder, fmt.Sprintf("%s%016x%s", prefix(t.name), rand.Uint64(), suffix))
		f, err := s.create(name, mode)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return nil, t.failed(creating, err)
		}
		temporary := &temporary{File: f, target: t, system: s}
		// Between its making and its locking another process may take the file for one that was left behind.
		if lost(f, name) {
			temporary.discard()
			continue
		}
		if err := temporary.inherit(); err != nil {
			temporary.discard()
			return nil, t.failed(creating, err)
		}
		return temporary, nil
	}
}

// locking reports whether temporary files are locked. On Windows a file must be closed before it is renamed, which would
// give the lock back too early.
const locking = runtime.GOOS != "windows"

// lost locks a new file, and reports whether another process has locked or removed it before.
func lost(f *os.File, name string) bool {
	if !locking {
		return false
	}
	taken, err := filelock.Try(f)
	if err != nil {
		return false // no locks here: nobody removes what was left behind
	}
	return !taken || !named(f, name)
}

// named reports whether f is still the file of the name.
func named(f *os.File, name string) bool {
	a, err := f.Stat()
	if err != nil {
		return true
	}
	b, err := os.Lstat(name)
	return err == nil && os.SameFile(a, b)
}

// inherit gives the file the old one's owner, where that is allowed, and its mode.
func (f *temporary) inherit() error {
	if f.old == nil {
		return nil
	}
	own, err := f.Stat()
	if err != nil {
		return err
	}
	chown(f.File, own, f.old)
	// Changing the owner may change the mode.
	if own, err = f.Stat(); err != nil || own.Mode().Perm() == f.old.Mode().Perm() {
		return err
	}
	return f.Chmod(f.old.Mode().Perm())
}

// finish brings the content to the disk.
func (f *temporary) finish() error {
	err := f.system.sync(f.File)
	if err == nil && !locking {
		f.closed = true
		err = f.Close()
	}
	if err != nil {
		return f.failed(syncing, err)
	}
	return nil
}

// rename gives the file its name.
func (f *temporary) rename() error {
	if err := f.system.rename(f.Name(), f.file()); err != nil {
		return f.failed(renaming, err)
	}
	f.done = true
	f.close() // on the disk already
	if err := f.system.syncFolder(f.folder); err != nil && !unsupported(err) {
		return f.failed(syncingFolder, err)
	}
	return nil
}

// discard removes the file, unless it has its name.
func (f *temporary) discard() {
	if f.done {
		return
	}
	f.done = true
	if locking {
		os.Remove(f.Name()) // before the lock is given back
		f.close()
	} else {
		f.close()
		os.Remove(f.Name())
	}
}

func (f *temporary) close() {
	if !f.closed {
		f.closed = true
		f.Close()
	}
}

// removeStale removes the target's temporary files that nobody is writing. What it cannot find or remove stays.
func (t *target) removeStale() {
	if !locking {
		return
	}
	folder, err := os.Open(t.folder)
	if err != nil {
		return
	}
	defer folder.Close()
	for prefix := prefix(t.name); ; {
		names, err := folder.Readdirnames(1000)
		for _, name := range names {
			if isTemporary(name, prefix) {
				removeUnlocked(filepath.Join(t.folder, name))
			}
		}
		if err != nil {
			return
		}
	}
}

// removeUnlocked removes a file whose lock nobody holds.
func removeUnlocked(name string) {
	if info, err := os.Lstat(name); err != nil || !info.Mode().IsRegular() {
		return
	}
	f, err := os.OpenFile(name, os.O_RDWR|nonBlocking, 0)
	if err != nil {
		return
	}
	defer f.Close()
	if taken, err := filelock.Try(f); err == nil && taken && named(f, name) {
		os.Remove(name)
	}
}
