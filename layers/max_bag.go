package layers

import (
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/simd"
	"github.com/linnet-ml/linnet/text"
)

// maxBag is an Embedding and the largest of its vectors' steps in one step. How often an id occurs matters only where
// several are equally the largest and share the gradient.
type maxBag struct{ bag }

var (
	_ nn.OccurrenceStep       = maxBag{}
	_ nn.ParameterReadingStep = maxBag{}
	_ nn.UnpreparedStep       = maxBag{}
)

func (s maxBag) Forward(f *nn.Frame, at nn.Span) {
	s.withBags(f, at, s.fresh, s.maxima)
}

// maxima computes rows of the output from the given rows of the bags.
func (s maxBag) maxima(f *nn.Frame, at nn.Span, b *bagBatch, bags *text.Bags, rows []int32) {
	table := f.Param(0)
	for i, row := range rows {
		y := f.Out()[(at.Lo+i)*s.dim : (at.Lo+i+1)*s.dim]
		clear(y)
		from, to := bags.Bounds(int(row))
		b.ids = bags.AppendIDs(b.ids[:0], from, to)
		for k, id := range b.ids {
			larger(y, table[int(id)*s.dim:(int(id)+1)*s.dim], k == 0)
		}
	}
}

// GradientReadsParameters is true: the ids that were the largest are found by their vectors.
func (maxBag) GradientReadsParameters() bool { return true }

func (s maxBag) Gradient(f *nn.Frame, _ int, g nn.Gradient) { s.scatter(f, g, false) }

// Squares adds the square of each occurrence's gradient.
func (s maxBag) Squares(f *nn.Frame, _ int, g nn.Gradient) { s.scatter(f, g, true) }

func (s maxBag) scatter(f *nn.Frame, g nn.Gradient, square bool) {
	data, rows := f.Source(0)
	bags, b, table := data.(*text.Bags), s.batch(f, g.Worker), f.Param(0)
	ties := f.Scratch(g.Worker, 2*s.dim)
	share := ties[s.dim:]
	ties = ties[:s.dim]
	for i := range f.Rows() {
		from, to := bags.Bounds(int(rows[i]))
		b.ids = bags.AppendIDs(b.ids[:0], from, to)
		y, up := f.Out()[i*s.dim:(i+1)*s.dim], f.OutGrad()[i*s.dim:(i+1)*s.dim]
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
