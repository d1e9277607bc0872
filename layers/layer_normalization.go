package layers

import (
	"fmt"
	"math"

	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optional"
	"github.com/linnet-ml/linnet/tensor"
)

// LayerNormalization shifts and scales the features of each row, or of each step of a row, to mean 0 and variance 1,
// then by what it learns: y = gamma·(x - mean)/sqrt(variance + Epsilon) + beta. The shape (batch, …, features) stays
// (Keras's LayerNormalization; Ba et al., 2016). Unlike BatchNormalization it does the same in training and prediction,
// and rows do not depend on each other. A mask is handed on.
//
// Parameters: gamma and beta, unless NoScale and NoCenter, of the shape of what is normalised: (features,) by default.
type LayerNormalization struct {
	Name string
	// FirstAxis is the first of the dimensions over which mean and variance are taken, together with all after it:
	// -1, the default, for the last dimension alone, and 1 or -2 for the last two of (batch, steps, features), which is
	// Keras's axis [1, 2]. Negative numbers count from the end. It cannot be 0, the batch.
	FirstAxis int
	// Epsilon is added to the variance. The default is 0.001.
	Epsilon optional.Value[float64]
	// NoCenter leaves beta out, and NoScale gamma.
	NoCenter, NoScale bool
	// GammaInit and BetaInit give the parameters their first values. The defaults are Ones and Zeros.
	GammaInit, BetaInit plan.Initializer
	// GammaRegularizer and BetaRegularizer add to the loss. The default is to add nothing.
	GammaRegularizer, BetaRegularizer plan.Regularizer
	// GammaConstraint and BetaConstraint change the parameters after each step. The default is to change nothing.
	GammaConstraint, BetaConstraint plan.Constraint
}

var _ plan.NamedLayer = LayerNormalization{}

// Kind is "LayerNormalization".
func (LayerNormalization) Kind() string { return "LayerNormalization" }

// LayerName is Name.
func (n LayerNormalization) LayerName() string { return n.Name }

// Build adds the parameters and the operation.
func (n LayerNormalization) Build(b *plan.Builder, in []plan.Symbol) ([]plan.Symbol, error) {
	x, err := single(in)
	if err != nil {
		return nil, err
	}
	if err := floats("LayerNormalization", x.Signature, 2); err != nil {
		return nil, err
	}
	axis := orNumber(n.FirstAxis, -1)
	if axis < 0 {
		axis += len(x.Shape)
	}
	if axis < 1 || axis >= len(x.Shape) {
		return nil, fmt.Errorf("%w: LayerNormalization's FirstAxis %d is not a dimension after the batch of %v", tensor.ErrShape, n.FirstAxis, x.Shape)
	}
	shape := x.Shape[axis:].Clone()
	s := layerNorm{width: shape.Size(), row: shape[1:].Size(), dims: len(shape), scale: !n.NoScale, center: !n.NoCenter, epsilon: n.Epsilon.Or(1e-3)}
	if s.width == tensor.Unknown {
		return nil, fmt.Errorf("%w: LayerNormalization needs to know the dimensions of %v from %d on", tensor.ErrShape, x.Shape, axis)
	}
	if err := checkEpsilon("LayerNormalization", s.epsilon); err != nil {
		return nil, err
	}
	var params []plan.ParameterRef
	if s.scale {
		gamma, err := b.Parameter(plan.ParameterOptions{Name: "gamma", Shape: shape, Init: or(n.GammaInit, Ones{}),
			Regularizer: n.GammaRegularizer, Constraint: n.GammaConstraint})
		if err != nil {
			return nil, err
		}
		params = append(params, gamma)
	}
	if s.center {
		beta, err := b.Parameter(plan.ParameterOptions{Name: "beta", Shape: shape, Init: n.BetaInit,
			Regularizer: n.BetaRegularizer, Constraint: n.BetaConstraint})
		if err != nil {
			return nil, err
		}
		params = append(params, beta)
	}
	out, err := b.Add(s.op(), in, params...)
	if err != nil {
		return nil, err
	}
	return out, b.PassMask(x, out)
}

// layerNorm normalises vectors (width), one or several a row. It keeps the mean and the inverse of the deviation of
// each.
type layerNorm struct {
	width, dims   int // of a vector, in how many dimensions
	row           int // the elements of a row of gamma and beta
	scale, center bool
	epsilon       float64
}

func (s layerNorm) op() plan.Op {
	return plan.Op{Form: s, Outputs: s.outputs, Saves: s.saves, Forward: s.forward, Backward: s.backward, Gradient: s.gradient}
}

