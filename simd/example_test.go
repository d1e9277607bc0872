package simd_test

import (
	"fmt"

	"github.com/linnet-ml/linnet/simd"
)

// A dense layer of two units on a batch of three inputs: x·W + b, then relu.
func Example() {
	x := []float32{
		1, 2, 3,
		4, 5, 6,
		-1, 0, 1,
	}
	w := []float32{
		0.5, -1,
		0.25, 0,
		1, 0.5,
	}
	bias := []float32{0.5, 1}
	y := make([]float32, 3*2)
	simd.GemmNN(3, 2, 3, x, 3, w, 2, y, 2, false)
	simd.AddBias(y, bias)
	simd.Relu(y, y)
	fmt.Println(y)
	// Output: [4.5 1.5 9.75 0 1 2.5]
}

// The mean of a review's word vectors, by distinct word and count: word 2
// occurs twice, word 0 once.
func ExampleBagMean() {
	table := []float32{
		0.75, 0,
		9, 9,
		1.5, 3,
	}
	mean := make([]float32, 2)
	done := simd.BagMean(mean, table, 2, []int32{0, 2}, []float32{1, 2}, 3)
	fmt.Println(mean, done)
	// Output: [1.25 2] 2
}

// Ids are checked: the result tells where the first one outside the table is.
func ExampleGather() {
	table := []float32{1, 2, 3}
	rows := make([]float32, 3)
	ids := []int32{2, 7, 0}
	if done := simd.Gather(rows, table, 1, ids); done < len(ids) {
		fmt.Printf("id %d at position %d is outside a table of %d rows\n", ids[done], done, len(table))
	}
	// Output: id 7 at position 1 is outside a table of 3 rows
}

// One step of Adam with Keras's defaults.
func ExampleAdam() {
	w, grad := []float32{1, 1}, []float32{0.5, -2}
	m, v := make([]float32, 2), make([]float32, 2)
	// The first step: lr·sqrt(1-beta2)/(1-beta1).
	simd.Adam(w, m, v, grad, 0.001*0.0316227766/0.1, 0.1, 0.001, 1e-7)
	fmt.Printf("%.4f\n", w)
	// Output: [0.9990 1.0010]
}

// The means of a batch of reviews. Each pair is an id and, 16 bits up, its
// count; the reviews lie in another order than the batch.
func ExampleBagsMean() {
	table := []float32{
		0.75, 0,
		9, 9,
		1.5, 3,
	}
	pairs := []uint32{
		1 | 1<<16,            // one review: word 1
		0 | 1<<16, 2 | 2<<16, // another: word 0, and word 2 twice
	}
	means := make([]float32, 2*2)
	done := simd.BagsMean(means, table, 2, pairs, []int{1, 0}, []int{3, 1}, []float32{3, 1})
	fmt.Println(means, done)
	// Output: [1.25 2 9 9] 2
}

// The largest element of each column, and the row it is in.
func ExampleMaxAt() {
	best, at := []float32{1, 5, 2}, make([]float32, 3)
	for i, row := range [][]float32{{3, 4, 2}, {2, 6, 2}} {
		simd.MaxAt(best, at, row, float32(i+1))
	}
	fmt.Println(best, at)
	// Output: [3 6 2] [1 2 0]
}
