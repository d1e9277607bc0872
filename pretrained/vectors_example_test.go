package pretrained_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/linnet-ml/linnet/pretrained"
	"github.com/linnet-ml/linnet/text"
)

// A file of word vectors, here a small one in GloVe's layout, becomes a table and the rule that turns texts into its rows.
func ExampleOpenVectors() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "small.2d.txt")
	file := "the 0.1 0.2\ngood 0.9 -0.3\nbad -0.8 0.4\n"
	if err := os.WriteFile(path, []byte(file), 0o644); err != nil {
		log.Fatal(err)
	}

	e, err := pretrained.OpenVectors(context.Background(), path, pretrained.VectorOptions{Lower: true, OOV: pretrained.OOVMean})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(e.Name(), e.Rows(), e.Dim(), e.Combiner())
	ids, err := e.Tokenizer().AppendIDs(context.Background(), nil, "The good, the bad, the ugly.")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(ids)
	table := make([]float32, e.Rows()*e.Dim())
	if err := e.ReadTable(context.Background(), table); err != nil {
		log.Fatal(err)
	}
	fmt.Println(table)
	// Output:
	// small.2d 4 2 sqrtn
	// [0 1 0 2 0 3]
	// [0.1 0.2 0.9 -0.3 -0.8 0.4 0.066666655 0.1]
}

// A file as it was found: with a broken line, a row for unknown words, and more words than are wanted. VectorsOf gives the
// vectors of one's own words in their own order.
func ExampleEmbedding_VectorsOf() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "found.txt")
	file := "\ufeffthe 0.1 0.2\r\ngood 0.9 -0.3\r\n<a href=x>\r\nbad -0.8 0.4\r\n<unk> 0 0.5\r\n"
	if err := os.WriteFile(path, []byte(file), 0o644); err != nil {
		log.Fatal(err)
	}

	words := []string{"bad", "ugly", "good"}
	wanted, err := text.NewVocabulary(ctx, words)
	if err != nil {
		log.Fatal(err)
	}
	e, err := pretrained.OpenVectors(ctx, path, pretrained.VectorOptions{SkipMalformed: true, UnknownWord: "<unk>", Words: wanted})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(e.Vocabulary().Len(), "words,", e.Skipped(), "line skipped")
	vectors, found, err := e.VectorsOf(ctx, words)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(found, "of", len(words), vectors.Data())
	// Output:
	// 3 words, 1 line skipped
	// 2 of 3 [-0.8 0.4 0 0 0.9 -0.3]
}
