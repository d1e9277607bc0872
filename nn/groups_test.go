package nn_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/loss"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optim"
)

// A group has an optimizer of its own, with its own rate and steps; a frozen group stays.
func TestGroups(t *testing.T) {
	o := longRun()
	o.Optimizer = optim.SGD{LearningRate: 0.1}
	plain := smallText(t)
	_, err := plain.Fit(t.Context(), someReviews(t), o)
	must(t, err)

	m := smallText(t)
	before := m.Weights(nil)
	state := &nn.TrainingState{}
	o.State = state
	o.Groups = []nn.Group{{Parameters: []string{"embedding/*"}, Optimizer: optim.Adam{LearningRate: 0.01}}, {Parameters: []string{"dense_1/*"}, Frozen: true}}
	_, err = m.Fit(t.Context(), someReviews(t), o)
	must(t, err)
	for i, p := range m.Parameters() {
		if frozen := p.Name() == "dense_1/kernel" || p.Name() == "dense_1/bias"; frozen != slices.Equal(p.Values(), before[i]) {
			t.Errorf("%s: frozen %t", p.Name(), frozen)
		}
	}
	if len(state.Groups) != 3 || state.Groups[1].Optimizer != "adam" || state.Groups[0].Rate != 0.1 || state.Groups[1].Rate != 0.01 || state.Groups[1].Step != state.Groups[0].Step {
		t.Errorf("groups %+v", state.Groups)
	}
	// A group with the same optimizer as the others changes nothing.
	same := smallText(t)
	o.State, o.Groups = nil, []nn.Group{{Parameters: []string{"dense*/kernel"}}}
	_, err = same.Fit(t.Context(), someReviews(t), o)
	must(t, err)
	sameBits(t, "the same optimizer in two groups", same.Weights(nil), plain.Weights(nil))

	for want, groups := range map[string][]nn.Group{
		`nn: group 0: no trainable parameter matches ["conv/*"]`: {{Parameters: []string{"conv/*"}}},
		"nn: group 0 names no parameters":                        {{}},
		`nn: group 0: pattern "[": syntax error in pattern`:      {{Parameters: []string{"["}}},
		"nn: group 1 is frozen and has an optimizer":             {{Parameters: []string{"dense/*"}}, {Parameters: []string{"*"}, Frozen: true, Optimizer: optim.SGD{}}},
		"optim: sgd: LearningRate -1 is not a positive number":   {{Parameters: []string{"dense/*"}, Optimizer: optim.SGD{LearningRate: -1}}},
	} {
		o.Groups = groups
		_, err := smallText(t).Fit(t.Context(), someReviews(t), o)
		wantError(t, err, want)
	}
}

// SetTrainable freezes parameters after the build, and thaws them.
func TestSetTrainable(t *testing.T) {
	m := smallText(t)
	before := m.Weights(nil)
	if n, err := m.SetTrainable("embedding/*", false); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	_, err := m.Fit(t.Context(), someReviews(t), trains())
	must(t, err)
	if !slices.Equal(m.Weights(nil)[0], before[0]) || slices.Equal(m.Weights(nil)[1], before[1]) {
		t.Error("the frozen table moved, or the others did not")
	}
	_, err = m.SetTrainable("embedding/*", true)
	must(t, err)
	_, err = m.Fit(t.Context(), someReviews(t), trains())
	must(t, err)
	if slices.Equal(m.Weights(nil)[0], before[0]) {
		t.Error("the thawed table stays")
	}
	_, err = m.SetTrainable("nothing", true)
	wantError(t, err, `nn: no parameter matches "nothing"`)
}

