package layers

import (
	"context"
	"fmt"

	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/simd"
	"github.com/linnet-ml/linnet/tensor"
	"github.com/linnet-ml/linnet/text"
)

// Embedding turns ids (batch, steps) into vectors (batch, steps, Dim): row id of its table (Keras's Embedding). Ids
// run from 0 to Vocabulary-1; any other is an error that names its row and column.
//
// Parameters: embeddings (Vocabulary, Dim). Its gradient is that of the textbook: the contributions of equal ids are
// added up, in batch order, before an optimizer sees them. Fit keeps gradients and an optimizer's slots of a large table
// only for rows that have had a gradient, which changes no bit. A prediction reads the vectors it needs from any
// plan.Storage.
type Embedding struct {
	Name string
	// Vocabulary is the number of ids.
	Vocabulary int
	// Dim is the length of a vector.
	Dim int
	// MaskZero marks steps with id 0 as padding, which layers that understand masks leave out. Without it the vectors have
	// the mask of the ids, where these have one: those of [TextTokens].
	MaskZero bool
	// Init gives the table its first values. The default is RandomUniform: -0.05 to 0.05.
	Init plan.Initializer
	// EmbeddingsRegularizer adds to the loss. The default is to add nothing.
	EmbeddingsRegularizer plan.Regularizer
	// EmbeddingsConstraint changes the table after each step. The default is to change nothing.
	EmbeddingsConstraint plan.Constraint
}

var _ plan.NamedLayer = Embedding{}

// Kind is "Embedding".
func (Embedding) Kind() string { return "Embedding" }

// LayerName is Name.
func (e Embedding) LayerName() string { return e.Name }

// Build adds the table, the look-up and, with MaskZero, the mask.
func (e Embedding) Build(b *plan.Builder, in []plan.Symbol) ([]plan.Symbol, error) {
	ids, err := single(in)
	if err != nil {
		return nil, err
	}
	if e.Vocabulary < 1 {
		return nil, fmt.Errorf("Embedding needs a Vocabulary of at least 1 id, not %d", e.Vocabulary)
	}
	if e.Dim < 1 {
		return nil, fmt.Errorf("Embedding needs a Dim of at least 1, not %d", e.Dim)
	}
	table, err := b.Parameter(plan.ParameterOptions{Name: "embeddings", Shape: tensor.Shape{e.Vocabulary, e.Dim},
		Init: or(e.Init, RandomUniform{}), Regularizer: e.EmbeddingsRegularizer, Constraint: e.EmbeddingsConstraint})
	if err != nil {
		return nil, err
	}
	out, err := b.Add(embed{vocabulary: e.Vocabulary, dim: e.Dim, maskZero: e.MaskZero, input: b.IsInput(ids)}.op(), in, table)
	if err != nil {
		return nil, err
	}
	if !e.MaskZero {
		return out, b.PassMask(ids, out)
	}
	mask, err := b.Add(notZero{}.op(), in)
	if err != nil {
		return nil, err
	}
	return out, b.WithMask(out[0], mask[0])
}

// embed looks ids up: (batch, steps) to (batch, steps, dim).
type embed struct {
	vocabulary, dim int
	maskZero        bool
	input           bool // the ids are an input of the model, and are read where they lie
}

func (s embed) op() plan.Op {
	op := plan.Op{
		Form: s, Outputs: s.outputs, Forward: s.forward, Gradient: s.gradient, Fuse: s.fuse,
		Rows: &plan.RowSparse{Params: []int{0}, Squares: s.squares}, // a batch has few of a large table's ids
	}
	if s.input {
		op.CheckInput = s.checkInput
		op.Source = &plan.Source{Prepare: s.prepare}
		op.Rows.Reads, op.Rows.Contributions = s.reads, s.contributions
	}
	return op
}

func (s embed) outputs(in []plan.Signature) ([]plan.Signature, error) {
	if in[0].Type != tensor.TypeInt32 {
		return nil, fmt.Errorf("%w: Embedding reads int32 ids, not %v of shape %v", tensor.ErrShape, in[0].Type, in[0].Shape)
	}
	return []plan.Signature{{Type: tensor.TypeFloat32, Shape: append(in[0].Shape.Clone(), s.dim)}}, nil
}

func (s embed) checkInput(x tensor.Rows) error {
	ids, err := inputIDs(x)
	if err != nil {
		return err
	}
	return text.CheckIDs(ids, s.vocabulary)
}

func inputIDs(x tensor.Rows) (*tensor.Int32, error) {
	ids, ok := x.(*tensor.Int32)
	if !ok {
		return nil, fmt.Errorf("%w: bags of ids, which have lost their order, serve only an Embedding that is fused with the average behind it", tensor.ErrShape)
	}
	return ids, nil
}

// prepare returns x: it is read as it is.
func (s embed) prepare(_ context.Context, x, _ tensor.Rows) (tensor.Rows, error) { return inputIDs(x) }

// ids are those of row i of the batch.
func (s embed) ids(f *plan.Frame, i int) []int32 {
	if !s.input {
		return f.InIDs(0, rowSpan(i))
	}
	data, rows := f.Source(0)
	return data.(*tensor.Int32).Row(int(rows[i]))
}

