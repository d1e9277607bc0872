package text_test

import (
	"fmt"

	"github.com/linnet-ml/linnet/text"
)

func Example() {
	reviews := [][]int32{{1, 14, 22, 16}, {1, 14, 14}}

	x, err := text.PadSequences(reviews, text.PadOptions{Length: 3, Padding: text.Post})
	if err != nil {
		panic(err)
	}
	fmt.Println(x.Shape(), x.Data())

	bags, err := text.MakeBags(x, text.BagOptions{Vocabulary: 30})
	if err != nil {
		panic(err)
	}
	ids, counts := bags.Row(1)
	length := bags.Length(1)
	fmt.Println(ids, counts, length)
	// Output:
	// (2, 3) [14 22 16 1 14 14]
	// [1 14] [1 2] 3
}

func ExampleMultiHot() {
	x, err := text.MultiHot([][]int32{{4, 1, 4}, {2}}, 10_000)
	if err != nil {
		panic(err)
	}
	columns, _ := x.Row(0)
	fmt.Println(x.Shape(), columns)

	_, err = text.MultiHot([][]int32{{1}, {2, 10_000}}, 10_000)
	fmt.Println(err)
	// Output:
	// (2, 10000) [1 4]
	// row 1, column 1: id 10000 is outside the vocabulary 0 to 9999
}
