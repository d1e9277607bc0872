package nn_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/loss"
	"github.com/linnet-ml/linnet/metrics"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optim"
	"github.com/linnet-ml/linnet/optional"
	"github.com/linnet-ml/linnet/tensor"
	"github.com/linnet-ml/linnet/text"
)

// fitted trains a model and returns its history as text, bit for bit, and its weights.
func fitted(t testing.TB, m *nn.Model, d nn.Source, o nn.FitOptions) (string, [][]float32) {
	t.Helper()
	h, err := m.Fit(t.Context(), d, o)
	must(t, err)
	text, err := json.Marshal(h)
	must(t, err)
	return string(text), m.Weights(nil)
}

// someReviews are 45 rows of 7 ids with their labels.
func someReviews(t testing.TB) nn.Data {
	t.Helper()
	x := ids(t, 45, 7)
	return nn.Data{X: x, Y: sides(t, x)}
}

// longRun is a Fit of 3 epochs of 5 steps, the last one short, with validation on 9 rows.
func longRun() nn.FitOptions {
	return nn.FitOptions{Optimizer: optim.Adam{LearningRate: 0.02}, Loss: loss.BinaryCrossentropy{}, Metrics: []nn.Metric{metrics.Accuracy{}},
		Epochs: 3, BatchSize: 8, ValidationSplit: 0.2, ValidationBatchSize: 4}
}

func TestFitIsSeeded(t *testing.T) {
	run := func(change func(o *nn.FitOptions)) (string, [][]float32) {
		o := longRun()
		change(&o)
		return fitted(t, noisyText(t), someReviews(t), o)
	}
	history, weights := run(func(*nn.FitOptions) {})
	again, sameWeights := run(func(o *nn.FitOptions) { o.Seed = optional.Of(uint64(3)) }) // the seed of the model, which is the default
	if again != history {
		t.Errorf("the same seed gives\n%s\nand\n%s", history, again)
	}
	sameBits(t, "weights of the same seed", sameWeights, weights)
	for name, change := range map[string]func(o *nn.FitOptions){
		"seed 0":    func(o *nn.FitOptions) { o.Seed = optional.Of(uint64(0)) },
		"seed 4":    func(o *nn.FitOptions) { o.Seed = optional.Of(uint64(4)) },
		"NoShuffle": func(o *nn.FitOptions) { o.NoShuffle = true },
	} {
		if other, _ := run(change); other == history {
			t.Errorf("%s gives the same history as the model's seed", name)
		}
	}
}

// stepOrders trains on rows that are their own numbers and returns the rows of each step: the loss of a step is the sum
// of powers of two, of which the rows can be told.
func stepOrders(t *testing.T, rows, epochs int, o nn.FitOptions) [][]int {
	t.Helper()
	x, y := make([]float32, rows), make([]float32, rows)
	for i := range x {
		x[i] = float32(math.Sqrt(float64(int(1) << (2 * i))))
	}
	m := sequential(t, nn.Features(1), layers.Dense{Units: 1, NoBias: true})
	must(t, m.SetWeights([][]float32{{1}}))
	var steps [][]int
	n := 0
	o.Optimizer, o.Loss, o.Epochs = optim.SGD{}, loss.MeanSquaredError{}, epochs
	o.Callbacks = []nn.Callback{plan.CallbackFunc(func(e plan.Event, tr plan.Training) error {
		switch e {
		case plan.TrainBegin:
			return tr.SetLearningRate(0)
		case plan.EpochBegin:
			n = 0
		case plan.BatchEnd:
			n += min(o.BatchSize, rows-n)
			mean, _ := tr.Logs().Get("loss")
			sum := uint64(math.Round(mean * float64(n)))
			var seen []int
			for i := range rows {
				if sum>>(2*i)&1 == 1 {
					seen = append(seen, i)
				}
			}
			steps = append(steps, seen) // of the epoch so far
		}
		return nil
	})}
	_, err := m.Fit(t.Context(), nn.Data{X: array(t, x, rows, 1), Y: array(t, y)}, o)
	must(t, err)
	return steps
}

func TestOrderOfRows(t *testing.T) {
	all := []int{0, 1, 2, 3, 4}
	got := stepOrders(t, 5, 2, nn.FitOptions{BatchSize: 2, NoShuffle: true})
	want := [][]int{{0, 1}, {0, 1, 2, 3}, all, {0, 1}, {0, 1, 2, 3}, all}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("NoShuffle: %s", d)
	}
	got = stepOrders(t, 5, 2, nn.FitOptions{BatchSize: 2, Order: func(epoch int) []int32 {
		return [][]int32{{4, 0, 2, 3, 1}, {3, 1, 0, 4, 2}}[epoch]
	}})
	want = [][]int{{0, 4}, {0, 2, 3, 4}, all, {1, 3}, {0, 1, 3, 4}, all}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("Order: %s", d)
	}
	got = stepOrders(t, 12, 4, nn.FitOptions{BatchSize: 4})
	firsts := map[string]bool{}
	for e := range 4 {
		if len(got[3*e+2]) != 12 {
			t.Errorf("epoch %d has rows %v, not all", e, got[3*e+2])
		}
		firsts[fmt.Sprint(got[3*e])] = true
	}
	if len(firsts) < 3 {
		t.Errorf("4 shuffled epochs begin with %v", firsts)
	}
}

