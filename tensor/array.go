package tensor

import (
	"fmt"
	"strconv"

	"github.com/linnet-ml/linnet/internal/budget"
)

// Type is the kind of element that an array or a value of a model holds.
type Type uint8

// The types of elements.
const (
	TypeFloat32 Type = iota + 1
	TypeInt32
	TypeString
	TypeSparse // float32, of which only the elements other than zero are kept
)

// String names the type as error messages do: "float32".
func (t Type) String() string {
	switch t {
	case TypeFloat32:
		return "float32"
	case TypeInt32:
		return "int32"
	case TypeString:
		return "string"
	case TypeSparse:
		return "sparse float32"
	}
	return fmt.Sprintf("Type(%d)", uint8(t))
}

// typeNames are what MarshalText writes.
var typeNames = map[Type]string{TypeFloat32: "float32", TypeInt32: "int32", TypeString: "string", TypeSparse: "sparse"}

// MarshalText writes "float32", "int32", "string" or "sparse".
func (t Type) MarshalText() ([]byte, error) {
	if name, ok := typeNames[t]; ok {
		return []byte(name), nil
	}
	return nil, fmt.Errorf("tensor: there is no type %d", uint8(t))
}

// UnmarshalText reads what MarshalText writes.
func (t *Type) UnmarshalText(text []byte) error {
	for known, name := range typeNames {
		if name == string(text) {
			*t = known
			return nil
		}
	}
	return fmt.Errorf("tensor: there is no type %q", text)
}

// Rows is data that a model reads row by row: row i of the input belongs to row i of the labels.
type Rows interface {
	// Len is the number of rows.
	Len() int
	// Shape starts with Len; a later dimension is Unknown where rows differ in it.
	Shape() Shape
	Type() Type
}

// Element lists what an array may hold.
type Element interface{ float32 | int32 | string }

// Array is a row-major array over one slice. Make one with [Of] or [New].
type Array[E Element] struct {
	shape Shape
	data  []E
}

// The arrays by the names that the documentation uses.
type (
	Float32 = Array[float32]
	Int32   = Array[int32]
	String  = Array[string]
)

var (
	_ Rows = (*Float32)(nil)
	_ Rows = (*Int32)(nil)
	_ Rows = (*String)(nil)
)

// Of makes an array over data, which it keeps and does not copy. With no dimensions given the array has one,
// len(data). A shape that does not hold exactly len(data) elements is an error.
func Of[E Element](data []E, shape ...int) (*Array[E], error) {
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
	return &Array[E]{shape: Shape(shape).Clone(), data: data}, nil
}

// New makes an array of zeros (of empty strings). A negative dimension is an error that wraps [ErrShape], and a size that
// the memory cannot hold one that wraps [ErrTooLarge].
func New[E Element](shape ...int) (*Array[E], error) {
	if err := Shape(shape).checkSigns(); err != nil {
		return nil, err
	}
	var e E
	size := 4
	typ := TypeFloat32
	switch any(e).(type) {
	case int32:
		typ = TypeInt32
	case string:
		size, typ = 2*strconv.IntSize/8, TypeString
	}
	if err := budget.Check("tensor: array of "+typ.String(), size, shape...); err != nil {
		return nil, err
	}
	return &Array[E]{shape: Shape(shape).Clone(), data: make([]E, Shape(shape).Size())}, nil
}

// Len is the number of rows: the first dimension, 1 for an array without dimensions.
func (a *Array[E]) Len() int {
	if len(a.shape) == 0 {
		return 1
	}
	return a.shape[0]
}

// Shape returns the dimensions. They are the array's own: do not change them.
func (a *Array[E]) Shape() Shape { return a.shape }

// Data returns the elements, row after row. They are the array's own: writing to them changes the array.
func (a *Array[E]) Data() []E { return a.data }

// Type is the type of the elements.
func (a *Array[E]) Type() Type {
	switch any(a).(type) {
	case *Float32:
		return TypeFloat32
	case *Int32:
		return TypeInt32
	default:
		return TypeString
	}
}

// Row returns the elements of row i, without a copy. Like indexing a slice, it panics when there is no such row.
func (a *Array[E]) Row(i int) []E {
	w := a.shape.Width()
	return a.data[i*w : (i+1)*w : (i+1)*w]
}

// Rows returns rows lo to hi-1 as an array over the same memory. Like slicing a slice, it panics when lo and hi
// are not in order or out of range.
func (a *Array[E]) Rows(lo, hi int) *Array[E] {
	if len(a.shape) == 0 || lo < 0 || hi < lo || hi > a.shape[0] {
		panic(fmt.Sprintf("tensor: rows [%d:%d] of an array of shape %v", lo, hi, a.shape))
	}
	w := a.shape.Width()
	shape := a.shape.Clone()
	shape[0] = hi - lo
	return &Array[E]{shape: shape, data: a.data[lo*w : hi*w : hi*w]}
}
