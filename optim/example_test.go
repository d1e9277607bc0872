package optim_test

import (
	"fmt"

	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/optim"
	"github.com/linnet-ml/linnet/optional"
)

// The zero value has Keras's defaults; a field of which 0 is a value of its own is set by optional.Of.
func Example() {
	for _, o := range []nn.Optimizer{
		optim.Adam{},
		optim.Adam{LearningRate: 0.01, Beta1: optional.Of(0.0)},
		optim.SGD{Momentum: 0.9, Nesterov: true},
		optim.RMSprop{Rho: optional.Of(1.5)},
	} {
		fmt.Println(o.Name(), o.Rate(), o.Slots(), o.Check())
	}
	// Output:
	// adam 0.001 [momentum velocity] <nil>
	// adam 0.01 [momentum velocity] <nil>
	// sgd 0.01 [momentum] <nil>
	// rmsprop 0.001 [velocity] optim: rmsprop: Rho 1.5 is not at least 0 and below 1
}

// An optimizer changes parameters element by element; what it keeps of each is in slots.
func ExampleSGD() {
	o := optim.SGD{LearningRate: 0.5}
	weights, gradient := []float32{1, 2}, []float32{1, -1}
	c := o.Coefficients(1, o.Rate())
	o.Update(&c, weights, gradient, nil)
	fmt.Println(weights)
	// Output: [0.5 2.5]
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
