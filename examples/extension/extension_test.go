package extension

import (
	"slices"
	"testing"

	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/tensor"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// spec is a network with the layer and the initializer.
func spec() *nn.Sequential {
	return nn.NewSequential(layers.Dense{Units: 6, KernelInit: Ramp{Height: 0.5}}, Adapter{Units: 3}, Adapter{Units: 2}, layers.Dense{Units: 1})
}

func build(t *testing.T) *nn.Model {
	m, err := spec().Build(t.Context(), nn.Features(4), nn.BuildOptions{Seed: 2})
	must(t, err)
	return m
}

// data are rows whose label says whether the first feature is above the second.
func data(t *testing.T) nn.Data {
	x, err := tensor.New[float32](200, 4)
	must(t, err)
	y, err := tensor.New[float32](200)
	must(t, err)
	for i := range x.Data() {
		x.Data()[i] = float32(i*i%23)/11 - 1
	}
	for i := range y.Data() {
		if x.Row(i)[0] > x.Row(i)[1] {
			y.Data()[i] = 1
		}
	}
	return nn.Data{X: x, Y: y}
}

func options(epochs, threads int, s *nn.TrainingState) nn.FitOptions {
	return nn.FitOptions{Optimizer: SignSGD{Momentum: 0.5}, Loss: Hinge{}, Metrics: []nn.Metric{Margin{}}, Epochs: epochs, BatchSize: 72,
		Threads: threads, State: s, Callbacks: []nn.Callback{KeepBest{}}}
}

// All parts train together, to the same bits with any number of threads, and learn.
func TestTraining(t *testing.T) {
	var want [][]float32
	for _, threads := range []int{1, 2, 3, 8} {
		m := build(t)
		h, err := m.Fit(t.Context(), data(t), options(12, threads, nil))
		must(t, err)
		if losses := h.Values("loss"); losses[11] > losses[0]/2 || len(h.Values("margin")) != 12 {
			t.Errorf("the losses are %v", losses)
		}
		if m.Parameter("adapter/mean_square").Values()[0] == 1 || m.Parameter("adapter_1/down/kernel") == nil {
			t.Error("the running mean stays, or the layers inside have other names")
		}
		if want == nil {
			want = m.Weights(nil)
		} else if !slices.EqualFunc(want, m.Weights(nil), slices.Equal[[]float32]) {
			t.Errorf("%d threads give other weights", threads)
		}
	}
}
