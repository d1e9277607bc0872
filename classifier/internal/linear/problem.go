package linear

import (
	"context"
	"math"

	"github.com/linnet-ml/linnet/classifier/internal/parallel"
	"github.com/linnet-ml/linnet/internal/random"
)

// A Problem is what [SquaredHinge] fits: weights w and a bias b for which the sum of
//
//	|w|^2/2 + (b/Bias)^2/2 + sum over rows i of cost loss(Positive[i] ? s : -s), s = w x_i + b
//
// is least. The cost is PositiveCost of positive rows, and Cost of the others.
type Problem struct {
	X        *Matrix
	Rows     []int32 // the rows of X to learn from
	Positive []bool  // by row of X
	Bias     float32 // the constant column's value: the larger, the less the bias costs; above 0

	Cost, PositiveCost float32 // above 0

	// Start is dual variables to begin with, by row of X: those of a similar problem save passes. Nil for none.
	Start []float32

	Seed      uint64
	Tolerance float64 // training ends when no row's dual gradient is further from optimal; above 0
	Epochs    int     // or after this many passes over the rows

	// Block is how many entries of X a block of rows has at most; 0 means 32 Mi. A pass visits the blocks in a random order, and
	// the rows of each in a random order, so that a matrix in a file is read block by block (block minimisation: Yu, Hsieh,
	// Chang and Lin, KDD 2010).
	Block int
	// Passed is called after each pass over the rows with about how much of the training is done, from 0 to 1; nil for nothing.
	Passed func(share float64)
}

// blockEntries is a quarter of a gigabyte of columns and values.
const blockEntries = 1 << 25

// A block is neighbouring rows, the places from to to-1 of the order. Those from active on are left out of passes.
type block struct{ from, active, to int }

// blocks parts the rows.
func (p *Problem) blocks() []block {
	most := p.Block
	if most <= 0 {
		most = blockEntries
	}
	var blocks []block
	b, entries := block{}, 0
	for k, i := range p.Rows {
		n := p.X.Start[i+1] - p.X.Start[i]
		if k > b.from && entries+n > most {
			blocks = append(blocks, block{b.from, k, k})
			b.from, entries = k, 0
		}
		entries += n
	}
	return append(blocks, block{b.from, len(p.Rows), len(p.Rows)})
}

// A Model is a linear function of a row.
type Model struct {
	Weights []float32
	Bias    float32
	Dual    []float64 // the dual variable of each of the problem's Rows

	Epochs    int     // passes that training took
	Violation float64 // the largest distance from optimal in the last pass
}

// Score returns the model's value of row i.
func (m *Model) Score(x *Matrix, i int32) float32 {
	id, value := x.Row(i)
	return x.dot(m.Weights, id, value) + m.Bias
}

// start is what the solver begins with: the weights of p.Start, the squared length of each row with the constant column, and an
// order of the rows.
func (p *Problem) start(ctx context.Context) (m *Model, norms []float64, order []int32, err error) {
	m = &Model{Weights: make([]float32, p.X.Columns), Dual: make([]float64, len(p.Rows))}
	norms = make([]float64, len(p.Rows))
	order = make([]int32, len(p.Rows))
	watch := parallel.NewWatch(ctx)
	for k, i := range p.Rows {
		id, value := p.X.Row(i)
		if err := watch.Spend(len(id)); err != nil {
			return nil, nil, nil, err
		}
		norms[k] = p.X.squaredNorm(id, value) + float64(p.Bias)*float64(p.Bias)
		order[k] = int32(k)
		if p.Start != nil && p.Start[i] > 0 {
			m.Dual[k] = float64(p.Start[i])
			p.step(m, p.signed(i, p.Start[i]), id, value)
		}
	}
	return m, norms, order, nil
}

// cost is the cost of a row.
func (p *Problem) cost(i int32) float32 {
	if p.Positive[i] {
		return p.PositiveCost
	}
	return p.Cost
}

// signed is x for a positive row, else -x.
func (p *Problem) signed(i int32, x float32) float32 {
	if p.Positive[i] {
		return x
	}
	return -x
}

// shuffle brings the rows of a block into the order of a pass.
func (p *Problem) shuffle(order []int32, epoch, block int) {
	random.New(p.Seed, random.Shuffle, uint64(epoch)|uint64(block)<<32).Shuffle(order)
}

// visits is the order of the blocks in a pass.
func (p *Problem) visits(blocks, epoch int) []int32 {
	order := make([]int32, blocks)
	for b := range order {
		order[b] = int32(b)
	}
	if blocks > 1 {
		random.New(p.Seed, random.Shuffle, uint64(epoch)|math.MaxUint32<<32).Shuffle(order)
	}
	return order
}

// step adds s times row i to the model.
func (p *Problem) step(m *Model, s float32, id []uint32, value []float32) {
	p.X.add(m.Weights, s, id, value)
	m.Bias += float32(float32(s*p.Bias) * p.Bias)
}
