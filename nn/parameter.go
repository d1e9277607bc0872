package nn

import (
	"fmt"

	"github.com/linnet-ml/linnet/internal/random"
	"github.com/linnet-ml/linnet/tensor"
)

// Parameter is a named array of a model: the kernel of a Dense layer, the table of an Embedding.
type Parameter struct {
	name      string
	shape     tensor.Shape
	trainable bool
	storage   Storage
	model     *Model // once it is built
}

// Name is the layer's name and the parameter's own: "dense/kernel".
func (p *Parameter) Name() string { return p.name }

// Shape returns the dimensions. They are the parameter's own: do not change them.
func (p *Parameter) Shape() tensor.Shape { return p.shape }

// Trainable reports whether Fit changes the parameter.
func (p *Parameter) Trainable() bool { return p.trainable }

// Size is the number of elements.
func (p *Parameter) Size() int { return p.shape.Size() }

// Values returns the elements, row-major. For parameters in float32 memory, which all that Build makes are, it is the
// memory itself: writing to it changes the model, and must not happen while the model predicts or trains. A callback has
// to ask anew each time: rows of large tables are brought up to date when Values is called, not when a step is made.
func (p *Parameter) Values() []float32 {
	if p.model != nil {
		p.model.settled()
	}
	return p.storage.Float32()
}

// rows is the first dimension, the unit in which workers share a parameter out; width is the size of such a row.
func (p *Parameter) rows() (rows, width int) {
	if len(p.shape) == 0 {
		return 1, 1
	}
	return p.shape[0], p.shape.Width()
}

// Storage holds the elements of a parameter.
type Storage interface {
	// Len is the number of elements.
	Len() int
	// Float32 returns the elements as float32: the memory itself where they are kept so, a copy elsewhere.
	Float32() []float32
}

// Float32Storage keeps elements in memory as they are computed with.
type Float32Storage []float32

// Len is the number of elements.
func (s Float32Storage) Len() int { return len(s) }

// Float32 returns the memory itself.
func (s Float32Storage) Float32() []float32 { return s }

// Initializer gives a parameter its values at the start.
type Initializer interface {
	// Init fills dst, the elements of a parameter of the given shape, from r.
	Init(dst []float32, shape tensor.Shape, r Random)
}

// Random is a stream of random numbers: number i depends on the seed, the name of who draws it
// (see [Seed]), for noise the training step, and i alone.
type Random struct{ stream random.Stream }

// Uniform fills dst with numbers 0 to len(dst)-1 of the stream, spread evenly over [low, high).
func (r Random) Uniform(dst []float32, low, high float32) { r.stream.Uniform(dst, low, high) }

// Float32 is number i of the stream as a float32 in [0, 1).
func (r Random) Float32(i uint64) float32 { return r.stream.Float32(i) }

// Uint32 is number i of the stream.
func (r Random) Uint32(i uint64) uint32 { return r.stream.Uint32(i) }

// Block returns numbers 4i to 4i+3 of the stream: one call of the generator makes four.
func (r Random) Block(i uint64) [4]uint32 { return r.stream.Block(i) }

// checkWeights says what is wrong with values for a parameter.
func (p *Parameter) checkWeights(values []float32) error {
	if len(values) != p.Size() {
		return fmt.Errorf("nn: parameter %q has shape %v (%d elements), not %d", p.name, p.shape, p.Size(), len(values))
	}
	return nil
}
