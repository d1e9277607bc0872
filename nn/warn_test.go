package nn_test

import (
	"fmt"
	"log"
	"math"
	"slices"
	"strings"
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

// warnings collects what a call warns of.
type warnings []string

func (w *warnings) add(format string, args ...any) { *w = append(*w, fmt.Sprintf(format, args...)) }

// Settings and data that train but are probably a mistake are told to the user, each in one sentence.
func TestWarnings(t *testing.T) {
	x := array(t, make([]float32, 40), 20, 2)
	sorted := make([]float32, 20)
	for i := range sorted[10:] {
		sorted[10+i] = 1
	}
	mixed := make([]float32, 20)
	oneHot := make([]float32, 40)
	three := make([]int32, 20)
	for i := range mixed {
		mixed[i] = float32(i % 2)
		oneHot[2*i+i%2] = 1
		three[i] = int32(i % 3)
	}
	numbers := slices.Clone(mixed)
	numbers[7] = 3.5
	negative := slices.Repeat([]float32{1}, 20)
	negative[3] = -2
	sigmoid := layers.Dense{Units: 1, Activation: layers.Sigmoid}
	softmax := layers.Dense{Units: 2, Activation: layers.Softmax}
	binary, regression := loss.BinaryCrossentropy{}, loss.MeanSquaredError{}
	accuracy := []nn.Metric{metrics.Accuracy{}}
	for name, c := range map[string]struct {
		layer nn.Layer
		y     tensor.Rows
		data  nn.Data
		o     nn.FitOptions
		want  []string
	}{
		"nothing": {layer: sigmoid, y: array(t, mixed, 20, 1), o: nn.FitOptions{Loss: binary, Metrics: accuracy, ValidationSplit: 0.3, ClassWeight: map[int]float32{0: 1, 1: 2}}},
		"regression": {layer: layers.Dense{Units: 1}, y: array(t, numbers, 20, 1), o: nn.FitOptions{Loss: regression, Metrics: accuracy}, want: []string{
			`nn: metric "accuracy": the label of row 7 is 3.5: the metric is for labels 0 and 1, and counts others as wrong; for numbers there is MeanAbsoluteError`}},
		"regression, in the validation data": {layer: layers.Dense{Units: 1}, y: array(t, mixed, 20, 1), o: nn.FitOptions{Loss: regression, Metrics: accuracy,
			Validation: nn.Data{X: x, Y: array(t, numbers, 20, 1)}}, want: []string{
			`nn: validation data: metric "accuracy": the label of row 7 is 3.5: the metric is for labels 0 and 1, and counts others as wrong; for numbers there is MeanAbsoluteError`}},
		"classes that the output lacks": {layer: layers.Dense{Units: 2}, y: array(t, three, 20), o: nn.FitOptions{Loss: lostLabels{}, Metrics: accuracy}, want: []string{
			`nn: metric "accuracy": the label of row 2 is 2: the metric is for the numbers of the output's 2 classes, 0 to 1`}},
		"labels of metrics that count": {layer: sigmoid, y: array(t, numbers, 20, 1), o: nn.FitOptions{Loss: regression,
			Metrics: []nn.Metric{metrics.Recall{}, metrics.Precision{Thresholds: []float32{0.2, 0.5}}, metrics.AUC{}, metrics.F1Score{Threshold: optional.Of[float32](0.5), Average: metrics.Micro}}}, want: []string{
			`nn: metric "recall": the label of row 7 is 3.5: the metric is for labels 0 and 1, and takes others for 1`,
			`nn: metric "precision": the label of row 7 is 3.5: the metric is for labels 0 and 1, and takes others for 1`,
			`nn: metric "auc": the label of row 7 is 3.5: the metric is for labels 0 and 1, and takes others for 1`,
			`nn: metric "f1_score": the label of row 7 is 3.5: the metric is for labels from 0 to 1`}},
		"classes that count": {layer: layers.Dense{Units: 2}, y: array(t, three, 20), o: nn.FitOptions{Loss: lostLabels{}, Metrics: []nn.Metric{metrics.AUC{}}}, want: []string{
			`nn: metric "auc": the label of row 2 is 2: the metric is for numbers of classes, from 0 to 1`}},
		"a label that does not count": {layer: layers.Dense{Units: 1}, y: array(t, numbers, 20, 1), data: nn.Data{Weights: slices.Concat(slices.Repeat([]float32{1}, 7), []float32{0},
			slices.Repeat([]float32{1}, 12))}, o: nn.FitOptions{Loss: regression, WeightedMetrics: accuracy}},
		"sorted": {layer: sigmoid, y: array(t, sorted, 20, 1), o: nn.FitOptions{Loss: binary, ValidationSplit: 0.5}, want: []string{
			"nn: ValidationSplit: none of the last 10 rows, which are for validation, has the label [0]: rows are split in the order in which they lie; datasets/split chooses them at random",
			"nn: ValidationSplit: none of the first 10 rows, which are to train on, has the label [1]: rows are split in the order in which they lie; datasets/split chooses them at random"}},
		"sorted, one-hot": {layer: softmax, y: array(t, slices.Concat(slices.Repeat([]float32{1, 0}, 15), slices.Repeat([]float32{0, 1}, 5)), 20, 2),
			o: nn.FitOptions{Loss: loss.CategoricalCrossentropy{}, ValidationSplit: 0.1}, want: []string{
				"nn: ValidationSplit: none of the last 2 rows, which are for validation, has the label [0]: rows are split in the order in which they lie; datasets/split chooses them at random"}},
		"numbers are no classes": {layer: layers.Dense{Units: 1}, y: array(t, ramp(20), 20, 1), o: nn.FitOptions{Loss: regression, ValidationSplit: 0.5}},
		"class weights": {layer: sigmoid, y: array(t, mixed, 20, 1), o: nn.FitOptions{Loss: binary, ClassWeight: map[int]float32{0: 1, 2: 3, -1: 1}}, want: []string{
			"nn: ClassWeight has weights for the labels [-1 2], which no row to train on has"}},
		"a negative class weight": {layer: sigmoid, y: array(t, mixed, 20, 1), o: nn.FitOptions{Loss: binary, ValidationSplit: 0.5, ClassWeight: map[int]float32{1: -1}}, want: []string{
			"nn: the weight of row 1 is -1: training raises the losses of rows with negative weights"}},
		"a negative weight": {layer: sigmoid, y: array(t, mixed, 20, 1), data: nn.Data{Weights: negative}, o: nn.FitOptions{Loss: binary}, want: []string{
			"nn: the weight of row 3 is -2: training raises the losses of rows with negative weights"}},
		"binary after softmax": {layer: softmax, y: array(t, oneHot, 20, 2), o: nn.FitOptions{Loss: binary}, want: []string{
			"nn: the loss BinaryCrossentropy after a softmax is that of sigmoids in its place, as in Keras, and not of what the model predicts: CategoricalCrossentropy goes with a softmax, and this loss with a sigmoid"}},
		"categorical after sigmoid": {layer: layers.Dense{Units: 2, Activation: layers.Sigmoid}, y: array(t, oneHot, 20, 2), o: nn.FitOptions{Loss: loss.CategoricalCrossentropy{}}, want: []string{
			"nn: the loss CategoricalCrossentropy after a sigmoid is that of a softmax in its place, as in Keras, and not of what the model predicts: BinaryCrossentropy goes with a sigmoid, and this loss with a softmax"}},
		"probabilities from relu": {layer: layers.Dense{Units: 1, Activation: layers.ReLU}, y: array(t, mixed, 20, 1), o: nn.FitOptions{Loss: binary}, want: []string{
			"nn: the loss BinaryCrossentropy reads probabilities, which relu does not make: an output for it ends in sigmoid, or in no activation where the loss has FromLogits"}},
		"probabilities from tanh": {layer: layers.Dense{Units: 2, Activation: layers.Tanh, BiasInit: layers.Constant{Value: 1}}, y: array(t, oneHot, 20, 2), o: nn.FitOptions{Loss: loss.CategoricalCrossentropy{}}, want: []string{
			"nn: the loss CategoricalCrossentropy reads probabilities, which tanh does not make: an output for it ends in softmax, or in no activation where the loss has FromLogits"}},
		"probabilities from nothing": {layer: layers.Dense{Units: 1, BiasInit: layers.Constant{Value: -1}}, y: array(t, mixed, 20, 1), o: nn.FitOptions{Loss: binary, ValidationSplit: 0.5}, want: []string{
			"nn: the loss BinaryCrossentropy reads probabilities, and the output has numbers below 0 or above 1: it should end in sigmoid, or the loss have FromLogits"}},
		"probabilities of classes from nothing": {layer: layers.Dense{Units: 2, BiasInit: layers.Constant{Value: 2}}, y: array(t, mixed, 20), o: nn.FitOptions{Loss: loss.SparseCategoricalCrossentropy{}}, want: []string{
			"nn: the loss SparseCategoricalCrossentropy reads probabilities, and the output has numbers below 0 or above 1: it should end in softmax, or the loss have FromLogits"}},
		"logits": {layer: layers.Dense{Units: 1, BiasInit: layers.Constant{Value: -1}}, y: array(t, mixed, 20, 1), o: nn.FitOptions{Loss: loss.BinaryCrossentropy{FromLogits: true}}},
		"a huge rate": {layer: sigmoid, y: array(t, mixed, 20, 1), o: nn.FitOptions{Loss: binary, BatchSize: 4, Optimizer: optim.Adam{LearningRate: 1e9}}, want: []string{
			"nn: the learning rate is 1e+09; rates are usually below 1 (adam)",
			"nn: the loss of epoch 1 is LOSS, and that of the first batch was 0.6931: training diverges; a learning rate below 1e+09 may help"}},
		"MinRate": {layer: sigmoid, y: array(t, mixed, 20, 1), o: nn.FitOptions{Loss: binary, Callbacks: []nn.Callback{callbacks.ReduceLROnPlateau{Monitor: "loss", MinRate: 0.5}}}, want: []string{
			"callbacks: ReduceLROnPlateau: MinRate 0.5 is above the learning rate, 0.001, so that it lowers nothing"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got warnings
			if c.o.Optimizer == nil {
				c.o.Optimizer = optim.Adam{}
			}
			c.o.Epochs, c.o.Warn = 3, got.add
			c.data.X, c.data.Y = x, c.y
			m := sequential(t, nn.Features(2), c.layer)
			if _, err := m.Fit(t.Context(), c.data, c.o); err != nil {
				t.Fatal(err)
			}
			for i, s := range got {
				if from, after, ok := strings.Cut(s, "the loss of epoch 1 is "); ok {
					_, rest, _ := strings.Cut(after, ",")
					got[i] = from + "the loss of epoch 1 is LOSS," + rest
				}
			}
			if d := cmp.Diff(c.want, []string(got)); d != "" {
				t.Error(d)
			}
		})
	}
}

// ramp is 0, 1, 2 and so on.
func ramp(n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(i)
	}
	return v
}

