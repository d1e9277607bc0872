package tensor

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/linnet-ml/linnet/internal/budget"
)

// Unknown stands for a dimension that is only known when a model runs: the number of rows in a batch, or the
// number of steps in a sequence.
const Unknown = -1

// ErrShape is wrapped by every error about a shape.
var ErrShape = errors.New("shape does not fit")

// ErrTooLarge is wrapped by every error about a size that no memory of this process can hold. The limit for one
// allocation is GOMEMLIMIT (debug.SetMemoryLimit), else the machine's physical memory; sizes up to 64 MiB always pass.
var ErrTooLarge = budget.ErrTooLarge

// Shape lists the dimensions of an array, outermost first. A dimension may be [Unknown] in the shape of a model's
// value, never in that of an array.
type Shape []int

// Size is the number of elements: the product of all dimensions, 1 for a shape without dimensions, and [Unknown]
// when any dimension is unknown.
func (s Shape) Size() int {
	n := 1
	for _, d := range s {
		if d == Unknown {
			return Unknown
		}
		n *= d
	}
	return n
}

// Width is the number of elements of one row: the product of all dimensions but the first.
func (s Shape) Width() int {
	if len(s) == 0 {
		return 1
	}
	return s[1:].Size()
}

// Equal reports whether both shapes have the same dimensions; [Unknown] equals only itself.
func (s Shape) Equal(t Shape) bool {
	if len(s) != len(t) {
		return false
	}
	for i := range s {
		if s[i] != t[i] {
			return false
		}
	}
	return true
}

// Clone returns a copy that shares no memory with s.
func (s Shape) Clone() Shape { return append(Shape(nil), s...) }

// String writes the shape as Keras does: "(None, 256, 16)".
func (s Shape) String() string {
	var b strings.Builder
	b.WriteByte('(')
	for i, d := range s {
		if i > 0 {
			b.WriteString(", ")
		}
		if d == Unknown {
			b.WriteString("None")
		} else {
			b.WriteString(strconv.Itoa(d))
		}
	}
	if len(s) == 1 {
		b.WriteByte(',')
	}
	b.WriteByte(')')
	return b.String()
}

// checkSigns returns an error for a negative dimension.
func (s Shape) checkSigns() error {
	for i, d := range s {
		if d < 0 {
			return fmt.Errorf("tensor: %w: dimension %d of %v is negative", ErrShape, i, []int(s))
		}
	}
	return nil
}

// check returns the number of elements of an array of this shape.
func (s Shape) check() (int, error) {
	if err := s.checkSigns(); err != nil {
		return 0, err
	}
	n := 1
	for _, d := range s {
		if d != 0 && n > math.MaxInt/d {
			return 0, fmt.Errorf("tensor: %w: %v has too many elements", ErrShape, []int(s))
		}
		n *= d
	}
	return n, nil
}
