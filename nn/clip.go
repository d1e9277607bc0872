package nn

import (
	"math"

	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/simd"
)

// complete brings a job's gradient into the form that the rule gets: the mean over accumulated batches, the penalty's
// slope, clipped by value; and takes the norms of its rows.
func (u *update) complete(j *job) {
	p := &u.params[j.param]
	shared := &p.group.rule.Shared
	_, width := p.p.Rows()
	if j.table != nil {
		if u.accumulate > 1 {
			j.table.Divide(float32(u.accumulate))
		}
		if shared.ClipValue > 0 {
			j.table.Clip(shared.ClipValue)
		}
		if p.norms != nil {
			clear(p.norms[j.lo:j.hi])
			j.table.EachGradient(func(row int32, g []float32) { p.norms[row] = sumSquares(g) })
		}
		return
	}
	grad := p.grad[j.lo*width : j.hi*width]
	if u.accumulate > 1 {
		n := float32(u.accumulate)
		for i := range grad {
			grad[i] /= n
		}
	}
	if r := p.p.Regularizer(); r != nil {
		w := plan.Elements(key, p.p)
		for i := j.lo; i < j.hi; i++ {
			r.Penalty(w[i*width:(i+1)*width], p.grad[i*width:(i+1)*width])
		}
	}
	if limit := shared.ClipValue; limit > 0 {
		for i, g := range grad {
			grad[i] = min(max(g, -limit), limit)
		}
	}
	if p.norms != nil {
		for i := j.lo; i < j.hi; i++ {
			p.norms[i] = sumSquares(p.grad[i*width : (i+1)*width])
		}
	}
}

func sumSquares(g []float32) float64 {
	sum := 0.0
	for _, v := range g {
		sum += float64(float64(v) * float64(v))
	}
	return sum
}

// clipNorms decides how gradients are shortened in this step. Sums go over rows in order, whoever made them.
func (u *update) clipNorms() {
	for _, g := range u.groups {
		g.sum = 0
	}
	for i := range u.params {
		p := &u.params[i]
		if p.norms == nil {
			continue
		}
		sum := 0.0
		for _, v := range p.norms {
			sum += v
		}
		p.group.sum += sum
		if limit := p.group.rule.Shared.ClipNorm; limit > 0 {
			p.norm = max(float32(math.Sqrt(sum)), limit)
		}
	}
	for i := range u.params {
		p := &u.params[i]
		limit := p.group.rule.Shared.GlobalClipNorm
		if p.norms == nil || limit == 0 {
			continue
		}
		norm := float32(math.Sqrt(p.group.sum))
		p.factor = limit * min(1/norm, 1/limit)
	}
}

// clip shortens a part of the gradient as clipNorms decided.
func (p *updated) clip(grad []float32) {
	if limit := p.group.rule.Shared.ClipNorm; limit > 0 {
		for i, g := range grad {
			grad[i] = float32(g*limit) / p.norm
		}
	}
	if p.group.rule.Shared.GlobalClipNorm > 0 {
		simd.Scale(grad, grad, p.factor)
	}
}