// Three epochs in one run, or two and one that goes on where they ended, give the same bits: shuffling, the noise of
// Dropout and the optimizer's moments go on too.
func TestResumedFitIsExact(t *testing.T) {
	for name, optimizer := range map[string]nn.Optimizer{
		"adam": optim.Adam{LearningRate: 0.02}, "sgd": optim.SGD{Momentum: 0.9}, "rmsprop": optim.RMSprop{Momentum: 0.5, Centered: true},
	} {
		o := longRun()
		o.Optimizer = optimizer
		whole := noisyText(t)
		h, err := whole.Fit(t.Context(), someReviews(t), o)
		must(t, err)

		m, state := noisyText(t), nn.TrainingState{}
		o.State, o.Epochs = &state, 2
		first, err := m.Fit(t.Context(), someReviews(t), o)
		must(t, err)
		if state.Groups[0].Step != 10 {
			t.Errorf("%s: the state is of step %d, want 10", name, state.Groups[0].Step)
		}
		// The weights and the state are all that goes over to the second run.
		other := noisyText(t)
		must(t, other.SetWeights(m.Weights(nil)))
		o.InitialEpoch, o.Epochs = 2, 3
		second, err := other.Fit(t.Context(), someReviews(t), o)
		must(t, err)
		sameBits(t, name, other.Weights(nil), whole.Weights(nil))
		// The history of the second run has that of the first.
		if !slices.Equal(first.Epochs, h.Epochs[:2]) || !slices.Equal(second.Epochs, h.Epochs) {
			t.Errorf("%s: epochs %v and %v, want %v", name, first.Epochs, second.Epochs, h.Epochs)
		}
		for _, log := range h.Names() {
			if got := second.Values(log); !slices.Equal(got, h.Values(log)) {
				t.Errorf("%s: %s %v, want %v", name, log, got, h.Values(log))
			}
		}
	}
}

// The last rows are set apart, before any shuffle, as many as Keras takes.
func TestValidationSplit(t *testing.T) {
	for _, c := range []struct {
		split float64
		train int
	}{{0.2, 36}, {0.21, 35}, {0.5, 22}, {0.001, 44}, {0.97, 1}} {
		d := someReviews(t)
		o := longRun()
		o.ValidationSplit = c.split
		got, weights := fitted(t, noisyText(t), d, o)

		x, y := d.X.(*tensor.Int32), d.Y.(*tensor.Int32)
		o = longRun()
		o.ValidationSplit, o.Validation = 0, &nn.Data{X: x.Rows(c.train, 45), Y: y.Rows(c.train, 45)}
		want, wantWeights := fitted(t, noisyText(t), nn.Data{X: x.Rows(0, c.train), Y: y.Rows(0, c.train)}, o)
		if got != want {
			t.Errorf("split %v:\n%s\nwant\n%s", c.split, got, want)
		}
		sameBits(t, fmt.Sprint("split ", c.split), weights, wantWeights)
	}
}

// lines is the model y = a·x of which losses and gradients are easily computed by hand, with a = 2.
func lines(t testing.TB) *nn.Model {
	m := sequential(t, nn.Features(1), layers.Dense{Units: 1, NoBias: true})
	must(t, m.SetWeights([][]float32{{2}}))
	return m
}

// Rows 1, 2 and 3 with labels 0 make losses 4x² = 4, 16 and 36. The short last batch counts by its rows, and its
// gradient, 2·2·x² = 36, is divided by its own number of rows.
func TestShortLastBatch(t *testing.T) {
	m := lines(t)
	o := nn.FitOptions{Optimizer: optim.SGD{LearningRate: 1.0 / 64}, Loss: loss.MeanSquaredError{}, BatchSize: 2, NoShuffle: true}
	h, err := m.Fit(t.Context(), nn.Data{X: array(t, []float32{1, 2, 3}, 3, 1), Y: array(t, make([]float32, 3))}, o)
	must(t, err)
	a := 2 - (4.0+16.0)/2/64 // after the first step; the gradient of (ax)² is 2ax²
	want := (4 + 16 + a*a*9) / 3
	if got := h.Values("loss"); len(got) != 1 || math.Abs(got[0]-want) > 1e-6 {
		t.Errorf("loss %v, want %v", got, want)
	}
	if got, want := float64(m.Weights(nil)[0][0]), a-2*a*9/64; math.Abs(got-want) > 1e-6 {
		t.Errorf("weight %v, want %v", got, want)
	}
}

