package layers

import (
	"context"
	"fmt"
	"slices"

	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/simd"
	"github.com/linnet-ml/linnet/tensor"
	"github.com/linnet-ml/linnet/text"
)

// bag is an Embedding and the average, or the sum, of its vectors in one operation: ids (batch, steps) to (batch, dim), without the
// (batch, steps, dim) between them. It reads bags, the distinct ids of each row with their counts, which are made once
// for data in memory; the average of a row is a sum over its bag over the row's length.
type bag struct {
	vocabulary, dim    int
	by                 divisor
	skipZero, keepDims bool
}

func (s bag) op() plan.Op {
	return plan.Op{
		Form: s, Outputs: s.outputs, Forward: s.forward, Saves: s.saves, Backward: s.backward, BackwardForGradient: true,
		Gradient: s.gradient,
		Source:   &plan.Source{Prepare: s.prepare, Unprepared: s.unprepared},
		// A batch has few of a large table's ids.
		Rows: &plan.RowSparse{Params: []int{0}, Reads: s.reads, Contributions: s.contributions, Squares: s.squareGradient},
	}
}

func (s bag) outputs(in []plan.Signature) ([]plan.Signature, error) {
	return []plan.Signature{{Type: tensor.TypeFloat32, Shape: pooled(in[0].Shape[:1], s.dim, s.keepDims)}}, nil
}

// prepare makes the bags.
func (s bag) prepare(ctx context.Context, x, old tensor.Rows) (tensor.Rows, error) {
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
		return bags, bags.Make(ctx, x, text.BagOptions{Vocabulary: s.vocabulary, SkipZero: s.skipZero})
	}
	return nil, fmt.Errorf("%w: Embedding reads int32 ids or bags of them, not %v of shape %v", tensor.ErrShape, x.Type(), x.Shape())
}

