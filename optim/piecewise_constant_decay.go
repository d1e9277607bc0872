package optim

import (
	"fmt"

	"github.com/linnet-ml/linnet/nn/plan"
)

// PiecewiseConstantDecay is Keras's schedule of that name: up to and with step Boundaries[0], counted from 0, the rate is
// Values[0], from there up to and with step Boundaries[1] it is Values[1], and after the last boundary the last value.
type PiecewiseConstantDecay struct {
	// Boundaries are the last steps of all pieces but the last, ascending. At least one is required.
	Boundaries []int
	// Values are the rates, one more than there are Boundaries.
	Values []float32
}

var _ plan.Schedule = PiecewiseConstantDecay{}

// Kind is "PiecewiseConstantDecay".
func (s PiecewiseConstantDecay) Kind() string { return "PiecewiseConstantDecay" }

// Check refuses boundaries that do not ascend, and values that do not fit them or are no rates.
func (s PiecewiseConstantDecay) Check() error {
	if len(s.Boundaries) == 0 {
		return errNoPieces
	}
	if len(s.Values) != len(s.Boundaries)+1 {
		return fmt.Errorf("optim: PiecewiseConstantDecay: %d Values for %d Boundaries, which want one more", len(s.Values), len(s.Boundaries))
	}
	for i, b := range s.Boundaries {
		if b < 0 || i > 0 && b <= s.Boundaries[i-1] {
			return fmt.Errorf("optim: PiecewiseConstantDecay: Boundaries[%d] is %d: boundaries are not negative and ascend", i, b)
		}
	}
	for i, v := range s.Values {
		if err := checkFinite("PiecewiseConstantDecay", fmt.Sprintf("Values[%d]", i), v); err != nil {
			return err
		}
	}
	return nil
}

// Rate is the rate of a step, counted from 0. It is 0 where Values lack it, which Check refuses.
func (s PiecewiseConstantDecay) Rate(step int) float32 {
	piece := 0
	for piece < len(s.Boundaries) && step > s.Boundaries[piece] {
		piece++
	}
	if piece >= len(s.Values) {
		return 0
	}
	return s.Values[piece]
}