// Weighted losses are divided by the number of rows, not by the sum of the weights, and so are their gradients.
func TestSampleWeights(t *testing.T) {
	d := nn.Data{X: array(t, []float32{1, 2}, 2, 1), Y: array(t, make([]float32, 2)), Weights: []float32{3, 0.5}}
	m := lines(t)
	o := nn.FitOptions{Optimizer: optim.SGD{LearningRate: 1.0 / 64}, Loss: loss.MeanSquaredError{}, Validation: d,
		Metrics: []nn.Metric{metrics.Mean{}}, WeightedMetrics: []nn.Metric{metrics.Mean{As: "weighted"}}}
	h, err := m.Fit(t.Context(), d, o)
	must(t, err)
	a := 2 - (3*4+0.5*16)/2/64
	for name, want := range map[string]float64{
		"loss": (3*4 + 0.5*16) / 2, "mean": (2.0 + 4) / 2, "weighted": (3*2 + 0.5*4) / 3.5,
		"val_loss": a * a * (3*1 + 0.5*4) / 2, "val_mean": a * 3 / 2, "val_weighted": a * (3*1 + 0.5*2) / 3.5,
	} {
		if got := h.Values(name); len(got) != 1 || math.Abs(got[0]-want) > 1e-6 {
			t.Errorf("%s %v, want %v", name, got, want)
		}
	}
	if got := float64(m.Weights(nil)[0][0]); math.Abs(got-a) > 1e-6 {
		t.Errorf("weight %v, want %v", got, a)
	}
}

// Class weights are sample weights by label, of the rows to train on alone.
func TestClassWeights(t *testing.T) {
	d := someReviews(t)
	x, y := d.X.(*tensor.Int32), d.Y.(*tensor.Int32)
	o := longRun()
	o.ClassWeight = map[int]float32{1: 2.5, 7: 9}
	got, weights := fitted(t, noisyText(t), d, o)

	o = longRun()
	o.ValidationSplit, o.Validation = 0, &nn.Data{X: x.Rows(36, 45), Y: y.Rows(36, 45)}
	train := nn.Data{X: x.Rows(0, 36), Y: y.Rows(0, 36)}
	for _, v := range y.Data()[:36] {
		train.Weights = append(train.Weights, []float32{1, 2.5}[v])
	}
	want, wantWeights := fitted(t, noisyText(t), train, o)
	if got != want {
		t.Errorf("class weights:\n%s\nthe same as sample weights:\n%s", got, want)
	}
	sameBits(t, "weights", weights, wantWeights)
}

// A label's class is its nearest whole number, or the place of its largest column.
func TestClassOfLabel(t *testing.T) {
	class, weight := map[int]float32{0: 2, 1: 3, 2: 4}, []float64{2, 3, 4, 1}
	for name, c := range map[string]struct {
		labels  []float32
		columns int
		want    []int
	}{
		"whole":   {[]float32{0, 1, 2}, 1, []int{0, 1, 2}},
		"rounded": {[]float32{0.4, 0.6, 1.5, 2.5}, 1, []int{0, 1, 2, 2}},
		"unknown": {[]float32{-1, 9}, 1, []int{3, 3}},
		"columns": {[]float32{0, 1, 0, 0, 0, 1, 5, 5, 1}, 3, []int{1, 2, 0}},
	} {
		for i, want := range c.want {
			// The model gives its input back, which is 1 off each label: without weights the loss is 1.
			y := array(t, c.labels[i*c.columns:(i+1)*c.columns], 1, c.columns)
			x := array(t, slices.Clone(y.Data()), 1, c.columns)
			for k := range x.Data() {
				x.Data()[k]++
			}
			m := sequential(t, nn.Features(c.columns), layers.Activation{})
			h, err := m.Fit(t.Context(), nn.Data{X: x, Y: y}, nn.FitOptions{Optimizer: optim.SGD{}, Loss: loss.MeanSquaredError{}, ClassWeight: class})
			must(t, err)
			if got := h.Values("loss")[0]; math.Abs(got-weight[want]) > 1e-4 {
				t.Errorf("%s: label %v has the weight %v, want %v", name, y.Data(), got, weight[want])
			}
		}
	}
}

func TestHistoryOrder(t *testing.T) {
	o := longRun()
	o.Metrics = []nn.Metric{metrics.Mean{As: "zebra"}, metrics.Accuracy{}}
	o.WeightedMetrics = []nn.Metric{metrics.Mean{}}
	h, err := smallText(t).Fit(t.Context(), someReviews(t), o)
	must(t, err)
	want := []string{"loss", "zebra", "accuracy", "mean", "val_loss", "val_zebra", "val_accuracy", "val_mean"}
	if !slices.Equal(h.Names(), want) {
		t.Errorf("%q, want %q", h.Names(), want)
	}
	if !slices.Equal(h.Epochs, []int{0, 1, 2}) || h.Stopped != "" {
		t.Errorf("epochs %v, stopped %q", h.Epochs, h.Stopped)
	}
	for _, name := range want {
		if len(h.Values(name)) != 3 {
			t.Errorf("%s has %d values", name, len(h.Values(name)))
		}
	}
}

