package optim

import (
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optional"
)

// Nadam is [Adam] with Nesterov's look ahead (Dozat, 2016, "Incorporating Nesterov Momentum into Adam"): the step uses the
// mean of the gradients as it would be one step later. It is Keras's optimizer of that name:
//
//	μ(t) = Beta1·(1 - 0.96^t/2) in step t = 1, 2, …; P(t) = μ(1)·μ(2)·…·μ(t)
//	m += (g-m)·(1-Beta1)
//	v += (g²-v)·(1-Beta2)
//	m̂ = μ(t+1)·m / (1-P(t+1)) + (1-μ(t))·g / (1-P(t))
//	w -= m̂·LearningRate / (√(v / (1-Beta2^t)) + Epsilon)
//
// Moments smaller than 1e-30 become 0.
type Nadam struct {
	// LearningRate; Keras's default: 0.001. 0 means the default; Training.SetLearningRate can set a rate of 0.
	LearningRate float32
	// Schedule, when given, decides the rate of each step, and callbacks cannot change it. LearningRate must then be 0.
	Schedule plan.Schedule
	// Beta1 is how much of the mean of the gradients is kept each step, at least 0 and below 1; Keras's default: 0.9.
	Beta1 optional.Value[float64]
	// Beta2 is the same for their squares; Keras's default: 0.999.
	Beta2 optional.Value[float64]
	// Epsilon, above 0; Keras's default: 1e-7. 0 means the default.
	Epsilon float32
	// Shared are clipping, weight decay, averaging and accumulation; none by default.
	Shared Shared
}

var _ plan.Optimizer = Nadam{}

// Kind is "Nadam".
func (o Nadam) Kind() string { return "Nadam" }

// Rule refuses settings out of range. The slots are the moments, "momentum" (the paper's m) and "velocity" (v); the scalar
// is "u_product", P(t).
func (o Nadam) Rule() (plan.Rule, error) {
	const name = "nadam"
	r, err := newRule(name, o.LearningRate, o.Schedule, 0.001, &o.Shared)
	if err != nil {
		return plan.Rule{}, err
	}
	if err := checkMoments(name, o.Beta1.Or(0.9), o.Beta2.Or(0.999), o.Epsilon); err != nil {
		return plan.Rule{}, err
	}
	r.Slots = []plan.Slot{{Name: "momentum"}, {Name: "velocity", NotNegative: true}}
	r.Scalars = []plan.Slot{{Name: "u_product", First: 1, NotNegative: true}}
	r.Coefficients, r.Update = o.coefficients, o.update
	return r, nil
}

// coefficients are the rate, μ(t+1), 1-P(t+1), 1-μ(t), 1-P(t) and 1-Beta2^t.
func (o Nadam) coefficients(t int, rate float32, scalars []float32) plan.Coefficients {
	beta1, beta2 := float32(o.Beta1.Or(0.9)), o.Beta2.Or(0.999)
	weight := func(t int) float32 { return 1 - float32(0.5*power32(0.96, t)) }
	u, next := float32(beta1*weight(t)), float32(beta1*weight(t+1))
	// Keras multiplies P by Beta1 first, in place of by μ(t).
	product := flush(float32(float32(scalars[0]*beta1) * weight(t)))
	scalars[0] = product
	return plan.Coefficients{rate, next, 1 - float32(product*next), 1 - u, 1 - product, 1 - power32(beta2, t)}
}

// update, unlike Adam's, takes the betas from 1 in float32.
func (o Nadam) update(c *plan.Coefficients, w, gradient []float32, slots [][]float32) {
	rate, next, nextRest, part, rest, squares := c[0], c[1], c[2], c[3], c[4], c[5]
	c1, c2, epsilon := 1-float32(o.Beta1.Or(0.9)), 1-float32(o.Beta2.Or(0.999)), or(o.Epsilon, 1e-7)
	m, v := slots[0][:len(w)], slots[1][:len(w)]
	for i, g := range gradient[:len(w)] {
		m[i] = flush(m[i] + float32((g-m[i])*c1))
		v[i] = flush(v[i] + float32((float32(g*g)-v[i])*c2))
		mean := float32(next*m[i])/nextRest + float32(part*g)/rest
		w[i] -= float32(mean*rate) / (sqrt32(v[i]/squares) + epsilon)
	}
}
