package imdb_test

import (
	"context"
	"fmt"
	"log"

	"github.com/linnet-ml/linnet/datasets/imdb"
)

// The files in testdata have the layout of the real ones, and a few invented reviews.
func Example() {
	ctx := context.Background()
	o := imdb.Options{Path: "testdata", NumWords: 13, AllowUnverified: true}
	train, test, err := imdb.Load(ctx, o)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d reviews to train on, %d to test with\n", len(train.Reviews), len(test.Reviews))
	fmt.Println("first review:", train.Reviews[0], "label:", train.Labels[0])

	index, err := imdb.WordIndex(ctx, o)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(imdb.Decode(train.Reviews[0], index))
	// Output:
	// 6 reviews to train on, 4 to test with
	// first review: [1 4 9 6 2 12 4 10 2] label: 1
	// <START> the plot was <UNK> but the actors <UNK>
}

// Keras's None and legal zeros: reviews without a start character, words counted from 1, rare words left out.
func ExampleLoad_options() {
	train, _, err := imdb.Load(context.Background(), imdb.Options{
		Path:            "testdata",
		NumWords:        8,
		NoStartChar:     true,
		NoOOVChar:       true,
		IndexFrom:       new(0),
		AllowUnverified: true,
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(train.Reviews[0])
	// Output: [1 6 3 1 7]
}
