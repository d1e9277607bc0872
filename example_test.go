package linnet_test

import (
	"context"
	"fmt"
	"log"

	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/nn"
)

// The network of Keras's tutorial on film reviews, of which each is padded or cut to 256 words.
func Example() {
	model, err := nn.NewSequential(
		layers.Embedding{Vocabulary: 10000, Dim: 16},
		layers.GlobalAveragePooling1D{},
		layers.Dense{Units: 16, Activation: layers.ReLU},
		layers.Dense{Units: 1, Activation: layers.Sigmoid},
	).Build(context.Background(), nn.Tokens(256), nn.BuildOptions{})
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range model.Parameters() {
		fmt.Println(p.Name(), p.Shape())
	}
	fmt.Println(model.ParameterCount(), "parameters")
	// Output:
	// embedding/embeddings (10000, 16)
	// dense/kernel (16, 16)
	// dense/bias (16,)
	// dense_1/kernel (16, 1)
	// dense_1/bias (1,)
	// 160289 parameters
}
