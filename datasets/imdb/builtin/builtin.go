package builtin

import (
	_ "embed"
	"fmt"

	"github.com/linnet-ml/linnet/datasets/imdb/builtin/internal/counts"
	"github.com/linnet-ml/linnet/text"
)

//go:embed imdb.counts
var file []byte

// The preparation of the reviews that the counts were taken from: NumWords of package imdb, and the length to which the
// reviews were padded at the end, or cut at the beginning.
const (
	NumWords = 10000
	Length   = 256
)

// Notice is the text of the file NOTICE: the source of the counts, how to cite it, and the terms.
//
//go:embed NOTICE
var Notice string

// Split is one half of the data set: the reviews to train on, or those to test with.
type Split struct {
	// Bags has for each review its distinct ids and their counts, padding (id 0) included: every length is 256.
	Bags *text.Bags
	// Labels has 1 for a good review and 0 for a bad one.
	Labels []int32
}

// Load returns 25,000 reviews to train on and 25,000 to test with, in the order of imdb.Load with the default seed. An
// error means that the program itself was damaged.
func Load() (train, test *Split, err error) {
	a, b, err := counts.Decode(file)
	if err != nil {
		return nil, nil, fmt.Errorf("builtin: %w", err)
	}
	if train, err = newSplit(a); err != nil {
		return nil, nil, err
	}
	if test, err = newSplit(b); err != nil {
		return nil, nil, err
	}
	return train, test, nil
}

func newSplit(c *counts.Split) (*Split, error) {
	lengths := make([]int32, len(c.Labels))
	for i := range lengths {
		lengths[i] = int32(c.Steps)
	}
	bags, err := text.NewBags(c.Vocabulary, c.Offsets, c.IDs, c.Counts, lengths)
	if err != nil {
		return nil, fmt.Errorf("builtin: %w", err)
	}
	return &Split{Bags: bags, Labels: c.Labels}, nil
}

// WordIndex returns the rank of each of the 10,000 most frequent words, from 1 for the most frequent. As with
// imdb.WordIndex the id of a word in the bags is its rank + 3; 0 to 3 are padding, start, unknown word and unused.
func WordIndex() (map[string]int, error) {
	words, err := counts.Words(file)
	if err != nil {
		return nil, fmt.Errorf("builtin: %w", err)
	}
	index := make(map[string]int, len(words))
	for i, w := range words {
		index[w] = i + 1
	}
	return index, nil
}