// Callbacks are asked at Keras's points, one after the other.
func TestEvents(t *testing.T) {
	var got bytes.Buffer
	logger := func(name string) nn.Callback {
		return plan.CallbackFunc(func(e plan.Event, tr plan.Training) error {
			var names []string
			for n := range tr.Logs().All() {
				names = append(names, n)
			}
			fmt.Fprintf(&got, "%s %v %d/%d [%s]\n", name, e, tr.Epoch(), tr.Step(), strings.Join(names, " "))
			return nil
		})
	}
	x := ids(t, 7, 3)
	d := nn.Data{X: x, Y: sides(t, x)}
	o := trains()
	o.BatchSize, o.ValidationBatchSize, o.Epochs, o.Validation = 3, 4, 2, d
	o.Callbacks = []nn.Callback{logger("a"), logger("b")}
	_, err := smallText(t).Fit(t.Context(), d, o)
	must(t, err)
	var want strings.Builder
	say := func(format string, args ...any) {
		line := fmt.Sprintf(format, args...)
		want.WriteString("a " + line + "\nb " + line + "\n")
	}
	say("train begin 0/0 []")
	for e := range 2 {
		say("epoch begin %d/0 []", e)
		logs := ""
		for s := range 3 {
			say("batch begin %d/%d [%s]", e, s, logs)
			logs = "loss"
			say("batch end %d/%d [%s]", e, s, logs)
			say("batch done %d/%d [%s]", e, s, logs)
		}
		say("test begin %d/3 [loss]", e)
		for s := range 2 {
			say("test batch begin %d/%d [loss]", e, s)
			say("test batch end %d/%d [loss]", e, s)
		}
		say("test end %d/3 [loss val_loss]", e)
		say("epoch end %d/3 [loss val_loss]", e)
		say("epoch done %d/3 [loss val_loss]", e)
	}
	say("train end 1/3 [loss val_loss]")
	say("train done 1/3 [loss val_loss]")
	if d := cmp.Diff(strings.Split(want.String(), "\n"), strings.Split(got.String(), "\n")); d != "" {
		t.Error(d)
	}
}

func TestTrainingTellsOfTheRun(t *testing.T) {
	o := longRun()
	o.InitialEpoch, o.Metrics = 1, []nn.Metric{metrics.Accuracy{}, metrics.Mean{}}
	m := smallText(t)
	o.Callbacks = []nn.Callback{plan.CallbackFunc(func(e plan.Event, tr plan.Training) error {
		if e != plan.TrainBegin {
			return nil
		}
		if tr.Model() != m || tr.Epochs() != 3 || tr.InitialEpoch() != 1 || tr.Steps() != 5 || tr.TestSteps() != 3 || tr.LearningRate() != 0.02 {
			t.Errorf("epochs %d from %d, %d steps, %d of validation, rate %v", tr.Epochs(), tr.InitialEpoch(), tr.Steps(), tr.TestSteps(), tr.LearningRate())
		}
		for name, want := range map[string]history.Direction{
			"loss": history.LowerIsBetter, "val_loss": history.LowerIsBetter, "accuracy": history.HigherIsBetter, "val_accuracy": history.HigherIsBetter,
			"mean": history.NoDirection, "something": history.NoDirection,
		} {
			if got := tr.Direction(name); got != want {
				t.Errorf("direction of %s: %d, want %d", name, got, want)
			}
		}
		return nil
	})}
	h, err := m.Fit(t.Context(), someReviews(t), o)
	must(t, err)
	if !slices.Equal(h.Epochs, []int{1, 2}) {
		t.Errorf("epochs %v, want 1 and 2", h.Epochs)
	}
}

// A History knows which logs are better lower or higher from the loss and the metrics, also after it was written and
// read: Best and plots need no help.
func TestHistoryKnowsDirections(t *testing.T) {
	o := longRun()
	o.Metrics = []nn.Metric{metrics.Accuracy{}, metrics.Mean{}}
	o.Callbacks = []nn.Callback{at(plan.EpochEnd, 1, 5, func(tr plan.Training) error {
		tr.Logs().Set("val_loss", -1)
		tr.Logs().Set("val_accuracy", 2)
		tr.Logs().Set("x", 1)
		return nil
	})}
	fit, err := smallText(t).Fit(t.Context(), someReviews(t), o)
	must(t, err)
	text, err := json.Marshal(fit)
	must(t, err)
	var read history.History
	must(t, json.Unmarshal(text, &read))
	for from, h := range map[string]*history.History{"Fit": fit, "JSON": &read} {
		for name, want := range map[string]struct {
			direction history.Direction
			best      int
		}{
			"val_loss": {history.LowerIsBetter, 1}, "val_accuracy": {history.HigherIsBetter, 1},
			"x": {history.NoDirection, -1}, "mean": {history.NoDirection, -1},
		} {
			if got := h.Direction(name); got != want.direction {
				t.Errorf("%s: direction of %s: %s, want %s", from, name, got, want.direction)
			}
			if got := h.Best(name, history.NoDirection); got != want.best {
				t.Errorf("%s: best %s at %d, want %d", from, name, got, want.best)
			}
		}
	}
}

