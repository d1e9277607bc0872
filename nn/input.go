package nn

import (
	"errors"
	"fmt"

	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/tensor"
)

// AnyLength, as a number of steps, lets a model read rows of any length: reviews padded to 256 words today and to 100
// tomorrow, without a new Build. So that a review's score is the same in both, padding must not count: an Embedding with
// MaskZero and layers that understand masks leave it out. Where a layer counts padding as words, such as an average
// without a mask, give the number of steps here, and pad all rows to it.
const AnyLength = tensor.Unknown

// Input says what a model reads: make one with Tokens, Features, SparseFeatures or Texts.
type Input struct {
	Type tensor.Type
	// Dims are the dimensions of one row.
	Dims []int
}

// Tokens is the input of a model that reads token ids, int32 rows of the given number of steps ([AnyLength] for any).
func Tokens(steps int) Input { return Input{tensor.TypeInt32, []int{steps}} }

// Features is the input of a model that reads float32 rows of the given dimensions. With several, all but the last
// may be [AnyLength].
func Features(dims ...int) Input { return Input{tensor.TypeFloat32, dims} }

// SparseFeatures is the input of a model that reads sparse rows of width float32, most of them 0: a tensor.Sparse, as
// text.MultiHot returns.
func SparseFeatures(width int) Input { return Input{tensor.TypeSparse, []int{width}} }

// Texts is the input of a model that reads texts: a tensor.String of shape (rows,), one text a row, which tensor.Of makes of
// a []string. layers.TextEmbedding turns them into vectors, layers.TextTokens into ids in order. Layers that count the words
// of a text, such as layers.TextEmbedding, also take the text.Bags that hold such counts.
func Texts() Input { return Input{Type: tensor.TypeString} }

var inputNames = map[tensor.Type]string{tensor.TypeInt32: "Tokens", tensor.TypeFloat32: "Features",
	tensor.TypeSparse: "SparseFeatures", tensor.TypeString: "Texts"}

// signature checks the input.
func (in Input) signature() (plan.Signature, error) {
	name, ok := inputNames[in.Type]
	switch {
	case !ok:
		return plan.Signature{}, errors.New("nn: Build needs an input: nn.Tokens, nn.Texts, nn.Features or nn.SparseFeatures")
	case (in.Type == tensor.TypeString) != (len(in.Dims) == 0) && in.Type != tensor.TypeFloat32,
		in.Type == tensor.TypeSparse && len(in.Dims) != 1:
		return plan.Signature{}, fmt.Errorf("nn: %s%v: %d dimensions", name, tensor.Shape(in.Dims), len(in.Dims))
	}
	for i, d := range in.Dims {
		if d < 1 && (d != AnyLength || (i == len(in.Dims)-1 && in.Type != tensor.TypeInt32)) {
			return plan.Signature{}, fmt.Errorf("nn: %s%v: dimension %d is %d", name, tensor.Shape(in.Dims), i, d)
		}
	}
	return plan.Signature{Type: in.Type, Shape: append(tensor.Shape{tensor.Unknown}, in.Dims...)}, nil
}

// BuildOptions are the settings of Build.
type BuildOptions struct {
	// Seed decides all random numbers of the model: the initial values of its parameters and, unless FitOptions.Seed is set,
	// the order of rows and the noise of training. The default is 0. The same seed gives the same bits on every machine.
	// What a parameter or a layer draws depends on its name, and not on the layers beside it.
	Seed uint64
	// Storage, when given, is asked for the elements of each parameter by its name ("dense/kernel") and shape: memory with
	// weights that exist already, such as those of a file. Where it returns nil the parameter gets its initial values.
	// Storage that is read-only is copied before it is trained.
	Storage func(name string, shape tensor.Shape) (plan.Storage, error)
}
