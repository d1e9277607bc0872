package plan

import (
	"errors"
	"fmt"
	"math"

	"github.com/linnet-ml/linnet/optional"
)

// Optimizer is a spec of how parameters follow their gradients.
type Optimizer interface {
	Spec
	// Rule checks the settings and returns what moves parameters.
	Rule() (Rule, error)
}

// Rule is an optimizer as it runs. It works element by element, so that any part of a parameter can be updated alone.
// What it remembers of each element lies in slots that training keeps. Clipping, decay, averaging and accumulation happen
// around it: see [Shared].
type Rule struct {
	// Name is Keras's: "adam".
	Name string
	// Rate is the learning rate that a run starts with, unless there is a Schedule.
	Rate float32
	// Schedule, if not nil, decides the rate of each step, and callbacks cannot change it.
	Schedule Schedule
	// Slots are the numbers kept for each element of a parameter.
	Slots []Slot
	// Scalars are the numbers kept for all elements together.
	Scalars []Slot

	// Coefficients works out what all elements share in step t, counted from 1, at the given learning rate. It may change
	// the scalars, and is called once a step.
	Coefficients func(t int, rate float32, scalars []float32) Coefficients

	// Update changes the elements w by their gradients and slots: slots[i] is the part of slot i for w. Where the gradient
	// is 0 and slots have their first values it must change nothing, unless MovesWithoutGradient is set: training then need
	// not visit the rows of a table that never had a gradient.
	Update func(c *Coefficients, w, gradient []float32, slots [][]float32)

	// UpdateSquares, if not nil, is what runs in place of Update on tables whose operations can add up the squares of what
	// each occurrence of a row contributes to its gradient (RowSparse.Squares), for an optimizer that was asked to use them
	// in place of the gradient's square.
	UpdateSquares func(c *Coefficients, w, gradient, squares []float32, slots [][]float32)

	// Repeat, if not nil, makes a step for each of the Coefficients in order, with the bits of as many calls of Update with
	// a gradient of zeros.
	Repeat func(steps []Coefficients, w []float32, slots [][]float32)

	// MovesWithoutGradient says that Update changes elements of which the gradient is 0 and the slots have their first
	// values. All rows of a large table are then updated in each step.
	MovesWithoutGradient bool

	// Shared are the settings of what happens around the rule.
	Shared Shared
}

// Slot is a number that an optimizer keeps.
type Slot struct {
	Name string
	// First is its value at the start.
	First float32
	// NotNegative says that it never is below 0, as a mean of squares: a saved state that has it so is refused.
	NotNegative bool
}

// Coefficients are the numbers that all elements share in one step of an optimizer, in an order of its own.
type Coefficients = [8]float32

// Schedule is a spec of a learning rate that changes from step to step.
type Schedule interface {
	Spec
	// Check refuses settings that are out of range.
	Check() error
	// Rate is the rate of a step, counted from 0. A training that goes on from a state goes on counting.
	Rate(step int) float32
}

// Shared are the settings that all optimizers have (Keras's arguments of the base class). They happen around the rule
// that moves one parameter. The zero value does nothing.
type Shared struct {
	// ClipValue cuts each element of a gradient off at ±ClipValue; 0 means not at all (Keras's clipvalue).
	ClipValue float32 `json:",omitempty"`
	// ClipNorm shortens the gradient of each parameter to at most this Euclidean norm (Keras's clipnorm).
	ClipNorm float32 `json:",omitempty"`
	// GlobalClipNorm shortens all gradients together to at most this norm (Keras's global_clipnorm). At most one of the
	// three may be set. Norms are sums of squares in float64 over rows in order, so that threads change no bit.
	GlobalClipNorm float32 `json:",omitempty"`

	// WeightDecay takes this part, times the learning rate, from each element before the step (decoupled weight decay,
	// Loshchilov and Hutter, 2019; Keras's weight_decay). All rows of a large table then move in each step.
	WeightDecay float32 `json:",omitempty"`
	// NoDecay are patterns of names of parameters (as path.Match has them, "*/bias") that do not decay.
	NoDecay []string `json:",omitempty"`

	// Average keeps a moving average of the weights, which the model has at the end of training (Keras's use_ema).
	Average bool `json:",omitempty"`
	// AverageMomentum is how much of the average is kept each step; Keras's default: 0.99.
	AverageMomentum optional.Value[float32]
	// AverageEvery, if above 0, gives the model the average every AverageEvery steps (Keras's ema_overwrite_frequency).
	AverageEvery int `json:",omitempty"`

	// AccumulateSteps, if above 1, is how many batches' gradients are added up before one step is taken with their mean
	// (Keras's gradient_accumulation_steps).
	AccumulateSteps int `json:",omitempty"`
}

// Check refuses settings out of range.
func (s *Shared) Check() error {
	set := 0
	for _, v := range []struct {
		name  string
		value float32
	}{{"ClipValue", s.ClipValue}, {"ClipNorm", s.ClipNorm}, {"GlobalClipNorm", s.GlobalClipNorm}, {"WeightDecay", s.WeightDecay}} {
		if !(v.value >= 0) || math.IsInf(float64(v.value), 0) {
			return fmt.Errorf("%s %v is not a finite number of at least 0", v.name, v.value)
		}
		if v.value > 0 && v.name != "WeightDecay" {
			set++
		}
	}
	momentum := s.AverageMomentum.Or(0.99)
	switch {
	case set > 1:
		return errors.New("at most one of ClipValue, ClipNorm and GlobalClipNorm can be set")
	case !(momentum >= 0 && momentum <= 1):
		return fmt.Errorf("AverageMomentum %v is not from 0 to 1", momentum)
	case s.AverageEvery < 0:
		return fmt.Errorf("AverageEvery %d must not be negative", s.AverageEvery)
	case s.AccumulateSteps < 0:
		return fmt.Errorf("AccumulateSteps %d must not be negative", s.AccumulateSteps)
	case !s.Average && (s.AverageEvery > 0 || s.AverageMomentum.IsSet()):
		return errors.New("AverageMomentum and AverageEvery need Average")
	}
	return nil
}
