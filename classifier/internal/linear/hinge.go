package linear

import (
	"context"
	"math"
)

// SquaredHinge fits the support vector machine with loss(z) = max(0, 1 - z)^2.
//
// The dual has a variable a_i >= 0 per row, w = sum of y_i a_i x_i, and the gradient y_i s_i - 1 + a_i/(2 C_i). Rows whose
// variable is 0 and whose gradient is well above 0 are left out of further passes (shrinking) until the others have
// settled.
func SquaredHinge(ctx context.Context, p *Problem) (*Model, error) {
	m, norms, order := p.start()
	alpha := m.Dual
	active := len(order)
	bound := math.Inf(1) // rows with a gradient above it leave
	for m.Epochs = 0; m.Epochs < p.Epochs; {
		p.shuffle(order[:active], m.Epochs)
		high, low := math.Inf(-1), math.Inf(1) // the projected gradients' range
		for n := 0; n < active; n++ {
			if err := interrupted(ctx, n); err != nil {
				return nil, err
			}
			k := order[n]
			i := p.Rows[k]
			id, value := p.X.Row(i)
			diagonal := 1 / (2 * float64(p.Cost[i]))
			gradient := float64(p.signed(i, dot(m.Weights, id, value)+m.Bias)) - 1 + float64(alpha[k]*diagonal)
			projected := gradient
			if alpha[k] == 0 {
				if gradient > bound {
					active--
					order[n], order[active] = order[active], order[n]
					n--
					continue
				}
				projected = min(gradient, 0)
			}
			high, low = max(high, projected), min(low, projected)
			if math.Abs(projected) < 1e-9 {
				continue
			}
			next := max(alpha[k]-gradient/(norms[k]+diagonal), 0)
			p.step(m, p.signed(i, float32(next-alpha[k])), id, value)
			alpha[k] = next
		}
		m.Epochs++
		m.Violation = max(high, -low, 0)
		switch {
		case m.Violation >= p.Tolerance:
			bound = math.Inf(1)
			if high > 0 {
				bound = high
			}
		case active == len(order):
			return m, nil
		default: // look at the rows left out again
			active, bound = len(order), math.Inf(1)
		}
	}
	return m, nil
}