func at(event plan.Event, epoch, step int, do func(tr plan.Training) error) nn.Callback {
	return plan.CallbackFunc(func(e plan.Event, tr plan.Training) error {
		if e == event && tr.Epoch() == epoch && tr.Step() == step {
			return do(tr)
		}
		return nil
	})
}

// A Fit that does not begin leaves the state as it was.
func TestFailedFitLeavesTheState(t *testing.T) {
	m := noisyText(t)
	var state nn.TrainingState
	o := longRun()
	o.State, o.Callbacks = &state, []nn.Callback{nil}
	_, err := m.Fit(t.Context(), someReviews(t), o)
	wantError(t, err, "nn: callback 0 is nil")
	if diff := cmp.Diff(nn.TrainingState{}, state); diff != "" {
		t.Error(diff)
	}
	o.Callbacks, o.Optimizer = nil, optim.SGD{}
	_, err = m.Fit(t.Context(), someReviews(t), o) // of another optimizer
	must(t, err)
	if state.Groups[0].Step == 0 {
		t.Error("the state is at the start after a Fit")
	}
}

// A model trains in one Fit at a time; the one under way goes on, and there may be another afterwards.
func TestFitInAFit(t *testing.T) {
	want, weights := fitted(t, noisyText(t), someReviews(t), longRun())
	m := noisyText(t)
	o := longRun()
	o.Callbacks = []nn.Callback{at(plan.BatchEnd, 1, 2, func(plan.Training) error {
		_, err := m.Fit(t.Context(), someReviews(t), longRun())
		wantError(t, err, "nn: a Fit of the model is under way")
		_, err = m.NewTrainer(trainerOptions(optim.Adam{}))
		wantError(t, err, "nn: a Fit of the model is under way")
		_, err = m.SetTrainable("*", false)
		wantError(t, err, "nn: what trains cannot change while a Fit of the model is under way")
		return nil
	})}
	got, after := fitted(t, m, someReviews(t), o)
	if got != want {
		t.Errorf("the history is\n%s\nwant\n%s", got, want)
	}
	sameBits(t, "weights", after, weights)
	_, err := m.Fit(t.Context(), someReviews(t), longRun())
	must(t, err)
}

// Stop lets the epoch end: the result is that of a run of fewer epochs.
func TestStop(t *testing.T) {
	shorter := longRun()
	shorter.Epochs = 2
	want, weights := fitted(t, noisyText(t), someReviews(t), shorter)
	for reason, stopped := range map[string]string{"enough": "enough", "": "stopped"} {
		o := longRun()
		ended := false
		o.Callbacks = []nn.Callback{
			at(plan.BatchEnd, 1, 2, func(tr plan.Training) error { tr.Stop(reason); tr.Stop("too late"); return nil }),
			plan.CallbackFunc(func(e plan.Event, _ plan.Training) error { ended = e == plan.TrainDone; return nil }),
		}
		m := noisyText(t)
		h, err := m.Fit(t.Context(), someReviews(t), o)
		must(t, err)
		got, err := json.Marshal(h)
		must(t, err)
		if want := strings.TrimSuffix(want, "}") + `,"stopped":"` + stopped + `"}`; string(got) != want || h.Stopped != stopped || !ended {
			t.Errorf("stopped %q, train end %t:\n%s\nwant %q\n%s", h.Stopped, ended, got, stopped, want)
		}
		sameBits(t, "weights", m.Weights(nil), weights)
	}
}

// A Fit that ends early, for whatever reason, returns the epochs before and leaves the weights of the last whole step.
func TestFitEndsEarly(t *testing.T) {
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		event plan.Event
		step  int
		steps int // that are taken
		err   error
	}{
		"cancelled at a batch's begin": {plan.BatchBegin, 3, 9, context.Canceled}, // the step under way is taken
		"cancelled at a batch's end":   {plan.BatchEnd, 3, 9, context.Canceled},
		"cancelled in validation":      {plan.TestBatchEnd, 0, 10, context.Canceled},
		"error at a batch's begin":     {plan.BatchBegin, 3, 8, broken},
		"error at a batch's end":       {plan.BatchEnd, 3, 9, broken},
		"error at the epoch's end":     {plan.EpochEnd, 5, 10, broken},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var last [][]float32
			o := longRun()
			o.Threads = 2
			o.State = &nn.TrainingState{}
			o.Callbacks = []nn.Callback{
				at(c.event, 1, c.step, func(plan.Training) error {
					if c.err == broken {
						return broken
					}
					cancel()
					return nil
				}),
				plan.CallbackFunc(func(e plan.Event, tr plan.Training) error {
					if e == plan.TrainEnd {
						t.Error("train end after an error")
					}
					return nil
				}),
			}
			m := noisyText(t)
			before := runtime.NumGoroutine()
			h, err := m.Fit(ctx, someReviews(t), o)
			if err != c.err {
				t.Fatalf("error %v, want %v", err, c.err)
			}
			noneLeft(t, before)
			if !slices.Equal(h.Epochs, []int{0}) || o.State.Groups[0].Step != c.steps {
				t.Errorf("epochs %v and %d steps; want 0 and %d", h.Epochs, o.State.Groups[0].Step, c.steps)
			}
			// The same run, looked at after so many steps.
			same := longRun()
			n := 0
			same.Callbacks = []nn.Callback{plan.CallbackFunc(func(e plan.Event, tr plan.Training) error {
				if e == plan.BatchEnd {
					if n++; n == c.steps {
						last = tr.Model().Weights(nil)
					}
				}
				return nil
			})}
			_, err = noisyText(t).Fit(t.Context(), someReviews(t), same)
			must(t, err)
			sameBits(t, "weights", m.Weights(nil), last)
		})
	}
}

