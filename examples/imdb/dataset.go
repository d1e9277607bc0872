package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/linnet-ml/linnet/datasets/imdb"
	"github.com/linnet-ml/linnet/datasets/imdb/fetch"
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
	explore(w io.Writer)
	// prepare makes what the network reads.
	prepare(o *options) (train, test tensor.Rows, err error)
	// showPrepared shows the first review as the network reads it.
	showPrepared(w io.Writer)
	// encode makes one row out of a text, and counts its words and those of them that have an id.
	encode(o *options, text string) (x tensor.Rows, words, known int, err error)
}

const (
	dataBuiltin  = "builtin"
	dataDownload = "download"

	// getReviews tells how to come by the reviews with the order of their words.
	getReviews = `For reviews with their words in order say -data download (19 MB, once), or put
imdb.npz and imdb_word_index.json from
https://storage.googleapis.com/tensorflow/tf-keras-datasets/
into ~/.keras/datasets, or name their folder with -data.`
)

// load reads the reviews from where -data says. Its string says where that was. A download is reported to progress.
func load(ctx context.Context, o *options, progress io.Writer) (dataset, string, error) {
	switch o.data {
	case dataBuiltin:
		return loadBuiltin(o)
	case dataDownload:
		if progress != nil {
			p := download.NewPrinter(progress)
			defer p.End()
			o.fetch.Progress = p.Report
		}
		if _, err := fetch.Reviews(ctx, o.fetch); err != nil {
			return nil, "", err
		}
		return loadOrdered(ctx, o, "") // the cache has them now
	case "":
		_, err := imdb.Find("")
		if errors.Is(err, fs.ErrNotExist) {
			return loadBuiltin(o)
		}
		if err != nil {
			return nil, "", err
		}
	}
	return loadOrdered(ctx, o, o.data)
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