// SetFrozen sets what Frozen lists, and changes nothing after an error.
func TestSetFrozen(t *testing.T) {
	m := sequential(t, nn.Features(2), layers.Dense{Units: 2}, layers.BatchNormalization{}, layers.Dense{Units: 1})
	must(t, m.SetFrozen([]string{"dense_1/bias", "dense/kernel"}))
	want := []string{"dense/kernel", "dense_1/bias"}
	for names, text := range map[string]string{
		"dense/bias,dense/*":                         `nn: the model has no parameter "dense/*"`,
		"dense/bias,dense/bias":                      `nn: parameter "dense/bias" is there twice`,
		"dense/bias,batch_normalization/moving_mean": `nn: the layer of parameter "batch_normalization/moving_mean" never trains it`,
	} {
		wantError(t, m.SetFrozen(strings.Split(names, ",")), text)
		if got := m.Frozen(); !slices.Equal(got, want) {
			t.Errorf("after an error %q are frozen, not %q", got, want)
		}
	}
	must(t, m.SetFrozen([]string{"dense/bias"}))
	if got := m.Frozen(); !slices.Equal(got, []string{"dense/bias"}) || !m.Parameter("dense/kernel").Trainable() {
		t.Errorf("%q are frozen", got)
	}
	must(t, m.SetFrozen(nil))
	if got := m.Frozen(); len(got) > 0 {
		t.Errorf("%q are frozen", got)
	}
}

// Regularizers enter the logged loss, in Fit and Evaluate alike, and move parameters: with a loss of 0 everywhere an L2
// penalty's gradient is all there is.
func TestRegularizersEnterTheLoss(t *testing.T) {
	const factor = 0.25
	m := sequential(t, nn.Features(2), layers.Dense{Units: 1, NoBias: true, KernelRegularizer: layers.L2{Factor: factor}})
	must(t, m.SetParameter("dense/kernel", []float32{2, -1}))
	d := nn.Data{X: array(t, []float32{0, 0, 0, 0}, 2, 2), Y: array(t, []float32{0, 0})}
	logs, err := m.Evaluate(t.Context(), d, nn.EvaluateOptions{Loss: loss.MeanSquaredError{}})
	must(t, err)
	if v, _ := logs.Get("loss"); v != factor*5 {
		t.Errorf("Evaluate logs %v, want %v", v, factor*5)
	}
	h, err := m.Fit(t.Context(), d, nn.FitOptions{Optimizer: optim.SGD{LearningRate: 0.5}, Loss: loss.MeanSquaredError{}, Epochs: 2})
	must(t, err)
	// w -= 0.5 · 2 · 0.25 · w in each epoch, which is one step.
	if v := h.Values("loss"); v[0] != factor*5 || math.Abs(v[1]-factor*5*0.75*0.75) > 1e-7 {
		t.Errorf("Fit logs %v", v)
	}
	equalBits(t, "weights", m.Weights(nil)[0], []float32{2 * 0.75 * 0.75, -1 * 0.75 * 0.75})
}

// A constraint acts after each step.
func TestConstraintsAct(t *testing.T) {
	m := sequential(t, nn.Features(2), layers.Dense{Units: 1, KernelConstraint: layers.NonNeg{}})
	_, err := m.Fit(t.Context(), nn.Data{X: array(t, []float32{1, 2, 3, 1}, 2, 2), Y: array(t, []float32{-9, -9})},
		nn.FitOptions{Optimizer: optim.SGD{LearningRate: 0.1}, Loss: loss.MeanSquaredError{}, Epochs: 5})
	must(t, err)
	for _, v := range m.Parameter("dense/kernel").Values() {
		if v < 0 {
			t.Errorf("the kernel has %v", v)
		}
	}
}

