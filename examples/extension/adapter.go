package extension

import (
	"fmt"
	"math"

	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/tensor"
)

// Adapter adds to its input (batch, features) what a bottleneck of Units makes of it: x + up(relu(down(x))), divided by a
// running root mean square. The parameter mean_square follows the batches; its share of each batch is 0.1.
type Adapter struct {
	Name  string
	Units int
}

func (Adapter) Kind() string        { return "Adapter" }
func (a Adapter) LayerName() string { return a.Name }

// Build adds both inner layers and what lies between them.
func (a Adapter) Build(b *plan.Builder, in []plan.Symbol) ([]plan.Symbol, error) {
	if len(in) != 1 || len(in[0].Shape) != 2 || in[0].Type != tensor.TypeFloat32 {
		return nil, fmt.Errorf("%w: Adapter reads one float32 value (batch, features)", tensor.ErrShape)
	}
	down, err := b.Apply(layers.Dense{Name: "down", Units: a.Units, Activation: layers.ReLU}, in...)
	if err != nil {
		return nil, err
	}
	up, err := b.Apply(layers.Dense{Name: "up", Units: in[0].Shape[1]}, down...)
	if err != nil {
		return nil, err
	}
	sum, err := b.Apply(layers.Add{}, in[0], up[0])
	if err != nil {
		return nil, err
	}
	mean, err := b.Parameter(plan.ParameterOptions{Name: "mean_square", Shape: tensor.Shape{1}, Init: layers.Ones{}, NotTrainable: true})
	if err != nil {
		return nil, err
	}
	return b.Add(scale, sum, mean)
}

// scale divides by the root of its parameter, which it moves towards the batch's mean square after each step.
var scale = plan.Op{
	Outputs: func(in []plan.Signature) ([]plan.Signature, error) { return in, nil },
	Forward: func(f *plan.Frame, s plan.Span) { scaled(f, f.Out(0, s), f.In(0, s)) },
	Backward: func(f *plan.Frame, s plan.Span) {
		if dx := f.InGrad(0, s); dx != nil {
			scaled(f, dx, f.OutGrad(0, s))
		}
	},
	Reduce: &plan.Reduction{
		Width: func([]plan.Signature) int { return 1 },
		Add: func(f *plan.Frame, s plan.Span, sums []float64) {
			for _, v := range f.In(0, s) {
				sums[0] += float64(float64(v) * float64(v))
			}
		},
		Finish: func(f *plan.Frame, sums []float64) { sums[0] /= float64(f.Rows() * f.InWidth(0)) },
	},
	Commit: func(f *plan.Frame) {
		mean := f.Param(0)
		mean[0] += float32((float32(f.Sums()[0]) - mean[0]) * 0.1)
	},
}

func scaled(f *plan.Frame, dst, src []float32) {
	by := float32(1 / math.Sqrt(float64(f.Param(0)[0])+1e-6))
	for i, v := range src {
		dst[i] = v * by
	}
}
