package tensor_test

import (
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/linnet-ml/linnet/tensor"
)

func wantShapeError(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	if !errors.Is(err, tensor.ErrShape) {
		t.Errorf("%v does not wrap ErrShape", err)
	}
}

func TestOf(t *testing.T) {
	data := []int32{1, 2, 3, 4, 5, 6}
	for _, c := range []struct {
		shape []int
		want  string
		len   int
	}{{nil, "(6,)", 6}, {[]int{6}, "(6,)", 6}, {[]int{2, 3}, "(2, 3)", 2}, {[]int{1, 3, 2}, "(1, 3, 2)", 1}} {
		a, err := tensor.Of(data, c.shape...)
		if err != nil {
			t.Fatal(err)
		}
		if a.Shape().String() != c.want || a.Len() != c.len || a.Type() != tensor.TypeInt32 || &a.Data()[0] != &data[0] {
			t.Errorf("%v: shape %v, %d rows, %v", c.shape, a.Shape(), a.Len(), a.Type())
		}
	}
	shape := []int{2, 3}
	a, err := tensor.Of(data, shape...)
	if err != nil {
		t.Fatal(err)
	}
	shape[0] = 9 // is the caller's own
	if a.Len() != 2 {
		t.Errorf("%d rows after the caller changed its shape", a.Len())
	}
	for _, c := range []struct {
		shape []int
		want  string
	}{
		{[]int{2, 2}, "tensor: shape does not fit: 6 elements do not make an array of shape (2, 2) (4 elements)"},
		{[]int{0}, "tensor: shape does not fit: 6 elements do not make an array of shape (0,) (0 elements)"},
		{[]int{-2, -3}, "tensor: shape does not fit: dimension 0 of [-2 -3] is negative"},
		{[]int{6, tensor.Unknown}, "tensor: shape does not fit: dimension 1 of [6 -1] is negative"},
		{[]int{1 << 16, 1 << 16, 1 << 16, 1 << 16, 6}, "tensor: shape does not fit: [65536 65536 65536 65536 6] has too many elements"},
	} {
		a, err := tensor.Of(data, c.shape...)
		wantShapeError(t, err, c.want)
		if a != nil {
			t.Errorf("%v: an array beside an error", c.shape)
		}
	}
}

func TestNew(t *testing.T) {
	a, err := tensor.New[string](2, 3)
	if err != nil || len(a.Data()) != 6 || a.Data()[5] != "" || a.Type() != tensor.TypeString {
		t.Errorf("%v, %v", a, err)
	}
	scalar, err := tensor.New[float32]()
	if err != nil || scalar.Len() != 1 || len(scalar.Data()) != 1 || scalar.Shape().String() != "()" || scalar.Type() != tensor.TypeFloat32 {
		t.Errorf("%v, %v", scalar, err)
	}
	for _, shape := range [][]int{{0}, {0, 5}, {5, 0}, {0, math.MaxInt}} {
		if a, err := tensor.New[int32](shape...); err != nil || len(a.Data()) != 0 || a.Len() != shape[0] {
			t.Errorf("%v: %v, %v", shape, a, err)
		}
	}
	_, err = tensor.New[int32](3, -4)
	wantShapeError(t, err, "tensor: shape does not fit: dimension 1 of [3 -4] is negative")
	// Sizes that overflow, and sizes that do not but that no memory has: never a panic.
	for _, shape := range [][]int{{math.MaxInt}, {math.MaxInt, 2}, {math.MaxInt/4 + 1}, {1 << 20, 1 << 20, 1 << 20, 1 << 20}} {
		if _, err := tensor.New[float32](shape...); !errors.Is(err, tensor.ErrTooLarge) {
			t.Errorf("%v: error %v", shape, err)
		}
		if _, err := tensor.New[string](shape...); !errors.Is(err, tensor.ErrTooLarge) {
			t.Errorf("%v: error %v", shape, err)
		}
	}
}

// Rows and Row are views, which cannot be appended to over what follows.
func TestRowViews(t *testing.T) {
	a, err := tensor.Of([]float32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, 3, 2, 2)
	if err != nil {
		t.Fatal(err)
	}
	b := a.Rows(1, 3)
	if b.Shape().String() != "(2, 2, 2)" || !slices.Equal(b.Row(1), []float32{8, 9, 10, 11}) {
		t.Errorf("%v, %v", b.Shape(), b.Row(1))
	}
	b.Row(0)[1] = 50
	if a.Row(1)[1] != 50 || a.Shape().String() != "(3, 2, 2)" {
		t.Errorf("%v, %v", a.Row(1), a.Shape())
	}
	_ = append(a.Row(0), -1)
	_ = append(a.Rows(0, 1).Data(), -1)
	if a.Data()[4] != 4 {
		t.Error("append to a row wrote into the next")
	}
	if n := a.Rows(3, 3); n.Len() != 0 || len(n.Data()) != 0 {
		t.Errorf("no rows: %v", n.Shape())
	}
	for _, c := range [][2]int{{-1, 1}, {2, 1}, {0, 4}} {
		if !panics(func() { a.Rows(c[0], c[1]) }) {
			t.Errorf("rows %v of 3", c)
		}
	}
	if !panics(func() { a.Row(3) }) {
		t.Error("row 3 of 3")
	}
}

func panics(f func()) (did bool) {
	defer func() { did = recover() != nil }()
	f()
	return false
}
