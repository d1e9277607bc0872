package optim

import (
	"fmt"
	"math"

	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optional"
)

// Ftrl is "follow the regularised leader", for linear models over very many sparse features (McMahan et al., 2013, "Ad
// Click Prediction: a View from the Trenches"). In each step it chooses the weight anew as the best one for the sum of all
// gradients so far under the penalties; with an L1 penalty, weights that do not help become exactly 0. It is Keras's
// optimizer of that name:
//
//	n' = n + g², where n begins at InitialAccumulatorValue
//	z += g + 2·L2Shrinkage·w - (n'^p - n^p)/LearningRate·w, with p = -LearningRatePower
//	w = (clip(z, ±L1) - z) / (n'^p/LearningRate + 2·L2 + Beta/LearningRate)
//	n = n'
//
// L1, L2 and L2Shrinkage are the fields L1RegularizationStrength and so on. A step sets the weight, it does not move it: in
// the first step a weight without a gradient becomes 0, whatever its initial value was. Hence all rows of a large table
// are updated in each step. Where Keras divides 0 by 0 and gets NaN, weights stay as they
// are: at a rate of 0, and where there were neither gradients nor penalties and the initial accumulator is 0.
type Ftrl struct {
	// LearningRate; Keras's default: 0.001. 0 means the default; Training.SetLearningRate can set a rate of 0.
	LearningRate float32
	// Schedule, when given, decides the rate of each step, and callbacks cannot change it. LearningRate must then be 0.
	Schedule plan.Schedule
	// LearningRatePower, at most 0, is how steps become smaller as squares of gradients add up; 0 means not at all. Keras's
	// default: -0.5.
	LearningRatePower optional.Value[float32]
	// InitialAccumulatorValue is the sum of squares at the start, at least 0; Keras's default: 0.1.
	InitialAccumulatorValue optional.Value[float32]
	// L1RegularizationStrength, at least 0, is the penalty on the absolute values of weights; Keras's default: 0.
	L1RegularizationStrength float32
	// L2RegularizationStrength, at least 0, is the penalty on their squares; Keras's default: 0.
	L2RegularizationStrength float32
	// L2ShrinkageRegularizationStrength, at least 0, is a penalty on their squares that works through the gradient; Keras's
	// default: 0.
	L2ShrinkageRegularizationStrength float32
	// Beta, at least 0, is the paper's beta, which makes the first steps smaller; Keras's default: 0.
	Beta float32
	// Shared are clipping, weight decay, averaging and accumulation; none by default.
	Shared Shared
}

var _ plan.Optimizer = Ftrl{}

// Kind is "Ftrl".
func (o Ftrl) Kind() string { return "Ftrl" }

// Rule refuses settings out of range. The slots are "accumulator" (the paper's n) and "linear" (z).
func (o Ftrl) Rule() (plan.Rule, error) {
	const name = "ftrl"
	r, err := newRule(name, o.LearningRate, o.Schedule, 0.001, &o.Shared)
	if err != nil {
		return plan.Rule{}, err
	}
	if p := o.power(); !(p >= 0) || math.IsInf(float64(p), 0) {
		return plan.Rule{}, fmt.Errorf("optim: %s: LearningRatePower %v is not a finite number of at most 0", name, -p)
	}
	first := o.InitialAccumulatorValue.Or(0.1)
	for _, s := range []struct {
		name  string
		value float32
	}{
		{"InitialAccumulatorValue", first}, {"L1RegularizationStrength", o.L1RegularizationStrength},
		{"L2RegularizationStrength", o.L2RegularizationStrength},
		{"L2ShrinkageRegularizationStrength", o.L2ShrinkageRegularizationStrength}, {"Beta", o.Beta},
	} {
		if err := checkNotNegative(name, s.name, s.value); err != nil {
			return plan.Rule{}, err
		}
	}
	r.Slots = []plan.Slot{{Name: "accumulator", First: first, NotNegative: true}, {Name: "linear"}}
	r.Coefficients, r.Update = o.coefficients, updateFtrl
	r.MovesWithoutGradient = true
	return r, nil
}

// power is the exponent of sums of squares.
func (o Ftrl) power() float32 { return -o.LearningRatePower.Or(-0.5) }

// coefficients are the rate, the exponent, L1, 2·L2 + Beta/rate and 2·L2Shrinkage.
func (o Ftrl) coefficients(_ int, rate float32, _ []float32) plan.Coefficients {
	if rate == 0 {
		return plan.Coefficients{}
	}
	l2 := o.L2RegularizationStrength + o.Beta/float32(2*rate)
	return plan.Coefficients{rate, o.power(), o.L1RegularizationStrength, float32(2 * l2), float32(2 * o.L2ShrinkageRegularizationStrength)}
}

func updateFtrl(c *plan.Coefficients, w, gradient []float32, slots [][]float32) {
	rate, power, l1, l2, shrinkage := c[0], c[1], c[2], c[3], c[4]
	if rate == 0 {
		return
	}
	sums, linear := slots[0][:len(w)], slots[1][:len(w)]
	for i, g := range gradient[:len(w)] {
		sum := sums[i] + float32(g*g)
		raised, before := raise(sum, power), raise(sums[i], power)
		z := linear[i] + (g + float32(shrinkage*w[i]) - float32((raised-before)/rate*w[i]))
		linear[i], sums[i] = z, sum
		if divisor := raised/rate + l2; divisor != 0 {
			w[i] = (max(-l1, min(z, l1)) - z) / divisor
		}
	}
}

// raise is x^y for x at least 0.
func raise(x, y float32) float32 {
	if y == 0.5 {
		return sqrt32(x)
	}
	return pow32(x, y)
}
