package layers_test

import (
	"slices"
	"testing"

	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/optional"
	"github.com/linnet-ml/linnet/tensor"
)

// dropped trains on rows of ones and returns what the last step's Dropout made of each element.
func dropped(t *testing.T, seed uint64, rows int, spec []nn.Layer, o nn.FitOptions) []float32 {
	t.Helper()
	const width = 37 // blocks of four random numbers do not end where rows do
	m, err := nn.NewSequential(append([]nn.Layer{given{rows}}, spec...)...).Build(nn.Features(width), nn.Seed(seed))
	must(t, err)
	ones := make([]float32, rows*width)
	for i := range ones {
		ones[i] = 1
	}
	return gradients(t, m, array(t, ones, rows, width), ones, tensor.Shape{rows, width}, o)["given/x"]
}

// What Dropout drops depends on the seed, the step, the layer and the element's place in the batch, and on nothing else.
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
	state := &nn.TrainingState{}
	dropped(t, 1, 150, spec, nn.FitOptions{State: state})
	if !slices.Equal(second, dropped(t, 1, 150, spec, nn.FitOptions{State: state, Epochs: 2, InitialEpoch: 1})) {
		t.Error("a run that goes on drops other elements")
	}
	if slices.Equal(zeros(first), zeros(dropped(t, 1, 150, []nn.Layer{layers.Flatten{}, layers.Dropout{Rate: 0.3}}, nn.FitOptions{}))) {
		t.Error("another layer drops the same elements")
	}
	// Two Dropouts behind one another keep 0.7 of 0.7: they do not drop the same elements.
	twice := dropped(t, 1, 150, []nn.Layer{layers.Dropout{Rate: 0.3}, layers.Dropout{Rate: 0.3}}, nn.FitOptions{})
	if kept := 1 - float64(len(zeros(twice)))/float64(len(twice)); kept < 0.47 || kept > 0.51 {
		t.Errorf("two layers keep %v", kept)
	}
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
