package optim

import (
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optional"
)

// Adadelta scales each step by the size of recent steps over the size of recent gradients (Zeiler, 2012, "ADADELTA: An
// Adaptive Learning Rate Method"), so that steps have the unit of the weights and the paper needs no learning rate. It is
// Keras's optimizer of that name:
//
//	squares = Rho·squares + (1-Rho)·g²
//	delta   = -√(deltas + Epsilon)·g / √(squares + Epsilon)
//	deltas  = Rho·deltas + (1-Rho)·delta²
//	w += LearningRate·delta
//
// The paper's method is the one with a LearningRate of 1; Keras's default is 0.001. Means smaller than 1e-30 become 0.
type Adadelta struct {
	// LearningRate; Keras's default: 0.001. 0 means the default; Training.SetLearningRate can set a rate of 0.
	LearningRate float32
	// Schedule, when given, decides the rate of each step, and callbacks cannot change it. LearningRate must then be 0.
	Schedule plan.Schedule
	// Rho is how much of the means is kept each step, at least 0 and below 1; Keras's default: 0.95. It is a float64
	// because Keras takes 1-Rho before it rounds to float32.
	Rho optional.Value[float64]
	// Epsilon, above 0, decides the size of the first steps; Keras's default: 1e-7. 0 means the default.
	Epsilon float32
	// Shared are clipping, weight decay, averaging and accumulation; none by default.
	Shared Shared
}

var _ plan.Optimizer = Adadelta{}

// Kind is "Adadelta".
func (o Adadelta) Kind() string { return "Adadelta" }

// Rule refuses settings out of range. The slots are the means of squares: "accumulated_grad" of the gradients and
// "accumulated_delta_var" of the steps.
func (o Adadelta) Rule() (plan.Rule, error) {
	const name = "adadelta"
	r, err := newRule(name, o.LearningRate, o.Schedule, 0.001, &o.Shared)
	if err != nil {
		return plan.Rule{}, err
	}
	if err := checkDecay(name, "Rho", o.rho()); err != nil {
		return plan.Rule{}, err
	}
	if err := checkPositive(name, "Epsilon", o.Epsilon); err != nil {
		return plan.Rule{}, err
	}
	r.Slots = []plan.Slot{{Name: "accumulated_grad", NotNegative: true}, {Name: "accumulated_delta_var", NotNegative: true}}
	r.Coefficients, r.Update = o.coefficients, updateAdadelta
	return r, nil
}

func (o Adadelta) rho() float64 { return o.Rho.Or(0.95) }

// coefficients are the rate, Rho, 1-Rho and epsilon.
func (o Adadelta) coefficients(_ int, rate float32, _ []float32) plan.Coefficients {
	rho := o.rho()
	return plan.Coefficients{rate, float32(rho), float32(1 - rho), or(o.Epsilon, 1e-7)}
}

func updateAdadelta(c *plan.Coefficients, w, gradient []float32, slots [][]float32) {
	rate, rho, rest, epsilon := c[0], c[1], c[2], c[3]
	squares, deltas := slots[0][:len(w)], slots[1][:len(w)]
	for i, g := range gradient[:len(w)] {
		squares[i] = flush(float32(rho*squares[i]) + float32(rest*float32(g*g)))
		delta := -(float32(sqrt32(deltas[i]+epsilon)*g) / sqrt32(squares[i]+epsilon))
		deltas[i] = flush(float32(rho*deltas[i]) + float32(rest*float32(delta*delta)))
		w[i] += float32(rate * delta)
	}
}
