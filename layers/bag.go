package layers

import (
	"fmt"
	"slices"

	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/simd"
	"github.com/linnet-ml/linnet/tensor"
	"github.com/linnet-ml/linnet/text"
)

// bag is an Embedding and the average, or the sum, of its vectors in one step: ids (batch, steps) to (batch, dim), without the
// (batch, steps, dim) between them. It reads bags, the distinct ids of each row with their counts, which are made once
// for data in memory; the average of a row is a sum over its bag over the row's length.
type bag struct {
	vocabulary, dim    int
	by                 divisor
	skipZero, keepDims bool
}

var (
	_ nn.OccurrenceStep = bag{}
	_ nn.BalancedStep   = bag{}
	_ nn.ReadingStep    = bag{}
	_ nn.UnpreparedStep = bag{}
)

func (s bag) Output(in []nn.Signature) (nn.Signature, error) {
	return nn.Signature{Type: tensor.TypeFloat32, Shape: pooled(in[0].Shape[:1], s.dim, s.keepDims)}, nil
}

// Prepare makes the bags.
func (s bag) Prepare(x, old tensor.Rows) (tensor.Rows, error) {
	switch x := x.(type) {
	case *text.Bags:
		if x.Vocabulary() > s.vocabulary {
			return nil, fmt.Errorf("bags with ids from 0 to %d do not fit the vocabulary 0 to %d", x.Vocabulary()-1, s.vocabulary-1)
		}
		if s.skipZero && x.HasZero() {
			return x.WithoutZero()
		}
		return x, nil
	case *tensor.Int32:
		bags, ok := old.(*text.Bags)
		if !ok {
			bags = &text.Bags{}
		}
		return bags, bags.Make(x, text.BagOptions{Vocabulary: s.vocabulary, SkipZero: s.skipZero})
	}
	return nil, fmt.Errorf("%w: Embedding reads int32 ids or bags of them, not %v of shape %v", tensor.ErrShape, x.Type(), x.Shape())
}

// Contributions counts how often ids occur, in a sample of the bags.
func (s bag) Contributions(_ int, data tensor.Rows, batch int) []float32 {
	const sample = 4096
	bags := data.(*text.Bags)
	counts := make([]float32, s.vocabulary)
	var ids []int32
	rows := 0
	for i := 0; i < bags.Len(); i += 1 + bags.Len()/sample {
		from, to := bags.Bounds(i)
		ids = bags.AppendIDs(ids[:0], from, to)
		for _, id := range ids {
			counts[id]++
		}
		rows++
	}
	for i := range counts {
		counts[i] *= float32(batch) / float32(max(1, rows))
	}
	return counts
}

// bagBatch is what one worker needs for the kernels: where the bags of the batch's rows lie, and their lengths.
type bagBatch struct {
	from, to []int
	counts   []int32 // of the ids of each row, with repetitions
	lengths  []float32
	fresh    text.Bags // of rows that were not prepared
	order    []int32   // the numbers from 0
	shares   []float32 // the gradient of each row, over its length

	// The rows that a large table keeps gradients of have places of their own.
	ids    []int32
	places []uint64
}

func (s bag) batch(f *nn.Frame, worker int) *bagBatch {
	local := f.Local(worker)
	if *local == nil {
		*local = &bagBatch{}
	}
	return (*local).(*bagBatch)
}

// locate notes where the bags of some rows lie.
func (b *bagBatch) locate(bags *text.Bags, rows []int32, by divisor) {
	n := len(rows)
	b.from, b.to = slices.Grow(b.from[:0], n)[:n], slices.Grow(b.to[:0], n)[:n]
	b.counts, b.lengths = slices.Grow(b.counts[:0], n)[:n], slices.Grow(b.lengths[:0], n)[:n]
	bags.Locate(rows, b.from, b.to, b.counts)
	lengths := b.lengths
	if by == byCount {
		for i, n := range b.counts {
			lengths[i] = float32(n)
		}
		return
	}
	for i, n := range b.counts {
		lengths[i] = by.of(int(n))
	}
}

// Unprepared is true of ids: a row's bag is then made when it is needed, and is still in the cache when it is read.
func (s bag) Unprepared(x tensor.Rows) bool {
	_, ok := x.(*tensor.Int32)
	return ok
}

// freshRows is how many rows' bags are made at a time, to stay in the nearest cache.
const freshRows = 64

func (s bag) Forward(f *nn.Frame, at nn.Span) {
	s.withBags(f, at, s.fresh, s.means)
}

