package filekind

import (
	"io/fs"
	"testing"
)

func TestName(t *testing.T) {
	for mode, want := range map[fs.FileMode]string{
		0o644:                             "a file",
		fs.ModeDir | 0o755:                "a folder",
		fs.ModeSymlink | 0o777:            "a symbolic link",
		fs.ModeNamedPipe:                  "a named pipe",
		fs.ModeSocket:                     "a socket",
		fs.ModeDevice:                     "a device",
		fs.ModeDevice | fs.ModeCharDevice: "a device",
		fs.ModeIrregular:                  "an irregular file",
	} {
		if got := Name(mode); got != want {
			t.Errorf("%v: %s, want %s", mode, got, want)
		}
	}
}
