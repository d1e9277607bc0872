package plan_test

import (
	"context"
	"fmt"

	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/tensor"
)

// halves is an initializer of one's own.
type halves struct{ Sign float32 }

func (halves) Kind() string { return "Halves" }

func (h halves) Init(dst []float32, _ tensor.Shape, _ plan.Random) error {
	for i := range dst {
		dst[i] = h.Sign / 2
	}
	return nil
}

// A model's spec as JSON, with a kind of the program's own.
func ExampleKinds() {
	kinds, err := plan.NewKinds(layers.Kinds(), nn.Kinds(), []plan.Spec{halves{}})
	if err != nil {
		panic(err)
	}
	spec := nn.NewSequential(
		layers.Dense{Units: 16, Activation: layers.ReLU, KernelInit: layers.GlorotUniform{}},
		layers.Dense{Units: 1, KernelInit: halves{Sign: -1}},
	)
	written, err := kinds.Encode(spec)
	if err != nil {
		panic(err)
	}
	fmt.Println(string(written.JSON))

	read, err := kinds.Decode(context.Background(), written)
	if err != nil {
		panic(err)
	}
	fmt.Println(plan.Equal(spec, read))

	_, err = kinds.Decode(context.Background(), plan.Encoded{JSON: []byte(`{"kind":"Sequential","Layers":[{"kind":"Dense","Units":"many"}]}`)})
	fmt.Println(err)
	// Output:
	// {"kind":"Sequential","Layers":[{"kind":"Dense","Units":16,"Activation":"relu","KernelInit":{"kind":"GlorotUniform"}},{"kind":"Dense","Units":1,"KernelInit":{"kind":"Halves","Sign":-1}}]}
	// true
	// plan: Layers[0].Units: "\"many\"" is no int
}