// A context that is over before the first step leaves the model as it was.
func TestFitOfAnEndedContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	m := smallText(t)
	before := m.Weights(nil)
	if h, err := m.Fit(ctx, someReviews(t), longRun()); err != context.Canceled || len(h.Epochs) != 0 {
		t.Errorf("error %v, epochs %v", err, h.Epochs)
	}
	sameBits(t, "weights", m.Weights(nil), before)
}

func TestCallbackErrorAtStart(t *testing.T) {
	before := runtime.NumGoroutine()
	o := longRun()
	o.Threads = 3
	want := errors.New("cannot start")
	o.Callbacks = []nn.Callback{failsToStart{want}}
	m := smallText(t)
	weights := m.Weights(nil)
	if _, err := m.Fit(t.Context(), someReviews(t), o); err != want {
		t.Errorf("error %v, want %v", err, want)
	}
	sameBits(t, "weights", m.Weights(nil), weights)
	noneLeft(t, before)
}

type failsToStart struct{ err error }

func (f failsToStart) Kind() string { return "FailsToStart" }

func (f failsToStart) Start(plan.Training) (plan.Handler, error) { return plan.Handler{}, f.err }

// noneLeft waits until no more goroutines are left than there were: one that has told its end may still be counted.
func noneLeft(t testing.TB, before int) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines, and %d before", runtime.NumGoroutine(), before)
		}
	}
}

// A callback's rate is that of the coming step; what it logs at the epoch's end is in History.
func TestCallbacksSteer(t *testing.T) {
	m := lines(t)
	o := nn.FitOptions{Optimizer: optim.SGD{LearningRate: 1.0 / 16}, Loss: loss.MeanSquaredError{}, Epochs: 3}
	o.Callbacks = []nn.Callback{plan.CallbackFunc(func(e plan.Event, tr plan.Training) error {
		switch {
		case e == plan.EpochBegin && tr.Epoch() == 1:
			if err := tr.SetLearningRate(0); err != nil {
				return err
			}
			for _, rate := range []float32{-1, nan, inf} {
				if tr.SetLearningRate(rate) == nil || tr.LearningRate() != 0 {
					t.Errorf("a rate of %v became %v", rate, tr.LearningRate())
				}
			}
		case e == plan.EpochBegin && tr.Epoch() == 2:
			return tr.SetLearningRate(1.0 / 8)
		case e == plan.EpochEnd && tr.Epoch() > 0:
			tr.Logs().Set("rate", float64(tr.LearningRate()))
		}
		return nil
	})}
	h, err := m.Fit(t.Context(), nn.Data{X: array(t, []float32{1}, 1, 1), Y: array(t, []float32{0})}, o)
	must(t, err)
	// a = 2; then 2 - 4/16; then no step; then a - 2a/8.
	if got := m.Weights(nil)[0][0]; got != 1.75-3.5/8 {
		t.Errorf("weight %v", got)
	}
	if got := h.Values("rate"); len(got) != 3 || !math.IsNaN(got[0]) || got[1] != 0 || got[2] != 1.0/8 {
		t.Errorf("logged rates %v", got)
	}
}

