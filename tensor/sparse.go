package tensor

import "fmt"

// Sparse is a float32 matrix that keeps only the elements other than zero: multi-hot rows over 10,000 words, for
// instance, at 4 bytes a word that occurs. Make one with [NewSparse].
type Sparse struct {
	// offsets has one element more than there are rows: row i is columns[offsets[i]:offsets[i+1]].
	offsets []int
	columns []int32
	// values are nil when all of them are 1.
	values []float32
	shape  [2]int
}

var _ Rows = (*Sparse)(nil)

// maxColumns is how many columns an int32 can number.
const maxColumns = 1 << 31

// NewSparse makes a matrix of len(offsets)-1 rows and width columns over the given slices, which it keeps. Row i has
// values[k] in column columns[k] for k from offsets[i] to offsets[i+1]-1; columns ascend within a row. With nil
// values every kept element is 1. Slices that do not fit together are an error, and so is a width beyond 1<<31.
func NewSparse(width int, offsets []int, columns []int32, values []float32) (*Sparse, error) {
	if width < 0 {
		return nil, fmt.Errorf("tensor: %w: a sparse matrix of %d columns", ErrShape, width)
	}
	if int64(width) > maxColumns {
		return nil, fmt.Errorf("tensor: a sparse matrix of %d columns: %w: an int32 can number %d columns", width, ErrTooLarge, int64(maxColumns))
	}
	if len(offsets) == 0 || offsets[0] != 0 || offsets[len(offsets)-1] != len(columns) {
		return nil, fmt.Errorf("tensor: %w: the offsets of a sparse matrix must run from 0 to its %d kept elements", ErrShape, len(columns))
	}
	if values != nil && len(values) != len(columns) {
		return nil, fmt.Errorf("tensor: %w: %d values for %d columns of a sparse matrix", ErrShape, len(values), len(columns))
	}
	for i := range len(offsets) - 1 {
		lo, hi := offsets[i], offsets[i+1]
		if lo > hi || hi > len(columns) {
			return nil, fmt.Errorf("tensor: %w: row %d of a sparse matrix ends at %d, before it starts at %d", ErrShape, i, hi, lo)
		}
		last := int32(-1)
		for _, c := range columns[lo:hi] {
			if c <= last || int(c) >= width {
				return nil, fmt.Errorf("tensor: %w: row %d of a sparse matrix has column %d after column %d; columns must ascend and be below %d",
					ErrShape, i, c, last, width)
			}
			last = c
		}
	}
	return &Sparse{offsets: offsets, columns: columns, values: values, shape: [2]int{len(offsets) - 1, width}}, nil
}

// Len is the number of rows.
func (s *Sparse) Len() int { return s.shape[0] }

// Shape is (rows, columns). It is the matrix's own: do not change it.
func (s *Sparse) Shape() Shape { return s.shape[:] }

// Type is TypeSparse.
func (s *Sparse) Type() Type { return TypeSparse }

// Row returns the columns of row i that are kept and their values; values are nil when all of them are 1.
func (s *Sparse) Row(i int) (columns []int32, values []float32) {
	lo, hi := s.offsets[i], s.offsets[i+1]
	if s.values != nil {
		values = s.values[lo:hi:hi]
	}
	return s.columns[lo:hi:hi], values
}

// Rows returns rows lo to hi-1 as a matrix over the same memory. Like slicing a slice, it panics when lo and hi are
// not in order or out of range.
func (s *Sparse) Rows(lo, hi int) *Sparse {
	if lo < 0 || hi < lo || hi > s.Len() {
		panic(fmt.Sprintf("tensor: rows [%d:%d] of a sparse matrix of shape %v", lo, hi, s.Shape()))
	}
	if s.offsets == nil { // the zero value, which has no rows
		return &Sparse{}
	}
	// Offsets stay relative to the whole matrix's columns and values.
	return &Sparse{offsets: s.offsets[lo : hi+1 : hi+1], columns: s.columns, values: s.values, shape: [2]int{hi - lo, s.shape[1]}}
}
