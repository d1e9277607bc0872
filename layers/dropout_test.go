package layers_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optional"
	"github.com/linnet-ml/linnet/tensor"
)

// dropped trains on rows of ones and returns what the last step's Dropout made of each element.
func dropped(t *testing.T, seed uint64, rows int, spec []nn.Layer, o nn.FitOptions) []float32 {
	t.Helper()
	const width = 37 // blocks of four random numbers do not end where rows do
	m, err := nn.NewSequential(append([]nn.Layer{given{rows}}, spec...)...).Build(t.Context(), nn.Features(width), nn.BuildOptions{Seed: seed})
	must(t, err)
	ones := make([]float32, rows*width)
	for i := range ones {
		ones[i] = 1
	}
	return gradients(t, m, array(t, ones, rows, width), ones, tensor.Shape{rows, width}, o)["given/x"]
}

// What Dropout drops depends on the seed, the step, the layer's name and the element's place in the batch, and on nothing else.
func TestDropoutBits(t *testing.T) {
	spec := []nn.Layer{layers.Dropout{Rate: 0.3}}
	first := dropped(t, 1, 150, spec, nn.FitOptions{})
	for _, threads := range []int{2, 3, 16} {
		if !slices.Equal(first, dropped(t, 1, 150, spec, nn.FitOptions{Threads: threads})) {
			t.Errorf("%d threads drop other elements", threads)
		}
	}
	if short := dropped(t, 1, 40, spec, nn.FitOptions{}); !slices.Equal(zeros(short), zeros(first[:len(short)])) {
		t.Error("what is dropped depends on how many rows the batch has")
	}
	if slices.Equal(first[:37], first[37:74]) {
		t.Error("the same is dropped from each row")
	}
	if !slices.Equal(first, dropped(t, 9, 150, spec, nn.FitOptions{Seed: optional.Of[uint64](1)})) {
		t.Error("the seed of the Fit does not take the place of the model's")
	}
	if slices.Equal(first, dropped(t, 2, 150, spec, nn.FitOptions{})) {
		t.Error("another seed drops the same elements")
	}
	second := dropped(t, 1, 150, spec, nn.FitOptions{Epochs: 2})
	if slices.Equal(first, second) {
		t.Error("the second step drops the same elements")
	}
	// A run that goes on from a state draws what it would have drawn without the interruption.
	state := &plan.TrainingState{}
	dropped(t, 1, 150, spec, nn.FitOptions{State: state})
	if !slices.Equal(second, dropped(t, 1, 150, spec, nn.FitOptions{State: state, Epochs: 2, InitialEpoch: 1})) {
		t.Error("a run that goes on drops other elements")
	}
}

// A layer's noise depends on its name, not on its place: a layer that is added changes no other's.
func TestDropoutNoiseByName(t *testing.T) {
	drops := func(spec ...nn.Layer) map[int]bool {
		set := map[int]bool{}
		for _, i := range zeros(dropped(t, 1, 150, spec, nn.FitOptions{})) {
			set[i] = true
		}
		return set
	}
	union := func(a, b map[int]bool) map[int]bool {
		both := maps.Clone(a)
		maps.Copy(both, b)
		return both
	}
	plain, front := drops(layers.Dropout{Rate: 0.3}), drops(layers.Dropout{Name: "front", Rate: 0.3})
	for what, same := range map[string]map[int]bool{
		"the name that it gets anyway": drops(layers.Dropout{Name: "dropout", Rate: 0.3}),
		"a Flatten in front":           drops(layers.Flatten{}, layers.Dropout{Rate: 0.3}),
		"a Flatten after it":           drops(layers.Dropout{Rate: 0.3}, layers.Flatten{}),
	} {
		if !maps.Equal(same, plain) {
			t.Errorf("%s changes what is dropped", what)
		}
	}
	if !maps.Equal(drops(layers.Dropout{Name: "front", Rate: 0.3}, layers.Dropout{Rate: 0.3}), union(front, plain)) {
		t.Error("a Dropout in front changes what is dropped")
	}
	if !maps.Equal(drops(layers.Dropout{Rate: 0.3}, layers.Dropout{Name: "front", Rate: 0.3}), union(front, plain)) {
		t.Error("a Dropout after it changes what is dropped")
	}
	// Two layers, and two operations of one layer, each keep 0.7 of 0.7: they do not drop the same elements.
	inOne := drops(twice{"dropout"})
	if !maps.Equal(inOne, union(inOne, plain)) {
		t.Error("the first operation of a layer does not have the noise of its name")
	}
	for what, both := range map[string]map[int]bool{"two layers": union(front, plain), "two operations": inOne} {
		if kept := 1 - float64(len(both))/(150*37); kept < 0.47 || kept > 0.51 {
			t.Errorf("%s keep %v", what, kept)
		}
	}
}

// twice is a layer that drops twice.
type twice struct{ name string }

var _ plan.NamedLayer = twice{}

func (twice) Kind() string        { return "Twice" }
func (l twice) LayerName() string { return l.name }

func (twice) Build(b *plan.Builder, in []plan.Symbol) ([]plan.Symbol, error) {
	x, err := layers.Dropout{Rate: 0.3}.Build(b, in)
	if err != nil {
		return nil, err
	}
	return layers.Dropout{Rate: 0.3}.Build(b, x)
}

// An operation that took over another has the noise that it has alone.
func TestFusedOperationKeepsItsNoise(t *testing.T) {
	output := func(spec ...nn.Layer) []float32 {
		m := build(t, nn.Features(5), spec...)
		return predict(t, m, array(t, make([]float32, 10), 2, 5), nn.PredictOptions{})
	}
	alone := output(noisy{})
	if slices.Max(alone) == 0 {
		t.Fatal("there is no noise")
	}
	if got := output(noisy{}, takenOver{}); !slices.Equal(got, alone) {
		t.Errorf("fused %v, alone %v", got, alone)
	}
}

// noisy is a layer whose output is random numbers, and that takes over a takenOver, which makes zeros by itself.
type (
	noisy     struct{}
	takenOver struct{}
)

func (noisy) Kind() string     { return "Noisy" }
func (takenOver) Kind() string { return "TakenOver" }

func (l noisy) Build(b *plan.Builder, in []plan.Symbol) ([]plan.Symbol, error) {
	return b.Add(l.op(), in)
}

func (l noisy) op() plan.Op {
	return plan.Op{
		Outputs: same,
		Forward: func(f *plan.Frame, at plan.Span) {
			out := f.Out(0, at)
			for i := range out {
				out[i] = f.Random().Float32(uint64(at.Lo*f.OutWidth(0) + i))
			}
		},
		Fuse: func(next plan.Op, _ []plan.Op) (plan.Op, bool) { return l.op(), next.Form == any(takenOver{}) },
	}
}

func (l takenOver) Build(b *plan.Builder, in []plan.Symbol) ([]plan.Symbol, error) {
	return b.Add(plan.Op{Form: l, Outputs: same, Forward: func(f *plan.Frame, at plan.Span) { clear(f.Out(0, at)) }}, in)
}

// zeros are the places of the elements that are 0.
func zeros(x []float32) []int {
	var at []int
	for i, v := range x {
		if v == 0 {
			at = append(at, i)
		}
	}
	return at
}