// Threads change no bit: not of small parameters, which one worker owns, nor of large ones, which workers share.
func TestThreadsChangeNoBit(t *testing.T) {
	reviewData := someReviews(t)
	bags, err := text.MakeBags(reviewData.X.(*tensor.Int32), text.BagOptions{Vocabulary: smallVocabulary})
	must(t, err)
	wide := func(t testing.TB) *nn.Model { // a table of 600·40, a kernel of 40·500 and a bias of 17,000 elements
		return sequential(t, nn.Tokens(nn.AnyLength), layers.Embedding{Vocabulary: 600, Dim: 40, MaskZero: true}, layers.GlobalAveragePooling1D{},
			layers.Dense{Units: 500, Activation: layers.ReLU}, layers.Dropout{Rate: 0.2}, layers.Dense{Units: 2},
			layers.Dense{Units: 17_000}, layers.Dense{Units: 1, Activation: layers.Sigmoid})
	}
	hot, err := text.MultiHot(rowsOf(reviewData.X.(*tensor.Int32)), 500)
	must(t, err)
	sparse := func(t testing.TB) *nn.Model {
		return sequential(t, nn.SparseFeatures(500), layers.Dense{Units: 40, Activation: layers.Tanh}, layers.Dense{Units: 1, Activation: layers.Sigmoid})
	}
	for name, c := range map[string]struct {
		model   func(t testing.TB) *nn.Model
		data    nn.Data
		change  func(o *nn.FitOptions)
		workers []int
	}{
		"tutorial":     {noisyText, reviewData, func(*nn.FitOptions) {}, []int{2, 3, 8}},
		"not fused":    {noisyText, reviewData, func(o *nn.FitOptions) { o.NoFusion = true }, []int{3}},
		"bags":         {noisyText, nn.Data{X: bags, Y: reviewData.Y}, func(*nn.FitOptions) {}, []int{3}},
		"weighted":     {noisyText, reviewData, func(o *nn.FitOptions) { o.ClassWeight = map[int]float32{0: 0.3} }, []int{3}},
		"wide":         {wide, reviewData, func(o *nn.FitOptions) { o.Epochs, o.BatchSize = 1, 36 }, []int{2, 3}},
		"wide, split":  {wide, reviewData, func(o *nn.FitOptions) { o.Epochs, o.BatchSize, o.NoFusion = 1, 36, true }, []int{3}},
		"sparse":       {sparse, nn.Data{X: hot, Y: reviewData.Y}, func(*nn.FitOptions) {}, []int{2, 3}},
		"batch of one": {noisyText, reviewData, func(o *nn.FitOptions) { o.BatchSize, o.ValidationBatchSize, o.Epochs = 1, 1, 1 }, []int{3}},
	} {
		t.Run(name, func(t *testing.T) {
			o := longRun()
			c.change(&o)
			o.Threads = 1
			want, weights := fitted(t, c.model(t), c.data, o)
			for _, o.Threads = range c.workers {
				before := runtime.NumGoroutine()
				got, w := fitted(t, c.model(t), c.data, o)
				noneLeft(t, before)
				if got != want {
					t.Errorf("%d threads:\n%s\nwant\n%s", o.Threads, got, want)
				}
				sameBits(t, fmt.Sprintf("weights of %d threads", o.Threads), w, weights)
			}
		})
	}
}

func rowsOf(x *tensor.Int32) [][]int32 {
	var rows [][]int32
	for i := range x.Len() {
		rows = append(rows, x.Row(i))
	}
	return rows
}

// Bags of ids are the ids, in whatever form they come.
func TestBagsTrainAsIDs(t *testing.T) {
	d := someReviews(t)
	want, weights := fitted(t, noisyText(t), d, longRun())
	bags, err := text.MakeBags(d.X.(*tensor.Int32), text.BagOptions{Vocabulary: smallVocabulary})
	must(t, err)
	prepared, err := noisyText(t).Prepare(t.Context(), d.X)
	must(t, err)
	for name, x := range map[string]tensor.Rows{"bags": bags, "prepared": prepared} {
		got, w := fitted(t, noisyText(t), nn.Data{X: x, Y: d.Y}, longRun())
		if got != want {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, want)
		}
		sameBits(t, name, w, weights)
	}
}

// Fusion changes results by rounding only.
func TestFusionChangesRoundingOnly(t *testing.T) {
	d := someReviews(t)
	var h [2]*history.History
	var w [2][][]float32
	for i, noFusion := range []bool{false, true} {
		o := longRun()
		o.Optimizer, o.NoFusion = optim.SGD{LearningRate: 0.5}, noFusion
		m := noisyText(t)
		var err error
		h[i], err = m.Fit(t.Context(), d, o)
		must(t, err)
		w[i] = m.Weights(nil)
	}
	for _, name := range h[0].Names() {
		for e, v := range h[0].Values(name) {
			if math.Abs(v-h[1].Values(name)[e]) > 1e-5 {
				t.Errorf("%s of epoch %d: %v, not fused %v", name, e, v, h[1].Values(name)[e])
			}
		}
	}
	for i := range w[0] {
		for k, v := range w[0][i] {
			if math.Abs(float64(v-w[1][i][k])) > 1e-5 {
				t.Fatalf("parameter %d, element %d: %v, not fused %v", i, k, v, w[1][i][k])
			}
		}
	}
}

