// Package shared finds the real data that some tests compare with. The data is not part of the repository: it lies in
// the folder that $LINNET_SHARED names, or in ../shared beside the repository.
package shared

import (
	"os"
	"path/filepath"
	"testing"
)

// Path returns the path of the file or folder rel, with slashes, in the shared data. Without the data the test is
// skipped; with LINNET_REQUIRE_DATA=1 in the environment it fails instead.
func Path(tb testing.TB, rel string) string {
	tb.Helper()
	folder := os.Getenv("LINNET_SHARED")
	if folder == "" {
		folder = filepath.Join(repository(tb), "..", "shared")
	}
	path := filepath.Join(folder, filepath.FromSlash(rel))
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("LINNET_REQUIRE_DATA") == "1" {
			tb.Fatalf("LINNET_REQUIRE_DATA=1 and no real data: %v", err)
		}
		tb.Skipf("no real data (set LINNET_SHARED to its folder): %v", err)
	}
	return path
}

// repository is the folder with go.mod above the test's package.
func repository(tb testing.TB) string {
	tb.Helper()
	dir, err := os.Getwd()
	if err != nil {
		tb.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			tb.Fatal("no go.mod above the test's folder")
		}
		dir = parent
	}
}
