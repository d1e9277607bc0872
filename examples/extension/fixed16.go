package extension

import (
	"fmt"
	"math"

	"github.com/linnet-ml/linnet/nn/plan"
)

// Fixed16 is a storage of 16 bits: each element is a whole number of steps, all of the same size.
type Fixed16 struct {
	Values []int16
	Step   float32
}

var _ plan.Storage = (*Fixed16)(nil)

// NewFixed16 rounds values to multiples of the largest magnitude over 32767.
func NewFixed16(values []float32) (*Fixed16, error) {
	largest := float32(0)
	for i, v := range values {
		if v != v || math.IsInf(float64(v), 0) {
			return nil, fmt.Errorf("extension: value %d is %v", i, v)
		}
		largest = max(largest, v, -v)
	}
	s := &Fixed16{Values: make([]int16, len(values)), Step: largest / 32767}
	for i, v := range values {
		if s.Step > 0 {
			s.Values[i] = int16(math.RoundToEven(float64(v) / float64(s.Step)))
		}
	}
	return s, nil
}

// Len is the number of elements.
func (s *Fixed16) Len() int { return len(s.Values) }

// Read converts elements.
func (s *Fixed16) Read(dst []float32, at int) {
	for i, v := range s.Values[at : at+len(dst)] {
		dst[i] = float32(v) * s.Step
	}
}
