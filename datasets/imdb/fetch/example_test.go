package fetch_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/linnet-ml/linnet/datasets/imdb"
	"github.com/linnet-ml/linnet/datasets/imdb/fetch"
)

func ExampleTexts() {
	ctx := context.Background()
	archive, err := fetch.Texts(ctx, fetch.Options{Progress: func(name string, done, total int64) {
		fmt.Fprintf(os.Stderr, "\r%s: %d of %d bytes", name, done, total)
	}})
	if err != nil {
		log.Fatal(err)
	}
	train, test, err := imdb.LoadTexts(ctx, imdb.TextOptions{Path: archive})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("Training entries: %d, test entries: %d\n", len(train.Texts), len(test.Texts))
}
