package optim

import (
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optional"
)

// Adagrad divides each gradient by the root of the sum of all its squares so far (Duchi, Hazan and Singer, 2011, "Adaptive
// Subgradient Methods for Online Learning and Stochastic Optimization"): a weight whose gradients are rare or small takes
// larger steps, and all steps become smaller as training goes on. It is Keras's optimizer of that name:
//
//	accumulator += g², which begins at InitialAccumulatorValue
//	w -= LearningRate·g / √(accumulator + Epsilon)
//
// It works best with a larger rate than Keras's default; the paper's own form has a LearningRate of 1.
type Adagrad struct {
	// LearningRate; Keras's default: 0.001. 0 means the default; Training.SetLearningRate can set a rate of 0.
	LearningRate float32
	// Schedule, when given, decides the rate of each step, and callbacks cannot change it. LearningRate must then be 0.
	Schedule plan.Schedule
	// InitialAccumulatorValue is the sum of squares at the start, at least 0; Keras's default: 0.1.
	InitialAccumulatorValue optional.Value[float32]
	// Epsilon, above 0; Keras's default: 1e-7. 0 means the default.
	Epsilon float32
	// SquareOccurrences squares each occurrence's gradient of an Embedding's row, as Keras 3 on TensorFlow does: see [Adam].
	SquareOccurrences bool
	// Shared are clipping, weight decay, averaging and accumulation; none by default.
	Shared Shared
}

var _ plan.Optimizer = Adagrad{}

// Kind is "Adagrad".
func (o Adagrad) Kind() string { return "Adagrad" }

// Rule refuses settings out of range. The slot is "accumulator", the sum of the squares.
func (o Adagrad) Rule() (plan.Rule, error) {
	const name = "adagrad"
	r, err := newRule(name, o.LearningRate, o.Schedule, 0.001, &o.Shared)
	if err != nil {
		return plan.Rule{}, err
	}
	first := o.InitialAccumulatorValue.Or(0.1)
	if err := checkNotNegative(name, "InitialAccumulatorValue", first); err != nil {
		return plan.Rule{}, err
	}
	if err := checkPositive(name, "Epsilon", o.Epsilon); err != nil {
		return plan.Rule{}, err
	}
	r.Slots = []plan.Slot{{Name: "accumulator", First: first, NotNegative: true}}
	r.Coefficients, r.Update = o.coefficients, updateAdagrad
	if o.SquareOccurrences {
		r.UpdateSquares = updateAdagradSquares
	}
	return r, nil
}

// coefficients are the rate and epsilon.
func (o Adagrad) coefficients(_ int, rate float32, _ []float32) plan.Coefficients {
	return plan.Coefficients{rate, or(o.Epsilon, 1e-7)}
}

func updateAdagrad(c *plan.Coefficients, w, gradient []float32, slots [][]float32) {
	sums := slots[0][:len(w)]
	for i, g := range gradient[:len(w)] {
		sums[i] += float32(g * g)
		w[i] -= float32(c[0]*g) / sqrt32(sums[i]+c[1])
	}
}

// updateAdagradSquares takes squares in place of g².
func updateAdagradSquares(c *plan.Coefficients, w, gradient, squares []float32, slots [][]float32) {
	sums := slots[0][:len(w)]
	for i, g := range gradient[:len(w)] {
		sums[i] += squares[i]
		w[i] -= float32(c[0]*g) / sqrt32(sums[i]+c[1])
	}
}
