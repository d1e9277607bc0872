package tensor_test

import (
	"slices"
	"testing"

	"github.com/linnet-ml/linnet/tensor"
)

func TestSparse(t *testing.T) {
	s, err := tensor.NewSparse(4, []int{0, 2, 2, 3}, []int32{0, 3, 1}, []float32{5, 6, 7})
	if err != nil {
		t.Fatal(err)
	}
	if s.Len() != 3 || s.Shape().String() != "(3, 4)" || s.Type() != tensor.TypeSparse {
		t.Errorf("%d rows, %v, %v", s.Len(), s.Shape(), s.Type())
	}
	part := s.Rows(1, 3)
	if part.Len() != 2 || part.Shape().String() != "(2, 4)" {
		t.Errorf("%d rows, %v", part.Len(), part.Shape())
	}
	for _, c := range []struct {
		of      *tensor.Sparse
		row     int
		columns []int32
		values  []float32
	}{
		{s, 0, []int32{0, 3}, []float32{5, 6}}, {s, 1, nil, nil}, {s, 2, []int32{1}, []float32{7}},
		{part, 0, nil, nil}, {part, 1, []int32{1}, []float32{7}},
	} {
		columns, values := c.of.Row(c.row)
		if !slices.Equal(columns, c.columns) || !slices.Equal(values, c.values) || cap(columns) != len(columns) {
			t.Errorf("row %d: %v, %v; want %v, %v", c.row, columns, values, c.columns, c.values)
		}
	}
	ones, err := tensor.NewSparse(2, []int{0, 1}, []int32{1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if columns, values := ones.Row(0); len(columns) != 1 || values != nil {
		t.Errorf("%v, %v", columns, values)
	}
	for _, c := range [][2]int{{-1, 1}, {2, 1}, {0, 4}} {
		if !panics(func() { s.Rows(c[0], c[1]) }) {
			t.Errorf("rows %v of 3", c)
		}
	}
	if n := testing.AllocsPerRun(5, func() { _ = s.Shape() }); n != 0 {
		t.Errorf("Shape allocates %v times", n)
	}
}

func TestNewSparseErrors(t *testing.T) {
	for _, c := range []struct {
		width   int
		offsets []int
		columns []int32
		values  []float32
		want    string
	}{
		{-1, []int{0}, nil, nil, "a sparse matrix of -1 columns"},
		{3, nil, nil, nil, "the offsets of a sparse matrix must run from 0 to its 0 kept elements"},
		{3, []int{1, 1}, []int32{0}, nil, "the offsets of a sparse matrix must run from 0 to its 1 kept elements"},
		{3, []int{0, 2}, []int32{0}, nil, "the offsets of a sparse matrix must run from 0 to its 1 kept elements"},
		{3, []int{0, 2}, []int32{0, 1}, []float32{1}, "1 values for 2 columns of a sparse matrix"},
		{3, []int{0, 2, 1, 2}, []int32{0, 1}, nil, "row 1 of a sparse matrix ends at 1, before it starts at 2"},
		{3, []int{0, -1, 2}, []int32{0, 1}, nil, "row 0 of a sparse matrix ends at -1, before it starts at 0"},
		{3, []int{0, 2}, []int32{1, 1}, nil, "row 0 of a sparse matrix has column 1 after column 1; columns must ascend and be below 3"},
		{3, []int{0, 1, 2}, []int32{1, 3}, nil, "row 1 of a sparse matrix has column 3 after column -1; columns must ascend and be below 3"},
		{3, []int{0, 1}, []int32{-1}, nil, "row 0 of a sparse matrix has column -1 after column -1; columns must ascend and be below 3"},
	} {
		s, err := tensor.NewSparse(c.width, c.offsets, c.columns, c.values)
		wantShapeError(t, err, "tensor: shape does not fit: "+c.want)
		if s != nil {
			t.Error("a matrix beside an error")
		}
	}
	// An offset beyond the elements, and back again.
	if _, err := tensor.NewSparse(3, []int{0, 9, 2}, []int32{0, 1}, nil); err == nil {
		t.Error("an offset beyond the elements")
	}
}
