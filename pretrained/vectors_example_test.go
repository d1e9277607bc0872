package pretrained_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/linnet-ml/linnet/pretrained"
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
