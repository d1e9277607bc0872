package layers

import (
	"fmt"
	"math"

	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optional"
	"github.com/linnet-ml/linnet/tensor"
)

// BatchNormalization shifts and scales each feature to mean 0 and variance 1 over the batch, then by what it learns:
// y = gamma·(x - mean)/sqrt(variance + Epsilon) + beta. The shape (batch, …, features) stays (Keras's
// BatchNormalization; Ioffe and Szegedy, 2015).
//
// In training, mean and variance are those of the batch: of each feature, over all rows and steps. After each step of
// training they move the running statistics: moving_mean becomes Momentum·moving_mean + (1 - Momentum)·mean, and
// moving_variance likewise. Evaluation and prediction use the running statistics, so that a row's result does not depend
// on the rows beside it.
//
// With a mask, which is handed on, only unmasked steps count for the statistics; masked steps are shifted and scaled
// like the others. In a batch that is masked as a whole, mean and variance are 0.
//
// Parameters: gamma (features,) unless NoScale, beta (features,) unless NoCenter, and moving_mean and moving_variance
// (features,), which are not trainable.
type BatchNormalization struct {
	Name string
	// Momentum is how much of the running statistics a step keeps, from 0 to 1. The default is 0.99.
	Momentum optional.Value[float64]
	// Epsilon is added to the variance. The default is 0.001.
	Epsilon optional.Value[float64]
	// NoCenter leaves beta out, and NoScale gamma.
	NoCenter, NoScale bool
	// Frozen keeps training from changing the layer: nothing is trainable, the running statistics stay, and training
	// uses them too, as prediction does (Keras's trainable = False).
	Frozen bool
	// GammaInit, BetaInit, MovingMeanInit and MovingVarianceInit give the parameters their first values. The defaults are
	// Ones, Zeros, Zeros and Ones.
	GammaInit, BetaInit, MovingMeanInit, MovingVarianceInit plan.Initializer
	// GammaRegularizer and BetaRegularizer add to the loss. The default is to add nothing.
	GammaRegularizer, BetaRegularizer plan.Regularizer
	// GammaConstraint and BetaConstraint change the parameters after each step. The default is to change nothing.
	GammaConstraint, BetaConstraint plan.Constraint
}

var _ plan.NamedLayer = BatchNormalization{}

// Kind is "BatchNormalization".
func (BatchNormalization) Kind() string { return "BatchNormalization" }

// LayerName is Name.
func (n BatchNormalization) LayerName() string { return n.Name }

// Build adds the parameters and the operation.
func (n BatchNormalization) Build(b *plan.Builder, in []plan.Symbol) ([]plan.Symbol, error) {
	x, err := single(in)
	if err != nil {
		return nil, err
	}
	if err := floats("BatchNormalization", x.Signature, 2); err != nil {
		return nil, err
	}
	s := batchNorm{features: last(x.Shape), scale: !n.NoScale, center: !n.NoCenter, frozen: n.Frozen,
		momentum: n.Momentum.Or(0.99), epsilon: n.Epsilon.Or(1e-3)}
	if s.features == tensor.Unknown {
		return nil, fmt.Errorf("%w: BatchNormalization needs to know the last dimension of %v", tensor.ErrShape, x.Shape)
	}
	if !(s.momentum >= 0 && s.momentum <= 1) {
		return nil, fmt.Errorf("BatchNormalization's Momentum %v is not from 0 to 1", s.momentum)
	}
	if err := checkEpsilon("BatchNormalization", s.epsilon); err != nil {
		return nil, err
	}
	shape := tensor.Shape{s.features}
	var params []plan.ParameterRef
	for _, o := range []plan.ParameterOptions{
		{Name: "gamma", Init: or(n.GammaInit, Ones{}), Regularizer: n.GammaRegularizer, Constraint: n.GammaConstraint, NotTrainable: n.Frozen},
		{Name: "beta", Init: n.BetaInit, Regularizer: n.BetaRegularizer, Constraint: n.BetaConstraint, NotTrainable: n.Frozen},
		{Name: "moving_mean", Init: n.MovingMeanInit, NotTrainable: true},
		{Name: "moving_variance", Init: or(n.MovingVarianceInit, Ones{}), NotTrainable: true},
	} {
		if o.Name == "gamma" && n.NoScale || o.Name == "beta" && n.NoCenter {
			continue
		}
		o.Shape = shape
		p, err := b.Parameter(o)
		if err != nil {
			return nil, err
		}
		params = append(params, p)
	}
	reads := []plan.Symbol{x}
	if mask, ok := b.Mask(x); ok && !n.Frozen {
		s.masked = true
		reads = append(reads, mask)
	}
	out, err := b.Add(s.op(), reads, params...)
	if err != nil {
		return nil, err
	}
	return out, b.PassMask(x, out)
}

