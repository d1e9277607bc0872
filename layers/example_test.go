package layers_test

import (
	"context"
	"fmt"
	"log"

	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/tensor"
	"github.com/linnet-ml/linnet/text"
)

// A network that scores reviews of any length: with MaskZero the padding, id 0, does not count.
func Example() {
	model, err := nn.NewSequential(
		layers.Embedding{Vocabulary: 10000, Dim: 16, MaskZero: true},
		layers.GlobalAveragePooling1D{},
		layers.Dense{Units: 16, Activation: layers.ReLU},
		layers.Dense{Units: 1, Activation: layers.Sigmoid},
	).Build(context.Background(), nn.Tokens(nn.AnyLength), nn.BuildOptions{Seed: 7})
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range model.Parameters() {
		fmt.Println(p.Name(), p.Shape())
	}
	fmt.Println("together", model.ParameterCount())
	// Output:
	// embedding/embeddings (10000, 16)
	// dense/kernel (16, 16)
	// dense/bias (16,)
	// dense_1/kernel (16, 1)
	// dense_1/bias (1,)
	// together 160289
}

// show builds a model, sets its parameters and prints what it makes of the rows x.
func show(in nn.Input, x tensor.Rows, parameters [][]float32, spec ...nn.Layer) {
	model, err := nn.NewSequential(spec...).Build(context.Background(), in, nn.BuildOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := model.SetWeights(parameters); err != nil {
		fmt.Println(err)
		return
	}
	out, err := model.PredictInto(context.Background(), nil, x, nn.PredictOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%v: %.3f\n", model.OutputShape("output"), out)
}

func ExampleEmbedding() {
	ids, _ := tensor.Of([]int32{2, 0, 1, 2}, 2, 2)
	table := []float32{0, 0, 1, 10, 2, 20}
	show(nn.Tokens(2), ids, [][]float32{table}, layers.Embedding{Vocabulary: 3, Dim: 2})

	wrong, _ := tensor.Of([]int32{2, 0, 1, 3}, 2, 2)
	show(nn.Tokens(2), wrong, [][]float32{table}, layers.Embedding{Vocabulary: 3, Dim: 2})
	// Output:
	// (None, 2, 2): [2.000 20.000 0.000 0.000 1.000 10.000 2.000 20.000]
	// nn: layer "embedding": row 1, column 1: id 3 is outside the vocabulary 0 to 2
}

// With MaskZero padding does not count, and a row of nothing but padding gives 0.
func ExampleGlobalAveragePooling1D() {
	padded, _ := tensor.Of([]int32{2, 1, 0, 0, 0, 0, 0, 0}, 2, 4)
	table := []float32{100, 1, 2}
	for _, mask := range []bool{false, true} {
		show(nn.Tokens(nn.AnyLength), padded, [][]float32{table},
			layers.Embedding{Vocabulary: 3, Dim: 1, MaskZero: mask}, layers.GlobalAveragePooling1D{})
	}
	// Output:
	// (None, 1): [50.750 100.000]
	// (None, 1): [1.500 0.000]
}

func ExampleDense() {
	x, _ := tensor.Of([]float32{1, 2, -1, 3}, 2, 2)
	kernel, bias := []float32{1, 10, 2, -20}, []float32{0.5, 0}
	show(nn.Features(2), x, [][]float32{kernel, bias}, layers.Dense{Units: 2})
	show(nn.Features(2), x, [][]float32{kernel, bias}, layers.Dense{Units: 2, Activation: layers.ReLU})
	show(nn.Features(2), x, [][]float32{kernel}, layers.Dense{Units: 2, Activation: layers.ReLU, NoBias: true})
	// Output:
	// (None, 2): [5.500 -30.000 5.500 -70.000]
	// (None, 2): [5.500 0.000 5.500 0.000]
	// (None, 2): [5.000 0.000 5.000 0.000]
}

// Rows of which most elements are 0 cost what the others cost: row 0 has ones in columns 1 and 4, row 1 in column 0.
func ExampleDense_sparse() {
	x, _ := tensor.NewSparse(5, []int{0, 2, 3}, []int32{1, 4, 0}, nil)
	kernel := []float32{1, 2, 4, 8, 16}
	show(nn.SparseFeatures(5), x, [][]float32{kernel, {0.5}}, layers.Dense{Units: 1})
	// Output: (None, 1): [18.500 1.500]
}

// wordVectors is a table of three words in memory; a pretrained.Embedding is one from a file.
type wordVectors struct{ words *text.HubTokenizer }

func (w wordVectors) Tokenizer() text.Tokenizer { return w.words }
func (wordVectors) Rows() int                   { return 4 } // the last is of all other words
func (wordVectors) Dim() int                    { return 2 }
func (wordVectors) Combiner() text.Combiner     { return text.Mean }

func (wordVectors) ReadTable(_ context.Context, dst []float32) error {
	copy(dst, []float32{1, 0, 0, 1, 3, 3, 0, 0})
	return nil
}

// With vectors that others trained, a text becomes the average of its words'. Texts may be counted once, for all that is
// done with them.
func ExampleTextEmbedding_table() {
	vocabulary, _ := text.NewVocabulary(context.Background(), []string{"good", "bad", "film"})
	words, _ := text.NewHubTokenizer(vocabulary, text.HubTokenizerOptions{Lower: true})
	model, err := nn.NewSequential(layers.TextEmbedding{Table: wordVectors{words}}).Build(context.Background(), nn.Texts(), nn.BuildOptions{})
	if err != nil {
		log.Fatal(err)
	}
	x, _ := tensor.Of([]string{"Good film!", "bad, bad, bad, good"})
	out, err := model.PredictInto(context.Background(), nil, x, nn.PredictOptions{})
	fmt.Println(model.OutputShape("output"), out, err)

	bags, _ := text.CountTexts(context.Background(), x.Data(), words)
	out, err = model.PredictInto(context.Background(), nil, bags, nn.PredictOptions{})
	fmt.Println(out, err)
	fmt.Println("trainable:", model.Parameter("text_embedding/embeddings").Trainable())
	// Output:
	// (None, 2) [2 1.5 0.25 0.75] <nil>
	// [2 1.5 0.25 0.75] <nil>
	// trainable: false
}

func ExampleFlatten() {
	x, _ := tensor.Of([]float32{1, 2, 3, 4, 5, 6}, 1, 3, 2)
	show(nn.Features(3, 2), x, nil, layers.Flatten{})
	// Output: (None, 6): [1.000 2.000 3.000 4.000 5.000 6.000]
}

// Outside training Dropout changes nothing.
func ExampleDropout() {
	x, _ := tensor.Of([]float32{1, 2, 3}, 1, 3)
	show(nn.Features(3), x, nil, layers.Dropout{Rate: 0.5})
	// Output: (None, 3): [1.000 2.000 3.000]
}

func ExampleActivation() {
	x, _ := tensor.Of([]float32{-1, 0, 2}, 1, 3)
	for _, f := range []layers.ActivationFunc{layers.Linear, layers.ReLU, layers.Sigmoid, layers.Tanh, layers.Softmax} {
		show(nn.Features(3), x, nil, layers.Activation{Function: f})
	}
	show(nn.Features(3), x, nil, layers.Activation{Function: "step"})
	// Output:
	// (None, 3): [-1.000 0.000 2.000]
	// (None, 3): [0.000 0.000 2.000]
	// (None, 3): [0.269 0.500 0.881]
	// (None, 3): [-0.762 0.000 0.964]
	// (None, 3): [0.042 0.114 0.844]
	// nn: layer 0 (activation) cannot follow the input (float32) of shape (None, 3): there is no activation function "step"; there are "linear", "relu", "sigmoid", "tanh" and "softmax"
}

func ExampleGlorotUniform() {
	model, _ := nn.NewSequential(layers.Dense{Units: 2, KernelInit: layers.GlorotUniform{}}).Build(context.Background(), nn.Features(1), nn.BuildOptions{Seed: 1})
	limit := float32(1.4142135) // the root of 6/(1+2)
	for _, v := range model.Parameter("dense/kernel").Values() {
		fmt.Println(v >= -limit && v < limit)
	}
	// Output:
	// true
	// true
}

func ExampleRandomUniform() {
	spec := layers.Dense{Units: 1, BiasInit: layers.RandomUniform{Min: 1, Max: 1.5}}
	model, _ := nn.NewSequential(spec).Build(context.Background(), nn.Features(1), nn.BuildOptions{})
	b := model.Parameter("dense/bias").Values()[0]
	fmt.Println(b >= 1 && b < 1.5)
	// Output: true
}
