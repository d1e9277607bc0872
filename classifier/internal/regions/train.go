package regions

import (
	"context"
	"math"

	"github.com/linnet-ml/linnet/classifier/internal/parallel"
	"github.com/linnet-ml/linnet/internal/random"
	"github.com/linnet-ml/linnet/simd"
)

// Labels are what is learned: which of k scores should be high.
type Labels interface {
	Is(row int32, k int) bool
}

// Settings are those of a training.
type Settings struct {
	Seed    uint64
	Units   int  // for each size of regions
	Scores  int  // of the output layer
	Softmax bool // exactly one of the scores is high; else each is decided by itself
}

// Chosen on held-out reviews of other films, by the log loss of the average with a linear model.
const (
	rate          = 0.05
	initial       = 0.01 // the largest first value of a word's weight
	initialOutput = 0.3  // the largest first value of the output layer
	batchRows     = 32   // rows of a step, which has their mean gradient
)

// unitShare is the number of units that one goroutine works on at a time. With no more units for each size of regions there are two
// groups, which keep two goroutines busy.
const unitShare = 128

// A Trainer learns a network by stochastic gradient descent (Adagrad; Duchi, Hazan and Singer, 2011).
//
// The maximum over regions sends a unit's gradient to one region, so that a row changes a few weights of each unit. Weights do not
// decay: that takes away from frequent words, and leaves names of films and people, which texts to come do not have.
//
// Units are independent but for the scores, which all of them make together: each group of units reads and changes numbers
// of its own, in the order of the rows, and the scores of a batch are added up in the order of the groups. So bits do not
// depend on which goroutine does what.
type Trainer struct {
	texts    *Texts
	labels   Labels
	settings Settings
	groups   []*group
	bias     []float32 // of the scores
	squares  []float32 // of the bias's gradients
	batch    []int32
	delta    []float32 // (batchRows, Scores): the gradient of the scores
}

// A group is units with what their training needs.
type group struct {
	units
	weightGradient, biasGradient, outGradient []float32 // of the batch; 0 before and after
	changed                                   []int     // the weights with a gradient, in the order of the rows
	weightSquares, biasSquares, outSquares    []float32 // sums of squared gradients
	best, at                                  []float32 // (batchRows, n)
	sum                                       []float32 // (n)
	scores                                    []float32 // (batchRows, Scores): the part of these units
}

// New returns a Trainer of a network that knows nothing yet.
func New(t *Texts, l Labels, s Settings) *Trainer {
	tr := &Trainer{texts: t, labels: l, settings: s, bias: make([]float32, s.Scores), squares: make([]float32, s.Scores), delta: make([]float32, batchRows*s.Scores)}
	for _, size := range [...]int{small, large} {
		for from := 0; from < s.Units; from += unitShare {
			n := min(unitShare, s.Units-from)
			g := &group{units: units{size: size, n: n, words: len(t.Hash)}}
			g.weight = make([]float32, g.tables()*(g.words+1)*n)
			number := uint64(len(tr.groups))
			random.New(s.Seed, random.Initial, 2*number).Uniform(g.weight, -initial, initial)
			for j := range g.tables() {
				clear(g.row(j, int32(g.words)))
			}
			g.bias, g.out = make([]float32, n), make([]float32, n*s.Scores)
			random.New(s.Seed, random.Initial, 2*number+1).Uniform(g.out, -initialOutput, initialOutput)
			g.weightSquares, g.biasSquares, g.outSquares = make([]float32, len(g.weight)), make([]float32, n), make([]float32, len(g.out))
			g.weightGradient, g.biasGradient, g.outGradient = make([]float32, len(g.weight)), make([]float32, n), make([]float32, len(g.out))
			g.sum = make([]float32, n)
			g.best, g.at, g.scores = make([]float32, batchRows*n), make([]float32, batchRows*n), make([]float32, batchRows*s.Scores)
			tr.groups = append(tr.groups, g)
		}
	}
	return tr
}

// Epoch learns from each of the rows once, in an order that the seed and the number of the epoch decide. It tells
// count, unless that is nil, of how many more rows it has learned.
func (t *Trainer) Epoch(ctx context.Context, rows []int32, epoch int, count func(n int)) error {
	order := append([]int32(nil), rows...)
	random.New(t.settings.Seed, random.Shuffle, uint64(epoch)).Shuffle(order)
	for len(order) > 0 {
		next := order[:min(batchRows, len(order))]
		order = order[len(next):]
		if err := t.step(ctx, next); err != nil {
			return err
		}
		if count != nil {
			count(len(next))
		}
	}
	return t.step(ctx, nil)
}