func checkEpsilon(layer string, epsilon float64) error {
	if !(epsilon >= 0) || math.IsInf(epsilon, 0) {
		return fmt.Errorf("%s's Epsilon is %v; it must be finite and not negative", layer, epsilon)
	}
	return nil
}

// batchNorm normalises vectors (features): one a row, or one for each step of a row. Input 1, if masked, says which of
// them count for the statistics.
type batchNorm struct {
	features                      int
	scale, center, masked, frozen bool
	momentum, epsilon             float64
}

func (s batchNorm) op() plan.Op {
	op := plan.Op{Form: s, Outputs: s.outputs, Forward: s.forward, Backward: s.backward}
	if !s.frozen {
		op.Gradient, op.Commit = s.gradient, s.commit
		op.Reduce = &plan.Reduction{
			Width:  func([]plan.Signature) int { return 2*s.features + 1 },
			Add:    s.addMoments,
			Finish: s.finishMoments,
		}
		op.BackwardReduce = &plan.Reduction{
			Width:  func([]plan.Signature) int { return 2 * s.features },
			Add:    s.addGradients,
			Finish: s.finishGradients,
		}
	}
	return op
}

func (s batchNorm) outputs(in []plan.Signature) ([]plan.Signature, error) {
	x := in[0].Shape
	if last(x) != s.features {
		return nil, fmt.Errorf("%w: BatchNormalization was built for %d features, not %v", tensor.ErrShape, s.features, x)
	}
	if s.masked {
		if mask := in[1].Shape; len(x) != 3 || len(mask) != 2 || !agree(mask[1], x[1]) {
			return nil, fmt.Errorf("%w: BatchNormalization of %v with a mask %v", tensor.ErrShape, x, mask)
		}
	}
	return []plan.Signature{{Type: tensor.TypeFloat32, Shape: x}}, nil
}

// agree reports whether two dimensions are equal or may still turn out to be.
func agree(a, b int) bool { return a == b || a == tensor.Unknown || b == tensor.Unknown }

// moving is where the parameter moving_mean stands; moving_variance is the next.
func (s batchNorm) moving() int {
	at := 0
	if s.scale {
		at++
	}
	if s.center {
		at++
	}
	return at
}

// addMoments adds up the elements of each feature, their squares, and the number of vectors that count.
func (s batchNorm) addMoments(f *plan.Frame, at plan.Span, sums []float64) {
	x, n := f.In(0, at), s.features
	sum, squares := sums[:n], sums[n:2*n]
	var mask []int32
	if s.masked {
		mask = f.InIDs(1, at)
	}
	for v := 0; len(x) > 0; v++ {
		row := x[:n]
		x = x[n:]
		if s.masked && mask[v] == 0 {
			continue
		}
		sums[2*n]++
		for j, e := range row {
			d := float64(e)
			sum[j] += d
			squares[j] += float64(d * d)
		}
	}
}

// finishMoments turns the sums into means and variances. In float64 the difference of squares loses nothing that the
// float32 elements had.
func (s batchNorm) finishMoments(_ *plan.Frame, sums []float64) {
	n := s.features
	count := sums[2*n]
	if count == 0 {
		return // all masked
	}
	for j := range n {
		mean := sums[j] / count
		sums[j], sums[n+j] = mean, max(sums[n+j]/count-float64(mean*mean), 0)
	}
}

// statistics writes the mean of each feature and the inverse of its deviation: the batch's in training, else the running
// ones.
func (s batchNorm) statistics(f *plan.Frame, mean, inverse []float32) {
	if f.Training() && !s.frozen {
		sums := f.Sums()
		for j := range mean {
			mean[j] = float32(sums[j])
			inverse[j] = float32(1 / math.Sqrt(sums[s.features+j]+s.epsilon))
		}
		return
	}
	copy(mean, f.Param(s.moving()))
	for j, v := range f.Param(s.moving() + 1) {
		inverse[j] = float32(1 / math.Sqrt(float64(v)+s.epsilon))
	}
}

// weights multiplies the inverse deviations by gamma.
func (s batchNorm) weights(f *plan.Frame, dst, inverse []float32) {
	copy(dst, inverse)
	if s.scale {
		for j, g := range f.Param(0) {
			dst[j] *= g
		}
	}
}

func (s batchNorm) forward(f *plan.Frame, at plan.Span) {
	n := s.features
	work := f.Scratch(at.Worker, 3*n)
	mean, weight, shift := work[:n], work[n:2*n], work[2*n:]
	s.statistics(f, mean, weight)
	s.weights(f, weight, weight)
	clear(shift)
	if s.center {
		copy(shift, f.Param(s.moving()-1))
	}
	x, y := f.In(0, at), f.Out(0, at)
	for ; len(x) > 0; x, y = x[n:], y[n:] {
		from, to := x[:n], y[:n]
		for j, e := range from {
			to[j] = float32((e-mean[j])*weight[j]) + shift[j]
		}
	}
}

