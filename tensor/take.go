package tensor

import (
	"fmt"
	"math"

	"github.com/linnet-ml/linnet/internal/budget"
)

// Take returns the rows of a with these numbers, in their order, as an array of its own: the rows of a split of the data,
// or of a sample. A number may be there more than once; one that is no row is an error that names its place.
func (a *Array[E]) Take(rows []int) (*Array[E], error) {
	if a == nil || len(a.shape) == 0 {
		return nil, fmt.Errorf("tensor: %w: rows of an array without dimensions", ErrShape)
	}
	if err := checkRows(rows, a.shape[0]); err != nil {
		return nil, err
	}
	shape := a.shape.Clone()
	shape[0] = len(rows)
	out, err := New[E](shape...)
	if err != nil {
		return nil, err
	}
	w := a.shape.Width()
	for k, i := range rows {
		copy(out.data[k*w:(k+1)*w], a.data[i*w:])
	}
	return out, nil
}

// Take returns the rows of s with these numbers, in their order, as a matrix of its own: see [Array.Take].
func (s *Sparse) Take(rows []int) (*Sparse, error) {
	if s == nil {
		return nil, fmt.Errorf("tensor: %w: rows of a nil matrix", ErrShape)
	}
	if err := checkRows(rows, s.Len()); err != nil {
		return nil, err
	}
	offsets := make([]int, len(rows)+1)
	for k, i := range rows {
		n := s.offsets[i+1] - s.offsets[i]
		if n > math.MaxInt-offsets[k] {
			n = math.MaxInt - offsets[k] // which the budget refuses
		}
		offsets[k+1] = offsets[k] + n
	}
	kept := offsets[len(rows)]
	if err := budget.Check("tensor: kept elements", 4, kept); err != nil {
		return nil, err
	}
	out := &Sparse{offsets: offsets, columns: make([]int32, 0, kept), shape: [2]int{len(rows), s.shape[1]}}
	if s.values != nil {
		out.values = make([]float32, 0, kept)
	}
	for _, i := range rows {
		columns, values := s.Row(i)
		out.columns, out.values = append(out.columns, columns...), append(out.values, values...)
	}
	return out, nil
}

// checkRows returns an error for a number that is no row.
func checkRows(rows []int, n int) error {
	for k, i := range rows {
		if i < 0 || i >= n {
			return fmt.Errorf("tensor: number %d of the rows is %d, but there are rows 0 to %d", k, i, n-1)
		}
	}
	return nil
}
