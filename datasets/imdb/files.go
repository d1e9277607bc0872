package imdb

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/linnet-ml/linnet/internal/cache"
	"github.com/linnet-ml/linnet/internal/ratio"
	"github.com/linnet-ml/linnet/internal/shown"
)

// The names that Keras gives to the files.
const (
	reviewsName   = "imdb.npz"
	wordIndexName = "imdb_word_index.json"
	origin        = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
)

// Files are the places of the data set's files.
type Files struct {
	Reviews   string // imdb.npz
	WordIndex string // imdb_word_index.json
}

// Find returns the files that [Load] and [WordIndex] read for the same [Options].Path, without opening them. When one
// is missing the error wraps [fs.ErrNotExist] and says where it was looked for.
func Find(path string) (Files, error) {
	var f Files
	var err error
	if f.Reviews, err = find(path, reviewsName); err != nil {
		return Files{}, err
	}
	if f.WordIndex, err = find(path, wordIndexName); err != nil {
		return Files{}, err
	}
	return f, nil
}

// find returns the path of the file name for Options.Path.
func find(path, name string) (string, error) {
	if path == "" {
		return findCached(name)
	}
	info, err := os.Stat(path)
	if err != nil {
		return "", shown.Errorf("imdb: %w", err)
	}
	file := path
	switch {
	case info.IsDir():
		file = filepath.Join(path, name)
	case strings.EqualFold(filepath.Ext(path), filepath.Ext(name)):
		return path, nil
	default:
		file = filepath.Join(filepath.Dir(path), name)
	}
	if _, err := os.Stat(file); err != nil {
		return "", shown.Errorf("imdb: %w", err)
	}
	return file, nil
}

// cacheFolders are the folders in which files may lie that nobody named, in the order of the search.
func cacheFolders() []string {
	if home, err := os.UserHomeDir(); err == nil {
		return cache.Folders(filepath.Join(home, ".keras", "datasets"))
	}
	return cache.Folders()
}

// findCached looks for the file name in the cache folders.
func findCached(name string) (string, error) {
	folders := cacheFolders()
	for _, dir := range folders {
		file := filepath.Join(dir, name)
		_, err := os.Stat(file)
		if err == nil {
			return file, nil
		}
		// A folder that cannot be looked into may hold the file: the user must know.
		if !errors.Is(err, fs.ErrNotExist) {
			return "", shown.Errorf("imdb: %w", err)
		}
	}
	return "", shown.Errorf("imdb: %s is not in %s; fetch %s%s into one of them, or name its folder in Options.Path: %w",
		name, strings.Join(folders, ", "), origin, name, fs.ErrNotExist)
}

// damaged is the error for a file that exists but cannot be read as what it should be.
func damaged(file string, err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return shown.Errorf("imdb: reading %s: %w", file, err)
	}
	if errors.Is(err, ratio.ErrExceeded) {
		return shown.Errorf("imdb: %s: %w", file, err)
	}
	return shown.Errorf("imdb: %s is damaged or incomplete: %w; delete it and fetch it again from %s%s",
		file, err, origin, wantedName(file))
}

func wantedName(file string) string {
	if strings.EqualFold(filepath.Ext(file), ".json") {
		return wordIndexName
	}
	return reviewsName
}