// A row of a large table and the same row of a small one do the same, whatever happens around the rule: decay, averages,
// clipping, accumulation, an optimizer that moves rows without a gradient.
func TestLargeTablesAreLikeSmallOnes(t *testing.T) {
	for name, o := range map[string]nn.Optimizer{
		"adam":          optim.Adam{LearningRate: 0.05},
		"adagrad":       optim.Adagrad{LearningRate: 0.05},
		"decay":         optim.AdamW{LearningRate: 0.05},
		"average":       optim.SGD{Momentum: 0.9, Shared: optim.Shared{Average: true, AverageEvery: 2}},
		"ftrl":          optim.Ftrl{LearningRate: 0.05},
		"clipped":       optim.Adam{LearningRate: 0.05, Shared: optim.Shared{ClipNorm: 0.01}},
		"all clipped":   optim.RMSprop{LearningRate: 0.05, Shared: optim.Shared{GlobalClipNorm: 0.01}},
		"value clipped": optim.Adam{LearningRate: 0.05, Shared: optim.Shared{ClipValue: 1e-3}},
		"accumulated":   optim.Nadam{LearningRate: 0.05, Shared: optim.Shared{AccumulateSteps: 3, ClipNorm: 0.01}},
	} {
		var want []float32
		for _, rows := range []int{smallVocabulary, largeRows} {
			for _, threads := range []int{1, 3} {
				table := layers.Embedding{Vocabulary: rows, Dim: largeDim, Init: layers.Constant{Value: 0.25}}
				m := sequential(t, nn.Tokens(nn.AnyLength), table, layers.GlobalAveragePooling1D{}, layers.Dense{Units: 1, Activation: layers.Sigmoid})
				_, err := m.Fit(t.Context(), someReviews(t), nn.FitOptions{Optimizer: o, Loss: loss.BinaryCrossentropy{}, BatchSize: 8, Epochs: 3, Threads: threads})
				must(t, err)
				got := m.Weights(nil)[0][:smallVocabulary*largeDim]
				if want == nil {
					want = slices.Clone(got)
				}
				equalBits(t, name, got, want)
			}
		}
	}
}

// A rate of 0 does not lose the ratio of the rates of two groups.
func TestGroupRateAfterZero(t *testing.T) {
	o := longRun()
	o.Optimizer, o.Epochs = optim.SGD{LearningRate: 0.5}, 2
	o.Groups = []nn.Group{{Parameters: []string{"dense/*"}, Optimizer: optim.SGD{LearningRate: 0.25}}}
	var first, then []float32
	o.Callbacks = []nn.Callback{plan.CallbackFunc(func(e plan.Event, tr plan.Training) error {
		switch {
		case e == plan.EpochBegin && tr.Epoch() == 0:
			return tr.SetLearningRate(0)
		case e == plan.EpochBegin:
			first = slices.Clone(tr.Model().Parameter("dense/kernel").Values())
			return tr.SetLearningRate(0.5)
		case e == plan.TrainEnd:
			then = tr.Model().Parameter("dense/kernel").Values()
		}
		return nil
	})}
	_, err := smallText(t).Fit(t.Context(), someReviews(t), o)
	must(t, err)
	if slices.Equal(first, then) {
		t.Error("the group's rate stays 0")
	}
}

// A run that freezes one large table and trains another leaves the first one's slots in the state.
func TestFrozenTableKeepsSlots(t *testing.T) {
	g := &nn.Graph{}
	words := g.Input("words", nn.Tokens(nn.AnyLength))
	average := func(name string) nn.Value {
		return g.Apply(layers.GlobalAveragePooling1D{}, g.Apply(layers.Embedding{Name: name, Vocabulary: largeRows, Dim: largeDim}, words))
	}
	g.Output("output", g.Apply(layers.Dense{Units: 1, Activation: layers.Sigmoid}, g.Apply(layers.Add{}, average("one"), average("other"))))
	m, err := g.Build(t.Context(), nn.BuildOptions{Seed: 1})
	must(t, err)
	state := nn.TrainingState{}
	o := newRowsOptions(optim.Adam{}, 1)
	o.State, o.Groups = &state, []nn.Group{{Parameters: []string{"other/*"}}}
	_, err = m.Fit(t.Context(), newRows(t, 3), o)
	must(t, err)
	if len(state.Rows) != 2 {
		t.Fatalf("slots of %d tables, want 2", len(state.Rows))
	}
	o.Groups[0].Frozen = true
	_, err = m.Fit(t.Context(), newRows(t, 3), o)
	must(t, err)
	if len(state.Rows) != 2 {
		t.Errorf("slots of %d tables are left, want 2", len(state.Rows))
	}
}