// After the first epoch neither a training step nor a step of validation allocates, whatever the number of workers. The
// last batch of an epoch is short.
func TestStepsDoNotAllocate(t *testing.T) {
	d := someReviews(t)
	hot, err := text.MultiHot(rowsOf(d.X.(*tensor.Int32)), smallVocabulary)
	must(t, err)
	sparse := sequential(t, nn.SparseFeatures(smallVocabulary), layers.Dense{Units: 4, Activation: layers.Tanh}, layers.Dense{Units: 1, Activation: layers.Sigmoid})
	for name, c := range map[string]struct {
		model *nn.Model
		x     tensor.Rows
		o     nn.FitOptions
	}{
		"tutorial":      {noisyText(t), d.X, nn.FitOptions{Optimizer: optim.Adam{}}},
		"two threads":   {noisyText(t), d.X, nn.FitOptions{Optimizer: optim.Adam{}, Threads: 2}},
		"not fused":     {noisyText(t), d.X, nn.FitOptions{Optimizer: optim.SGD{Momentum: 0.5}, NoFusion: true}},
		"class weights": {noisyText(t), d.X, nn.FitOptions{Optimizer: optim.RMSprop{Centered: true}, ClassWeight: map[int]float32{1: 2}}},
		"clipped":       {noisyText(t), d.X, nn.FitOptions{Optimizer: optim.Adam{Shared: optim.Shared{ClipNorm: 0.1, WeightDecay: 0.1, Average: true}}}},
		"accumulated":   {noisyText(t), d.X, nn.FitOptions{Optimizer: optim.Adam{Shared: optim.Shared{GlobalClipNorm: 0.1, AccumulateSteps: 2}}, Threads: 2}},
		"sparse":        {sparse, hot, nn.FitOptions{Optimizer: optim.RMSprop{}, Threads: 2}},
	} {
		t.Run(name, func(t *testing.T) {
			// The runtime itself allocates now and then: hence not 0, but less than one in an epoch, at the third try at the
			// latest.
			for try := 1; ; try++ {
				steps, tests := stepAllocations(t, c.model, nn.Data{X: c.x, Y: d.Y}, c.o)
				if steps < 5 && tests < 5 {
					break
				}
				if try == 3 {
					t.Fatalf("%d allocations in the steps of 5 epochs, %d in those of validation", steps, tests)
				}
			}
		})
	}
}

// stepAllocations fits 6 epochs and counts the allocations in the steps of the last 5, and in those of their validation.
func stepAllocations(t *testing.T, m *nn.Model, d nn.Data, o nn.FitOptions) (steps, tests uint64) {
	t.Helper()
	var before, after runtime.MemStats
	o.Callbacks = []nn.Callback{plan.CallbackFunc(func(e plan.Event, tr plan.Training) error {
		switch e {
		case plan.BatchBegin, plan.TestBatchBegin:
			runtime.ReadMemStats(&before)
		case plan.BatchEnd, plan.TestBatchEnd:
			runtime.ReadMemStats(&after)
			if tr.Epoch() == 0 {
				break
			}
			if e == plan.BatchEnd {
				steps += after.Mallocs - before.Mallocs
			} else {
				tests += after.Mallocs - before.Mallocs
			}
		}
		return nil
	})}
	long := longRun()
	o.Loss, o.Metrics, o.WeightedMetrics = long.Loss, long.Metrics, []nn.Metric{metrics.Mean{}}
	o.Epochs, o.BatchSize, o.ValidationSplit, o.ValidationBatchSize = 6, 8, 0.2, 4
	_, err := m.Fit(t.Context(), d, o)
	must(t, err)
	return steps, tests
}

// Fit does not train what is not trainable, but gives gradients through it.
func TestNotTrainable(t *testing.T) {
	m := sequential(t, nn.Features(2), layers.Dense{Units: 3}, frozen{}, layers.Dense{Units: 1})
	before := m.Weights(nil)
	o := trains()
	o.Loss = loss.MeanSquaredError{}
	_, err := m.Fit(t.Context(), nn.Data{X: waves(t, 8, 2), Y: waves(t, 8)}, o)
	must(t, err)
	for i, p := range m.Parameters() {
		if moved := !slices.Equal(p.Values(), before[i]); moved != p.Trainable() {
			t.Errorf("%s: trainable %t, moved %t", p.Name(), p.Trainable(), moved)
		}
	}
}

// frozen scales by a factor that is not trained.
type frozen struct{}

func (frozen) Kind() string { return "Frozen" }

func (frozen) Build(b *plan.Builder, in []plan.Symbol) ([]plan.Symbol, error) {
	factor, err := b.Parameter(plan.ParameterOptions{Name: "factor", Shape: tensor.Shape{1}, Storage: plan.Float32Storage{0.5}, NotTrainable: true})
	if err != nil {
		return nil, err
	}
	return b.Add(timesFirst, in, factor)
}

// timesFirst multiplies by the first element of its parameter.
var timesFirst = plan.Op{
	Outputs: sameAsFirst,
	Forward: func(f *plan.Frame, s plan.Span) {
		for i, x := range f.In(0, s) {
			f.Out(0, s)[i] = x * f.Param(0)[0]
		}
	},
	Backward: func(f *plan.Frame, s plan.Span) {
		for i, g := range f.OutGrad(0, s) {
			f.InGrad(0, s)[i] = g * f.Param(0)[0]
		}
	},
}
