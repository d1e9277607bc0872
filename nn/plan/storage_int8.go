package plan

import (
	"errors"
	"fmt"
	"math"
)

// Int8Storage holds elements as whole numbers from -127 to 127, each row of Width elements with a scale of its own: an
// element is Values[i]·Scales[i/Width], rounded to float32.
type Int8Storage struct {
	Values []int8
	Scales []float32
	Width  int
}

// Len is the number of elements.
func (s *Int8Storage) Len() int { return len(s.Values) }

// Read converts elements.
func (s *Int8Storage) Read(dst []float32, at int) {
	for len(dst) > 0 {
		row := at / s.Width
		n := min(len(dst), (row+1)*s.Width-at)
		for i, v := range s.Values[at : at+n] {
			dst[i] = float32(v) * s.Scales[row]
		}
		dst, at = dst[n:], at+n
	}
}

// NewInt8Storage stores rows of width values in 8 bits each. It rounds to the nearest multiples of a 127th of each row's
// largest magnitude. Values that are not finite are an error.
func NewInt8Storage(values []float32, width int) (*Int8Storage, error) {
	if width < 1 || len(values)%width != 0 {
		return nil, fmt.Errorf("plan: %d elements are not rows of %d", len(values), width)
	}
	s := &Int8Storage{Values: make([]int8, len(values)), Scales: make([]float32, len(values)/width), Width: width}
	for r := range s.Scales {
		largest := float32(0)
		for _, v := range values[r*width : (r+1)*width] {
			if v != v || math.IsInf(float64(v), 0) {
				return nil, errors.New("plan: values that are not finite have no int8 storage")
			}
			largest = max(largest, v, -v)
		}
		scale := largest / 127
		s.Scales[r] = scale
		for i, v := range values[r*width : (r+1)*width] {
			if scale > 0 {
				s.Values[r*width+i] = int8(max(-127, min(127, math.RoundToEven(float64(v)/float64(scale)))))
			}
		}
	}
	return s, nil
}

// Check refuses a storage whose parts do not go together: one that was read from a file.
func (s *Int8Storage) Check() error {
	if s.Width < 1 || len(s.Values)%s.Width != 0 || len(s.Scales) != len(s.Values)/s.Width {
		return fmt.Errorf("plan: %d elements and %d scales are not rows of %d", len(s.Values), len(s.Scales), s.Width)
	}
	return nil
}
