package loss_test

import (
	"fmt"

	"github.com/linnet-ml/linnet/loss"
	"github.com/linnet-ml/linnet/tensor"
)

// Two rows of one probability each: a good answer and a bad one.
func Example() {
	l := loss.BinaryCrossentropy{}
	probabilities, labels := []float32{0.9, 0.9}, []float32{1, 0}
	losses, gradient := make([]float32, 2), make([]float32, 2)
	l.Rows(losses, gradient, probabilities, labels)
	fmt.Printf("losses   %.4f\n", losses)
	fmt.Printf("gradient %.4f\n", gradient)
	fmt.Println(l.CheckLabel(2))
	fmt.Println(l.Check(tensor.Shape{3}, tensor.Shape{}))
	// Output:
	// losses   [0.1054 2.3026]
	// gradient [-1.1111 10.0000]
	// loss: binary cross-entropy is defined for labels from 0 to 1, not 2
	// loss: binary cross-entropy: a row of the output has shape (3,) and a row of the labels ()
}

func ExampleMeanSquaredError() {
	losses := make([]float32, 1)
	loss.MeanSquaredError{}.Rows(losses, nil, []float32{1, 2}, []float32{1, 5})
	fmt.Println(losses)
	// Output: [4.5]
}
