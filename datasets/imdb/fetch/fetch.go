package fetch

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"strings"

	"github.com/linnet-ml/linnet/datasets/imdb"
	"github.com/linnet-ml/linnet/internal/download"
	"github.com/linnet-ml/linnet/internal/shown"
)

// errNilContext reports a call without a context.
var errNilContext = errors.New("fetch: the context is nil")

// Options say how to download. The zero value downloads the official files into the folder that package imdb looks
// into.
type Options struct {
	// Folder is where the files go. Empty: $LINNET_DATA, or else the folder linnet in the user's cache folder
	// ([os.UserCacheDir]); then nothing is downloaded that package imdb finds in any of the folders that it looks into.
	Folder string
	// Mirror is the URL of a folder that has the files under the official names. Empty: the official places.
	Mirror string
	// AllowUnverified accepts files of other sizes and sums than the official ones, as a mirror of one's own may have.
	// What they hold package imdb checks in any case.
	AllowUnverified bool
	// Client makes the requests. Default: a client that takes the proxy from the environment. Redirects are followed
	// whatever it says, but not from https to http.
	Client *http.Client
	// Progress is called from time to time with the name of the file, how many of its bytes are there, and how many
	// there will be, or -1 when that is not known.
	Progress func(name string, done, total int64)
}

// file is a file as it lies at its official place.
type file struct {
	folder, name string
	size         int64
	sha256       string
}

// Keras's source states the sum of imdb.npz and, of the word index, the md5 bfafd718b763782e994055a2d397834f; the file
// of that md5 has the sum below. Size and sum of the archive are those of TensorFlow Datasets.
const (
	kerasFolder    = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
	stanfordFolder = "https://ai.stanford.edu/~amaas/data/sentiment/"
)

func reviewsFile() file {
	return file{kerasFolder, "imdb.npz", 17464789, "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f"}
}

func wordIndexFile() file {
	return file{kerasFolder, "imdb_word_index.json", 1641221, "027313fe9a320280f3bf0fac5baf58c4a683cf39a7ed9c3d3d3912bde4284cf6"}
}

func textsFile() file {
	return file{stanfordFolder, "aclImdb_v1.tar.gz", 84125825, "c40f74a18d3b61f90feba1e17730e0d38e8b97c05fde7008942e91923d1658fe"}
}

// Reviews returns the places of imdb.npz and imdb_word_index.json, which it downloads if need be (19 MB).
func Reviews(ctx context.Context, o Options) (imdb.Files, error) {
	if ctx == nil {
		return imdb.Files{}, errNilContext
	}
	if o.Folder == "" {
		if found, err := imdb.Find(""); !errors.Is(err, fs.ErrNotExist) {
			return found, err
		}
	}
	var f imdb.Files
	var err error
	if f.Reviews, err = o.fetch(ctx, reviewsFile()); err != nil {
		return imdb.Files{}, err
	}
	if f.WordIndex, err = o.fetch(ctx, wordIndexFile()); err != nil {
		return imdb.Files{}, err
	}
	return f, nil
}

// Texts returns the place of the archive of texts, which it downloads if need be (84 MB). In place of the archive it
// may be another one, or a folder, that imdb.LoadTexts reads as well.
func Texts(ctx context.Context, o Options) (string, error) {
	if ctx == nil {
		return "", errNilContext
	}
	if o.Folder == "" {
		if found, err := imdb.FindTexts(""); !errors.Is(err, fs.ErrNotExist) {
			return found, err
		}
	}
	return o.fetch(ctx, textsFile())
}

// fetch downloads one file.
func (o Options) fetch(ctx context.Context, f file) (string, error) {
	folder := o.Folder
	if folder == "" {
		var err error
		if folder, err = download.Folder(); err != nil {
			return "", shown.Errorf("fetch: %w", err)
		}
	}
	want := download.File{URL: f.folder + f.name, Name: f.name, Size: f.size, SHA256: f.sha256}
	if o.Mirror != "" {
		want.URL = strings.TrimSuffix(o.Mirror, "/") + "/" + f.name
	}
	if o.AllowUnverified {
		want.Size, want.SHA256, want.MaxSize = 0, "", 1<<30
	}
	path, err := download.Fetch(ctx, folder, want, download.Options{Client: o.Client, Progress: o.Progress})
	if err != nil {
		return "", shown.Errorf("fetch: %w", err)
	}
	return path, nil
}