func (s layerNorm) outputs(in []plan.Signature) ([]plan.Signature, error) {
	x := in[0].Shape
	if x[len(x)-s.dims:].Size() != s.width {
		return nil, fmt.Errorf("%w: LayerNormalization was built for %d elements, not %v", tensor.ErrShape, s.width, x)
	}
	return []plan.Signature{{Type: tensor.TypeFloat32, Shape: x}}, nil
}

func (s layerNorm) saves(in []plan.Signature) []int {
	x := in[0].Shape
	return []int{2 * x[1:len(x)-s.dims].Size()}
}

func (s layerNorm) forward(f *plan.Frame, at plan.Span) {
	x, y, saved, n := f.In(0, at), f.Out(0, at), f.Saved(0, at), s.width
	var gamma, beta []float32
	if s.scale {
		gamma = f.Param(0)
	}
	if s.center {
		beta = f.Param(s.beta())
	}
	for ; len(x) > 0; x, y, saved = x[n:], y[n:], saved[2:] {
		from, to := x[:n], y[:n]
		mean := sum64(from) / float64(n)
		shift := float32(mean)
		squares := 0.0
		for _, e := range from {
			d := float64(e) - mean
			squares += float64(d * d)
		}
		inverse := float32(1 / math.Sqrt(squares/float64(n)+s.epsilon))
		saved[0], saved[1] = shift, inverse
		for j, e := range from {
			to[j] = float32((e - shift) * inverse)
		}
		for j, g := range gamma { // none without Scale
			to[j] = float32(to[j] * g)
		}
		for j, b := range beta {
			to[j] += b
		}
	}
}

// sum64 adds up elements in four sums, which do not wait for each other.
func sum64(x []float32) float64 {
	var a, b, c, d float64
	for ; len(x) >= 4; x = x[4:] {
		a += float64(x[0])
		b += float64(x[1])
		c += float64(x[2])
		d += float64(x[3])
	}
	for _, e := range x {
		a += float64(e)
	}
	return (a + b) + (c + d)
}

// beta is where that parameter stands.
func (s layerNorm) beta() int {
	if s.scale {
		return 1
	}
	return 0
}

// backward is inverse·(g - mean of g - normal·mean of g·normal) for g = dy·gamma.
func (s layerNorm) backward(f *plan.Frame, at plan.Span) {
	dx, dy := f.InGrad(0, at), f.OutGrad(0, at)
	if dx == nil {
		return
	}
	x, saved, n := f.In(0, at), f.Saved(0, at), s.width
	var gamma []float32
	if s.scale {
		gamma = f.Param(0)
	}
	for ; len(dx) > 0; x, dx, dy, saved = x[n:], dx[n:], dy[n:], saved[2:] {
		from, to, up := x[:n], dx[:n], dy[:n]
		mean, inverse := saved[0], saved[1]
		sum, products := 0.0, 0.0
		for j, g := range up {
			if gamma != nil {
				g = float32(g * gamma[j])
			}
			to[j] = g
			sum += float64(g)
			products += float64(float64(g) * float64(float32((from[j]-mean)*inverse)))
		}
		byMean, byDeviation := float32(sum/float64(n)), float32(products/float64(n))
		for j, g := range to {
			normal := float32((from[j] - mean) * inverse)
			to[j] = float32((g - (float32(normal*byDeviation) + byMean)) * inverse)
		}
	}
}

// gradient is that of gamma, the sum of dy times normalised elements, or of beta, the sum of dy.
func (s layerNorm) gradient(f *plan.Frame, i int, g plan.Gradient) {
	n := s.width
	lo, hi := g.Lo*s.row, g.Hi*s.row
	f.Shards(func(at plan.Span) {
		x, dy, saved := f.In(0, at), f.OutGrad(0, at), f.Saved(0, at)
		sums := doubles(f, g.Worker, hi-lo)
		for ; len(x) > 0; x, dy, saved = x[n:], dy[n:], saved[2:] {
			up := dy[lo:hi]
			if !s.scale || i == 1 {
				for j, d := range up {
					sums[j] += float64(d)
				}
				continue
			}
			from, mean, inverse := x[lo:hi], saved[0], saved[1]
			for j, d := range up {
				sums[j] += float64(float64(d) * float64(float32((from[j]-mean)*inverse)))
			}
		}
		for j, sum := range sums {
			g.Values[lo+j] += float32(sum)
		}
	})
}