// contributions counts in how many rows ids occur, in a sample of the bags.
func (s bag) contributions(_ int, data tensor.Rows, batch int) []float32 {
	bags := data.(*text.Bags)
	counts := make([]float32, s.vocabulary)
	var ids []int32
	rows := 0
	for i := 0; i < bags.Len(); i += 1 + bags.Len()/sampledRows {
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
	squares  []float32 // of the gradient of each row, over its length
	cuts     []cut
	asked    int // how often ids were narrowed

	// The rows that a large table keeps gradients of have places of their own.
	ids    []int32
	places []uint64
}

// cut finds where the ids from a limit on begin. Workers that share a table need that in each step.
type cut struct {
	limit int
	cuts  text.Cuts
	asked int // when it was last
}

const (
	// A limit that was not asked for in so many calls is one that a worker had before its part of the table changed, or that
	// it seldom takes over from another.
	forgotten = 1024
	// leastCuts limits are remembered, and more where they take up to one part in cutsShare of the bags' memory: there are
	// more of them the more workers share a large table, and to look for one takes longest in long rows.
	leastCuts, cutsShare = 2, 8
)

// batch is the worker's.
func (s bag) batch(f *plan.Frame, worker int) *bagBatch {
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

// narrow leaves those ids of the rows' bags that are from lo to hi-1, of a vocabulary of so many.
func (b *bagBatch) narrow(bags *text.Bags, rows []int32, lo, hi, vocabulary int) {
	b.asked++
	if lo > 0 {
		b.cutsAt(lo, bags).Locate(b.from, bags, rows, lo)
	}
	if hi < vocabulary {
		b.cutsAt(hi, bags).Locate(b.to, bags, rows, hi)
	}
}

// cutsAt is what was found for a limit, or nil where too many are remembered.
func (b *bagBatch) cutsAt(limit int, bags *text.Bags) *text.Cuts {
	i := slices.IndexFunc(b.cuts, func(c cut) bool { return c.limit == limit })
	if i < 0 {
		i = slices.IndexFunc(b.cuts, func(c cut) bool { return b.asked-c.asked > forgotten })
	}
	if i < 0 {
		i = len(b.cuts)
		if i >= mostCuts(bags) {
			return nil
		}
		b.cuts = append(b.cuts, cut{})
	}
	c := &b.cuts[i]
	c.limit, c.asked = limit, b.asked
	return &c.cuts
}

// mostCuts is how many limits a worker may remember for the rows of these bags.
func mostCuts(bags *text.Bags) int {
	narrow, wide := bags.Pairs()
	return max(leastCuts, (len(narrow)+2*len(wide))/max(1, bags.Len())/cutsShare)
}

// unprepared is true of ids: a row's bag is then made when it is needed, and is still in the cache when it is read.
func (s bag) unprepared(x tensor.Rows) bool {
	_, ok := x.(*tensor.Int32)
	return ok
}

// freshRows is how many rows' bags are made at a time, to stay in the nearest cache.
const freshRows = 64

func (s bag) forward(f *plan.Frame, at plan.Span) { s.withBags(f, at, s.fresh, s.means) }

// withBags calls compute for the rows of a span with their bags: all at once with those that Prepare made, otherwise for
// a few rows at a time, whose bags fresh makes.
func (s bag) withBags(f *plan.Frame, at plan.Span, fresh func(ctx context.Context, bags *text.Bags, x tensor.Rows, rows []int32) error,
	compute func(f *plan.Frame, at plan.Span, b *bagBatch, bags *text.Bags, rows []int32)) {
	data, rows := f.Source(0)
	b := s.batch(f, at.Worker)
	if bags, ok := data.(*text.Bags); ok {
		compute(f, at, b, bags, rows[at.Lo:at.Hi])
		return
	}
	for lo := at.Lo; lo < at.Hi; lo += freshRows {
		hi := min(lo+freshRows, at.Hi)
		if err := fresh(f.Context(), &b.fresh, data, rows[lo:hi]); err != nil {
			f.Fail(at.Worker, err)
			return
		}
		compute(f, plan.Span{Lo: lo, Hi: hi, Worker: at.Worker}, b, &b.fresh, b.numbers(hi-lo))
	}
}

// numbers are those from 0 to n-1.
func (b *bagBatch) numbers(n int) []int32 {
	for len(b.order) < n {
		b.order = append(b.order, int32(len(b.order)))
	}
	return b.order[:n]
}

// fresh makes the bags of rows that were not prepared.
func (s bag) fresh(_ context.Context, bags *text.Bags, x tensor.Rows, rows []int32) error {
	return bags.MakeRows(x.(*tensor.Int32), rows, text.BagOptions{Vocabulary: s.vocabulary, SkipZero: s.skipZero})
}

// means computes rows of the output from the given rows of the bags.
func (s bag) means(f *plan.Frame, at plan.Span, b *bagBatch, bags *text.Bags, rows []int32) {
	b.locate(bags, rows, s.by)
	table, ok := f.Memory(0)
	if !ok {
		s.gatheredMeans(f, at, b, bags)
		return
	}
	out := f.Out(0, at)
	if narrow, wide := bags.Pairs(); wide == nil {
		simd.BagsMean(out, table, s.dim, narrow, b.from, b.to, b.lengths)
	} else {
		simd.BagsMeanWide(out, table, s.dim, wide, b.from, b.to, b.lengths)
	}
}

// gatheredMeans computes means over a table that its storage converts: a row's vectors are converted, and make a small
// table of their own. The kernel adds them up in the same order.
func (s bag) gatheredMeans(f *plan.Frame, at plan.Span, b *bagBatch, bags *text.Bags) {
	for i := range b.from {
		from, to := b.from[i], b.to[i]
		b.ids = bags.AppendIDs(b.ids[:0], from, to)
		table, places := s.vectors(f, at.Worker, b)
		b.places = b.places[:0]
		for k, place := range places {
			b.places = append(b.places, place64(place, bags.Count(from+k)))
		}
		b.from[i], b.to[i] = 0, len(places)
		simd.BagsMeanWide(f.Out(0, rowSpan(at.Lo+i)), table, s.dim, b.places, b.from[i:i+1], b.to[i:i+1], b.lengths[i:i+1])
	}
}

// vectors returns a table that has the vectors of b.ids, and which of its rows they are. It is the parameter itself
// where that lies in memory.
func (s bag) vectors(f *plan.Frame, worker int, b *bagBatch) (table []float32, places []int32) {
	if table, ok := f.Memory(0); ok {
		return table, b.ids
	}
	n := len(b.ids)
	table = f.Scratch(worker, max(1, n)*s.dim) // kernels want a table of at least one row
	f.Gather(table[:n*s.dim], 0, b.ids)
	return table, b.numbers(n)
}

// place64 is a pair as the kernels read it: where a vector lies, and how often it counts.
func place64(place, count int32) uint64 { return uint64(uint32(place)) | uint64(count)<<32 }

// reads visits the ids of the batch.
func (s bag) reads(f *plan.Frame, _ int, at plan.Span, visit func(rows []int32)) {
	data, rows := f.Source(0)
	bags, b := data.(*text.Bags), s.batch(f, at.Worker)
	rows = rows[:f.Rows()]
	b.locate(bags, rows, s.by)
	b.narrow(bags, rows, at.Lo, at.Hi, s.vocabulary)
	for i, from := range b.from {
		b.ids = bags.AppendIDs(b.ids[:0], from, b.to[i])
		visit(b.ids)
	}
}

// saves is room for the gradient that each id of a row gets.
func (s bag) saves([]plan.Signature) []int { return []int{s.dim} }

// backward divides the gradients of rows by their lengths: each id of a row gets as much. Gradient, in each worker, reads
// those of all rows.
func (s bag) backward(f *plan.Frame, at plan.Span) {
	data, rows := f.Source(0)
	bags, b := data.(*text.Bags), s.batch(f, at.Worker)
	b.locate(bags, rows[at.Lo:at.Hi], s.by)
	shares, up := f.Saved(0, at), f.OutGrad(0, at)
	for i, length := range b.lengths {
		each := float32(0)
		if length > 0 {
			each = 1 / length
		}
		simd.Scale(shares[i*s.dim:(i+1)*s.dim], up[i*s.dim:(i+1)*s.dim], each)
	}
}

func (s bag) gradient(f *plan.Frame, _ int, g plan.Gradient) { s.scatter(f, g, f.Saved(0, f.All())) }

// squareGradient adds the square of each occurrence's gradient: an id that occurs n times in a row has n of them.
func (s bag) squareGradient(f *plan.Frame, _ int, g plan.Gradient) {
	b, shares := s.batch(f, g.Worker), f.Saved(0, f.All())
	b.squares = slices.Grow(b.squares[:0], len(shares))[:len(shares)]
	simd.Mul(b.squares, shares, shares)
	s.scatter(f, g, b.squares)
}

// scatter adds what each id of each row gets.
func (s bag) scatter(f *plan.Frame, g plan.Gradient, shares []float32) {
	data, rows := f.Source(0)
	bags, b := data.(*text.Bags), s.batch(f, g.Worker)
	rows = rows[:f.Rows()]
	b.locate(bags, rows, s.by)
	b.narrow(bags, rows, g.Lo, g.Hi, s.vocabulary)
	if g.Sparse != nil {
		s.scatterPlaces(b, bags, shares, g)
		return
	}
	if narrow, wide := bags.Pairs(); wide == nil {
		simd.BagsScatter(g.Values, shares, s.dim, narrow, b.from, b.to)
	} else {
		simd.BagsScatterWide(g.Values, shares, s.dim, wide, b.from, b.to)
	}
}

// scatterPlaces adds the gradients where a large table keeps those of the batch's ids.
func (s bag) scatterPlaces(b *bagBatch, bags *text.Bags, shares []float32, g plan.Gradient) {
	b.places = b.places[:0]
	var values []float32
	_, wide := bags.Pairs()
	for i := range b.from {
		from, to := b.from[i], b.to[i]
		b.ids = bags.AppendIDs(b.ids[:0], from, to)
		var places []int32
		values, places = g.Rows(b.ids)
		at := len(b.places)
		b.places = slices.Grow(b.places, len(places))[:at+len(places)]
		b.from[i], b.to[i] = at, len(b.places)
		if wide != nil {
			for k, pair := range wide[from:to] {
				b.places[at+k] = pair>>32<<32 | uint64(uint32(places[k]))
			}
			continue
		}
		for k, place := range places {
			b.places[at+k] = place64(place, bags.Count(from+k))
		}
	}
	if len(values) > 0 {
		simd.BagsScatterWide(values, shares, s.dim, b.places, b.from, b.to)
	}
}
