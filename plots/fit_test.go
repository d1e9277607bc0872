package plots_test

import (
	"testing"

	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/loss"
	"github.com/linnet-ml/linnet/metrics"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/optim"
	"github.com/linnet-ml/linnet/plots"
	"github.com/linnet-ml/linnet/tensor"
)

// What a metric says of itself goes before what its name sounds like.
func TestDirectionOfMetric(t *testing.T) {
	x, err := tensor.Of([]float32{0, 1, 2, 3}, 4, 1)
	if err != nil {
		t.Fatal(err)
	}
	y, err := tensor.Of([]int32{0, 0, 1, 1})
	if err != nil {
		t.Fatal(err)
	}
	m, err := nn.NewSequential(layers.Dense{Units: 1, Activation: layers.Sigmoid}).Build(nn.Features(1), nn.Seed(1))
	if err != nil {
		t.Fatal(err)
	}
	data := nn.Data{X: x, Y: y}
	h, err := m.Fit(t.Context(), data, nn.FitOptions{
		Optimizer: optim.Adam{}, Loss: loss.BinaryCrossentropy{}, Validation: &data, Epochs: 2,
		Metrics: []nn.Metric{metrics.Accuracy{As: "hits"}, metrics.Accuracy{As: "no_error"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	panels, err := plots.Panels(h)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []nn.Direction{nn.LowerIsBetter, nn.HigherIsBetter, nn.HigherIsBetter} {
		if panels[i].Better != want {
			t.Errorf("%s: direction %d, want %d", panels[i].Title, panels[i].Better, want)
		}
	}
}