// withBags calls compute for the rows of a span with their bags: all at once with those that Prepare made, otherwise for
// a few rows at a time, whose bags fresh makes.
func (s bag) withBags(f *nn.Frame, at nn.Span, fresh func(bags *text.Bags, x tensor.Rows, rows []int32) error,
	compute func(f *nn.Frame, at nn.Span, b *bagBatch, bags *text.Bags, rows []int32)) {
	data, rows := f.Source(0)
	b := s.batch(f, at.Worker)
	if bags, ok := data.(*text.Bags); ok {
		compute(f, at, b, bags, rows[at.Lo:at.Hi])
		return
	}
	for lo := at.Lo; lo < at.Hi; lo += freshRows {
		hi := min(lo+freshRows, at.Hi)
		if err := fresh(&b.fresh, data, rows[lo:hi]); err != nil {
			f.Fail(at.Worker, err)
			return
		}
		for len(b.order) < hi-lo {
			b.order = append(b.order, int32(len(b.order)))
		}
		compute(f, nn.Span{Lo: lo, Hi: hi, Worker: at.Worker}, b, &b.fresh, b.order[:hi-lo])
	}
}

// fresh makes the bags of rows that were not prepared.
func (s bag) fresh(bags *text.Bags, x tensor.Rows, rows []int32) error {
	return bags.MakeRows(x.(*tensor.Int32), rows, text.BagOptions{Vocabulary: s.vocabulary, SkipZero: s.skipZero})
}

// means computes rows of the output from the given rows of the bags.
func (s bag) means(f *nn.Frame, at nn.Span, b *bagBatch, bags *text.Bags, rows []int32) {
	b.locate(bags, rows, s.by)
	out := f.Out()[at.Lo*s.dim : at.Hi*s.dim]
	if narrow, wide := bags.Pairs(); wide == nil {
		simd.BagsMean(out, f.Param(0), s.dim, narrow, b.from, b.to, b.lengths)
	} else {
		simd.BagsMeanWide(out, f.Param(0), s.dim, wide, b.from, b.to, b.lengths)
	}
}

// ByRow is true: a batch has few of a large table's ids.
func (s bag) ByRow(int) bool { return true }

// Reads visits the ids of the batch.
func (s bag) Reads(f *nn.Frame, _ int, at nn.RowSpan, visit func(rows []int32)) {
	data, rows := f.Source(0)
	bags, b := data.(*text.Bags), s.batch(f, at.Worker)
	for _, row := range rows[:f.Rows()] {
		from, to := bags.Bounds(int(row))
		if at.Lo > 0 || at.Hi < s.vocabulary {
			from, to = bags.Between(int(row), int32(at.Lo), int32(at.Hi))
		}
		b.ids = bags.AppendIDs(b.ids[:0], from, to)
		visit(b.ids)
	}
}

func (s bag) Gradient(f *nn.Frame, _ int, g nn.Gradient) { s.scatter(f, g, false) }

// Squares adds the square of each occurrence's gradient: an id that occurs n times in a row has n of them.
func (s bag) Squares(f *nn.Frame, _ int, g nn.Gradient) { s.scatter(f, g, true) }

func (s bag) scatter(f *nn.Frame, g nn.Gradient, square bool) {
	data, rows := f.Source(0)
	bags, b := data.(*text.Bags), s.batch(f, g.Worker)
	n := f.Rows()
	b.locate(bags, rows[:n], s.by)
	if g.Lo > 0 || g.Hi < s.vocabulary {
		for i := range n {
			b.from[i], b.to[i] = bags.Between(int(rows[i]), int32(g.Lo), int32(g.Hi))
		}
	}
	b.share(f.OutGrad(), s.dim, n)
	if square {
		simd.Mul(b.shares, b.shares, b.shares)
	}
	if g.ByPlace() {
		s.scatterPlaces(b, bags, g)
		return
	}
	if narrow, wide := bags.Pairs(); wide == nil {
		simd.BagsScatter(g.Values, b.shares, s.dim, narrow, b.from, b.to)
	} else {
		simd.BagsScatterWide(g.Values, b.shares, s.dim, wide, b.from, b.to)
	}
}

// share divides the gradients of n rows by their lengths: each id of a row gets as much.
func (b *bagBatch) share(up []float32, dim, n int) {
	if cap(b.shares) < n*dim {
		b.shares = make([]float32, n*dim)
	}
	b.shares = b.shares[:n*dim]
	for i, length := range b.lengths {
		each := float32(0)
		if length > 0 {
			each = 1 / length
		}
		row := b.shares[i*dim : (i+1)*dim]
		simd.Scale(row, up[i*dim:(i+1)*dim], each)
	}
}

// scatterPlaces adds the gradients where a large table keeps those of the batch's ids.
func (s bag) scatterPlaces(b *bagBatch, bags *text.Bags, g nn.Gradient) {
	b.places = b.places[:0]
	var values []float32
	for i := range b.from {
		from, to := b.from[i], b.to[i]
		b.ids = bags.AppendIDs(b.ids[:0], from, to)
		var places []int32
		values, places = g.Rows(b.ids)
		b.from[i] = len(b.places)
		for k, place := range places {
			b.places = append(b.places, uint64(uint32(place))|uint64(bags.Count(from+k))<<32)
		}
		b.to[i] = len(b.places)
	}
	if len(values) > 0 {
		simd.BagsScatterWide(values, b.shares, s.dim, b.places, b.from, b.to)
	}
}
