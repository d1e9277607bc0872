package optim_test

import (
	"fmt"

	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/optim"
)

// The zero value has Keras's defaults; a field of which 0 is a value of its own is set by nn.Value.
func Example() {
	for _, o := range []nn.Optimizer{
		optim.Adam{},
		optim.Adam{LearningRate: 0.01, Beta1: nn.Value(0.0)},
		optim.SGD{Momentum: 0.9, Nesterov: true},
		optim.RMSprop{Rho: nn.Value(1.5)},
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
