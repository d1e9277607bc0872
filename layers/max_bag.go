package layers

import (
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/simd"
	"github.com/linnet-ml/linnet/text"
)

// maxBag is an Embedding and the largest of its vectors' steps in one operation. How often an id occurs matters only where
// several are equally the largest and share the gradient.
type maxBag struct{ bag }

func (s maxBag) op() plan.Op {
	op := s.bag.op()
	op.Form, op.Forward, op.Gradient, op.Rows.Squares = s, s.forward, s.gradient, s.squares
	op.Saves, op.Backward, op.BackwardForGradient = nil, nil, false
	op.GradientReadsParameters = true // the ids that were the largest are found by their vectors
	return op
}

func (s maxBag) forward(f *plan.Frame, at plan.Span) { s.withBags(f, at, s.fresh, s.maxima) }

// maxima computes rows of the output from the given rows of the bags.
func (s maxBag) maxima(f *plan.Frame, at plan.Span, b *bagBatch, bags *text.Bags, rows []int32) {
	for i, row := range rows {
		y := f.Out(0, rowSpan(at.Lo+i))
		clear(y)
		from, to := bags.Bounds(int(row))
		b.ids = bags.AppendIDs(b.ids[:0], from, to)
		table, places := s.vectors(f, at.Worker, b)
		for k, place := range places {
			larger(y, table[int(place)*s.dim:(int(place)+1)*s.dim], k == 0)
		}
	}
}

func (s maxBag) gradient(f *plan.Frame, _ int, g plan.Gradient) { s.scatter(f, g, false) }

// squares adds the square of each occurrence's gradient.
func (s maxBag) squares(f *plan.Frame, _ int, g plan.Gradient) { s.scatter(f, g, true) }

func (s maxBag) scatter(f *plan.Frame, g plan.Gradient, square bool) {
	data, rows := f.Source(0)
	bags, b, table := data.(*text.Bags), s.batch(f, g.Worker), f.Param(0)
	ties := f.Scratch(g.Worker, 2*s.dim)
	share := ties[s.dim:]
	ties = ties[:s.dim]
	for i := range f.Rows() {
		from, to := bags.Bounds(int(rows[i]))
		b.ids = bags.AppendIDs(b.ids[:0], from, to)
		y, up := f.Out(0, rowSpan(i)), f.OutGrad(0, rowSpan(i))
		clear(ties)
		for k, id := range b.ids {
			s.each(table, id, y, func(j int) { ties[j] += float32(bags.Count(from + k)) })
		}
		for k, id := range b.ids {
			if int(id) < g.Lo || int(id) >= g.Hi {
				continue
			}
			clear(share)
			any := false
			s.each(table, id, y, func(j int) {
				any = true
				each, n := up[j]/ties[j], float32(bags.Count(from+k))
				if square {
					each = float32(each * each)
				}
				share[j] = n * each
			})
			if any {
				values, places := g.Rows(b.ids[k : k+1])
				row := values[int(places[0])*s.dim : (int(places[0])+1)*s.dim]
				simd.Add(row, row, share)
			}
		}
	}
}

// each calls visit for the features in which an id is the largest.
func (s maxBag) each(table []float32, id int32, y []float32, visit func(j int)) {
	for j, v := range table[int(id)*s.dim : (int(id)+1)*s.dim] {
		if v == y[j] {
			visit(j)
		}
	}
}
