package classifier

import (
	"context"
	"math"
	"slices"

	"github.com/linnet-ml/linnet/classifier/internal/calibration"
	"github.com/linnet-ml/linnet/classifier/internal/parallel"
	"github.com/linnet-ml/linnet/classifier/internal/selection"
	"github.com/linnet-ml/linnet/internal/random"
	"github.com/linnet-ml/linnet/simd"
)

// A descent is a stochastic gradient descent on the log loss of a continuation.
type descent struct {
	t       *continuation
	seed    uint64
	rate    float32
	stop    <-chan struct{} // ends an epoch; nil for never
	l       *selection.Linear
	squares [][]float32 // sums of squared gradients, by score and n-gram
	bias    []float32   // the same of biases
	z, even []float32
	order   []int32
}

func newDescent(t *continuation, seed uint64) *descent {
	d := &descent{t: t, seed: seed, l: clone(t.first), bias: make([]float32, len(t.first.Bias)), z: make([]float32, len(t.first.Bias)), even: make([]float32, len(t.first.Bias))}
	for range d.l.Weights {
		d.squares = append(d.squares, make([]float32, len(t.hashes)))
	}
	return d
}

func clone(l *selection.Linear) *selection.Linear {
	c := &selection.Linear{Bias: slices.Clone(l.Bias)}
	for _, w := range l.Weights {
		c.Weights = append(c.Weights, slices.Clone(w))
	}
	return c
}

// set makes dst the same as l.
func set(dst, l *selection.Linear) {
	copy(dst.Bias, l.Bias)
	for k, w := range l.Weights {
		copy(dst.Weights[k], w)
	}
}

// begin goes back to the first weights.
func (d *descent) begin(rate float64) {
	d.rate, d.stop = float32(rate), nil
	set(d.l, d.t.first)
	clear(d.bias)
	for _, s := range d.squares {
		clear(s)
	}
}

const (
	// mostEpochs is how many epochs are tried of a learning rate.
	mostEpochs = 20
	// tiny keeps the first steps of Adagrad finite.
	tiny = 1e-6
)

// choose finds the learning rate and the number of epochs. It returns the weights that are best on the rows held out; nil unless
// the thresholds of new labels need them.
func (d *descent) choose(ctx context.Context, rows, held []int32, stop <-chan struct{}, r *Continuation) (best *selection.Linear, err error) {
	rates := [...]float64{0.1, 0.3, 1, 3}
	if d.t.newLabels() {
		best = clone(d.t.first)
	}
	r.Held, r.Epochs = len(held), 0
	if r.Before, err = d.t.loss(ctx, d.t.first, held); err != nil {
		return nil, err
	}
	r.After = r.Before
	for i, rate := range rates {
		d.begin(rate)
		d.stop = stop
		last := math.Inf(1)
		for e := range mostEpochs {
			err := d.epoch(ctx, rows, e, func(done int) {
				d.t.meter.Set(string(PhaseRates), (i*mostEpochs+e)*len(rows)+done, len(rates)*mostEpochs*len(rows))
			})
			if err == ErrStopped {
				if r.Epochs == 0 {
					return nil, err
				}
				r.Stopped = true
				return best, nil
			}
			if err != nil {
				return nil, err
			}
			loss, err := d.t.loss(ctx, d.l, held)
			if err != nil {
				return nil, err
			}
			if loss < r.After {
				r.Rate, r.Epochs, r.After = rate, e+1, loss
				if best != nil {
					set(best, d.l)
				}
			}
			if loss > last {
				break
			}
			last = loss
		}
	}
	return best, nil
}

// epoch learns from each row once. It tells progress how many rows are done, and returns [ErrStopped] itself when d.stop is closed.
func (d *descent) epoch(ctx context.Context, rows []int32, epoch int, progress func(done int)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	d.order = append(d.order[:0], rows...)
	random.New(d.seed, random.Shuffle, uint64(epoch)).Shuffle(d.order)
	look := parallel.NewWatch(ctx)
	for n, i := range d.order {
		if d.stop != nil {
			select {
			case <-d.stop:
				return ErrStopped
			default:
			}
		}
		id, value := d.t.x.Row(i)
		if err := look.Spend((len(id) + 1) * len(d.z)); err != nil {
			return err
		}
		if n%256 == 0 {
			progress(n)
		}
		d.gradient(i)
		for k, g := range d.z {
			d.bias[k] += float32(g * g)
			d.l.Bias[k] -= float32(d.rate*g) / (float32(math.Sqrt(float64(d.bias[k]))) + tiny)
			w, squares := d.l.Weights[k], d.squares[k]
			for j, f := range id {
				v := float32(g * value[j])
				squares[f] += float32(v * v)
				w[f] -= float32(d.rate*v) / (float32(math.Sqrt(float64(squares[f]))) + tiny)
			}
		}
	}
	progress(len(d.order))
	return nil
}

// gradient makes d.z the gradient of a row's loss with respect to the scores before they are made even.
func (d *descent) gradient(row int32) {
	factor := d.t.logits(d.z, d.l, row)
	softmax := d.t.softmax()
	e := d.t.spec.evenness()
	if e.Quarters > 0 {
		copy(d.even, d.z)
	}
	if softmax {
		simd.Softmax(d.z, d.z)
	}
	for k, v := range d.z {
		if !softmax {
			v = simd.Sigmoid32(v)
		}
		if d.t.task.Is(row, k) {
			v--
		}
		d.z[k] = v
	}
	if e.Quarters > 0 {
		e.Back(d.z, d.even, factor)
	}
}

// logits writes the scores of a row. It returns what they were made even with.
func (t *continuation) logits(dst []float32, l *selection.Linear, row int32) (factor float32) {
	id, value := t.x.Row(row)
	for k := range dst {
		sum, w := l.Bias[k], l.Weights[k]
		if len(t.networkScores) > 0 {
			sum += t.networkScores[int(row)*len(dst)+k]
		}
		for j, f := range id {
			sum += float32(w[f] * value[j])
		}
		dst[k] = sum
	}
	factor = t.spec.evenness().Factor(dst)
	for k := range dst {
		dst[k] *= factor
	}
	return factor
}

// loss is the log loss of rows.
func (t *continuation) loss(ctx context.Context, l *selection.Linear, rows []int32) (float64, error) {
	sum := 0.0
	z := make([]float32, len(l.Bias))
	look := parallel.NewWatch(ctx)
	for _, i := range rows {
		if err := look.Spend((t.x.Start[i+1] - t.x.Start[i] + 8) * len(z)); err != nil {
			return 0, err
		}
		t.logits(z, l, i)
		if t.softmax() {
			sum += calibration.SoftmaxLoss(z, 1, t.task.Class[i])
			continue
		}
		for k, v := range z {
			sum += calibration.LogLoss(float64(v), t.task.Is(i, k))
		}
	}
	return sum / float64(len(rows)), nil
}

// scores are the probabilities of a label and whether it is right.
func (t *continuation) scores(ctx context.Context, l *selection.Linear, rows []int32, k int) (p []float32, positive []bool, err error) {
	z := make([]float32, len(l.Bias))
	look := parallel.NewWatch(ctx)
	for _, i := range rows {
		if err := look.Spend((t.x.Start[i+1] - t.x.Start[i] + 1) * len(z)); err != nil {
			return nil, nil, err
		}
		t.logits(z, l, i)
		p, positive = append(p, simd.Sigmoid32(z[k])), append(positive, t.task.Is(i, k))
	}
	return p, positive, nil
}
