package nn_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/linnet-ml/linnet/callbacks"
	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/loss"
	"github.com/linnet-ml/linnet/metrics"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optim"
	"github.com/linnet-ml/linnet/optional"
	"github.com/linnet-ml/linnet/tensor"
)

// elsewhere is what another process has of a state: it leaves this one as bytes and arrays that share nothing with it.
func elsewhere(t *testing.T, s *nn.TrainingState) *nn.TrainingState {
	t.Helper()
	e, err := s.Encode()
	must(t, err)
	copied := plan.Encoded{JSON: append([]byte(nil), e.JSON...), Assets: map[string]tensor.Rows{}}
	for name, x := range e.Assets {
		switch x := x.(type) {
		case *tensor.Float32:
			copied.Assets[name] = array(t, append([]float32{}, x.Data()...), x.Shape()...)
		case *tensor.Int32:
			copied.Assets[name] = array(t, append([]int32{}, x.Data()...), x.Shape()...)
		default:
			t.Fatalf("asset %q is a %T", name, x)
		}
	}
	back, err := plan.DecodeState(t.Context(), copied)
	must(t, err)
	return back
}

// stateful are models and settings with every kind of state that a run has.
func stateful() map[string]struct {
	spec []nn.Layer
	o    func() nn.FitOptions
} {
	fit := func(o nn.Optimizer, list ...nn.Callback) func() nn.FitOptions {
		return func() nn.FitOptions {
			return nn.FitOptions{Optimizer: o, Loss: loss.BinaryCrossentropy{}, Metrics: []nn.Metric{metrics.Accuracy{}, metrics.Mean{}},
				BatchSize: 8, ValidationSplit: 0.2, Epochs: 6, Callbacks: list, Threads: 2}
		}
	}
	small := []nn.Layer{
		layers.Embedding{Vocabulary: smallVocabulary, Dim: 4}, layers.GlobalAveragePooling1D{}, layers.Dropout{Rate: 0.4},
		layers.Dense{Units: 6, Activation: layers.ReLU, KernelRegularizer: layers.L2{}, KernelConstraint: layers.MaxNorm{MaxValue: 1}},
		layers.BatchNormalization{}, layers.Dense{Units: 1, Activation: layers.Sigmoid},
	}
	large := []nn.Layer{
		layers.Embedding{Vocabulary: largeRows, Dim: largeDim}, layers.GlobalAveragePooling1D{}, layers.Dropout{Rate: 0.4},
		layers.Dense{Units: 1, Activation: layers.Sigmoid},
	}
	return map[string]struct {
		spec []nn.Layer
		o    func() nn.FitOptions
	}{
		"schedule": {small, fit(optim.Adam{Schedule: optim.CosineDecay{InitialLearningRate: 0.05, DecaySteps: 20}})},
		"callbacks": {small, fit(optim.Nadam{LearningRate: 0.05},
			callbacks.ReduceLROnPlateau{Monitor: "loss", Factor: 0.5, Patience: optional.Of(1), MinDelta: optional.Of(0.5)},
			callbacks.EarlyStopping{Monitor: "val_loss", Patience: 2, RestoreBest: true})},
		"shared": {small, fit(optim.RMSprop{LearningRate: 0.01, Momentum: 0.5, Shared: optim.Shared{GlobalClipNorm: 0.1, WeightDecay: 0.01,
			NoDecay: []string{"*/bias"}, Average: true, AverageEvery: 7, AccumulateSteps: 2}})},
		"first values":             {small, fit(optim.Adagrad{LearningRate: 0.1})},
		"large table":              {large, fit(optim.Adam{LearningRate: 0.05}, callbacks.EarlyStopping{Monitor: "val_loss", Patience: 3, RestoreBest: true})},
		"large table, accumulated": {large, fit(optim.Adagrad{LearningRate: 0.05, Shared: optim.Shared{AccumulateSteps: 3}})},
	}
}

