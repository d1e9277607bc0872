package plan

import (
	"github.com/linnet-ml/linnet/internal/random"
	"github.com/linnet-ml/linnet/tensor"
)

// Initializer gives a parameter its values at the start. They depend on the seed and the parameter's name.
type Initializer interface {
	Spec
	// Init fills dst, the elements of a parameter of the given shape, from r. Settings out of range are an error.
	Init(dst []float32, shape tensor.Shape, r Random) error
}

// Random is a stream of random numbers: number i depends on the seed, on what the stream is for and on i alone.
type Random struct{ stream random.Stream }

// Uniform fills dst with numbers 0 to len(dst)-1 of the stream, spread evenly over [low, high).
func (r Random) Uniform(dst []float32, low, high float32) { r.stream.Uniform(dst, low, high) }

// Float32 is number i of the stream as a float32 in [0, 1).
func (r Random) Float32(i uint64) float32 { return r.stream.Float32(i) }

// Uint32 is number i of the stream.
func (r Random) Uint32(i uint64) uint32 { return r.stream.Uint32(i) }

// Block returns numbers 4i to 4i+3 of the stream: one call of the generator makes four.
func (r Random) Block(i uint64) [4]uint32 { return r.stream.Block(i) }

// Regularizer is a spec of a penalty on a parameter's size, which is added to the loss: Keras's L1 and L2.
type Regularizer interface {
	Spec
	// Check refuses settings out of range.
	Check() error
	// Penalty returns the penalty of elements w and, where gradient is not nil, adds the penalty's slope to it. A
	// parameter's penalty is the sum of its rows' penalties, in order.
	Penalty(w, gradient []float32) float64
}

// Constraint is a spec of what a parameter must satisfy: after each step it is brought back to that.
type Constraint interface {
	Spec
	// Check refuses settings out of range, and a parameter of a shape that they do not fit.
	Check(shape tensor.Shape) error
	// Apply changes the elements w of a parameter of the given shape.
	Apply(w []float32, shape tensor.Shape)
}
