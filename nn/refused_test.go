package nn_test

import (
	"errors"
	"testing"

	"github.com/linnet-ml/linnet/callbacks"
	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/loss"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optim"
	"github.com/linnet-ml/linnet/tensor"
)

// Rows without steps never panic: layers make nothing of them, or refuse them.
func TestRowsWithoutSteps(t *testing.T) {
	dense := layers.Dense{Units: 2}
	for name, spec := range map[string][]nn.Layer{
		"folded":             {layers.Embedding{Vocabulary: 5, Dim: 3}, layers.TimeDistributed{Layer: dense}},
		"folded, masked":     {layers.Embedding{Vocabulary: 5, Dim: 3, MaskZero: true}, layers.TimeDistributed{Layer: dense}},
		"masked output":      {layers.Embedding{Vocabulary: 5, Dim: 3, MaskZero: true}, layers.LayerNormalization{}, layers.Dense{Units: 1}},
		"averaged":           {layers.Embedding{Vocabulary: 5, Dim: 3}, layers.GlobalAveragePooling1D{}},
		"recurrent":          {layers.Embedding{Vocabulary: 5, Dim: 3}, layers.LSTM{Units: 2}},
		"attention":          {layers.Embedding{Vocabulary: 5, Dim: 3}, layers.MultiHeadAttention{NumHeads: 1, KeyDim: 2}},
		"convolved":          {layers.Embedding{Vocabulary: 5, Dim: 3}, layers.Conv1D{Filters: 2, KernelSize: 1}},
		"normalised, masked": {layers.Embedding{Vocabulary: 5, Dim: 3, MaskZero: true}, layers.BatchNormalization{}},
	} {
		m := sequential(t, nn.Tokens(nn.AnyLength), spec...)
		x := array(t, []int32{}, 4, 0)
		o := nn.FitOptions{Optimizer: optim.SGD{}, Loss: loss.MeanSquaredError{}}
		for way, err := range map[string]error{
			"Predict": second2(m.Predict(t.Context(), x, nn.PredictOptions{})),
			"Fit":     second2(m.Fit(t.Context(), nn.Data{X: x, Y: array(t, []float32{}, 4, 0, 1)}, o)),
		} {
			if p := (*nn.PanicError)(nil); errors.As(err, &p) {
				t.Errorf("%s, %s: %v", name, way, err)
			}
		}
	}
}

// A row of more elements than can be counted is an error of Build.
func TestRowsThatCannotBeCounted(t *testing.T) {
	const large = 1 << 20
	_, err := nn.NewSequential(layers.Flatten{}, layers.Dense{Units: 1}).Build(t.Context(), nn.Features(large, large, large, large), nn.BuildOptions{})
	if !errors.Is(err, tensor.ErrShape) {
		t.Errorf("error %v", err)
	}
}

// A state that is refused, whatever for, leaves the model as it was.
func TestRefusedStatesChangeNothing(t *testing.T) {
	taken := func(t *testing.T) *nn.TrainingState {
		var state *nn.TrainingState
		o := longRun()
		o.BatchSize, o.ValidationSplit = 8, 0
		o.Callbacks = []nn.Callback{callbacks.EarlyStopping{Monitor: "loss"}, plan.CallbackFunc(func(e plan.Event, tr plan.Training) (err error) {
			if e == plan.BatchDone && tr.Step() == 2 && tr.Epoch() == 0 {
				state, err = tr.State()
			}
			return err
		})}
		_, err := smallText(t).Fit(t.Context(), someReviews(t), o)
		must(t, err)
		return state
	}
	for name, spoil := range map[string]func(s *nn.TrainingState){
		"batch":         func(s *nn.TrainingState) { s.Batch = 1000 },
		"no groups":     func(s *nn.TrainingState) { s.Groups = nil },
		"groups":        func(s *nn.TrainingState) { s.Groups = append(s.Groups, s.Groups...) },
		"sums":          func(s *nn.TrainingState) { s.Measured = nil },
		"callbacks":     func(s *nn.TrainingState) { s.Callbacks[0].Kind = "Other" },
		"more":          func(s *nn.TrainingState) { s.Callbacks = append(s.Callbacks, s.Callbacks...) },
		"callback":      func(s *nn.TrainingState) { s.Callbacks[0].Values = []byte("[]") },
		"slots":         func(s *nn.TrainingState) { s.Slots["dense/bias"] = s.Slots["dense/bias"][:1] },
		"accumulated":   func(s *nn.TrainingState) { s.Accumulated = 3 },
		"no gradients":  func(s *nn.TrainingState) { s.Accumulated, s.Gradients = 1, nil },
		"unknown":       func(s *nn.TrainingState) { s.Weights["dense/gamma"] = []float32{1} },
		"weights' size": func(s *nn.TrainingState) { s.Weights["dense/bias"] = []float32{1} },
	} {
		s := taken(t)
		spoil(s)
		m := smallText(t)
		before := m.Weights(nil)
		o := longRun()
		o.BatchSize, o.ValidationSplit, o.State = 8, 0, s
		o.Callbacks = []nn.Callback{callbacks.EarlyStopping{Monitor: "loss"}}
		if _, err := m.Fit(t.Context(), someReviews(t), o); err == nil {
			t.Errorf("%s: no error", name)
		}
		sameBits(t, name, m.Weights(nil), before)
	}
}

