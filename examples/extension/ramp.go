package extension

import (
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/tensor"
)

// Ramp is an initializer: evenly spaced values from -Height to Height, each moved a little at random.
type Ramp struct{ Height float32 }

func (Ramp) Kind() string { return "Ramp" }

// Init writes the ramp to dst.
func (r Ramp) Init(dst []float32, _ tensor.Shape, random plan.Random) error {
	step := 2 * r.Height / float32(max(1, len(dst)-1))
	random.Uniform(dst, -step/4, step/4)
	for i := range dst {
		dst[i] += float32(step*float32(i)) - r.Height
	}
	return nil
}
