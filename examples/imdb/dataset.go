package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/linnet-ml/linnet/datasets/imdb"
	"github.com/linnet-ml/linnet/datasets/imdb/fetch"
	"github.com/linnet-ml/linnet/examples/internal/example"
	"github.com/linnet-ml/linnet/internal/download"
	"github.com/linnet-ml/linnet/tensor"
	"github.com/linnet-ml/linnet/text"
)

// The size of the data set and of the part of it that validates.
const (
	trainRows      = 25000
	validationRows = 10000
)

// dataset is the reviews in the form in which they came: with the order of their words, or without.
type dataset interface {
	// labels are those of the reviews to train on and to test with.
	labels() (train, test []int32)
	// explore shows the first reviews.
	explore(w *example.Page)
	// prepare makes what the network reads.
	prepare(o *options) (train, test tensor.Rows, err error)
	// showPrepared shows the first review as the network reads it.
	showPrepared(w *example.Page)
	// encode makes one row out of a text, and counts its words and those of them that have an id.
	encode(o *options, text string) (x tensor.Rows, words, known int, err error)
}

const (
	dataBuiltin  = "builtin"
	dataDownload = "download"

	// getReviews tells how to come by the reviews with the order of their words.
	getReviews = "For reviews with their words in order say -data download (19 MB, once), or put imdb.npz and imdb_word_index.json from " +
		"https://storage.googleapis.com/tensorflow/tf-keras-datasets/ into ~/.keras/datasets, or name their folder with -data."
)

// find finds out, before anything is read, where the reviews are that -data says: in the built-in copy, at the network, or in
// a file, which must be there.
func find(o *options) error {
	switch o.data {
	case dataDownload:
		return nil
	case dataBuiltin:
		o.builtin = true
	case "":
		_, err := imdb.Find("")
		if o.builtin = errors.Is(err, fs.ErrNotExist); !o.builtin && err != nil {
			return err
		}
	default:
		// Without its word index a review cannot be shown, and no text of -try be scored.
		_, err := imdb.Find(o.data)
		if err != nil && !o.Try && hasReviews(o.data) {
			err = nil
		}
		if err != nil {
			return fmt.Errorf("-data: %w", err)
		}
	}
	if o.builtin {
		return checkBuiltin(o)
	}
	return nil
}

// hasReviews reports whether imdb.npz is where -data says, without its word index.
func hasReviews(path string) bool {
	info, err := os.Stat(path)
	if err == nil && !info.IsDir() {
		if strings.EqualFold(filepath.Ext(path), ".npz") {
			return true
		}
		path = filepath.Dir(path)
	}
	_, err = os.Stat(filepath.Join(path, "imdb.npz"))
	return err == nil
}

// load reads the reviews from where -data says. Its string says where that was. A download is reported to progress.
func load(ctx context.Context, o *options, progress io.Writer) (d dataset, origin string, err error) {
	if o.builtin {
		d, err = loadBuiltin()
		return d, dataBuiltin, err
	}
	switch o.data {
	case dataDownload:
		if progress != nil {
			p := download.NewPrinter(progress)
			defer p.End()
			o.fetch.Progress = p.Report
		}
		if _, err := fetch.Reviews(ctx, o.fetch); err != nil {
			return nil, "", fmt.Errorf("-data %s: %w; -data %s needs no network", o.data, err, dataBuiltin)
		}
		return loadOrdered(ctx, o, "") // the cache has them now
	case "":
		return loadOrdered(ctx, o, "")
	}
	if d, origin, err = loadOrdered(ctx, o, o.data); err != nil {
		err = fmt.Errorf("-data: %w", err)
	}
	return d, origin, err
}

// part returns rows lo to hi-1.
func part(x tensor.Rows, lo, hi int) tensor.Rows {
	switch x := x.(type) {
	case *tensor.Int32:
		return x.Rows(lo, hi)
	case *tensor.Sparse:
		return x.Rows(lo, hi)
	case *text.Bags:
		return x.Rows(lo, hi)
	}
	panic(fmt.Sprintf("imdb: rows of a %T", x))
}
