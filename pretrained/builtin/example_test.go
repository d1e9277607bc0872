package builtin_test

import (
	"context"
	"fmt"
	"log"

	"github.com/linnet-ml/linnet/pretrained/builtin"
)

func Example() {
	e, err := builtin.Open()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(e.Name(), e.Rows(), e.Dim(), e.Combiner())
	ids, err := e.Tokenizer().AppendIDs(context.Background(), nil, "The greatest movie!")
	if err != nil {
		log.Fatal(err)
	}
	for _, id := range ids {
		word, _ := e.Vocabulary().Word(id)
		fmt.Println(id, word)
	}
	table := make([]float32, e.Rows()*e.Dim())
	if err := e.ReadTable(context.Background(), table); err != nil {
		log.Fatal(err)
	}
	// Output:
	// glove-imdb-50 51001 50 sqrtn
	// 0 the
	// 777 greatest
	// 13 movie
}
