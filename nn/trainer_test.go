package nn_test

import (
	"errors"
	"math"
	"runtime"
	"slices"
	"testing"

	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/loss"
	"github.com/linnet-ml/linnet/metrics"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optim"
	"github.com/linnet-ml/linnet/tensor"
)

func trainerOptions(o nn.Optimizer) nn.TrainerOptions {
	return nn.TrainerOptions{Optimizer: o, Loss: loss.BinaryCrossentropy{}, Metrics: []nn.Metric{metrics.Accuracy{}}}
}

func trainer(t *testing.T, m *nn.Model, o nn.TrainerOptions) *nn.Trainer {
	t.Helper()
	tr, err := m.NewTrainer(o)
	must(t, err)
	return tr
}

// batches are someReviews in batches of 8, in order.
func batches(t *testing.T) []nn.Batch {
	d := someReviews(t)
	x, y := d.X.(*tensor.Int32), d.Y.(*tensor.Int32)
	var all []nn.Batch
	for lo := 0; lo < x.Len(); lo += 8 {
		hi := min(lo+8, x.Len())
		all = append(all, nn.Batch{X: x.Rows(lo, hi), Y: y.Rows(lo, hi)})
	}
	return all
}

// A loop of Steps has the bits of a Fit without shuffle, and so has one of Gradients and Apply; losses and metrics are the
// same, and no goroutine is left.
func TestTrainerIsFit(t *testing.T) {
	for _, threads := range []int{1, 3} {
		before := runtime.NumGoroutine()
		o := longRun()
		o.NoShuffle, o.BatchSize, o.Epochs, o.Threads = true, 8, 2, threads
		o.Validation, o.ValidationSplit = nil, 0
		whole := noisyText(t)
		h, err := whole.Fit(t.Context(), someReviews(t), o)
		must(t, err)
		for _, apart := range []bool{false, true} {
			m := noisyText(t)
			options := trainerOptions(o.Optimizer)
			options.Threads = threads
			tr := trainer(t, m, options)
			for epoch := range 2 {
				must(t, tr.Reset())
				for _, b := range batches(t) {
					if apart {
						_, err = tr.Gradients(t.Context(), b)
						must(t, err)
						must(t, tr.Apply(t.Context(), nil))
					} else {
						_, err = tr.Step(t.Context(), b)
						must(t, err)
					}
				}
				logs, err := tr.Results()
				must(t, err)
				if got, _ := logs.Get("loss"); got != h.Values("loss")[epoch] {
					t.Errorf("loss %v, want %v", got, h.Values("loss")[epoch])
				}
			}
			must(t, tr.Close())
			must(t, tr.Close())
			sameBits(t, "weights", m.Weights(nil), whole.Weights(nil))
		}
		noneLeft(t, before)
	}
}

// Gradients leaves parameters alone, and agrees with what a step of gradient descent does; Apply takes others in their
// place.
func TestTrainerGradients(t *testing.T) {
	m := smallText(t)
	before := m.Weights(nil)
	tr := trainer(t, m, trainerOptions(optim.SGD{LearningRate: 1}))
	defer tr.Close()
	b := batches(t)[0]
	if _, err := tr.Gradient("dense/kernel"); err == nil {
		t.Error("a gradient before there is one")
	}
	must(t, second(tr.Gradients(t.Context(), b)))
	sameBits(t, "weights", m.Weights(nil), before)
	g, err := tr.Gradient("dense/kernel")
	must(t, err)
	wantError(t, second(tr.Step(t.Context(), b)), "nn: there are gradients that Apply has not used")
	wantError(t, second(tr.Gradients(t.Context(), b)), "nn: there are gradients that Apply has not used")
	_, err = tr.Gradient("dense/gamma")
	wantError(t, err, `nn: no parameter "dense/gamma" is trained`)
	wantError(t, tr.Apply(t.Context(), map[string][]float32{"x": nil}), `nn: no parameter "x" is trained`)
	wantError(t, tr.Apply(t.Context(), map[string][]float32{"dense/kernel": {1}}), `nn: parameter "dense/kernel" has 24 elements, and its gradient 1`)
	half := slices.Clone(g)
	for i := range half {
		half[i] /= 2
	}
	must(t, tr.Apply(t.Context(), map[string][]float32{"dense/kernel": half}))
	wantError(t, tr.Apply(t.Context(), nil), "nn: there are no gradients to apply: Gradients computes them")
	moved := m.Parameter("dense/kernel").Values()
	for i := range moved {
		if want := before[1][i] - half[i]; moved[i] != want {
			t.Fatalf("element %d is %v, want %v", i, moved[i], want)
		}
	}
}

