// Command make writes the file that package builtin embeds, from the real reviews:
//
//	go run ./datasets/imdb/builtin/make -data DIR
//
// DIR has imdb.npz and imdb_word_index.json. The same reviews give the same bytes.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/linnet-ml/linnet/datasets/imdb"
	"github.com/linnet-ml/linnet/datasets/imdb/builtin/internal/counts"
	"github.com/linnet-ml/linnet/text"
)

// The tutorial's input: 10,000 words, the last 256 tokens of each review, padding after them.
const (
	vocabulary = 10000
	steps      = 256
)

func main() {
	data := flag.String("data", "", "folder with imdb.npz and imdb_word_index.json; empty: the cache")
	out := flag.String("o", filepath.Join("datasets", "imdb", "builtin", "imdb.counts"), "file to write")
	flag.Parse()
	file, err := build(context.Background(), *data)
	if err == nil {
		err = os.WriteFile(*out, file, 0o644)
	}
	if err == nil {
		_, err = fmt.Printf("%s: %d bytes\n", *out, len(file))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// build makes the file's content from the reviews in the folder data.
func build(ctx context.Context, data string) ([]byte, error) {
	o := imdb.Options{Path: data, NumWords: vocabulary}
	train, test, err := imdb.Load(ctx, o)
	if err != nil {
		return nil, err
	}
	index, err := imdb.WordIndex(ctx, o)
	if err != nil {
		return nil, err
	}
	words := make([]string, vocabulary)
	for word, rank := range index {
		if rank <= vocabulary {
			words[rank-1] = word
		}
	}
	a, err := count(train)
	if err != nil {
		return nil, err
	}
	b, err := count(test)
	if err != nil {
		return nil, err
	}
	return counts.Encode(a, b, words)
}

// count pads the reviews and forgets the order of their words.
func count(s *imdb.Split) (*counts.Split, error) {
	x, err := text.PadSequences(s.Reviews, text.PadOptions{Length: steps, Padding: text.Post})
	if err != nil {
		return nil, err
	}
	bags, err := text.MakeBags(x, text.BagOptions{Vocabulary: vocabulary})
	if err != nil {
		return nil, err
	}
	c := &counts.Split{Vocabulary: vocabulary, Steps: steps, Labels: s.Labels, Offsets: []int{0}}
	for i := range bags.Len() {
		ids, n := bags.Row(i)
		c.IDs, c.Counts = append(c.IDs, ids...), append(c.Counts, n...)
		c.Offsets = append(c.Offsets, len(c.IDs))
	}
	return c, nil
}
