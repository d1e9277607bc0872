package tensor_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/linnet-ml/linnet/tensor"
)

func TestTake(t *testing.T) {
	a, err := tensor.Of([]int32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, 3, 2, 2)
	if err != nil {
		t.Fatal(err)
	}
	b, err := a.Take([]int{2, 0, 2})
	if err != nil || b.Shape().String() != "(3, 2, 2)" || !slices.Equal(b.Data(), []int32{8, 9, 10, 11, 0, 1, 2, 3, 8, 9, 10, 11}) {
		t.Error(b, err)
	}
	b.Data()[0] = -1
	if a.Data()[8] != 8 {
		t.Error("rows that were taken share memory with the array")
	}
	if b, err := a.Take(nil); err != nil || b.Shape().String() != "(0, 2, 2)" {
		t.Error(b, err)
	}
	for _, bad := range []int{-1, 3} {
		want := fmt.Sprintf("tensor: number 1 of the rows is %d, but there are rows 0 to 2", bad)
		if b, err := a.Take([]int{0, bad}); b != nil || err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	scalar, err := tensor.New[float32]()
	if err != nil {
		t.Fatal(err)
	}
	_, err = scalar.Take([]int{0})
	wantShapeError(t, err, "tensor: shape does not fit: rows of an array without dimensions")
}

func TestTakeSparse(t *testing.T) {
	for _, values := range [][]float32{nil, {5, 6, 7}} {
		s, err := tensor.NewSparse(4, []int{0, 2, 2, 3}, []int32{0, 3, 1}, values)
		if err != nil {
			t.Fatal(err)
		}
		// Of a part, too, whose offsets do not begin at 0.
		b, err := s.Rows(1, 3).Take([]int{1, 0, 1})
		if err != nil || b.Shape().String() != "(3, 4)" {
			t.Fatal(b, err)
		}
		for i, want := range [][]int32{{1}, nil, {1}} {
			columns, got := b.Row(i)
			if !slices.Equal(columns, want) || (values == nil) != (got == nil) || len(got) == 1 && got[0] != 7 {
				t.Errorf("row %d: %v, %v", i, columns, got)
			}
		}
		if b, err := s.Take([]int{0, 3}); b != nil || err == nil || err.Error() != "tensor: number 1 of the rows is 3, but there are rows 0 to 2" {
			t.Errorf("error %v", err)
		}
	}
}

func ExampleArray_Take() {
	x, err := tensor.Of([]float32{1, 2, 3, 4, 5, 6}, 3, 2)
	if err != nil {
		panic(err)
	}
	some, err := x.Take([]int{2, 0})
	fmt.Println(some.Shape(), some.Data(), err)
	// Output: (2, 2) [5 6 1 2] <nil>
}