func second(_ float64, err error) error { return err }

// Where several batches make a step, Apply takes the place of the latest batch's gradients and keeps the others'.
func TestTrainerAccumulates(t *testing.T) {
	shared := optim.Shared{AccumulateSteps: 2}
	m := sequential(t, nn.Features(2), layers.Dense{Units: 1, NoBias: true})
	must(t, m.SetParameter("dense/kernel", []float32{1, 2}))
	o := nn.TrainerOptions{Optimizer: optim.SGD{LearningRate: 1, Shared: shared}, Loss: loss.MeanSquaredError{}}
	tr := trainer(t, m, o)
	defer tr.Close()
	b := nn.Batch{X: array(t, []float32{1, 1}, 1, 2), Y: array(t, []float32{0})}
	for _, g := range [][]float32{{1, 2}, {3, 5}} {
		must(t, second(tr.Gradients(t.Context(), b)))
		own, err := tr.Gradient("dense/kernel")
		must(t, err)
		equalBits(t, "the batch's own gradient", own, []float32{6, 6})
		must(t, tr.Apply(t.Context(), map[string][]float32{"dense/kernel": g}))
	}
	equalBits(t, "weights", m.Parameter("dense/kernel").Values(), []float32{-1, -1.5})
}

// While a Trainer is open no Fit and no other Trainer of the model begins; afterwards both do.
func TestTrainerIsAlone(t *testing.T) {
	m := smallText(t)
	tr := trainer(t, m, trainerOptions(optim.Adam{}))
	_, err := m.Fit(t.Context(), someReviews(t), longRun())
	wantError(t, err, "nn: a Trainer of the model is open: Trainer.Close ends it")
	_, err = m.NewTrainer(trainerOptions(optim.Adam{}))
	wantError(t, err, "nn: a Trainer of the model is open: Trainer.Close ends it")
	wantError(t, m.SetFrozen(nil), "nn: what trains cannot change while a Trainer of the model is open: Trainer.Close ends it")
	wantError(t, m.SetStorage("dense/bias", plan.Float32Storage{0, 0, 0, 0, 0, 0}), `nn: the storage of "dense/bias" cannot change while a Trainer of the model is open: Trainer.Close ends it`)
	must(t, tr.Close())
	wantError(t, second(tr.Step(t.Context(), batches(t)[0])), "nn: the Trainer is closed")
	_, err = m.Fit(t.Context(), someReviews(t), longRun())
	must(t, err)
}

// A loss that is NaN is a LossError, and the step is not taken.
func TestTrainerLossError(t *testing.T) {
	m := smallText(t)
	bad := m.Weights(nil)
	bad[3][0] = nan
	must(t, m.SetStorage(m.Parameters()[3].Name(), plan.Float32Storage(slices.Clone(bad[3]))))
	tr := trainer(t, m, trainerOptions(optim.Adam{}))
	defer tr.Close()
	var lost *nn.LossError
	if _, err := tr.Step(t.Context(), batches(t)[0]); !errors.As(err, &lost) || !math.IsNaN(lost.Loss) {
		t.Errorf("error %v", err)
	}
	sameBits(t, "weights", m.Weights(nil), bad)
}

