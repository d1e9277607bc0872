package linear

import (
	"context"
	"math"

	"github.com/linnet-ml/linnet/simd"
)

// Logistic fits logistic regression: loss(z) = log(1 + exp(-z)).
//
// The dual has a variable a_i in (0, C_i) per row, and w = sum of y_i a_i x_i. Its gradient in a_i is y_i s_i + u_i, u_i =
// log(a_i/(C_i - a_i)). Each step finds the u_i for which that is 0 while the other variables stand still; written in u, the
// equation has a slope of at least 1 everywhere, so that Newton's method between bounds needs two or three rounds.
func Logistic(ctx context.Context, p *Problem) (*Model, error) {
	m, norms, order := p.start()
	// Every a_i begins near 0, as most end there: w is then near 0, too.
	const initial = -6.9 // a_i = C_i/1000
	u := make([]float64, len(p.Rows))
	alpha := make([]float64, len(p.Rows))
	m.Dual = alpha
	for k, i := range p.Rows {
		u[k] = initial
		alpha[k] = float64(p.Cost[i]) * sigmoid(u[k])
		id, value := p.X.Row(i)
		p.step(m, p.signed(i, float32(alpha[k])), id, value)
	}
	for m.Epochs = 0; m.Epochs < p.Epochs; {
		p.shuffle(order, m.Epochs)
		worst := 0.0
		for n, k := range order {
			if err := interrupted(ctx, n); err != nil {
				return nil, err
			}
			i := p.Rows[k]
			id, value := p.X.Row(i)
			margin := float64(p.signed(i, dot(m.Weights, id, value)+m.Bias))
			gradient := margin + u[k]
			worst = max(worst, math.Abs(gradient))
			if math.Abs(gradient) < 1e-6 {
				continue
			}
			next := solve(float64(p.Cost[i]), norms[k], margin, alpha[k], u[k])
			a := float64(p.Cost[i]) * sigmoid(next)
			p.step(m, p.signed(i, float32(a-alpha[k])), id, value)
			u[k], alpha[k] = next, a
		}
		m.Epochs++
		m.Violation = worst
		if worst < p.Tolerance {
			break
		}
	}
	return m, nil
}

func (p *Problem) signed(i int32, x float32) float32 {
	if p.Positive[i] {
		return x
	}
	return -x
}

// solve returns the u with norm (C sigmoid(u) - alpha) + margin + u = 0, from u on.
func solve(c, norm, margin, alpha, u float64) float64 {
	// C sigmoid(u) is between 0 and C, which bounds u.
	high := float64(norm*alpha) - margin
	low := high - float64(norm*c)
	u = min(max(u, low), high)
	for range 20 {
		s := sigmoid(u)
		f := float64(norm*(float64(c*s)-alpha)) + margin + u
		if f > 0 {
			high = u
		} else {
			low = u
		}
		d := f / (1 + float64(norm*c)*float64(s*(1-s)))
		next := u - d
		if next < low || next > high {
			next = low + (high-low)/2
		}
		if math.Abs(next-u) < 1e-4 {
			return next
		}
		u = next
	}
	return u
}

func sigmoid(x float64) float64 {
	e := simd.Exp64(-math.Abs(x))
	if x < 0 {
		return e / (1 + e)
	}
	return 1 / (1 + e)
}
