package optim_test

import (
	"fmt"
	"slices"

	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optim"
	"github.com/linnet-ml/linnet/optional"
)

// show prints what a rule has.
func show(o plan.Optimizer) {
	r, err := o.Rule()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.Name, r.Rate, plan.SlotNames(r.Slots))
}

// steps makes steps of an optimizer with the same gradient and prints the weights after each.
func steps(o plan.Optimizer, n int, weights, gradient []float32) {
	r, err := o.Rule()
	if err != nil {
		fmt.Println(err)
		return
	}
	slots, scalars := make([][]float32, len(r.Slots)), make([]float32, len(r.Scalars))
	for i, s := range r.Slots {
		slots[i] = slices.Repeat([]float32{s.First}, len(weights))
	}
	for i, s := range r.Scalars {
		scalars[i] = s.First
	}
	for t := range n {
		c := r.Coefficients(t+1, r.Rate, scalars)
		r.Update(&c, weights, gradient, slots)
		fmt.Printf("%.4f\n", weights)
	}
}

// The zero value has Keras's defaults; a field of which 0 is a value of its own is set by optional.Of.
func Example() {
	show(optim.Adam{})
	show(optim.Adam{LearningRate: 0.01, Beta1: optional.Of(0.0), AMSGrad: true})
	show(optim.SGD{Momentum: 0.9, Nesterov: true})
	show(optim.RMSprop{Rho: optional.Of(1.5)})
	// Output:
	// adam 0.001 [momentum velocity]
	// adam 0.01 [momentum velocity velocity_hat]
	// sgd 0.01 [momentum]
	// optim: rmsprop: Rho 1.5 is not at least 0 and below 1
}

// Gradients of all parameters together have at most the norm 1, and 16 batches of 32 rows make one step of 512.
func ExampleShared() {
	show(optim.SGD{Momentum: 0.9, Shared: optim.Shared{GlobalClipNorm: 1, AccumulateSteps: 16}})
	show(optim.SGD{Shared: optim.Shared{GlobalClipNorm: 1, ClipNorm: 1}})
	// Output:
	// sgd 0.01 [momentum]
	// optim: sgd: at most one of ClipValue, ClipNorm and GlobalClipNorm can be set
}

// An optimizer changes parameters element by element; what it keeps of each is in slots.
func ExampleSGD() {
	steps(optim.SGD{LearningRate: 0.5}, 1, []float32{1, 2}, []float32{1, -1})
	// Output: [0.5000 2.5000]
}

// The size of the gradients does not matter to the first steps, only their signs.
func ExampleAdam() {
	steps(optim.Adam{LearningRate: 0.1}, 2, []float32{1, 1}, []float32{100, -0.01})
	// Output:
	// [0.9000 1.1000]
	// [0.8000 1.1999]
}

// Decay is 0.004 unless Shared says otherwise; here biases are left alone.
func ExampleAdamW() {
	for _, o := range []optim.AdamW{{}, {Shared: optim.Shared{WeightDecay: 0.01, NoDecay: []string{"*/bias"}}}} {
		r, err := o.Rule()
		fmt.Println(r.Name, r.Shared.WeightDecay, r.Shared.NoDecay, err)
	}
	// Output:
	// adamw 0.004 [] <nil>
	// adamw 0.01 [*/bias] <nil>
}

// Steps become smaller as squares of gradients add up.
func ExampleAdagrad() {
	steps(optim.Adagrad{LearningRate: 1}, 3, []float32{1}, []float32{1})
	// Output:
	// [0.0465]
	// [-0.6435]
	// [-1.2115]
}

// Even with the paper's rate of 1 steps begin small, at a few times the root of Epsilon, and grow.
func ExampleAdadelta() {
	steps(optim.Adadelta{LearningRate: 1}, 3, []float32{1}, []float32{1})
	// Output:
	// [0.9986]
	// [0.9972]
	// [0.9957]
}

// A gradient that stays as it is moves a weight by the rate, whatever its size.
func ExampleAdamax() {
	steps(optim.Adamax{LearningRate: 0.1}, 2, []float32{1, 1}, []float32{100, -0.01})
	// Output:
	// [0.9000 1.1000]
	// [0.8000 1.2000]
}

// With a constant gradient Adam would go down by 0.1 in each step.
func ExampleNadam() {
	steps(optim.Nadam{LearningRate: 0.1}, 2, []float32{1}, []float32{1})
	// Output:
	// [0.8937]
	// [0.8164]
}

// All weights move by the rate, whatever the size of their gradients; none moves without one.
func ExampleLion() {
	steps(optim.Lion{LearningRate: 0.1}, 2, []float32{1, 1, 1}, []float32{100, -0.01, 0})
	// Output:
	// [0.9000 1.1000 1.0000]
	// [0.8000 1.2000 1.0000]
}

// The second weight's gradients do not outweigh the penalty: it is 0 from the first step on.
func ExampleFtrl() {
	steps(optim.Ftrl{LearningRate: 0.5, L1RegularizationStrength: 1}, 3, []float32{0, 0.7}, []float32{-2, 0})
	// Output:
	// [0.2469 0.0000]
	// [0.5983 0.0000]
	// [0.8858 0.0000]
}

// A warm-up of 100 steps, then a decay over 1000.
func ExampleCosineDecay() {
	o := optim.Adam{Schedule: optim.CosineDecay{WarmupTarget: 0.001, WarmupSteps: 100, DecaySteps: 1000, Alpha: 0.1}}
	for _, step := range []int{0, 50, 100, 600, 1100, 5000} {
		fmt.Printf("step %d: %.5f\n", step, o.Schedule.Rate(step))
	}
	// Output:
	// step 0: 0.00000
	// step 50: 0.00050
	// step 100: 0.00100
	// step 600: 0.00055
	// step 1100: 0.00010
	// step 5000: 0.00010
}

// Half the rate every 1000 steps.
func ExampleExponentialDecay() {
	s := optim.ExponentialDecay{InitialLearningRate: 0.1, DecaySteps: 1000, DecayRate: 0.5, Staircase: true}
	fmt.Println(s.Rate(0), s.Rate(999), s.Rate(1000), s.Rate(2500))
	// Output: 0.1 0.1 0.05 0.025
}

// The rate is 0.1 up to and with step 100, and 0.01 after it.
func ExamplePiecewiseConstantDecay() {
	s := optim.PiecewiseConstantDecay{Boundaries: []int{100}, Values: []float32{0.1, 0.01}}
	fmt.Println(s.Rate(100), s.Rate(101))
	// Output: 0.1 0.01
}
