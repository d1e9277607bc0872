package random_test

import (
	"fmt"

	"github.com/linnet-ml/linnet/internal/random"
)

// The order of the rows in an epoch depends on the seed and the number of the epoch alone.
func Example() {
	for epoch := range uint64(2) {
		order := []int32{0, 1, 2, 3, 4}
		random.New(7, random.Shuffle, epoch).Shuffle(order)
		fmt.Println(order)
	}
	// Output:
	// [1 2 0 3 4]
	// [1 0 4 2 3]
}
