package nn_test

import (
	"context"
	"errors"
	"testing"

	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/loss"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optim"
	"github.com/linnet-ml/linnet/tensor"
)

// holder is a callback whose handler holds something that must be given back.
type holder struct {
	fails  map[plan.Event]error
	start  error
	close  error
	closed int
}

func (h *holder) Kind() string { return "Holder" }

func (h *holder) Start(plan.Training) (plan.Handler, error) {
	return plan.Handler{
		Handle: func(e plan.Event, _ plan.Training) error { return h.fails[e] },
		Close: func() error {
			h.closed++
			return h.close
		},
	}, h.start
}

// However a Fit ends, each handler is closed once, and the first error is the one that is returned.
func TestHandlersAreClosed(t *testing.T) {
	broken, unclosed := errors.New("broken"), errors.New("not closed")
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for name, c := range map[string]struct {
		ctx    context.Context
		second holder
		want   error
	}{
		"to the end":  {t.Context(), holder{}, nil},
		"close fails": {t.Context(), holder{close: unclosed}, unclosed},
		"event fails": {t.Context(), holder{fails: map[plan.Event]error{plan.BatchEnd: broken}, close: unclosed}, broken},
		"begin fails": {t.Context(), holder{fails: map[plan.Event]error{plan.TrainBegin: broken}}, broken},
		"cancelled":   {cancelled, holder{}, context.Canceled},
		"not started": {t.Context(), holder{start: broken}, broken},
	} {
		m, err := nn.NewSequential(layers.Dense{Units: 1}).Build(t.Context(), nn.Features(1), nn.BuildOptions{})
		if err != nil {
			t.Fatal(err)
		}
		x, err := tensor.New[float32](1, 1)
		if err != nil {
			t.Fatal(err)
		}
		var first holder
		_, err = m.Fit(c.ctx, nn.Data{X: x, Y: x}, nn.FitOptions{
			Optimizer: optim.SGD{}, Loss: loss.MeanSquaredError{}, Callbacks: []nn.Callback{&first, &c.second},
		})
		if !errors.Is(err, c.want) {
			t.Errorf("%s: error %v, want %v", name, err, c.want)
		}
		started := 1
		if c.second.start != nil {
			started = 0
		}
		if first.closed != 1 || c.second.closed != started {
			t.Errorf("%s: closed %d and %d times, want 1 and %d", name, first.closed, c.second.closed, started)
		}
	}
}
