package layers

import (
	"fmt"
	"slices"

	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/simd"
	"github.com/linnet-ml/linnet/tensor"
)

// sparseDense is Dense on sparse rows: a sum of the kernel's rows for the elements that are kept.
type sparseDense struct{ dense }

var (
	_ nn.RowStep    = sparseDense{}
	_ nn.SourceStep = sparseDense{}
)

// sparseRows are sparse rows with a value for each element, also where all values are 1.
type sparseRows struct {
	*tensor.Sparse
	ones []float32
}

func (r *sparseRows) Row(i int) (columns []int32, values []float32) {
	columns, values = r.Sparse.Row(i)
	if values == nil {
		values = r.ones[:len(columns)]
	}
	return columns, values
}

// Prepare makes room for as many ones as the longest row has elements.
func (s sparseDense) Prepare(x, old tensor.Rows) (tensor.Rows, error) {
	if prepared, ok := x.(*sparseRows); ok {
		return prepared, nil
	}
	sparse, ok := x.(*tensor.Sparse)
	if !ok {
		return nil, fmt.Errorf("%w: Dense reads sparse rows, not %v of shape %v", tensor.ErrShape, x.Type(), x.Shape())
	}
	r, ok := old.(*sparseRows)
	if !ok {
		r = &sparseRows{}
	}
	r.Sparse = sparse
	longest := 0
	for i := range r.Len() {
		if columns, values := r.Sparse.Row(i); values == nil {
			longest = max(longest, len(columns))
		}
	}
	for len(r.ones) < longest {
		r.ones = append(r.ones, 1)
	}
	return r, nil
}

func (s sparseDense) Forward(f *nn.Frame, at nn.Span) {
	data, rows := f.Source(0)
	x, kernel, out := data.(*sparseRows), f.Param(0), f.Out()
	for i := at.Lo; i < at.Hi; i++ {
		columns, values := x.Row(int(rows[i]))
		simd.BagMean(out[i*s.units:(i+1)*s.units], kernel, s.units, columns, values, 1)
	}
	if s.bias {
		simd.AddBias(out[at.Lo*s.units:at.Hi*s.units], f.Param(1))
	}
}

// ByRow is true of the kernel: a batch has few of many columns.
func (s sparseDense) ByRow(i int) bool { return i == 0 }

func (s sparseDense) Gradient(f *nn.Frame, i int, g nn.Gradient) {
	if i == 1 {
		s.biasGradient(f, g)
		return
	}
	data, rows := f.Source(0)
	x, up := data.(*sparseRows), f.OutGrad()
	for i := range f.Rows() {
		columns, values := x.Row(int(rows[i]))
		if g.Lo > 0 || g.Hi < s.features {
			lo, _ := slices.BinarySearch(columns, int32(g.Lo))
			hi, _ := slices.BinarySearch(columns, int32(g.Hi))
			columns, values = columns[lo:hi], values[lo:hi]
		}
		sums, places := g.Rows(columns)
		simd.BagScatter(sums, up[i*s.units:(i+1)*s.units], s.units, places, values)
	}
}
