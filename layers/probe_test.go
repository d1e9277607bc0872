package layers_test

import (
	"context"
	"errors"
	"testing"

	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/tensor"
)

// What the tests need to look into a layer from outside: a loss whose gradient is given, an optimizer that keeps the
// gradients it sees, and layers that give a layer under test its input, its mask, and show its mask.

// upstream is a loss whose gradient by the model's output is the labels: the gradient of the sum of output times label.
// Its value is 0 throughout.
type upstream struct{}

func (upstream) Kind() string { return "Upstream" }

func (upstream) Start(plan.LossInfo) (plan.LossRule, error) {
	return plan.LossRule{Rows: func(losses, gradient, _, labels []float32) {
		clear(losses)
		copy(gradient, labels)
	}}, nil
}

// keep is an optimizer that leaves the parameters alone and keeps the last gradient of each in its one slot.
type keep struct{}

func (keep) Kind() string { return "Keep" }

func (keep) Rule() (plan.Rule, error) {
	return plan.Rule{
		Name: "keep", Slots: []plan.Slot{{Name: "gradient"}},
		Coefficients: func(int, float32, []float32) plan.Coefficients { return plan.Coefficients{} },
		Update:       func(_ *plan.Coefficients, _, gradient []float32, slots [][]float32) { copy(slots[0], gradient) },
	}, nil
}

// gradients returns the gradients of the sum of outputs times up, in the last step of a training whose steps have all
// rows of x, by the names of the parameters. The training is of one step unless the options say otherwise.
func gradients(t testing.TB, m *nn.Model, x tensor.Rows, up []float32, shape tensor.Shape, o nn.FitOptions) map[string][]float32 {
	t.Helper()
	// Fit takes the mean over rows.
	scaled := make([]float32, len(up))
	for i, u := range up {
		scaled[i] = u * float32(x.Len())
	}
	y, err := tensor.Of(scaled, shape...)
	must(t, err)
	o.Optimizer, o.Loss, o.BatchSize, o.NoShuffle = keep{}, upstream{}, x.Len(), true
	if o.State == nil {
		o.State = &plan.TrainingState{}
	}
	_, err = m.Fit(t.Context(), nn.Data{X: x, Y: y}, o)
	must(t, err)
	all := map[string][]float32{}
	for name, slots := range o.State.Slots {
		all[name] = slots[0]
	}
	return all
}

// predict is the model's output for all rows of x at once.
func predict(t testing.TB, m *nn.Model, x tensor.Rows, o nn.PredictOptions) []float32 {
	t.Helper()
	out, err := m.PredictInto(context.Background(), nil, x, o)
	must(t, err)
	return out
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// build builds a model of the given layers.
func build(t testing.TB, in nn.Input, spec ...nn.Layer) *nn.Model {
	t.Helper()
	m, err := nn.NewSequential(spec...).Build(t.Context(), in, nn.BuildOptions{Seed: 1})
	must(t, err)
	return m
}

// array is an array with the given elements.
func array[E tensor.Element](t testing.TB, data []E, shape ...int) *tensor.Array[E] {
	t.Helper()
	a, err := tensor.Of(data, shape...)
	must(t, err)
	return a
}

// given is a layer that puts a parameter "x" of the whole batch's shape, rows and all, in the place of its input: the
// gradient of that parameter is the gradient of the input of the layer behind it.
type given struct{ rows int }

func (given) Kind() string { return "Given" }

func (g given) Build(b *plan.Builder, in []plan.Symbol) ([]plan.Symbol, error) {
	shape := append(tensor.Shape{g.rows}, in[0].Shape[1:]...)
	x, err := b.Parameter(plan.ParameterOptions{Name: "x", Shape: shape})
	if err != nil {
		return nil, err
	}
	return b.Add(plan.Op{
		Outputs: same,
		Forward: func(f *plan.Frame, at plan.Span) {
			copy(f.Out(0, at), f.Param(0)[at.Lo*f.OutWidth(0):])
		},
		Gradient: func(f *plan.Frame, _ int, g plan.Gradient) {
			for i, up := range f.OutGrad(0, plan.Span{Lo: g.Lo, Hi: g.Hi}) {
				g.Values[g.Lo*f.OutWidth(0)+i] += up
			}
		},
	}, in, x)
}

// same is the Outputs of an operation that changes no shape.
func same(in []plan.Signature) ([]plan.Signature, error) { return []plan.Signature{in[0]}, nil }

// masked is a layer that gives its input a mask: that of row i of the batch is mask[i], 1 for the steps that count.
type masked struct{ mask [][]int32 }

func (masked) Kind() string { return "Masked" }

func (m masked) Build(b *plan.Builder, in []plan.Symbol) ([]plan.Symbol, error) {
	mask, err := b.Add(plan.Op{
		Outputs: func(in []plan.Signature) ([]plan.Signature, error) {
			return []plan.Signature{{Type: tensor.TypeInt32, Shape: tensor.Shape{in[0].Shape[0], len(m.mask[0])}}}, nil
		},
		Forward: func(f *plan.Frame, at plan.Span) {
			for i := at.Lo; i < at.Hi; i++ {
				copy(f.OutIDs(0, plan.Span{Lo: i, Hi: i + 1}), m.mask[i])
			}
		},
	}, in)
	if err != nil {
		return nil, err
	}
	return in, b.WithMask(in[0], mask[0])
}

// maskShown is a layer that puts out the mask of its input as float32, and fails when there is none.
type maskShown struct{}

func (maskShown) Kind() string { return "MaskShown" }

func (maskShown) Build(b *plan.Builder, in []plan.Symbol) ([]plan.Symbol, error) {
	mask, ok := b.Mask(in[0])
	if !ok {
		return nil, errors.New("no mask")
	}
	return b.Add(plan.Op{
		Outputs: func(in []plan.Signature) ([]plan.Signature, error) {
			return []plan.Signature{{Type: tensor.TypeFloat32, Shape: in[0].Shape}}, nil
		},
		Forward: func(f *plan.Frame, at plan.Span) {
			out := f.Out(0, at)
			for i, v := range f.InIDs(0, at) {
				out[i] = float32(v)
			}
		},
	}, []plan.Symbol{mask})
}

// unmasked is a layer that puts out its input without its mask.
type unmasked struct{}

func (unmasked) Kind() string { return "Unmasked" }

func (unmasked) Build(b *plan.Builder, in []plan.Symbol) ([]plan.Symbol, error) {
	return b.Add(plan.Op{
		Outputs:  func(in []plan.Signature) ([]plan.Signature, error) { return in[:1], nil },
		Forward:  func(f *plan.Frame, s plan.Span) { copy(f.Out(0, s), f.In(0, s)) },
		Backward: func(f *plan.Frame, s plan.Span) { copy(f.InGrad(0, s), f.OutGrad(0, s)) },
	}, in[:1])
}
