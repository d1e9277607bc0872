package nn

import (
	"fmt"

	"github.com/linnet-ml/linnet/tensor"
)

// AnyLength, as a number of steps, lets a model read rows of any length: reviews padded to 256 words today and to 100
// tomorrow, without a new Build.
const AnyLength = tensor.Unknown

// Input says what a model reads.
type Input struct {
	signature Signature
	err       error
}

// Tokens is the input of a model that reads token ids, int32 rows of so many steps ([AnyLength] for any).
func Tokens(steps int) Input {
	return input(tensor.TypeInt32, "Tokens", steps)
}

// Features is the input of a model that reads float32 rows of the given dimensions. With several, all but the last
// may be [AnyLength].
func Features(dims ...int) Input {
	return input(tensor.TypeFloat32, "Features", dims...)
}

// SparseFeatures is the input of a model that reads rows of so many float32, most of them 0: a tensor.Sparse, such as
// text.MultiHot makes.
func SparseFeatures(width int) Input {
	return input(tensor.TypeSparse, "SparseFeatures", width)
}

// Texts is the input of a model that reads texts: a tensor.String of shape (rows,), one text a row. Layers that count
// the words of a text, such as layers.TextEmbedding, also take the text.Bags that hold such counts.
func Texts() Input {
	return input(tensor.TypeString, "Texts")
}

func input(t tensor.Type, name string, dims ...int) Input {
	for i, d := range dims {
		if d < 1 && (d != AnyLength || (i == len(dims)-1 && t != tensor.TypeInt32)) {
			return Input{err: fmt.Errorf("nn: %s%v: dimension %d is %d", name, tensor.Shape(dims), i, d)}
		}
	}
	return Input{signature: Signature{Type: t, Shape: append(tensor.Shape{tensor.Unknown}, dims...)}}
}

// BuildOption is a setting of Build.
type BuildOption func(*buildSettings)

type buildSettings struct {
	seed uint64
}

// Seed sets the seed of all random numbers of the model: the initial values of its parameters and, unless FitOptions
// say otherwise, the order of rows and the noise of training. The default is 0. The same seed gives the same bits on
// every machine.
//
// A parameter's initial values depend on the seed and its full name ("dense/kernel"), a layer's noise on the seed, the
// layer's name and the training step. So another layer in the model changes neither, as long as it leaves the names as
// they were: layers without a name of their own are numbered by kind (dense, dense_1).
func Seed(seed uint64) BuildOption { return func(s *buildSettings) { s.seed = seed } }