// A run that was stopped after its last epoch, before its end, ends when it goes on: the best weights come back.
func TestRunThatHasOnlyToEnd(t *testing.T) {
	options := func() nn.FitOptions {
		o := longRun()
		o.Epochs, o.Callbacks = 4, []nn.Callback{callbacks.EarlyStopping{Monitor: "loss", Patience: 9, RestoreBest: true}}
		o.Optimizer = optim.SGD{LearningRate: 50} // it gets worse
		return o
	}
	whole := smallText(t)
	h, err := whole.Fit(t.Context(), someReviews(t), options())
	must(t, err)
	stop := errors.New("the process ends")
	var state *nn.TrainingState
	o := options()
	o.Callbacks = append(o.Callbacks, plan.CallbackFunc(func(e plan.Event, tr plan.Training) (err error) {
		if e == plan.EpochDone && tr.Epoch() == 3 {
			if state, err = tr.State(); err == nil {
				err = stop
			}
		}
		return err
	}))
	if _, err = smallText(t).Fit(t.Context(), someReviews(t), o); !errors.Is(err, stop) {
		t.Fatal(err)
	}
	m := smallText(t)
	o = options()
	o.State = elsewhere(t, state)
	past, err := m.Fit(t.Context(), someReviews(t), o)
	must(t, err)
	sameBits(t, "weights", m.Weights(nil), whole.Weights(nil))
	if asJSON(t, past) != asJSON(t, h) {
		t.Errorf("history %s, want %s", asJSON(t, past), asJSON(t, h))
	}
}

// What would ruin weights in silence is an error: gradients that are not finite, storages whose parts do not fit, weights
// of classes for several outputs.
func TestWhatWouldRuinWeights(t *testing.T) {
	m := smallText(t)
	before := m.Weights(nil)
	wantError(t, m.SetStorage("dense/kernel", &plan.Int8Storage{Values: make([]int8, 24)}),
		`nn: parameter "dense/kernel": plan: 24 elements and 0 scales are not rows of 0`)
	tr := trainer(t, m, trainerOptions(optim.SGD{}))
	must(t, second(tr.Gradients(t.Context(), batches(t)[0])))
	wantError(t, tr.Apply(t.Context(), map[string][]float32{"dense_1/bias": {nan}}), `nn: element 0 of the gradient of "dense_1/bias" is NaN`)
	must(t, tr.Close())
	sameBits(t, "weights", m.Weights(nil), before)

	g := &nn.Graph{}
	x := g.Input("x", nn.Features(2))
	g.Output("a", g.Apply(layers.Dense{Units: 1}, x))
	g.Output("b", g.Apply(layers.Dense{Units: 1}, x))
	two, err := g.Build(t.Context(), nn.BuildOptions{})
	must(t, err)
	y := waves(t, 3, 1)
	_, err = two.Fit(t.Context(), nn.Data{X: waves(t, 3, 2), Labels: map[string]tensor.Rows{"a": y, "b": y}}, nn.FitOptions{Optimizer: optim.SGD{},
		Outputs:     map[string]nn.OutputOptions{"a": {Loss: loss.MeanSquaredError{}}, "b": {Loss: loss.MeanSquaredError{}}},
		ClassWeight: map[int]float32{0: 2}})
	wantError(t, err, "nn: ClassWeight is for a model with one output; those of several get weights in OutputWeights")
}
