// Package cache knows the folders in which linnet keeps what it downloads. It touches no network and no file, so that
// packages which only read files can use it.
package cache

import (
	"fmt"
	"os"
	"path/filepath"
)

// Folder is where downloads go: $LINNET_DATA, or else the folder linnet in the user's cache folder
// ([os.UserCacheDir]). It need not exist.
func Folder() (string, error) {
	if dir := os.Getenv("LINNET_DATA"); dir != "" {
		return dir, nil
	}
	folder, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no folder to keep files in: %w; name one in LINNET_DATA", err)
	}
	return filepath.Join(folder, "linnet"), nil
}

// Folders are the folders in which files may lie that nobody named, in the order of the search: $LINNET_DATA, then the
// folders of others, then linnet in the user's cache folder, even where LINNET_DATA is set. Those that the environment
// says nothing of are left out.
func Folders(others ...string) (folders []string) {
	if dir := os.Getenv("LINNET_DATA"); dir != "" {
		folders = append(folders, dir)
	}
	folders = append(folders, others...)
	if folder, err := os.UserCacheDir(); err == nil {
		folders = append(folders, filepath.Join(folder, "linnet"))
	}
	return folders
}