// The state of a Trainer goes on in another.
func TestTrainerState(t *testing.T) {
	whole, m := noisyText(t), noisyText(t)
	one := trainer(t, whole, trainerOptions(optim.Nadam{}))
	state := &nn.TrainingState{}
	for i, b := range batches(t) {
		must(t, second(one.Step(t.Context(), b)))
		o := trainerOptions(optim.Nadam{})
		o.State = state
		each := trainer(t, m, o)
		must(t, second(each.Step(t.Context(), b)))
		must(t, each.Close())
		if state.Groups[0].Step != i+1 {
			t.Fatalf("step %d, want %d", state.Groups[0].Step, i+1)
		}
	}
	must(t, one.Close())
	sameBits(t, "weights", m.Weights(nil), whole.Weights(nil))
}

// A Trainer that cannot begin leaves the state as it was given, for another to begin with.
func TestTrainerThatFailsLeavesState(t *testing.T) {
	m, state := smallText(t), &nn.TrainingState{}
	o := trainerOptions(optim.SGD{LearningRate: 1})
	o.State, o.Groups = state, []nn.Group{{Parameters: []string{"nobody"}}}
	tr := trainer(t, m, o)
	if _, err := tr.Step(t.Context(), batches(t)[0]); err == nil {
		t.Error("a group without parameters")
	}
	must(t, tr.Close())
	before := m.Weights(nil)
	o.Groups = []nn.Group{{Parameters: []string{"dense/*"}}}
	tr = trainer(t, m, o)
	must(t, second(tr.Step(t.Context(), batches(t)[0])))
	must(t, tr.Close())
	if slices.Equal(before[1], m.Weights(nil)[1]) {
		t.Error("the step has changed nothing")
	}
}

// Gradients that Apply has not used when the Trainer is closed are forgotten, and those of earlier batches are not.
func TestTrainerClosedBetweenGradientsAndApply(t *testing.T) {
	states := make([]nn.TrainingState, 2)
	for i := range states {
		o := trainerOptions(optim.SGD{LearningRate: 1, Shared: optim.Shared{AccumulateSteps: 3}})
		o.State = &states[i]
		tr := trainer(t, smallText(t), o)
		must(t, second(tr.Step(t.Context(), batches(t)[0])))
		if i == 1 {
			must(t, second(tr.Gradients(t.Context(), batches(t)[1])))
		}
		must(t, tr.Close())
	}
	for name, g := range states[0].Gradients {
		equalBits(t, name, states[1].Gradients[name], g)
	}
}

// Before the first batch the rate is that of the state.
func TestTrainerLearningRateOfState(t *testing.T) {
	schedule := optim.ExponentialDecay{InitialLearningRate: 1, DecaySteps: 1, DecayRate: 0.5}
	for _, by := range []nn.Optimizer{optim.SGD{Schedule: schedule}, optim.SGD{LearningRate: 0.25}} {
		o := trainerOptions(by)
		o.State = &nn.TrainingState{}
		m := smallText(t)
		tr := trainer(t, m, o)
		must(t, second(tr.Step(t.Context(), batches(t)[0])))
		want, err := tr.LearningRate()
		must(t, err)
		must(t, tr.Close())
		tr = trainer(t, m, o)
		got, err := tr.LearningRate()
		must(t, err)
		must(t, tr.Close())
		if got != want {
			t.Errorf("%+v: rate %v, want %v", by, got, want)
		}
	}
}

// Gradients of more batches than make a step are not taken for those of a step.
func TestStateOfMoreAccumulatedBatches(t *testing.T) {
	o := trainerOptions(optim.SGD{Shared: optim.Shared{AccumulateSteps: 4}})
	o.State = &nn.TrainingState{}
	m := smallText(t)
	tr := trainer(t, m, o)
	for range 3 {
		must(t, second(tr.Step(t.Context(), batches(t)[0])))
	}
	must(t, tr.Close())
	o.Optimizer = optim.SGD{Shared: optim.Shared{AccumulateSteps: 2}}
	tr = trainer(t, m, o)
	defer tr.Close()
	if _, err := tr.Step(t.Context(), batches(t)[0]); err == nil {
		t.Error("no error")
	}
}
