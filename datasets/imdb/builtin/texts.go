package builtin

import (
	"fmt"
	"sync"

	"github.com/linnet-ml/linnet/datasets/imdb"
	"github.com/linnet-ml/linnet/datasets/imdb/builtin/internal/counts"
	"github.com/linnet-ml/linnet/datasets/internal/textfile"
)

// The first ids are no words: padding, start, unknown word and unused.
const firstWord = 4

// Texts returns the counts turned back into texts, for models that read texts: 25,000 to train on and 25,000 to test
// with, in the order of [Load], which is that of imdb.LoadTexts with the default seed.
//
// They are not the reviews. A text has those of the last 256 words of its review that are among the 9,996 most frequent
// ones, each as often as it occurs there, in lower case, with single spaces between them, and in no order that means
// anything: the most frequent words of the language come first. Rarer words are left out. A model that adds up or
// averages the vectors of words needs no more; one that reads word after word learns nothing from these texts.
// Names and Ratings are nil.
func Texts() (train, test *imdb.TextSplit, err error) {
	a, b, err := counts.Decode(file)
	if err != nil {
		return nil, nil, fmt.Errorf("builtin: %w", err)
	}
	words, err := counts.Words(file)
	if err != nil {
		return nil, nil, fmt.Errorf("builtin: %w", err)
	}
	var wait sync.WaitGroup
	wait.Go(func() { train = texts(a, words) })
	wait.Go(func() { test = texts(b, words) })
	wait.Wait()
	return train, test, nil
}

func texts(c *counts.Split, words []string) *imdb.TextSplit {
	s := &imdb.TextSplit{Texts: make([]string, len(c.Labels)), Labels: c.Labels}
	var a textfile.Arena
	var buf []byte
	for i := range s.Texts {
		buf = buf[:0]
		for k := c.Offsets[i]; k < c.Offsets[i+1]; k++ {
			id := int(c.IDs[k]) - firstWord
			if id < 0 || id >= len(words) {
				continue
			}
			for range int(c.Counts[k]) {
				if len(buf) > 0 {
					buf = append(buf, ' ')
				}
				buf = append(buf, words[id]...)
			}
		}
		s.Texts[i] = a.Add(buf)
	}
	return s
}
