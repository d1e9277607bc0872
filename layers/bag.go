package layers

import (
	"fmt"
	"slices"

	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/simd"
	"github.com/linnet-ml/linnet/tensor"
	"github.com/linnet-ml/linnet/text"
)

// bag is an Embedding and the average of its vectors in one step: ids (batch, steps) to (batch, dim), without the
// (batch, steps, dim) between them. It reads bags, the distinct ids of each row with their counts, which are made once
// for data in memory; the average of a row is a sum over its bag over the row's length.
type bag struct {
	vocabulary, dim    int
	skipZero, keepDims bool
}

var (
	_ nn.RowStep    = bag{}
	_ nn.SourceStep = bag{}
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
		if s.skipZero {
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

func (s bag) Forward(f *nn.Frame, at nn.Span) {
	data, rows := f.Source(0)
	bags, table, out := data.(*text.Bags), f.Param(0), f.Out()
	for i := at.Lo; i < at.Hi; i++ {
		ids, counts, length := bags.Row(int(rows[i]))
		simd.BagMean(out[i*s.dim:(i+1)*s.dim], table, s.dim, ids, counts, float32(length))
	}
}

// ByRow is true: a batch has few of a large table's ids.
func (s bag) ByRow(int) bool { return true }

func (s bag) Gradient(f *nn.Frame, _ int, g nn.Gradient) {
	data, rows := f.Source(0)
	bags, up := data.(*text.Bags), f.OutGrad()
	share := f.Scratch(g.Worker, s.dim)
	for i := range f.Rows() {
		ids, counts, length := bags.Row(int(rows[i]))
		if length == 0 {
			continue
		}
		if g.Lo > 0 || g.Hi < s.vocabulary {
			lo, _ := slices.BinarySearch(ids, int32(g.Lo))
			hi, _ := slices.BinarySearch(ids, int32(g.Hi))
			ids, counts = ids[lo:hi], counts[lo:hi]
		}
		simd.Scale(share, up[i*s.dim:(i+1)*s.dim], 1/float32(length))
		values, places := g.Rows(ids)
		simd.BagScatter(values, share, s.dim, places, counts)
	}
}
