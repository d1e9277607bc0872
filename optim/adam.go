package optim

import (
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/optional"
	"github.com/linnet-ml/linnet/simd"
)

// Adam is Keras's optimizer of that name (Kingma and Ba, 2015, "Adam: A Method for Stochastic Optimization"), in its
// order of operations and with epsilon where the paper's section 2 puts it ("epsilon hat"), not where PyTorch has it:
//
//	m += (g-m)·(1-Beta1)
//	v += (g²-v)·(1-Beta2)
//	w -= m·α / (√v + Epsilon), with α = LearningRate·√(1-Beta2^t) / (1-Beta1^t) in step t = 1, 2, …
//
// Moments smaller than 1e-30 become 0.
type Adam struct {
	// LearningRate; Keras's default: 0.001. 0 means the default: a rate of 0 is had by Training.SetLearningRate.
	LearningRate float32
	// Schedule, when given, decides the rate of each step, and callbacks cannot change it. LearningRate must then be 0.
	Schedule nn.Schedule
	// Beta1 is how much of the mean of the gradients is kept each step, at least 0 and below 1; Keras's default: 0.9.
	Beta1 optional.Value[float64]
	// Beta2 is the same for their squares; Keras's default: 0.999. It is a float64 because Keras takes 1-Beta2 before
	// it rounds to float32.
	Beta2 optional.Value[float64]
	// Epsilon, above 0; Keras's default: 1e-7.
	Epsilon float32
	// SquareOccurrences squares what each occurrence of an id contributes to the gradient of an Embedding's row, and adds
	// the squares up in place of g². Keras 3 on TensorFlow does so; Keras 2, Keras 3 on JAX, PyTorch and the paper do not,
	// nor does linnet by default. A word that occurs n times in a batch then moves up to √n times further.
	SquareOccurrences bool
}

var (
	_ nn.OccurrenceOptimizer = Adam{}
	_ nn.RepeatingOptimizer  = Adam{}
	_ nn.ScheduledOptimizer  = Adam{}
)

// Name returns "adam".
func (o Adam) Name() string { return "adam" }

// Check refuses settings out of range.
func (o Adam) Check() error {
	if err := checkRate("adam", o.LearningRate, o.Schedule); err != nil {
		return err
	}
	if err := checkPositive("adam", "Epsilon", o.Epsilon); err != nil {
		return err
	}
	beta1, beta2 := o.betas()
	if err := checkDecay("adam", "Beta1", beta1); err != nil {
		return err
	}
	return checkDecay("adam", "Beta2", beta2)
}

// Rate is the learning rate at the start.
func (o Adam) Rate() float32 { return firstRate(o.LearningRate, o.Schedule, 0.001) }

// RateSchedule returns Schedule.
func (o Adam) RateSchedule() nn.Schedule { return o.Schedule }

func (o Adam) betas() (beta1, beta2 float64) { return o.Beta1.Or(0.9), o.Beta2.Or(0.999) }

// Slots are the moments: "momentum" (the paper's m) and "velocity" (v).
func (o Adam) Slots() []string { return []string{"momentum", "velocity"} }

// Coefficients are α, 1-Beta1, 1-Beta2 and epsilon. Like Keras it rounds the betas to float32 before it raises them to
// the power t, but not before it takes them from 1.
func (o Adam) Coefficients(t int, rate float32) nn.Coefficients {
	beta1, beta2 := o.betas()
	power1 := float32(simd.Pow64(float64(float32(beta1)), t))
	power2 := float32(simd.Pow64(float64(float32(beta2)), t))
	alpha := float32(rate*sqrt32(1-power2)) / (1 - power1)
	return nn.Coefficients{alpha, float32(1 - beta1), float32(1 - beta2), or(o.Epsilon, 1e-7)}
}

// Update makes one step.
func (o Adam) Update(c *nn.Coefficients, w, gradient []float32, slots [][]float32) {
	simd.Adam(w, slots[0], slots[1], gradient, c[0], c[1], c[2], c[3])
}

// Repeat makes steps without a gradient.
func (o Adam) Repeat(steps []nn.Coefficients, w []float32, slots [][]float32) {
	simd.AdamRepeat(w, slots[0], slots[1], steps)
}

// SquaresOccurrences returns SquareOccurrences.
func (o Adam) SquaresOccurrences() bool { return o.SquareOccurrences }

// UpdateSquares makes one step with squares in place of g².
func (o Adam) UpdateSquares(c *nn.Coefficients, w, gradient, squares []float32, slots [][]float32) {
	m, v := slots[0][:len(w)], slots[1][:len(w)]
	for i, g := range gradient[:len(w)] {
		m[i] = flush(m[i] + float32((g-m[i])*c[1]))
		v[i] = flush(v[i] + float32((squares[i]-v[i])*c[2]))
		w[i] -= float32(m[i]*c[0]) / (sqrt32(v[i]) + c[3])
	}
}