// lostLabels is a loss that looks at no labels.
type lostLabels struct{}

func (lostLabels) Kind() string { return "LostLabels" }

func (lostLabels) Start(plan.LossInfo) (plan.LossRule, error) {
	return plan.LossRule{Rows: func(losses, gradient, output, _ []float32) {
		clear(losses)
		clear(gradient)
	}}, nil
}

// Evaluate and a Trainer warn too, a function that panics is an error, and without one warnings go to package log.
func TestWhoIsWarned(t *testing.T) {
	x, y := array(t, []float32{1, 2}, 2, 1), array(t, []float32{0, 5}, 2, 1)
	m := sequential(t, nn.Features(1), layers.Dense{Units: 1})
	accuracy := []nn.Metric{metrics.Accuracy{}}
	want := `metric "accuracy": the label of row 1 is 5`
	var got warnings
	if _, err := m.Evaluate(t.Context(), nn.Data{X: x, Y: y}, nn.EvaluateOptions{Metrics: accuracy, Warn: got.add}); err != nil || len(got) != 1 || !strings.Contains(got[0], want) {
		t.Errorf("Evaluate warns of %q, %v", got, err)
	}
	got = nil
	r, err := m.NewTrainer(nn.TrainerOptions{Optimizer: optim.SGD{}, Loss: loss.MeanSquaredError{}, Metrics: accuracy, Warn: got.add})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := r.Step(t.Context(), nn.Batch{X: x, Y: y}); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Close(); err != nil || len(got) != 1 || !strings.Contains(got[0], want) {
		t.Errorf("a Trainer warns of %q, %v", got, err)
	}
	// What only the output of a batch tells.
	y = array(t, []float32{0, 1}, 2, 1)
	m = sequential(t, nn.Features(1), layers.Dense{Units: 1, BiasInit: layers.Constant{Value: 5}})
	want = "the loss BinaryCrossentropy reads probabilities, and the output has numbers below 0 or above 1"
	got = nil
	if _, err := m.Evaluate(t.Context(), nn.Data{X: x, Y: y}, nn.EvaluateOptions{Loss: loss.BinaryCrossentropy{}, Warn: got.add}); err != nil || len(got) != 1 || !strings.Contains(got[0], want) {
		t.Errorf("Evaluate warns of %q, %v", got, err)
	}
	for name, step := range map[string]func(r *nn.Trainer) error{
		"Step": func(r *nn.Trainer) error {
			_, err := r.Step(t.Context(), nn.Batch{X: x, Y: y})
			return err
		},
		"Gradients": func(r *nn.Trainer) error {
			if _, err := r.Gradients(t.Context(), nn.Batch{X: x, Y: y}); err != nil {
				return err
			}
			return r.Apply(t.Context(), nil)
		},
	} {
		got = nil
		r, err := m.NewTrainer(nn.TrainerOptions{Optimizer: optim.SGD{}, Loss: loss.BinaryCrossentropy{}, Warn: got.add})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := step(r); err != nil || len(got) != 1 || !strings.Contains(got[0], want) {
				t.Errorf("%s warns of %q, %v", name, got, err)
			}
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
	y = array(t, []float32{0, 5}, 2, 1)
	want = `metric "accuracy": the label of row 1 is 5`
	o := nn.FitOptions{Optimizer: optim.SGD{}, Loss: loss.MeanSquaredError{}, Metrics: accuracy, Warn: func(string, ...any) { panic("no warnings, please") }}
	if _, err := m.Fit(t.Context(), nn.Data{X: x, Y: y}, o); err == nil || !strings.Contains(err.Error(), "no warnings, please") {
		t.Errorf("a panic of Warn: %v", err)
	}
	var out strings.Builder
	defer log.SetOutput(log.Writer())
	log.SetOutput(&out)
	o.Warn = nil
	if _, err := m.Fit(t.Context(), nn.Data{X: x, Y: y}, o); err != nil || !strings.Contains(out.String(), "warning: nn: "+want) {
		t.Errorf("logged %q, %v", out.String(), err)
	}
}

// A metric has a name that files and the logs of the rate leave free.
func TestNamesOfMetrics(t *testing.T) {
	x, y := array(t, []float32{1, 2}, 2, 1), array(t, []float32{0, 1}, 2, 1)
	same := func(_ int, rate float32) float32 { return rate }
	logs := plan.CallbackFunc(func(e plan.Event, r plan.Training) error {
		if e == plan.EpochEnd {
			r.Logs().Set("epoch", 1)
		}
		return nil
	})
	for want, o := range map[string]nn.FitOptions{
		`nn: a metric cannot be named "epoch"`:                                      {Metrics: []nn.Metric{metrics.Mean{As: "epoch"}}},
		`nn: two logs are named "loss"`:                                             {Metrics: []nn.Metric{metrics.Mean{As: "loss"}}},
		`nn: two logs are named "learning_rate": a metric, and the learning rate`:   {Metrics: []nn.Metric{metrics.Mean{As: "learning_rate"}}, Callbacks: []nn.Callback{callbacks.LearningRateScheduler{Schedule: same}}},
		`nn: a callback has logged "epoch", the name of the column of epochs in fi`: {Callbacks: []nn.Callback{logs}},
	} {
		o.Optimizer, o.Loss = optim.SGD{}, loss.MeanSquaredError{}
		m := sequential(t, nn.Features(1), layers.Dense{Units: 1})
		if _, err := m.Fit(t.Context(), nn.Data{X: x, Y: y}, o); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

// Weights that are not finite are refused, and change nothing.
func TestWeightsAreFinite(t *testing.T) {
	m := sequential(t, nn.Features(2), layers.Dense{Units: 1})
	before := m.Weights(nil)
	for _, bad := range []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))} {
		w := m.Weights(nil)
		w[1][0], w[0][1] = 7, bad
		want := fmt.Sprintf(`nn: parameter "dense/kernel": element 1 is %v`, bad)
		if err := m.SetWeights(w); err == nil || err.Error() != want {
			t.Errorf("SetWeights: %v, want %s", err, want)
		}
		if err := m.SetParameter("dense/kernel", w[0]); err == nil || err.Error() != want {
			t.Errorf("SetParameter: %v, want %s", err, want)
		}
	}
	if d := cmp.Diff(before, m.Weights(nil)); d != "" {
		t.Error(d)
	}
}
