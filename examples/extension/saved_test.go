package extension

import (
	"errors"
	"slices"
	"testing"

	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
)

// The layer's gradients are right.
func TestGradients(t *testing.T) {
	for _, inference := range []bool{false, true} {
		must(t, build(t).CheckGradients(t.Context(), data(t).X, nn.GradientOptions{Inference: inference, Samples: 20}))
	}
}

// The spec goes to JSON and back, and builds the same model.
func TestSpec(t *testing.T) {
	kinds, err := plan.NewKinds(layers.Kinds(), nn.Kinds(), Kinds())
	must(t, err)
	e, err := kinds.Encode(spec())
	must(t, err)
	back, err := kinds.Decode(t.Context(), e)
	must(t, err)
	m, err := back.(*nn.Sequential).Build(t.Context(), nn.Features(4), nn.BuildOptions{Seed: 2})
	must(t, err)
	if !slices.EqualFunc(m.Weights(nil), build(t).Weights(nil), slices.Equal[[]float32]) {
		t.Errorf("%s builds another model", e.JSON)
	}
}

// A run that stops goes on from its state as if it had not.
func TestState(t *testing.T) {
	whole := build(t)
	_, err := whole.Fit(t.Context(), data(t), options(6, 1, nil))
	must(t, err)
	var state *nn.TrainingState
	stop := errors.New("stop")
	o := options(6, 1, nil)
	o.Callbacks = append(o.Callbacks, plan.CallbackFunc(func(e plan.Event, tr plan.Training) (err error) {
		if e == plan.EpochDone && tr.Epoch() == 3 {
			if state, err = tr.State(); err == nil {
				err = stop
			}
		}
		return err
	}))
	if _, err := build(t).Fit(t.Context(), data(t), o); !errors.Is(err, stop) {
		t.Fatal(err)
	}
	encoded, err := state.Encode()
	must(t, err)
	state, err = plan.DecodeState(t.Context(), encoded)
	must(t, err)
	m := build(t)
	_, err = m.Fit(t.Context(), data(t), options(6, 1, state))
	must(t, err)
	if !slices.EqualFunc(m.Weights(nil), whole.Weights(nil), slices.Equal[[]float32]) {
		t.Error("other weights")
	}
}
