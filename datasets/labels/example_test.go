package labels_test

import (
	"fmt"
	"log"

	"github.com/linnet-ml/linnet/datasets/labels"
)

func Example() {
	classes, err := labels.Learn([]string{"sports", "politics", "sports", "arts"})
	if err != nil {
		log.Fatal(err)
	}
	y, err := classes.IDs([]string{"sports", "arts"})
	fmt.Println(classes.Names(), y.Data(), err)
	_, err = classes.IDs([]string{"sports", "wether"})
	fmt.Println(err)
	// Output:
	// [arts politics sports] [2 0] <nil>
	// labels: row 1: "wether" is none of the 3 classes
}

// A text may have several labels.
func ExampleClasses_MultiHot() {
	classes, err := labels.New("arts", "politics", "sports")
	if err != nil {
		log.Fatal(err)
	}
	y, err := classes.MultiHot([][]string{{"sports", "politics"}, {}})
	fmt.Println(y.Shape(), y.Data(), err)
	sets, err := classes.Sets(y, 0.5)
	fmt.Println(sets, err)
	// Output:
	// (2, 3) [0 1 1 0 0 0] <nil>
	// [[politics sports] []] <nil>
}
