package builtin_test

import (
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
	for _, id := range e.Tokenizer().AppendIDs(nil, "The greatest movie!") {
		word, _ := e.Vocabulary().Word(id)
		fmt.Println(id, word)
	}
	table := make([]float32, e.Rows()*e.Dim())
	if err := e.ReadTable(table); err != nil {
		log.Fatal(err)
	}
	// Output:
	// glove-imdb-50 51001 50 sqrtn
	// 0 the
	// 777 greatest
	// 13 movie
}
