package split_test

import (
	"fmt"
	"log"

	"github.com/linnet-ml/linnet/datasets/split"
	"github.com/linnet-ml/linnet/tensor"
)

// One split serves inputs and labels. Of each class a quarter validates.
func ExampleStratified() {
	texts := []string{"good", "bad", "fine", "awful", "great", "poor", "lovely", "dull"}
	labels, err := tensor.Of([]int32{1, 0, 1, 0, 1, 0, 1, 0})
	if err != nil {
		log.Fatal(err)
	}
	train, validation, err := split.Stratified(labels.Data(), split.Options{Validation: 0.25, Seed: 1})
	if err != nil {
		log.Fatal(err)
	}
	x, err := split.Take(texts, validation)
	if err != nil {
		log.Fatal(err)
	}
	y, err := labels.Take(validation)
	fmt.Println(len(train), x, y.Data(), err)
	// Output: 6 [lovely poor] [1 0] <nil>
}
