package extension

import (
	"fmt"

	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/nn/plan"
)

// Margin is the metric of the mean distance by which a score is on the side of its label, 0 or 1: higher is better.
type Margin struct{}

func (Margin) Kind() string                 { return "Margin" }
func (Margin) Name() string                 { return "margin" }
func (Margin) Direction() history.Direction { return history.HigherIsBetter }

func (Margin) Start(info plan.MetricInfo) (plan.Accumulator, error) {
	if info.Output.Size() != 1 || info.Labels.Size() != 1 {
		return nil, fmt.Errorf("extension: Margin takes one score and one label a row, not %v and %v", info.Output, info.Labels)
	}
	return &margin{}, nil
}

type margin struct{ sum, weight float64 }

func (m *margin) Add(labels, output, weights []float32) {
	for i, y := range output {
		w := 1.0
		if len(weights) > 0 {
			w = float64(weights[i])
		}
		m.sum += float64(float64(float32((2*labels[i]-1)*y)) * w)
		m.weight += w
	}
}

func (m *margin) Result() float64 {
	if m.weight == 0 {
		return 0
	}
	return m.sum / m.weight
}

func (m *margin) Reset() { *m = margin{} }

func (m *margin) Sums() []float64 { return []float64{m.sum, m.weight} }

func (m *margin) SetSums(sums []float64) error {
	if len(sums) != 2 {
		return fmt.Errorf("extension: Margin has 2 sums, not %d", len(sums))
	}
	m.sum, m.weight = sums[0], sums[1]
	return nil
}