// A run that stops after any epoch or batch, in whose place another goes on in another process from the state at that
// moment, ends with the bits of a run that was never stopped: weights, history, and what callbacks decide.
func TestRunsGoOnFromAState(t *testing.T) {
	stop := errors.New("the process ends")
	for name, c := range stateful() {
		t.Run(name, func(t *testing.T) {
			whole := sequential(t, nn.Tokens(nn.AnyLength), c.spec...)
			h, err := whole.Fit(t.Context(), someReviews(t), c.o())
			must(t, err)
			for _, at := range []struct {
				event       plan.Event
				epoch, step int
			}{{plan.EpochDone, 0, -1}, {plan.EpochDone, 2, -1}, {plan.BatchDone, 0, 0}, {plan.BatchDone, 1, 2}, {plan.BatchDone, 2, 4}} {
				if at.epoch >= len(h.Epochs) {
					continue
				}
				var state *nn.TrainingState
				o := c.o()
				o.Callbacks = append(o.Callbacks, plan.CallbackFunc(func(e plan.Event, tr plan.Training) (err error) {
					if e != at.event || tr.Epoch() != at.epoch || (at.step >= 0 && tr.Step() != at.step) {
						return nil
					}
					if state, err = tr.State(); err != nil {
						return err
					}
					return stop
				}))
				_, err := sequential(t, nn.Tokens(nn.AnyLength), c.spec...).Fit(t.Context(), someReviews(t), o)
				if !errors.Is(err, stop) {
					t.Fatal(err)
				}
				m := sequential(t, nn.Tokens(nn.AnyLength), c.spec...)
				must(t, m.SetWeights(doubled(m.Weights(nil)))) // the state brings its own
				o = c.o()
				o.State, o.Threads = elsewhere(t, state), 1
				got, err := m.Fit(t.Context(), someReviews(t), o)
				must(t, err)
				what := fmt.Sprintf("%v %d/%d", at.event, at.epoch, at.step)
				sameBits(t, what, m.Weights(nil), whole.Weights(nil))
				if diff := cmp.Diff(asJSON(t, h), asJSON(t, got)); diff != "" {
					t.Errorf("%s: history: %s", what, diff)
				}
			}
		})
	}
}

