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

// A state from which a part was taken, or which has one of something else, is an error that names it, and changes nothing.
// A state at the start may lack everything.
func TestIncompleteStates(t *testing.T) {
	options := func(s *nn.TrainingState) nn.FitOptions {
		o := longRun()
		o.BatchSize, o.ValidationSplit, o.State, o.Callbacks = 8, 0, s, nil
		o.Optimizer = optim.SGD{Momentum: 0.5, Shared: optim.Shared{Average: true, AccumulateSteps: 2}}
		return o
	}
	large := func(t *testing.T) *nn.Model {
		return sequential(t, nn.Tokens(nn.AnyLength), layers.Embedding{Vocabulary: largeRows, Dim: largeDim}, layers.GlobalAveragePooling1D{},
			layers.Dense{Units: 1, Activation: layers.Sigmoid})
	}
	stop := errors.New("the process ends")
	taken := func(t *testing.T, m *nn.Model, o nn.FitOptions) *nn.TrainingState {
		var state *nn.TrainingState
		o.Callbacks = []nn.Callback{plan.CallbackFunc(func(e plan.Event, tr plan.Training) (err error) {
			if e == plan.BatchDone && tr.Step() == 2 {
				if state, err = tr.State(); err == nil {
					err = stop
				}
			}
			return err
		})}
		if _, err := m.Fit(t.Context(), someReviews(t), o); !errors.Is(err, stop) {
			t.Fatal(err)
		}
		return elsewhere(t, state)
	}
	for want, spoil := range map[string]func(s *nn.TrainingState){
		`nn: the training state has no slots of "dense/kernel" after 1 steps of sgd`:                     func(s *nn.TrainingState) { delete(s.Slots, "dense/kernel") },
		`nn: the training state has no slots of "embedding/embeddings" after 1 steps of sgd`:             func(s *nn.TrainingState) { s.Slots = nil },
		`nn: the training state has no average of "dense_1/bias" after 1 steps of sgd`:                   func(s *nn.TrainingState) { delete(s.Averages, "dense_1/bias") },
		`nn: the training state has no average of "embedding/embeddings" after 1 steps of sgd`:           func(s *nn.TrainingState) { s.Averages = nil },
		`nn: the training state has no gradients of "dense/bias", of the 1 batches that wait for a step`: func(s *nn.TrainingState) { delete(s.Gradients, "dense/bias") },
		`nn: the training state has slots of "dense/gamma", which the model does not train`:              func(s *nn.TrainingState) { s.Slots["dense/gamma"] = [][]float32{{1}} },
		`nn: the training state has an average of "dense/gamma", which the model does not train`:         func(s *nn.TrainingState) { s.Averages["dense/gamma"] = []float32{1} },
		`nn: the training state has gradients of "dense/gamma", which the model does not train`:          func(s *nn.TrainingState) { s.Gradients["dense/gamma"] = []float32{1} },
		`nn: the training state has rows of "dense/gamma", which the model does not train`:               func(s *nn.TrainingState) { s.Rows = map[string]*plan.RowSlots{"dense/gamma": {}} },
		`nn: the training state has slots of "dense/bias" twice`:                                         func(s *nn.TrainingState) { s.Rows = map[string]*plan.RowSlots{"dense/bias": {}} },
		"": func(*nn.TrainingState) {},
	} {
		s := taken(t, smallText(t), options(nil))
		spoil(s)
		m := smallText(t)
		before := m.Weights(nil)
		_, err := m.Fit(t.Context(), someReviews(t), options(s))
		if want == "" {
			must(t, err)
			continue
		}
		wantError(t, err, want)
		sameBits(t, want, m.Weights(nil), before)
	}

	o := options(nil)
	o.Optimizer = optim.Adam{}
	s := taken(t, large(t), o)
	delete(s.Rows, "embedding/embeddings")
	o.State = s
	_, err := large(t).Fit(t.Context(), someReviews(t), o)
	wantError(t, err, `nn: the training state has no slots of "embedding/embeddings" after 3 steps of adam`)

	o = options(&nn.TrainingState{Version: plan.StateVersion, Groups: []plan.GroupState{{}}})
	_, err = smallText(t).Fit(t.Context(), someReviews(t), o)
	must(t, err)
}

// A parameter that one run keeps as it is can be trained in the next one, from the state that went to another process.
func TestThawedParametersGoOn(t *testing.T) {
	for name, freeze := range map[string]func(m *nn.Model, o *nn.FitOptions, frozen bool){
		"group": func(_ *nn.Model, o *nn.FitOptions, frozen bool) {
			o.Groups = []nn.Group{{Parameters: []string{"embedding/*"}, Frozen: frozen}}
		},
		"model": func(m *nn.Model, _ *nn.FitOptions, frozen bool) {
			_, err := m.SetTrainable("embedding/*", !frozen)
			must(t, err)
		},
	} {
		m := smallText(t)
		before := m.Weights(nil)
		state := &nn.TrainingState{}
		for epochs, frozen := range []bool{true, false, true, false} {
			o := longRun()
			o.Epochs, o.State, o.Callbacks = epochs+1, state, nil
			o.Optimizer = optim.Adam{Shared: optim.Shared{Average: true, AccumulateSteps: 3}}
			freeze(m, &o, frozen)
			_, err := m.Fit(t.Context(), someReviews(t), o)
			if err != nil {
				t.Fatalf("%s, epoch %d: %v", name, epochs, err)
			}
			if epochs == 0 {
				equalBits(t, name, m.Weights(nil)[0], before[0])
			}
			state = elsewhere(t, state)
		}
	}
}
