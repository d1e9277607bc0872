package filelock

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// One open file holds the lock until it is closed; another one of the same name does not get it.
func TestTry(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file")
	open := func() *os.File {
		f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o666)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	}
	first, second := open(), open()
	if taken, err := Try(first); errors.Is(err, errors.ErrUnsupported) {
		t.Skip(err)
	} else if !taken || err != nil {
		t.Fatal(taken, err)
	}
	if taken, err := Try(second); taken || err != nil {
		t.Error(taken, err)
	}
	first.Close()
	if taken, err := Try(second); !taken || err != nil {
		t.Error(taken, err)
	}
	if taken, err := Try(first); taken || err == nil {
		t.Error("a closed file is locked")
	}
}
