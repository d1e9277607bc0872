package linear

import (
	"context"

	"github.com/linnet-ml/linnet/internal/random"
)

// A Problem is what [SquaredHinge] fits: weights w and a bias b for which the sum of
//
//	|w|^2/2 + (b/Bias)^2/2 + sum over rows i of Cost[i] loss(Positive[i] ? s : -s), s = w x_i + b
//
// is least.
type Problem struct {
	X        *Matrix
	Rows     []int32   // the rows of X to learn from
	Positive []bool    // by row of X
	Cost     []float32 // by row of X; above 0
	Bias     float32   // the constant column's value: the larger, the less the bias costs; above 0

	// Start is dual variables to begin with, by row of X: those of a similar problem save passes. Nil for none.
	Start []float32

	Seed      uint64
	Tolerance float64 // training ends when no row's dual gradient is further from optimal; above 0
	Epochs    int     // or after this many passes over the rows
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
	return dot(m.Weights, id, value) + m.Bias
}

// start is what the solver begins with: the weights of p.Start, the squared length of each row with the constant column, and an
// order of the rows.
func (p *Problem) start() (m *Model, norms []float64, order []int32) {
	m = &Model{Weights: make([]float32, p.X.Columns), Dual: make([]float64, len(p.Rows))}
	norms = make([]float64, len(p.Rows))
	order = make([]int32, len(p.Rows))
	for k, i := range p.Rows {
		id, value := p.X.Row(i)
		norms[k] = squaredNorm(value) + float64(p.Bias)*float64(p.Bias)
		order[k] = int32(k)
		if p.Start != nil && p.Start[i] > 0 {
			m.Dual[k] = float64(p.Start[i])
			p.step(m, p.signed(i, p.Start[i]), id, value)
		}
	}
	return m, norms, order
}

// signed is x for a positive row, else -x.
func (p *Problem) signed(i int32, x float32) float32 {
	if p.Positive[i] {
		return x
	}
	return -x
}

func (p *Problem) shuffle(order []int32, epoch int) {
	random.New(p.Seed, random.Shuffle, uint64(epoch)).Shuffle(order)
}

// step adds s times row i to the model.
func (p *Problem) step(m *Model, s float32, id []uint32, value []float32) {
	add(m.Weights, s, id, value)
	m.Bias += float32(float32(s*p.Bias) * p.Bias)
}

// checkEvery is how many rows the solver reads between two looks at its context.
const checkEvery = 1 << 12

func interrupted(ctx context.Context, k int) error {
	if k%checkEvery != 0 {
		return nil
	}
	return ctx.Err()
}
