package layers

import (
	"math"

	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/tensor"
)

// RandomUniform draws values evenly from [Min, Max) (Keras's RandomUniform). With both 0 they are -0.05 and 0.05.
type RandomUniform struct{ Min, Max float32 }

// GlorotUniform draws values evenly from ±sqrt(6/(fan in + fan out)) (Keras's GlorotUniform; Glorot and Bengio,
// 2010). Fan in and fan out are the last two dimensions, each times the product of those before.
type GlorotUniform struct{}

// Zeros sets values to 0 (Keras's Zeros).
type Zeros struct{}

var (
	_ nn.Initializer = RandomUniform{}
	_ nn.Initializer = GlorotUniform{}
	_ nn.Initializer = Zeros{}
)

// Init fills dst.
func (u RandomUniform) Init(dst []float32, _ tensor.Shape, r nn.Random) {
	if u.Min == 0 && u.Max == 0 {
		u.Min, u.Max = -0.05, 0.05
	}
	r.Uniform(dst, u.Min, u.Max)
}

// Init fills dst.
func (GlorotUniform) Init(dst []float32, shape tensor.Shape, r nn.Random) {
	in, out := fans(shape)
	limit := float32(math.Sqrt(6 / float64(in+out)))
	r.Uniform(dst, -limit, limit)
}

// Init fills dst.
func (Zeros) Init(dst []float32, _ tensor.Shape, _ nn.Random) { clear(dst) }

// fans are the number of inputs and outputs of a unit, as Keras counts them.
func fans(shape tensor.Shape) (in, out int) {
	switch len(shape) {
	case 0:
		return 1, 1
	case 1:
		return shape[0], shape[0]
	}
	field := shape[:len(shape)-2].Size()
	return shape[len(shape)-2] * field, shape[len(shape)-1] * field
}

// or returns the initializer, or the default when none is given.
func or(i, def nn.Initializer) nn.Initializer {
	if i == nil {
		return def
	}
	return i
}
