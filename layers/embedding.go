package layers

import (
	"fmt"

	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/simd"
	"github.com/linnet-ml/linnet/tensor"
	"github.com/linnet-ml/linnet/text"
)

// Embedding turns ids (batch, steps) into vectors (batch, steps, Dim): row id of its table (Keras's Embedding). Ids
// run from 0 to Vocabulary-1; any other is an error that names its row and column.
//
// Parameters: embeddings (Vocabulary, Dim). Its gradient is that of the textbook: the contributions of equal ids are
// added up, in batch order, before an optimizer sees them.
type Embedding struct {
	Name string
	// Vocabulary is the number of ids.
	Vocabulary int
	// Dim is the length of a vector.
	Dim int
	// MaskZero marks steps with id 0 as padding, which layers that understand masks leave out.
	MaskZero bool
	// Init gives the table its first values. The default is RandomUniform: -0.05 to 0.05.
	Init nn.Initializer
}

var _ nn.NamedLayer = Embedding{}

// Kind is "Embedding".
func (Embedding) Kind() string { return "Embedding" }

// LayerName is Name.
func (e Embedding) LayerName() string { return e.Name }

// Build adds the table, the look-up and, with MaskZero, the mask.
func (e Embedding) Build(b *nn.Builder, in ...nn.Symbol) (nn.Symbol, error) {
	ids, err := single(in)
	if err != nil {
		return ids, err
	}
	if e.Vocabulary < 1 || e.Dim < 1 {
		return ids, fmt.Errorf("Embedding needs at least 1 id and 1 dimension, not %d and %d", e.Vocabulary, e.Dim)
	}
	table, err := b.Parameter(nn.ParameterOptions{Name: "embeddings", Shape: tensor.Shape{e.Vocabulary, e.Dim}, Init: or(e.Init, RandomUniform{})})
	if err != nil {
		return ids, err
	}
	out, err := b.Step(embed{vocabulary: e.Vocabulary, dim: e.Dim, maskZero: e.MaskZero}, in, table)
	if err != nil || !e.MaskZero {
		return out, err
	}
	mask, err := b.Step(notZero{}, in)
	if err != nil {
		return out, err
	}
	return b.Masked(out, mask), nil
}

// embed looks ids up: (batch, steps) to (batch, steps, dim).
type embed struct {
	vocabulary, dim int
	maskZero        bool
}

var (
	_ nn.OccurrenceStep = embed{}
	_ nn.InputStep      = embed{}
	_ nn.FusingStep     = embed{}
)

func (s embed) Output(in []nn.Signature) (nn.Signature, error) {
	if in[0].Type != tensor.TypeInt32 {
		return nn.Signature{}, fmt.Errorf("%w: Embedding reads int32 ids, not %v of shape %v", tensor.ErrShape, in[0].Type, in[0].Shape)
	}
	return nn.Signature{Type: tensor.TypeFloat32, Shape: append(in[0].Shape.Clone(), s.dim)}, nil
}

func (s embed) CheckInput(x tensor.Rows) error {
	ids, ok := x.(*tensor.Int32)
	if !ok {
		return fmt.Errorf("%w: bags of ids, which have lost their order, serve only an Embedding that is fused with the average behind it", tensor.ErrShape)
	}
	return text.CheckIDs(ids, s.vocabulary)
}

func (s embed) Forward(f *nn.Frame, at nn.Span) {
	w := f.Width(0)
	ids := f.IDs(0)[at.Lo*w : at.Hi*w]
	simd.Gather(f.Out()[at.Lo*w*s.dim:at.Hi*w*s.dim], f.Param(0), s.dim, ids)
}

// ByRow is true: a batch has few of a large table's ids.
func (s embed) ByRow(int) bool { return true }

func (s embed) Gradient(f *nn.Frame, _ int, g nn.Gradient) {
	ids, up := f.IDs(0)[:f.Rows()*f.Width(0)], f.OutGrad()
	if g.Lo == 0 && g.Hi == s.vocabulary {
		values, places := g.Rows(ids)
		simd.ScatterAdd(values, up[:len(ids)*s.dim], s.dim, places)
		return
	}
	for i, id := range ids {
		if int(id) >= g.Lo && int(id) < g.Hi {
			values, places := g.Rows(ids[i : i+1])
			row := values[int(places[0])*s.dim : (int(places[0])+1)*s.dim]
			simd.Add(row, row, up[i*s.dim:(i+1)*s.dim])
		}
	}
}

// Squares adds the square of each occurrence's gradient.
func (s embed) Squares(f *nn.Frame, _ int, g nn.Gradient) {
	ids, up := f.IDs(0)[:f.Rows()*f.Width(0)], f.OutGrad()
	square := f.Scratch(g.Worker, s.dim)
	for i, id := range ids {
		if int(id) >= g.Lo && int(id) < g.Hi {
			values, places := g.Rows(ids[i : i+1])
			row := values[int(places[0])*s.dim : (int(places[0])+1)*s.dim]
			simd.Mul(square, up[i*s.dim:(i+1)*s.dim], up[i*s.dim:(i+1)*s.dim])
			simd.Add(row, row, square)
		}
	}
}

// Fuse takes over the largest of its steps, or an average behind it, over all steps or over those whose id is not 0: see bag.
func (s embed) Fuse(next nn.Step, others []nn.Step) (nn.Step, bool) {
	if largest, ok := next.(maximum); ok {
		return maxBag{bag{vocabulary: s.vocabulary, dim: s.dim, keepDims: largest.keepDims}}, true
	}
	mean, ok := next.(average)
	if !ok || mean.channelsFirst || mean.masked != s.maskZero {
		return nil, false
	}
	if mean.masked && (len(others) != 1 || others[0] != nn.Step(notZero{})) {
		return nil, false
	}
	return bag{vocabulary: s.vocabulary, dim: s.dim, by: mean.by, skipZero: s.maskZero, keepDims: mean.keepDims}, true
}

// notZero makes the mask of ids: 1 where the id is not 0.
type notZero struct{}

func (notZero) Output(in []nn.Signature) (nn.Signature, error) {
	return nn.Signature{Type: tensor.TypeInt32, Shape: in[0].Shape}, nil
}

func (notZero) Forward(f *nn.Frame, at nn.Span) {
	w := f.Width(0)
	mask := f.OutIDs()[at.Lo*w : at.Hi*w]
	for i, id := range f.IDs(0)[at.Lo*w : at.Hi*w] {
		mask[i] = 0
		if id != 0 {
			mask[i] = 1
		}
	}
}
