package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/linnet-ml/linnet/datasets/imdb"
	"github.com/linnet-ml/linnet/examples/internal/example"
	"github.com/linnet-ml/linnet/tensor"
	"github.com/linnet-ml/linnet/text"
)

// ordered is the reviews as Keras's imdb.load_data gives them.
type ordered struct {
	train, test *imdb.Split
	rank        map[string]int // nil without a word index
	prepared    tensor.Rows
}

// loadOrdered reads the reviews from a path, or from the cache when it is empty.
func loadOrdered(ctx context.Context, o *options, path string) (_ dataset, origin string, err error) {
	from := imdb.Options{Path: path, NumWords: o.words}
	train, test, err := imdb.Load(ctx, from)
	if err != nil {
		return nil, "", err
	}
	if n := min(len(train.Reviews), len(test.Reviews)); n < trainRows {
		return nil, "", fmt.Errorf("%d reviews in place of %d", n, trainRows)
	}
	rank, err := imdb.WordIndex(ctx, from)
	if err != nil && (o.Try || !errors.Is(err, fs.ErrNotExist)) {
		return nil, "", err
	}
	if origin = path; origin == "" {
		if files, err := imdb.Find(""); err == nil {
			origin = files.Reviews
		}
	}
	return &ordered{train: train, test: test, rank: rank}, origin, nil
}

func (d *ordered) labels() (train, test []int32) { return d.train.Labels, d.test.Labels }

func (d *ordered) explore(w *example.Page) {
	fmt.Fprintln(w, "The first review, a number for each word:")
	fmt.Fprintln(w, w.List(d.train.Reviews[0]))
	if d.rank == nil {
		fmt.Fprintln(w, "Without imdb_word_index.json beside the reviews it cannot be shown in words.")
	} else {
		fmt.Fprintln(w, "In words:")
		w.Print(imdb.Decode(d.train.Reviews[0], d.rank))
	}
	fmt.Fprintf(w, "Lengths of the first two reviews: %d, %d\n", len(d.train.Reviews[0]), len(d.train.Reviews[1]))
}

func (d *ordered) prepare(o *options) (train, test tensor.Rows, err error) {
	if train, err = rows(o, d.train.Reviews); err != nil {
		return nil, nil, err
	}
	if test, err = rows(o, d.test.Reviews); err != nil {
		return nil, nil, err
	}
	d.prepared = train
	return train, test, nil
}

// rows makes what the network reads out of reviews.
func rows(o *options, reviews [][]int32) (tensor.Rows, error) {
	if o.input == inputMultiHot {
		return text.MultiHot(reviews, o.words)
	}
	return text.PadSequences(reviews, text.PadOptions{Length: o.maxlen, Padding: text.Post})
}

func (d *ordered) showPrepared(w *example.Page) {
	switch x := d.prepared.(type) {
	case *tensor.Int32:
		fmt.Fprintf(w, "Lengths of the first two reviews: %d, %d\n", len(x.Row(0)), len(x.Row(1)))
		fmt.Fprintln(w, "The first review, filled up with 0:")
		fmt.Fprintln(w, w.List(x.Row(0)))
	case *tensor.Sparse:
		showMultiHot(w, x)
	}
}

func showMultiHot(w *example.Page, x *tensor.Sparse) {
	columns, _ := x.Row(0)
	fmt.Fprintf(w, "A row for each review, with %d columns of 0 and 1. The first review has 1 in these:\n", x.Shape()[1])
	fmt.Fprintln(w, w.List(columns))
}

func (d *ordered) encode(o *options, text string) (x tensor.Rows, words, known int, err error) {
	ids, known := encode(text, d.rank, o.words)
	x, err = rows(o, [][]int32{ids})
	return x, len(ids) - 1, known, err
}