// The state that Fit leaves goes on with the weights that the model has.
func TestFitLeavesAState(t *testing.T) {
	all := stateful()
	// At the end of these runs the weights of the best epoch, or averages, take the place of those that training goes on from.
	delete(all, "callbacks")
	delete(all, "large table")
	delete(all, "shared")
	for name, c := range all {
		t.Run(name, func(t *testing.T) {
			whole, m := sequential(t, nn.Tokens(nn.AnyLength), c.spec...), sequential(t, nn.Tokens(nn.AnyLength), c.spec...)
			o := c.o()
			h, err := whole.Fit(t.Context(), someReviews(t), o)
			must(t, err)
			state := &nn.TrainingState{}
			var got any
			for _, epochs := range []int{1, 2, 6} {
				o := c.o()
				state = elsewhere(t, state)
				o.Epochs, o.State = epochs, state
				past, err := m.Fit(t.Context(), someReviews(t), o)
				must(t, err)
				got = asJSON(t, past)
			}
			sameBits(t, name, m.Weights(nil), whole.Weights(nil))
			if diff := cmp.Diff(asJSON(t, h), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A state that no run has left is an error before anything is trained, and nothing changes.
func TestBadStates(t *testing.T) {
	base := func(t *testing.T) *nn.TrainingState {
		s := &nn.TrainingState{}
		o := longRun()
		o.State, o.Epochs, o.Optimizer = s, 1, optim.Adam{}
		_, err := smallText(t).Fit(t.Context(), someReviews(t), o)
		must(t, err)
		return s
	}
	for want, spoil := range map[string]func(s *nn.TrainingState){
		"nn: the training state has version 2; this version of linnet reads 1":                                 func(s *nn.TrainingState) { s.Version = 2 },
		"nn: the training state has the epoch -1, which is not from 0 to 1073741823":                           func(s *nn.TrainingState) { s.Epoch = -1 },
		"nn: the training state has the batch -5, which is not from 0 to 1073741823":                           func(s *nn.TrainingState) { s.Batch = -5 },
		"nn: the training state of optimizer 0: step -3":                                                       func(s *nn.TrainingState) { s.Groups[0].Step = -3 },
		"nn: the training state of optimizer 0: a learning rate of NaN":                                        func(s *nn.TrainingState) { s.Groups[0].Rate = nan },
		"nn: the training state has 3 optimizers, and this run 1":                                              func(s *nn.TrainingState) { s.Groups = append(s.Groups, s.Groups[0], s.Groups[0]) },
		`nn: the training state's slots of "dense/bias": velocity is -1 at element 2 and must not be negative`: func(s *nn.TrainingState) { s.Slots["dense/bias"][1][2] = -1 },
		`nn: the training state's slots of "dense/bias": momentum is NaN at element 0`:                         func(s *nn.TrainingState) { s.Slots["dense/bias"][0][0] = nan },
		`nn: the training state's slots of "dense/kernel" are not those of adam for 24 elements`:               func(s *nn.TrainingState) { s.Slots["dense/kernel"][0] = nil },
		`nn: the training state has no weights of "embedding/embeddings"`:                                      func(s *nn.TrainingState) { s.Weights = map[string][]float32{} },
		`nn: the training state's weights of "dense/bias" have +Inf at element 1`: func(s *nn.TrainingState) {
			s.Weights = map[string][]float32{"dense/bias": {0, inf, 0, 0, 0, 0}}
		},
	} {
		s := base(t)
		spoil(s)
		m := smallText(t)
		before := m.Weights(nil)
		o := longRun()
		o.State, o.Epochs, o.InitialEpoch, o.Optimizer = s, 5, 0, optim.Adam{}
		_, err := m.Fit(t.Context(), someReviews(t), o)
		wantError(t, err, want)
		sameBits(t, want, m.Weights(nil), before)
	}
	s := base(t)
	for _, c := range []struct {
		epochs, initial int
		want            string
	}{
		{3, 2, "nn: InitialEpoch 2 is not the epoch that the training state goes on with, 1"},
	} {
		o := longRun()
		o.State, o.Epochs, o.InitialEpoch, o.Optimizer = s, c.epochs, c.initial, optim.Adam{}
		_, err := smallText(t).Fit(t.Context(), someReviews(t), o)
		wantError(t, err, c.want)
	}
	o := longRun()
	o.InitialEpoch, o.Epochs = 4, 2
	_, err := smallText(t).Fit(t.Context(), someReviews(t), o)
	wantError(t, err, "nn: Epochs 2 leaves nothing to train, since 4 are done (InitialEpoch)")
	o.InitialEpoch, o.Epochs = 4, 0
	h, err := smallText(t).Fit(t.Context(), someReviews(t), o)
	must(t, err)
	if len(h.Epochs) != 1 || h.Epochs[0] != 4 {
		t.Errorf("epochs %v", h.Epochs)
	}
}

// What is wrong with a state that was read is an error; nothing panics.
func TestDecodeStateErrors(t *testing.T) {
	values := array(t, []float32{1})
	for _, c := range []struct {
		json string
		name string
		x    tensor.Rows
	}{
		{"", "", nil}, {"null", "", nil}, {"[]", "", nil}, {`{"version":9}`, "", nil}, {`{"epoch":-1}`, "", nil}, {`{"epoch":9223372036854775807}`, "", nil},
		{`{"measured":[["x"]]}`, "", nil}, {`{"odd":{"loss":{"0":"0"}}}`, "", nil}, {`{"slots":{"a":3}}`, "", nil}, {`{"slots":{"a":-1}}`, "", nil},
		{`{}`, "weights", values}, {`{}`, "nothing/a", values}, {`{}`, "slot64/a", values}, {`{}`, "slot-1/a", values}, {`{}`, "slot9999999999999/a", values},
		{`{}`, "slot3/a", values}, {`{}`, "rowslot0/a", values}, {`{}`, "callback0/a", values}, {`{}`, "rows/a", values},
		{`{}`, "weights/a", array(t, []int32{1})}, {`{}`, "weights/a", array(t, []float32{nan})}, {`{}`, "weights/a", nil},
	} {
		e := plan.Encoded{JSON: []byte(c.json)}
		if c.name != "" {
			e.Assets = map[string]tensor.Rows{c.name: c.x}
		}
		if s, err := plan.DecodeState(t.Context(), e); err == nil {
			t.Errorf("%s with %q is no error: %+v", c.json, c.name, s)
		}
	}
	// Numbers that JSON lacks come back to the bit.
	s := &nn.TrainingState{Version: 1, Measured: [][]float64{{math.Inf(1), math.NaN(), math.Copysign(0, -1), 0.1}}}
	if diff := cmp.Diff(fmt.Sprint(s.Measured), fmt.Sprint(elsewhere(t, s).Measured)); diff != "" {
		t.Error(diff)
	}
}

func doubled(w [][]float32) [][]float32 {
	for _, v := range w {
		for i := range v {
			v[i] *= 2
		}
	}
	return w
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	must(t, err)
	return string(b)
}
