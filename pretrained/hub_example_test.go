package pretrained_test

import (
	"context"
	"fmt"
	"log"

	"github.com/linnet-ml/linnet/pretrained"
	"github.com/linnet-ml/linnet/text"
)

// The folder holds a text module as TensorFlow Hub has them, with 7 words, 3 rows for other words, and 4 dimensions.
func ExampleOpenHub() {
	module, err := pretrained.OpenHub(context.Background(), "testdata/hub/movie", pretrained.HubOptions{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(module.Name(), module.Rows(), module.Dim(), module.Combiner())

	// The module says how a text becomes rows of the table: this one removes punctuation and splits at spaces.
	ids, err := module.Tokenizer().AppendIDs(context.Background(), nil, "the movie was great!")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(ids)

	table := make([]float32, module.Rows()*module.Dim())
	if err := module.ReadTable(context.Background(), table); err != nil {
		log.Fatal(err)
	}
	id, _ := module.Vocabulary().ID("great")
	fmt.Printf("%.3f\n", table[int(id)*module.Dim():][:module.Dim()])
	// Output:
	// movie 10 4 sqrtn
	// [0 1 2 4]
	// [-0.165 0.117 -0.719 -0.604]
}

// A module that computes something which linnet does not know is refused, unless the options say how to read it.
func ExampleHubOptions() {
	module, err := pretrained.OpenHub(context.Background(), "testdata/hub/movie", pretrained.HubOptions{
		Tokens:    "tokens.txt",
		Table:     "embeddings/.ATTRIBUTES/VARIABLE_VALUE",
		Tokenizer: &text.HubTokenizerOptions{OOVBuckets: 3},
		Combiner:  text.Mean, // not what the module says: an error
	})
	fmt.Println(module, err)
	// Output:
	// <nil> pretrained: testdata/hub/movie: the options name the combiner mean, but the module's graph says sqrtn
}
