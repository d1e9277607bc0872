package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/linnet-ml/linnet/datasets/imdb"
	"github.com/linnet-ml/linnet/datasets/imdb/builtin"
	"github.com/linnet-ml/linnet/examples/internal/example"
	"github.com/linnet-ml/linnet/tensor"
	"github.com/linnet-ml/linnet/text"
)

// counted is the reviews as package builtin has them: how often each word occurs, without the order.
type counted struct {
	train, test *builtin.Split
	rank        map[string]int
	prepared    tensor.Rows
}

// checkBuiltin refuses what the built-in reviews cannot be used for.
func checkBuiltin(o *options) error {
	if o.words > builtin.NumWords {
		return example.Usagef("-words %d is more than the %d of the built-in reviews (-data names others)", o.words, builtin.NumWords)
	}
	if o.maxlen != builtin.Length {
		return example.Usagef("-maxlen %d does not go with the built-in reviews, which hold the last %d words of each (-data names others)", o.maxlen, builtin.Length)
	}
	return nil
}

func loadBuiltin() (dataset, error) {
	train, test, err := builtin.Load()
	if err != nil {
		return nil, err
	}
	rank, err := builtin.WordIndex()
	if err != nil {
		return nil, err
	}
	return &counted{train: train, test: test, rank: rank}, nil
}

func (d *counted) labels() (train, test []int32) { return d.train.Labels, d.test.Labels }

func (d *counted) explore(w *example.Page) {
	ids, counts := d.train.Bags.Row(0)
	order := make([]int, 0, len(ids))
	for k, id := range ids {
		if id != idPad {
			order = append(order, k)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return int(counts[b] - counts[a]) })
	decoder := imdb.NewDecoder(d.rank)
	var numbers, names []string
	for _, k := range order {
		times := ""
		if counts[k] > 1 {
			times = fmt.Sprintf("×%v", counts[k])
		}
		numbers = append(numbers, fmt.Sprintf("%d%s", ids[k], times))
		names = append(names, decoder.Decode(ids[k:k+1])+times)
	}
	w.Print("The built-in copy has no texts, which are not ours to ship: it counts the words of each review, of its last 256, and the network's average needs no more.")
	fmt.Fprintln(w, "The first review, a number for each word and how often it occurs:")
	w.Print(strings.Join(numbers, " "))
	fmt.Fprintln(w, "In words:")
	w.Print(strings.Join(names, " "))
	fmt.Fprintf(w, "Lengths of the first two reviews: %s, %s\n", d.length(0), d.length(1))
}

// length is that of a review before it was padded.
func (d *counted) length(i int) string {
	ids, counts := d.train.Bags.Row(i)
	length := d.train.Bags.Length(i)
	if len(ids) == 0 || ids[0] != idPad {
		return fmt.Sprintf("%d or more", length)
	}
	return fmt.Sprint(length - int(counts[0]))
}

func (d *counted) prepare(o *options) (train, test tensor.Rows, err error) {
	if train, err = bagRows(o, d.train.Bags); err != nil {
		return nil, nil, err
	}
	if test, err = bagRows(o, d.test.Bags); err != nil {
		return nil, nil, err
	}
	d.prepared = train
	return train, test, nil
}

// bagRows makes what the network reads out of counts.
func bagRows(o *options, reviews *text.Bags) (tensor.Rows, error) {
	var err error
	if o.words < reviews.Vocabulary() {
		if reviews, err = reviews.Limit(o.words, idOOV); err != nil {
			return nil, err
		}
	}
	if o.input == inputMultiHot {
		return reviews.MultiHot()
	}
	return reviews, nil
}

func (d *counted) showPrepared(w *example.Page) {
	switch x := d.prepared.(type) {
	case *text.Bags:
		ids, counts := x.Row(0)
		fmt.Fprintf(w, "Lengths of the first two reviews: %d, %d\n", x.Length(0), x.Length(1))
		if len(ids) > 0 && ids[0] == idPad {
			fmt.Fprintf(w, "The first review was filled up with %v times 0.\n", counts[0])
		}
	case *tensor.Sparse:
		fmt.Fprintf(w, "Of the built-in reviews the last %d words count.\n", builtin.Length)
		showMultiHot(w, x)
	}
}

func (d *counted) encode(o *options, s string) (x tensor.Rows, words, known int, err error) {
	ids, known := encode(s, d.rank, o.words)
	x, err = rows(o, [][]int32{ids})
	return x, len(ids) - 1, known, err
}
