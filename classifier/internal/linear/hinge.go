package linear

import (
	"context"
	"math"

	"github.com/linnet-ml/linnet/classifier/internal/parallel"
)

// SquaredHinge fits the support vector machine with loss(z) = max(0, 1 - z)^2.
//
// The dual has a variable a_i >= 0 per row, w = sum of y_i a_i x_i, and the gradient y_i s_i - 1 + a_i/(2 C_i). Rows whose
// variable is 0 and whose gradient is well above 0 are left out of further passes (shrinking) until the others have
// settled.
func SquaredHinge(ctx context.Context, p *Problem) (*Model, error) {
	m, norms, order, err := p.start(ctx)
	if err != nil {
		return nil, err
	}
	s := &hinge{p: p, m: m, norms: norms, order: order, bound: math.Inf(1)}
	blocks := p.blocks()
	first := 0.0 // the violation of the first pass
	for m.Epochs = 0; m.Epochs < p.Epochs; {
		s.high, s.low = math.Inf(-1), math.Inf(1)
		left := 0
		for _, b := range p.visits(len(blocks), m.Epochs) {
			if err := s.pass(ctx, &blocks[b], int(b)); err != nil {
				return nil, err
			}
			left += blocks[b].to - blocks[b].active
		}
		m.Epochs++
		m.Violation = max(s.high, -s.low, 0)
		if m.Epochs == 1 {
			first = m.Violation
		}
		if p.Passed != nil {
			p.Passed(p.share(m, first))
		}
		switch {
		case m.Violation >= p.Tolerance:
			s.bound = math.Inf(1)
			if s.high > 0 {
				s.bound = s.high
			}
		case left == 0:
			return m, nil
		default: // look at the rows left out again
			s.bound = math.Inf(1)
			for b := range blocks {
				blocks[b].active = blocks[b].to
			}
		}
	}
	return m, nil
}

// hinge is the state of a SquaredHinge.
type hinge struct {
	p         *Problem
	m         *Model
	norms     []float64
	order     []int32
	bound     float64 // rows with a gradient above it leave
	high, low float64 // the projected gradients' range in this pass
}

// pass visits the active rows of a block.
func (s *hinge) pass(ctx context.Context, b *block, number int) error {
	p, m, alpha := s.p, s.m, s.m.Dual
	p.shuffle(s.order[b.from:b.active], m.Epochs, number)
	watch := parallel.NewWatch(ctx)
	for n := b.from; n < b.active; n++ {
		k := s.order[n]
		i := p.Rows[k]
		id, value := p.X.Row(i)
		if err := watch.Spend(len(id)); err != nil {
			return err
		}
		diagonal := 1 / (2 * float64(p.cost(i)))
		gradient := float64(p.signed(i, p.X.dot(m.Weights, id, value)+m.Bias)) - 1 + float64(alpha[k]*diagonal)
		projected := gradient
		if alpha[k] == 0 {
			if gradient > s.bound {
				b.active--
				s.order[n], s.order[b.active] = s.order[b.active], s.order[n]
				n--
				continue
			}
			projected = min(gradient, 0)
		}
		s.high, s.low = max(s.high, projected), min(s.low, projected)
		if math.Abs(projected) < 1e-9 {
			continue
		}
		next := max(alpha[k]-gradient/(s.norms[k]+diagonal), 0)
		p.step(m, p.signed(i, float32(next-alpha[k])), id, value)
		alpha[k] = next
	}
	return nil
}

// share is about how much of the training is done: violations fall by about the same factor in each pass.
func (p *Problem) share(m *Model, first float64) float64 {
	const usual = 10 // passes
	done := float64(m.Epochs)
	total := max(usual, done+1)
	if m.Epochs > 1 && m.Violation > 0 && m.Violation < first && first > p.Tolerance {
		total = 1 + (done-1)*math.Log(first/p.Tolerance)/math.Log(first/m.Violation)
	}
	return min(done/min(max(total, done), float64(p.Epochs)), 1)
}
