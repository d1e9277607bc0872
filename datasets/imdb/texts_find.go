package imdb

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/linnet-ml/linnet/internal/plainfile"
	"github.com/linnet-ml/linnet/internal/ratio"
	"github.com/linnet-ml/linnet/internal/shown"
)

const (
	// textsURL is where the authors of the data set offer the archive.
	textsURL = "https://ai.stanford.edu/~amaas/data/sentiment/" + textsName

	textsName      = "aclImdb_v1.tar.gz"
	labelledName   = "aclImdb_labeled.tar.gz"
	unlabelledName = "aclImdb_unsup.tar.gz"
)

// textNames are the archives and folders that may hold the texts with labels, or those without, in the order of the
// search. The folders are those into which the archive unpacks, by hand or by Keras's get_file.
func textNames(labelled bool) []string {
	half := unlabelledName
	if labelled {
		half = labelledName
	}
	return []string{textsName, half, "aclImdb", "aclImdb_v1/aclImdb", "aclImdb_v1_extracted/aclImdb"}
}

// textSource is an archive, or the folder that one was unpacked into.
type textSource struct {
	path   string
	folder bool
}

// FindTexts returns the archive or folder that [LoadTexts] reads for the same [TextOptions].Path, without reading it.
// When there is none the error wraps [fs.ErrNotExist] and says where it was looked for.
func FindTexts(path string) (string, error) {
	s, err := findTexts(path, true)
	return s.path, err
}

func findTexts(path string, labelled bool) (textSource, error) {
	names := textNames(labelled)
	var folders []string
	if path == "" {
		folders = cacheFolders()
	} else {
		info, err := os.Stat(path)
		switch {
		case err != nil:
			return textSource{}, shown.Errorf("imdb: %w", err)
		case info.IsDir():
			if isTextFolder(path) {
				return textSource{path, true}, nil
			}
			folders = []string{path}
		case isHalf(path) && !slices.Contains(names, filepath.Base(path)):
			// The other one of the two archives.
			path = filepath.Join(filepath.Dir(path), names[1])
			if _, err := os.Stat(path); err != nil {
				return textSource{}, shown.Errorf("imdb: %w", err)
			}
			return textSource{path, false}, nil
		default:
			return textSource{path, false}, nil
		}
	}
	for _, dir := range folders {
		for _, name := range names {
			file := filepath.Join(dir, filepath.FromSlash(name))
			info, err := os.Stat(file)
			switch {
			case errors.Is(err, fs.ErrNotExist):
			case err != nil:
				// A folder that cannot be looked into may hold the file: the user must know.
				return textSource{}, shown.Errorf("imdb: %w", err)
			case !info.IsDir():
				return textSource{file, false}, nil
			case isTextFolder(file):
				return textSource{file, true}, nil
			}
		}
	}
	return textSource{}, shown.Errorf("imdb: none of %s is in %s; fetch %s into it, or name its place in TextOptions.Path: %w",
		strings.Join(names[:3], ", "), strings.Join(folders, ", "), textsURL, fs.ErrNotExist)
}

func isHalf(path string) bool {
	base := filepath.Base(path)
	return base == labelledName || base == unlabelledName
}

// isTextFolder reports whether a folder holds a folder with reviews.
func isTextFolder(dir string) bool {
	for _, c := range classes {
		if info, err := os.Stat(filepath.Join(dir, filepath.FromSlash(c.folder))); err == nil && info.IsDir() {
			return true
		}
	}
	return false
}

// read gives the reviews to the collector.
func (s textSource) read(ctx context.Context, c *collector, limit ratio.Limit) error {
	err := s.collect(ctx, c, limit)
	if err == nil {
		err = c.sort()
	}
	switch {
	case err == nil:
	case errors.As(err, new(otherReviews)):
		return s.notOfficial(err)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return shown.Errorf("imdb: reading %s: %w", s.path, err)
	case errors.As(err, new(notOpened)):
		return shown.Errorf("imdb: %w", err)
	case s.folder, errors.Is(err, ratio.ErrExceeded):
		return shown.Errorf("imdb: %s: %w", s.path, err)
	default:
		return shown.Errorf("imdb: %s is damaged or incomplete: %w; delete it and fetch it again from %s", s.path, err, textsURL)
	}
	for _, r := range c.reviews {
		if len(r) > 0 {
			return nil
		}
	}
	var folders []string
	for k, wanted := range c.wanted {
		if wanted {
			folders = append(folders, classes[k].folder)
		}
	}
	return shown.Errorf("imdb: %s holds no reviews: it has no files such as 0_9.txt in %s", s.path, strings.Join(folders, ", "))
}

// notOpened is the error for an archive that could not be opened, which says nothing of its content.
type notOpened struct{ error }

func (n notOpened) Unwrap() error { return n.error }

func (s textSource) collect(ctx context.Context, c *collector, limit ratio.Limit) error {
	if s.folder {
		return c.readFolder(ctx, os.DirFS(s.path))
	}
	f, err := plainfile.Open(ctx, s.path, maxReviews)
	if err != nil {
		return notOpened{err}
	}
	defer f.Close()
	return c.readArchive(f, limit)
}

func (s textSource) notOfficial(err error) error {
	return shown.Errorf("imdb: %s does not hold the official texts (%w); set TextOptions.AllowUnverified to use it all the same", s.path, err)
}
