package plan_test

import (
	"slices"
	"testing"

	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/tensor"
)

// copies is an operation that copies its input, and offers to take over the next one like it.
func copies() plan.Op {
	op := plan.Op{Form: "copies", Outputs: func(in []plan.Signature) ([]plan.Signature, error) { return in[:1], nil },
		Forward: func(*plan.Frame, plan.Span) {}}
	one := op
	op.Fuse = func(next plan.Op, _ []plan.Op) (plan.Op, bool) { return one, next.Form == "copies" }
	return op
}

// Fusion leaves values that somebody needs beside the operation taken over: for their signature, as a mask, as an output.
func TestFusionKeepsValuesThatAreNeeded(t *testing.T) {
	floats := plan.Signature{Type: tensor.TypeFloat32, Shape: tensor.Shape{tensor.Unknown, 3, 2}}
	ints := plan.Signature{Type: tensor.TypeInt32, Shape: tensor.Shape{tensor.Unknown, 3}}
	for name, c := range map[string]struct {
		in    plan.Signature
		need  func(b *plan.Builder, first, second plan.Symbol) []plan.Symbol
		fused bool
	}{
		"nobody": {floats, func(_ *plan.Builder, _, second plan.Symbol) []plan.Symbol { return []plan.Symbol{second} }, true},
		"output": {floats, func(_ *plan.Builder, first, second plan.Symbol) []plan.Symbol { return []plan.Symbol{first, second} }, false},
		"signature": {floats, func(b *plan.Builder, first, second plan.Symbol) []plan.Symbol {
			folded, err := b.Fold(second)
			must(t, err)
			out, err := b.Unfold(folded, first)
			must(t, err)
			return []plan.Symbol{out}
		}, false},
		"mask": {ints, func(b *plan.Builder, first, second plan.Symbol) []plan.Symbol {
			must(t, b.WithMask(second, first))
			return []plan.Symbol{second}
		}, false},
	} {
		b := plan.NewBuilder(t.Context(), plan.BuilderOptions{})
		x := b.Input(c.in)
		first, err := b.Add(copies(), []plan.Symbol{x})
		must(t, err)
		second, err := b.Add(copies(), first)
		must(t, err)
		p, err := b.Finish(c.need(b, first[0], second[0])...)
		must(t, err)
		f := p.Fused()
		uses := f.Uses()
		if fused := len(f.Ops) < len(p.Ops); fused != c.fused {
			t.Errorf("%s: fused: %t", name, fused)
		}
		if _, _, err := f.Signatures([]plan.Signature{c.in}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, v := range slices.Concat(f.Outputs, f.Masks) {
			if v >= 0 && uses.Writers[v] < 0 {
				t.Errorf("%s: nobody writes value %d", name, v)
			}
		}
	}
}
