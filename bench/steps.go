package bench

import (
	"context"
	"slices"
	"time"

	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
)

// StepTimes fits and returns how long each step took, by epoch.
func StepTimes(ctx context.Context, m *nn.Model, d nn.Data, o nn.FitOptions) ([][]time.Duration, error) {
	var epochs [][]time.Duration
	var begun time.Time
	o.Callbacks = append(slices.Clone(o.Callbacks), plan.CallbackFunc(func(e plan.Event, t plan.Training) error {
		switch e {
		case plan.EpochBegin:
			epochs = append(epochs, make([]time.Duration, 0, t.Steps()))
		case plan.BatchBegin:
			begun = time.Now()
		case plan.BatchEnd:
			last := &epochs[len(epochs)-1]
			*last = append(*last, time.Since(begun))
		}
		return nil
	}))
	_, err := m.Fit(ctx, d, o)
	return epochs, err
}

// Median is the middle one of the times, of two the longer one; 0 without times.
func Median(times []time.Duration) time.Duration {
	if len(times) == 0 {
		return 0
	}
	return slices.Sorted(slices.Values(times))[len(times)/2]
}
