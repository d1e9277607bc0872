package nn_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/tensor"
)

// loaded is a layer whose parameter's first values come from somewhere else.
type loaded struct {
	load func(ctx context.Context, dst []float32) error
}

func (loaded) Kind() string { return "Loaded" }

func (l loaded) Build(b *plan.Builder, in []plan.Symbol) ([]plan.Symbol, error) {
	_, err := b.Parameter(plan.ParameterOptions{Name: "table", Shape: tensor.Shape{3, 2}, Load: l.load, NotTrainable: true})
	return in, err
}

// A parameter's first values are read into its own memory, once, and not for a summary of what is not built.
func TestLoad(t *testing.T) {
	var memory []float32
	calls := 0
	spec := nn.NewSequential(loaded{func(_ context.Context, dst []float32) error {
		calls++
		memory = dst
		for i := range dst {
			dst[i] = float32(i)
		}
		return nil
	}})
	if spec.Summary(); calls != 0 {
		t.Error("a summary reads the values")
	}
	m, err := spec.Build(t.Context(), nn.Features(2), nn.BuildOptions{})
	must(t, err)
	p := m.Parameter("loaded/table")
	if calls != 1 || &memory[0] != &p.Values()[0] || !slices.Equal(p.Values(), []float32{0, 1, 2, 3, 4, 5}) || p.Trainable() {
		t.Errorf("after %d calls the values are %v, trainable %t", calls, p.Values(), p.Trainable())
	}
}

// What goes wrong then is Build's error, with the place of the layer: but not that the layers do not fit.
func TestLoadError(t *testing.T) {
	broken := errors.New("the file is broken")
	_, err := nn.NewSequential(loaded{func(context.Context, []float32) error { return nil }}, loaded{func(context.Context, []float32) error { return broken }}).Build(t.Context(), nn.Features(2), nn.BuildOptions{})
	wantError(t, err, "nn: layer 1 (loaded_1): parameter table: the file is broken")
	if !errors.Is(err, broken) {
		t.Errorf("%#v", err)
	}
}