func (s embed) forward(f *plan.Frame, at plan.Span) {
	for i := at.Lo; i < at.Hi; i++ {
		ids := s.ids(f, i)
		if !s.input { // what a layer made was not checked before
			for k, id := range ids {
				if id < 0 || int(id) >= s.vocabulary {
					f.Fail(at.Worker, fmt.Errorf("row %d of a batch, column %d: id %d is outside the vocabulary 0 to %d", i, k, id, s.vocabulary-1))
					return
				}
			}
		}
		f.Gather(f.Out(0, rowSpan(i)), 0, ids)
	}
}

// embedLocal is what one worker uses again and again.
type embedLocal struct {
	ids   []int32 // those of a row that are the worker's
	steps []int32 // where they are in the row
}

// between returns the ids of a row from lo to hi-1, and which steps they are unless they are all of them.
func (s embed) between(f *plan.Frame, worker int, ids []int32, lo, hi int) (some, steps []int32, all bool) {
	if lo == 0 && hi == s.vocabulary && s.input {
		return ids, nil, true
	}
	at := f.Local(worker)
	if *at == nil {
		*at = &embedLocal{}
	}
	local := (*at).(*embedLocal)
	local.ids, local.steps = local.ids[:0], local.steps[:0]
	for t, id := range ids {
		if int(id) >= lo && int(id) < hi {
			local.ids, local.steps = append(local.ids, id), append(local.steps, int32(t))
		}
	}
	return local.ids, local.steps, false
}

// reads visits the ids of the batch.
func (s embed) reads(f *plan.Frame, _ int, at plan.Span, visit func(rows []int32)) {
	for i := range f.Rows() {
		ids, _, _ := s.between(f, at.Worker, s.ids(f, i), at.Lo, at.Hi)
		visit(ids)
	}
}

// contributions counts how often ids occur, in a sample of the rows.
func (s embed) contributions(_ int, data tensor.Rows, batch int) []float32 {
	x := data.(*tensor.Int32)
	counts := make([]float32, s.vocabulary)
	rows := 0
	for i := 0; i < x.Len(); i += 1 + x.Len()/sampledRows {
		for _, id := range x.Row(i) {
			if id >= 0 && int(id) < s.vocabulary {
				counts[id]++
			}
		}
		rows++
	}
	simd.Scale(counts, counts, float32(batch)/float32(max(1, rows)))
	return counts
}

// sampledRows is how many rows of data, and half as many at least, say how often ids occur.
const sampledRows = 4096

func (s embed) gradient(f *plan.Frame, _ int, g plan.Gradient) { s.scatter(f, g, false) }

// squares adds the square of each occurrence's gradient.
func (s embed) squares(f *plan.Frame, _ int, g plan.Gradient) { s.scatter(f, g, true) }

func (s embed) scatter(f *plan.Frame, g plan.Gradient, square bool) {
	for i := range f.Rows() {
		up := f.OutGrad(0, rowSpan(i))
		if square {
			squares := f.Scratch(g.Worker, len(up))
			simd.Mul(squares, up, up)
			up = squares
		}
		ids, steps, all := s.between(f, g.Worker, s.ids(f, i), g.Lo, g.Hi)
		values, places := g.Rows(ids)
		if all {
			simd.ScatterAdd(values, up, s.dim, places)
			continue
		}
		for k, place := range places {
			sum, t := values[int(place)*s.dim:(int(place)+1)*s.dim], int(steps[k])
			simd.Add(sum, sum, up[t*s.dim:(t+1)*s.dim])
		}
	}
}

// fuse takes over the largest of the steps, or an average, over all steps or over those whose id is not 0: see bag.
func (s embed) fuse(next plan.Op, others []plan.Op) (plan.Op, bool) {
	if largest, ok := next.Form.(maximum); ok {
		return maxBag{bag{vocabulary: s.vocabulary, dim: s.dim, keepDims: largest.keepDims}}.op(), true
	}
	mean, ok := next.Form.(average)
	if !ok || mean.channelsFirst || mean.masked != s.maskZero {
		return plan.Op{}, false
	}
	if mean.masked && (len(others) != 1 || others[0].Form != any(notZero{})) {
		return plan.Op{}, false
	}
	return bag{vocabulary: s.vocabulary, dim: s.dim, by: mean.by, skipZero: s.maskZero, keepDims: mean.keepDims}.op(), true
}

// notZero makes the mask of ids: 1 where the id is not 0.
type notZero struct{}

func (s notZero) op() plan.Op {
	return plan.Op{Form: s, Outputs: s.outputs, Forward: s.forward}
}

func (notZero) outputs(in []plan.Signature) ([]plan.Signature, error) {
	return []plan.Signature{{Type: tensor.TypeInt32, Shape: in[0].Shape}}, nil
}

func (notZero) forward(f *plan.Frame, at plan.Span) {
	mask := f.OutIDs(0, at)
	for i, id := range f.InIDs(0, at) {
		mask[i] = 0
		if id != 0 {
			mask[i] = 1
		}
	}
}
