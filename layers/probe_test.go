package layers_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/tensor"
)

// What the tests need to look into a layer from outside: a loss whose gradient is given, an optimizer that keeps the
// gradients it sees, and layers that give a layer under test its input, its mask, and show its mask.

// upstream is a loss whose gradient by the model's output is the labels: the gradient of the sum of output times label.
// Its value is 0 throughout.
type upstream struct{}

func (upstream) Name() string                  { return "upstream" }
func (upstream) Check(_, _ tensor.Shape) error { return nil }
func (upstream) CheckLabel(float32) error      { return nil }
func (upstream) Rows(losses, gradient, _, labels []float32) {
	clear(losses)
	copy(gradient, labels)
}

// keep is an optimizer that leaves the parameters alone and keeps the last gradient of each in its one slot.
type keep struct{}

func (keep) Name() string                              { return "keep" }
func (keep) Check() error                              { return nil }
func (keep) Rate() float32                             { return 0 }
func (keep) Slots() []string                           { return []string{"gradient"} }
func (keep) Coefficients(int, float32) nn.Coefficients { return nn.Coefficients{} }
func (keep) Update(_ *nn.Coefficients, _, gradient []float32, slots [][]float32) {
	copy(slots[0], gradient)
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
		o.State = &nn.TrainingState{}
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
	out, err := m.PredictWith(context.Background(), nil, x, o)
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
	m, err := nn.NewSequential(spec...).Build(in, nn.Seed(1))
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

func (g given) Build(b *nn.Builder, in ...nn.Symbol) (nn.Symbol, error) {
	shape := append(tensor.Shape{g.rows}, in[0].Shape[1:]...)
	x, err := b.Parameter(nn.ParameterOptions{Name: "x", Shape: shape})
	if err != nil {
		return in[0], err
	}
	return b.Step(givenStep{}, in, x)
}

type givenStep struct{}

func (givenStep) Output(in []nn.Signature) (nn.Signature, error) { return in[0], nil }

func (givenStep) Forward(f *nn.Frame, at nn.Span) {
	lo, hi := at.Lo*f.OutWidth(), at.Hi*f.OutWidth()
	copy(f.Out()[lo:hi], f.Param(0)[lo:hi])
}

func (givenStep) Gradient(f *nn.Frame, _ int, g nn.Gradient) {
	for i := g.Lo * f.OutWidth(); i < g.Hi*f.OutWidth(); i++ {
		g.Values[i] += f.OutGrad()[i]
	}
}

// masked is a layer that gives its input a mask: that of row i of the batch is mask[i], 1 for the steps that count.
type masked struct{ mask [][]int32 }

func (masked) Kind() string { return "Masked" }

func (m masked) Build(b *nn.Builder, in ...nn.Symbol) (nn.Symbol, error) {
	mask, err := b.Step(maskStep(m), in)
	return b.Masked(in[0], mask), err
}

type maskStep struct{ mask [][]int32 }

func (s maskStep) Output(in []nn.Signature) (nn.Signature, error) {
	return nn.Signature{Type: tensor.TypeInt32, Shape: tensor.Shape{in[0].Shape[0], len(s.mask[0])}}, nil
}

func (s maskStep) Forward(f *nn.Frame, at nn.Span) {
	for i := at.Lo; i < at.Hi; i++ {
		copy(f.OutIDs()[i*f.OutWidth():(i+1)*f.OutWidth()], s.mask[i])
	}
}

// maskShown is a layer that puts out the mask of its input as float32, and fails when there is none.
type maskShown struct{}

func (maskShown) Kind() string { return "MaskShown" }

func (maskShown) Build(b *nn.Builder, in ...nn.Symbol) (nn.Symbol, error) {
	mask, ok := b.Mask(in[0])
	if !ok {
		return in[0], fmt.Errorf("no mask")
	}
	return b.Step(showStep{}, []nn.Symbol{mask})
}

type showStep struct{}

func (showStep) Output(in []nn.Signature) (nn.Signature, error) {
	return nn.Signature{Type: tensor.TypeFloat32, Shape: in[0].Shape}, nil
}

func (showStep) Forward(f *nn.Frame, at nn.Span) {
	for i := at.Lo * f.OutWidth(); i < at.Hi*f.OutWidth(); i++ {
		f.Out()[i] = float32(f.IDs(0)[i])
	}
}