// addGradients adds up, for each feature, the gradients dy and the products of dy and normalised elements.
func (s batchNorm) addGradients(f *plan.Frame, at plan.Span, sums []float64) {
	s.addUpstream(f, at, 0, s.features, sums[:s.features])
	s.addProducts(f, at, 0, s.features, sums[s.features:])
}

// addUpstream adds the gradients dy of features lo to hi-1 to sums.
func (s batchNorm) addUpstream(f *plan.Frame, at plan.Span, lo, hi int, sums []float64) {
	for dy := f.OutGrad(0, at); len(dy) > 0; dy = dy[s.features:] {
		for j, g := range dy[lo:hi] {
			sums[j] += float64(g)
		}
	}
}

// addProducts adds dy times the normalised elements of features lo to hi-1 to sums.
func (s batchNorm) addProducts(f *plan.Frame, at plan.Span, lo, hi int, sums []float64) {
	n := s.features
	work := f.Scratch(at.Worker, 2*n)
	mean, inverse := work[:n], work[n:]
	s.statistics(f, mean, inverse)
	mean, inverse = mean[lo:hi], inverse[lo:hi]
	x, dy := f.In(0, at), f.OutGrad(0, at)
	for ; len(x) > 0; x, dy = x[n:], dy[n:] {
		from, up := x[lo:hi], dy[lo:hi]
		for j, g := range up {
			sums[j] += float64(float64(g) * float64(float32((from[j]-mean[j])*inverse[j])))
		}
	}
}

// doubles is memory of a worker for n float64, all 0.
func doubles(f *plan.Frame, worker, n int) []float64 {
	local := f.Local(worker)
	p, ok := (*local).(*[]float64)
	if !ok {
		p = new([]float64)
		*local = p
	}
	if cap(*p) < n {
		*p = make([]float64, n)
	}
	d := (*p)[:n]
	clear(d)
	return d
}

// finishGradients divides the sums by the number of vectors that the statistics are of.
func (s batchNorm) finishGradients(f *plan.Frame, sums []float64) {
	if count := f.Sums()[2*s.features]; count > 0 {
		for j := range sums {
			sums[j] /= count
		}
	}
}

// backward is weight·dy, less what the elements contribute by way of mean and variance.
func (s batchNorm) backward(f *plan.Frame, at plan.Span) {
	dx, dy := f.InGrad(0, at), f.OutGrad(0, at)
	if dx == nil {
		return
	}
	n := s.features
	work := f.Scratch(at.Worker, 5*n)
	mean, inverse, weight, byMean, byDeviation := work[:n], work[n:2*n], work[2*n:3*n], work[3*n:4*n], work[4*n:]
	s.statistics(f, mean, inverse)
	s.weights(f, weight, inverse)
	if !f.Training() || s.frozen {
		for ; len(dx) > 0; dx, dy = dx[n:], dy[n:] {
			for j, g := range dy[:n] {
				dx[j] = float32(g * weight[j])
			}
		}
		return
	}
	sums := f.BackwardSums()
	for j := range n {
		byMean[j], byDeviation[j] = float32(sums[j]), float32(sums[n+j])
	}
	var mask []int32
	if s.masked {
		mask = f.InIDs(1, at)
	}
	x := f.In(0, at)
	for v := 0; len(dx) > 0; v++ {
		from, up, to := x[:n], dy[:n], dx[:n]
		x, dy, dx = x[n:], dy[n:], dx[n:]
		if s.masked && mask[v] == 0 {
			for j, g := range up {
				to[j] = float32(g * weight[j])
			}
			continue
		}
		for j, g := range up {
			normal := float32((from[j] - mean[j]) * inverse[j])
			to[j] = float32((g - (float32(normal*byDeviation[j]) + byMean[j])) * weight[j])
		}
	}
}

// gradient is that of gamma, the sum of dy times normalised elements, or of beta, the sum of dy.
func (s batchNorm) gradient(f *plan.Frame, i int, g plan.Gradient) {
	f.Shards(func(at plan.Span) {
		at.Worker = g.Worker
		sums := doubles(f, g.Worker, g.Hi-g.Lo)
		if s.scale && i == 0 {
			s.addProducts(f, at, g.Lo, g.Hi, sums)
		} else {
			s.addUpstream(f, at, g.Lo, g.Hi, sums)
		}
		for j, sum := range sums {
			g.Values[g.Lo+j] += float32(sum)
		}
	})
}

// commit moves the running statistics towards those of the batch.
func (s batchNorm) commit(f *plan.Frame) {
	keep, take := float32(s.momentum), float32(1-s.momentum)
	sums := f.Sums()
	for k := range 2 {
		running := f.Param(s.moving() + k)
		for j, v := range running {
			running[j] = float32(v*keep) + float32(float32(sums[k*s.features+j])*take)
		}
	}
}
