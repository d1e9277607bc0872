package tensor

import (
	"fmt"
	"math"
	"math/bits"
	"strconv"
)

// Number lists the elements of slices that [Convert] and [ConvertRows] read.
type Number interface {
	int | int8 | int16 | int32 | int64 | uint | uint8 | uint16 | uint32 | uint64 | float32 | float64 | bool
}

// Convert makes an array of float32 or int32 out of a slice of other numbers, which it copies:
//
//	ids, err := tensor.Convert[int32](tokens)          // []int to (n,)
//	labels, err := tensor.Convert[float32](good, n, 1) // []bool to (n, 1), 1 for true
//	x, err := tensor.Convert[float32](prices, n, 4)    // []float64 to (n, 4)
//
// With no dimensions given the array has one, len(data). [Of] keeps a slice that has the right type already.
//
// A number that does not fit is a [*ValueError] that names its row and column. To int32 only whole numbers from -1<<31 to
// 1<<31-1 fit. To float32 integers fit that it holds exactly, as all are up to 1<<24; a float64 is rounded to the nearest
// float32, NaN and infinities stay what they are, and a finite number that would round to an infinity does not fit. A shape
// that does not hold exactly len(data) elements is an error that wraps [ErrShape].
func Convert[E float32 | int32, S Number](data []S, shape ...int) (*Array[E], error) {
	if len(shape) == 0 {
		shape = []int{len(data)}
	}
	n, err := Shape(shape).check()
	if err != nil {
		return nil, err
	}
	if n != len(data) {
		return nil, fmt.Errorf("tensor: %w: %d elements do not make an array of shape %v (%d elements)",
			ErrShape, len(data), Shape(shape), n)
	}
	a, err := New[E](shape...)
	if err != nil {
		return nil, err
	}
	if i := convert(a.data, data); i >= 0 {
		row, column := i, Whole
		if len(shape) > 1 {
			w := a.shape.Width()
			row, column = i/w, i%w
		}
		return nil, newValueError(row, column, data[i], a.Type())
	}
	return a, nil
}

// ConvertRows makes an array (len(rows), columns) of float32 or int32 out of rows of numbers, which it copies. All rows
// must be of one length: an error that wraps [ErrShape] names the first that is not. No rows make an array of shape (0, 0).
// What fits is what fits [Convert].
func ConvertRows[E float32 | int32, S Number](rows [][]S) (*Array[E], error) {
	columns, err := rectangle(rows)
	if err != nil {
		return nil, err
	}
	a, err := New[E](len(rows), columns)
	if err != nil {
		return nil, err
	}
	for i, row := range rows {
		if k := convert(a.Row(i), row); k >= 0 {
			return nil, newValueError(i, k, row[k], a.Type())
		}
	}
	return a, nil
}

// StringRows makes an array (len(rows), columns) out of rows of strings, which it copies: see [ConvertRows].
func StringRows(rows [][]string) (*String, error) {
	columns, err := rectangle(rows)
	if err != nil {
		return nil, err
	}
	a, err := New[string](len(rows), columns)
	if err != nil {
		return nil, err
	}
	for i, row := range rows {
		copy(a.Row(i), row)
	}
	return a, nil
}

// rectangle returns the length of all rows.
func rectangle[S any](rows [][]S) (columns int, err error) {
	for i, row := range rows {
		if i == 0 {
			columns = len(row)
		}
		if len(row) != columns {
			return 0, fmt.Errorf("tensor: %w: row %d has %d columns and row 0 has %d", ErrShape, i, len(row), columns)
		}
	}
	return columns, nil
}

// Whole is the Column of a [ValueError] about an array that has no columns.
const Whole = -1

// ValueError reports a number that an array cannot hold.
type ValueError struct {
	// Row is the place along the first dimension, and Column that within the row, counted over all other dimensions;
	// [Whole] where the array has one dimension.
	Row, Column int
	// Value is the number, and Type what it does not fit.
	Value string
	Type  Type
}

// Error names the value and its place.
func (e *ValueError) Error() string {
	if e.Column == Whole {
		return fmt.Sprintf("tensor: row %d: %s does not fit %v", e.Row, e.Value, e.Type)
	}
	return fmt.Sprintf("tensor: row %d, column %d: %s does not fit %v", e.Row, e.Column, e.Value, e.Type)
}

func newValueError(row, column int, value any, t Type) *ValueError {
	text := fmt.Sprint(value)
	if v, ok := value.(float64); ok {
		text = strconv.FormatFloat(v, 'g', -1, 64)
	}
	return &ValueError{Row: row, Column: column, Value: text, Type: t}
}

// convert writes src to dst, which is as long. It returns the place of the first number that does not fit, -1 if all do.
func convert[E float32 | int32, S Number](dst []E, src []S) int {
	switch dst := any(dst).(type) {
	case []int32:
		switch src := any(src).(type) {
		case []int:
			return toInt32(dst, src)
		case []int8:
			return toInt32(dst, src)
		case []int16:
			return toInt32(dst, src)
		case []int32:
			copy(dst, src)
		case []int64:
			return toInt32(dst, src)
		case []uint:
			return toInt32(dst, src)
		case []uint8:
			return toInt32(dst, src)
		case []uint16:
			return toInt32(dst, src)
		case []uint32:
			return toInt32(dst, src)
		case []uint64:
			return toInt32(dst, src)
		case []float32:
			return wholeToInt32(dst, src)
		case []float64:
			return wholeToInt32(dst, src)
		case []bool:
			fromBools(dst, src)
		}
	case []float32:
		switch src := any(src).(type) {
		case []int:
			return toFloat32(dst, src)
		case []int8:
			return toFloat32(dst, src)
		case []int16:
			return toFloat32(dst, src)
		case []int32:
			return toFloat32(dst, src)
		case []int64:
			return toFloat32(dst, src)
		case []uint:
			return toFloat32(dst, src)
		case []uint8:
			return toFloat32(dst, src)
		case []uint16:
			return toFloat32(dst, src)
		case []uint32:
			return toFloat32(dst, src)
		case []uint64:
			return toFloat32(dst, src)
		case []float32:
			copy(dst, src)
		case []float64:
			for i, v := range src {
				dst[i] = float32(v)
				if math.IsInf(float64(dst[i]), 0) && !math.IsInf(v, 0) {
					return i
				}
			}
		case []bool:
			fromBools(dst, src)
		}
	}
	return -1
}

type integer interface {
	int | int8 | int16 | int32 | int64 | uint | uint8 | uint16 | uint32 | uint64
}

func toInt32[S integer](dst []int32, src []S) int {
	for i, v := range src {
		dst[i] = int32(v)
		if S(dst[i]) != v || (dst[i] < 0) != (v < 0) {
			return i
		}
	}
	return -1
}

func wholeToInt32[S float32 | float64](dst []int32, src []S) int {
	for i, v := range src {
		f := float64(v)
		if !(f >= math.MinInt32 && f <= math.MaxInt32) || f != math.Floor(f) {
			return i
		}
		dst[i] = int32(f)
	}
	return -1
}

func toFloat32[S integer](dst []float32, src []S) int {
	for i, v := range src {
		size := uint64(v)
		if v < 0 {
			size = -size
		}
		// A float32 has 24 bits from the first that is 1.
		if size != 0 && bits.Len64(size)-bits.TrailingZeros64(size) > 24 {
			return i
		}
		dst[i] = float32(v)
	}
	return -1
}

func fromBools[E float32 | int32](dst []E, src []bool) {
	for i, v := range src {
		if dst[i] = 0; v {
			dst[i] = 1
		}
	}
}
