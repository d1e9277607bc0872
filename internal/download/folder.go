package download

import (
	"fmt"

	"github.com/linnet-ml/linnet/internal/cache"
)

// Folder is where linnet keeps what it downloads: $LINNET_DATA, or else the folder linnet in the user's cache folder
// (os.UserCacheDir). It need not exist; [Fetch] makes it.
func Folder() (string, error) {
	folder, err := cache.Folder()
	if err != nil {
		return "", fmt.Errorf("download: %w", err)
	}
	return folder, nil
}
