package builtin_test

import (
	"fmt"
	"log"

	"github.com/linnet-ml/linnet/datasets/imdb/builtin"
)

func Example() {
	train, test, err := builtin.Load()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("reviews:", train.Bags.Shape(), test.Bags.Shape(), "first labels:", train.Labels[:5])

	index, err := builtin.WordIndex()
	if err != nil {
		log.Fatal(err)
	}
	ids, counts := train.Bags.Row(0)
	length := train.Bags.Length(0)
	film := int32(index["film"] + 3)
	for k, id := range ids {
		if id == film {
			fmt.Printf("review 0 has %d tokens with padding, %v of them are %q\n", length, counts[k], "film")
		}
	}
	// Output:
	// reviews: (25000, 256) (25000, 256) first labels: [1 0 0 1 0]
	// review 0 has 256 tokens with padding, 6 of them are "film"
}

func ExampleTexts() {
	train, test, err := builtin.Texts()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("texts:", len(train.Texts), len(test.Texts))
	fmt.Printf("label %d: %.31s…\n", train.Labels[0], train.Texts[0])
	// Output:
	// texts: 25000 25000
	// label 1: the the the the the the the the…
}
