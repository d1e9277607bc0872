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

// testdata/aclImdb is laid out like the unpacked archive, and has a few invented reviews.
func ExampleLoadTexts() {
	train, test, err := imdb.LoadTexts(context.Background(), imdb.TextOptions{Path: "testdata/aclImdb", AllowUnverified: true})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("Training entries: %d, test entries: %d\n", len(train.Texts), len(test.Texts))
	for i, text := range train.Texts {
		fmt.Printf("%d (%d stars): %s\n", train.Labels[i], train.Ratings[i], text)
	}
	// Output:
	// Training entries: 4, test entries: 2
	// 0 (4 stars): The music is good. Nothing else is.
	// 0 (2 stars): Two hours of fog.<br /><br />I fell asleep.
	// 1 (9 stars): A quiet film that stays with you.
	// 1 (7 stars): Great fun, and the dog can act.
}
