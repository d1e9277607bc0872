package layers

import (
	"context"
	"fmt"
	"slices"

	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/simd"
	"github.com/linnet-ml/linnet/tensor"
)

// sparseDense is Dense on sparse rows: a sum of the kernel's rows for the elements that are kept.
type sparseDense struct{ dense }

func (s sparseDense) op() plan.Op {
	return plan.Op{
		Form: s, Outputs: s.outputs, Forward: s.forward, Gradient: s.gradient,
		Source: &plan.Source{Prepare: s.prepare},
		Rows:   &plan.RowSparse{Params: []int{0}}, // a batch has few of many columns
	}
}

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

// prepare makes room for as many ones as the longest row has elements.
func (s sparseDense) prepare(_ context.Context, x, old tensor.Rows) (tensor.Rows, error) {
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

func (s sparseDense) forward(f *plan.Frame, at plan.Span) {
	data, rows := f.Source(0)
	x, kernel := data.(*sparseRows), f.Param(0)
	for i := at.Lo; i < at.Hi; i++ {
		columns, values := x.Row(int(rows[i]))
		simd.BagMean(f.Out(0, rowSpan(i)), kernel, s.units, columns, values, 1)
	}
	if s.bias {
		simd.AddBias(f.Out(0, at), f.Param(1))
	}
}

func (s sparseDense) gradient(f *plan.Frame, i int, g plan.Gradient) {
	if i == 1 {
		s.biasGradient(f, g)
		return
	}
	data, rows := f.Source(0)
	x := data.(*sparseRows)
	for i := range f.Rows() {
		columns, values := x.Row(int(rows[i]))
		if g.Lo > 0 || g.Hi < s.features {
			lo, _ := slices.BinarySearch(columns, int32(g.Lo))
			hi, _ := slices.BinarySearch(columns, int32(g.Hi))
			columns, values = columns[lo:hi], values[lo:hi]
		}
		sums, places := g.Rows(columns)
		simd.BagScatter(sums, f.OutGrad(0, rowSpan(i)), s.units, places, values)
	}
}