// step learns from the batch before and computes the scores of the next one.
func (t *Trainer) step(ctx context.Context, next []int32) error {
	err := parallel.Each(ctx, len(t.groups), func(_ context.Context, i int) error {
		g := t.groups[i]
		for j, row := range t.batch {
			g.backward(t.texts.row(row), j, t.delta[j*t.settings.Scores:][:t.settings.Scores])
		}
		g.update()
		for j, row := range next {
			g.score(t.texts.row(row), j, t.settings.Scores)
		}
		return nil
	})
	if err != nil {
		return err
	}
	t.batch = append(t.batch[:0], next...)
	k := t.settings.Scores
	for j, row := range t.batch {
		z := t.delta[j*k:][:k]
		copy(z, t.bias)
		for _, g := range t.groups {
			for i, v := range g.scores[j*k:][:k] {
				z[i] += v
			}
		}
		if t.settings.Softmax {
			simd.Softmax(z, z)
		} else {
			simd.Sigmoid(z, z)
		}
		for i := range z {
			if t.labels.Is(row, i) {
				z[i]--
			}
		}
	}
	share := 1 / float32(max(1, len(t.batch)))
	for i := range t.bias {
		mean := float32(0)
		for j := range t.batch {
			d := float32(t.delta[j*k+i] * share)
			t.delta[j*k+i] = d
			mean += d
		}
		adagrad(&t.bias[i], &t.squares[i], mean)
	}
	return nil
}

// score computes the largest sums of row j of the batch, and the units' part of its scores.
func (g *group) score(ids []int32, j, k int) {
	best := g.best[j*g.n:][:g.n]
	g.forward(best, g.at[j*g.n:][:g.n], g.sum, ids)
	simd.Add(best, best, g.bias)
	z := g.scores[j*k:][:k]
	clear(z)
	g.add(z, best)
}

// add adds the part of the units to scores. Values are the largest sums with the bias; negative ones count as 0.
func (u *units) add(z, values []float32) {
	k := len(z)
	for i, v := range values {
		if v > 0 {
			for c, w := range u.out[i*k:][:k] {
				z[c] += float32(v * w)
			}
		}
	}
}

// backward adds the gradients of row j of the batch, whose scores have the gradient delta.
func (g *group) backward(ids []int32, j int, delta []float32) {
	k, n := len(delta), g.n
	for i, v := range g.best[j*n:][:n] {
		if v <= 0 {
			continue
		}
		out, outGradient := g.out[i*k:][:k], g.outGradient[i*k:][:k]
		gradient := float32(0)
		for c, d := range delta {
			gradient += float32(d * out[c])
			outGradient[c] += float32(d * v)
		}
		if gradient == 0 {
			continue
		}
		g.biasGradient[i] += gradient
		at := int(g.at[j*n+i])
		table := 0
		for p, id := range ids[at:min(at+g.size, len(ids))] {
			if int(id) == g.words {
				continue
			}
			if g.size == small {
				table = p
			}
			w := (table*(g.words+1)+int(id))*n + i
			if g.weightGradient[w] == 0 {
				g.changed = append(g.changed, w)
			}
			g.weightGradient[w] += gradient
		}
	}
}

// update changes the weights by the gradients of the batch. A weight is in changed twice if its gradient was 0 in between.
func (g *group) update() {
	for _, w := range g.changed {
		if g.weightGradient[w] == 0 {
			continue
		}
		adagrad(&g.weight[w], &g.weightSquares[w], g.weightGradient[w])
		g.weightGradient[w] = 0
	}
	g.changed = g.changed[:0]
	for i, d := range g.biasGradient {
		adagrad(&g.bias[i], &g.biasSquares[i], d)
	}
	for i, d := range g.outGradient {
		adagrad(&g.out[i], &g.outSquares[i], d)
	}
	clear(g.biasGradient)
	clear(g.outGradient)
}

// adagrad changes w by a gradient whose squares are added up.
func adagrad(w, squares *float32, gradient float32) {
	q := *squares + float32(gradient*gradient)
	*squares = q
	if q > 0 {
		*w -= float32(rate*gradient) / (float32(math.Sqrt(float64(q))) + 1e-8)
	}
}

// Scores writes the scores of rows to dst, row by row.
func (t *Trainer) Scores(ctx context.Context, dst []float32, rows []int32) error {
	k := t.settings.Scores
	const share = 8
	return parallel.Each(ctx, (len(rows)+share-1)/share, func(_ context.Context, i int) error {
		var best, at, sum [unitShare]float32
		for j := i * share; j < min((i+1)*share, len(rows)); j++ {
			z := dst[j*k:][:k]
			copy(z, t.bias)
			for _, g := range t.groups {
				n := g.n
				g.forward(best[:n], at[:n], sum[:n], t.texts.row(rows[j]))
				simd.Add(best[:n], best[:n], g.bias)
				g.add(z, best[:n])
			}
		}
		return nil
	})
}
