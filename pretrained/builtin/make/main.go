// Command make writes the file that package builtin embeds, from the real GloVe table and the real reviews:
//
//	go run ./pretrained/builtin/make -glove FILE -reviews DIR
//
// FILE is a GloVe table of 100 values (glove.6B.100d.txt, or a part of it, packed or not) and DIR has the archive
// aclImdb. The same files give the same bytes, on any platform.
//
// The words are those of the table that the training reviews have most often, and the vectors their first 50 principal
// components, times 0.1, in 8 bits. Which reduction it is was decided by the validation accuracy of the network that the
// package is made for (the vectors, Dense(16), Dense(1); three seeds), on 10,000 of the training reviews. The test
// reviews had no part in it. With 38,000 words, trained with the rest and stopped early / frozen, it was
//
//	0.8871 / -       100 values, as they are
//	0.8787 / 0.7732  50 components, not centred
//	0.8779 / 0.7712  50 components
//	0.8917 / 0.7742  50 components times 0.25
//	0.8919 / 0.7689  50 components times 0.1
//	0.8909 / 0.7720  50 components of the same variance, times 0.1
//	0.8916 / 0.7772  50 components times 0.1, words weighted by the square root of their frequency
//	0.8929 / 0.7855  50 components times 0.1, words weighted by their frequency
//
// Rounding to 8 bits, with a step for all values, for a column or for a row, changed no accuracy by more than 0.0008.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"

	"github.com/linnet-ml/linnet/datasets/imdb"
	"github.com/linnet-ml/linnet/pretrained"
	"github.com/linnet-ml/linnet/pretrained/builtin/internal/packed"
	"github.com/linnet-ml/linnet/text"
)

const (
	dim = 50
	// words is as many as fit into 2,000,000 bytes.
	words = 51000
	// scale brings the vectors, about 5 long in GloVe, to the length of those that a network begins with. Training then
	// moves them as far as it needs to, and overfits later.
	scale = 0.1
)

func main() {
	glove := flag.String("glove", "", "GloVe table of 100 values")
	reviews := flag.String("reviews", "", "folder with the archive of the reviews; empty: the cache")
	out := flag.String("o", filepath.Join("pretrained", "builtin", "glove.vectors"), "file to write")
	flag.Parse()
	file, err := build(context.Background(), *glove, *reviews)
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

// build makes the file's content.
func build(ctx context.Context, glove, reviews string) ([]byte, error) {
	// The words are chosen with single spaces between words, not all white space as in the package. With that, too, other words
	// are chosen, and the validation loss of the network is the same (0.2616), so the file stays.
	e, err := pretrained.OpenVectors(ctx, glove, pretrained.VectorOptions{Dim: 100, Tokenizer: func(words *text.Vocabulary) (text.Tokenizer, error) {
		return text.NewHubTokenizer(words, text.HubTokenizerOptions{Lower: true})
	}})
	if err != nil {
		return nil, err
	}
	train, _, err := imdb.LoadTexts(ctx, imdb.TextOptions{Path: reviews})
	if err != nil {
		return nil, err
	}
	counts := make([]int, e.Rows())
	var ids []int32
	for _, t := range train.Texts {
		if ids, err = e.Tokenizer().AppendIDs(ctx, ids[:0], t); err != nil {
			return nil, err
		}
		for _, id := range ids {
			counts[id]++
		}
	}
	table := make([]float32, e.Rows()*e.Dim())
	if err := e.ReadTable(ctx, table); err != nil {
		return nil, err
	}
	// The most frequent words first; among equals GloVe's order.
	var order []int
	for id := range e.Vocabulary().Len() {
		if counts[id] > 0 {
			order = append(order, id)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(counts[b], counts[a]) })
	if len(order) < words {
		return nil, fmt.Errorf("make: the training reviews have only %d words of %s", len(order), glove)
	}
	x := make([]float64, 0, len(order)*e.Dim())
	weights := make([]float64, len(order))
	for i, id := range order {
		for _, v := range table[id*e.Dim() : (id+1)*e.Dim()] {
			x = append(x, float64(v))
		}
		weights[i] = float64(counts[id])
	}
	components, err := principalComponents(x, weights, e.Dim(), dim)
	if err != nil {
		return nil, err
	}
	p := &packed.Table{Dim: dim}
	for _, id := range order[:words] {
		word, _ := e.Vocabulary().Word(int32(id))
		p.Words = append(p.Words, []byte(word))
	}
	p.Step, p.Values = quantise(components[:words*dim], dim)
	return packed.Encode(p)
}

// quantise rounds rows of values to whole numbers from -127 to 127 times one step, and turns them into columns. The step
// is the same for all: then the error is, too, and columns of small values take fewer bits when packed.
func quantise(rows []float64, dim int) (step float32, columns []int8) {
	largest := 0.0
	for _, v := range rows {
		largest = max(largest, math.Abs(v))
	}
	n := len(rows) / dim
	columns = make([]int8, len(rows))
	for i := range n {
		for j := range dim {
			columns[j*n+i] = int8(math.RoundToEven(rows[i*dim+j] / largest * 127))
		}
	}
	return float32(scale * largest / 127), columns
}

var errNoConvergence = errors.New("make: the eigenvectors do not converge")
