package tensor_test

import (
	"errors"
	"fmt"

	"github.com/linnet-ml/linnet/tensor"
)

// An array is a slice and a shape. Rows of it share its memory.
func Example() {
	a, err := tensor.Of([]float32{1, 2, 3, 4, 5, 6}, 3, 2)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(a.Shape(), a.Type(), a.Row(1))
	last := a.Rows(1, 3)
	last.Row(1)[0] = 50
	fmt.Println(last.Shape(), a.Data())
	_, err = tensor.Of([]float32{1, 2, 3}, 2, 2)
	fmt.Println(errors.Is(err, tensor.ErrShape), err)
	// Output:
	// (3, 2) float32 [3 4]
	// (2, 2) [1 2 3 4 50 6]
	// true tensor: shape does not fit: 3 elements do not make an array of shape (2, 2) (4 elements)
}

// Two rows of four columns: 1 in columns 0 and 2, and none.
func ExampleNewSparse() {
	s, err := tensor.NewSparse(4, []int{0, 2, 2}, []int32{0, 2}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	columns, values := s.Row(0)
	fmt.Println(s.Shape(), columns, values == nil)
	// Output: (2, 4) [0 2] true
}
