package download

import (
	"fmt"
	"os"
	"path/filepath"
)

// Folder is where linnet keeps what it downloads: $LINNET_DATA, or else the folder linnet in the user's cache folder
// ([os.UserCacheDir]). It need not exist; [Fetch] makes it.
func Folder() (string, error) {
	if dir := os.Getenv("LINNET_DATA"); dir != "" {
		return dir, nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("download: no folder to keep files in: %w; name one in LINNET_DATA", err)
	}
	return filepath.Join(cache, "linnet"), nil
}
