package cache

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestFolders(t *testing.T) {
	home := t.TempDir()
	for _, name := range []string{"HOME", "USERPROFILE", "home", "XDG_CACHE_HOME", "LocalAppData"} {
		t.Setenv(name, home)
	}
	user, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	own := filepath.Join(user, "linnet")
	t.Setenv("LINNET_DATA", "")
	if folder, err := Folder(); err != nil || folder != own {
		t.Error(folder, err)
	}
	if got, want := Folders("a"), []string{"a", own}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	t.Setenv("LINNET_DATA", "data")
	if folder, err := Folder(); err != nil || folder != "data" {
		t.Error(folder, err)
	}
	if got, want := Folders("a", "b"), []string{"data", "a", "b", own}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// An environment that names no folder at all.
func TestNoFolder(t *testing.T) {
	for _, name := range []string{"LINNET_DATA", "HOME", "USERPROFILE", "home", "XDG_CACHE_HOME", "LocalAppData"} {
		t.Setenv(name, "")
	}
	if folder, err := Folder(); err == nil || !strings.Contains(err.Error(), "name one in LINNET_DATA") {
		t.Error(folder, err)
	}
	if got := Folders(); len(got) > 0 {
		t.Errorf("%q", got)
	}
}
