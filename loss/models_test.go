package loss_test

import (
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/loss"
	"github.com/linnet-ml/linnet/metrics"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optim"
	"github.com/linnet-ml/linnet/optional"
	"github.com/linnet-ml/linnet/tensor"
)

func TestClassesBeforeActivation(t *testing.T) {
	// What evaluate gives with Keras 3.15.1 and TensorFlow 2.20 after a softmax and a sigmoid, from_logits set or not.
	z := []float32{50, -50, 1, -50, 50, 2, 20, -3, 0, 0.5, 0.25, -0.5}
	numbers := []float32{0, 0, 1, 2}
	for _, test := range []struct {
		l      plan.Loss
		labels []float32
		want   float64
	}{
		{loss.CategoricalCrossentropy{}, oneHot(numbers, 3), 31.190980911254883},
		{loss.CategoricalCrossentropy{FromLogits: true}, oneHot(numbers, 3), 31.190980911254883},
		{loss.CategoricalCrossentropy{LabelSmoothing: 0.2}, oneHot(numbers, 3), 30.67848014831543},
		{loss.SparseCategoricalCrossentropy{}, numbers, 31.190980911254883},
		{loss.SparseCategoricalCrossentropy{FromLogits: true}, numbers, 31.190980911254883},
	} {
		for _, activation := range []layers.ActivationFunc{layers.Softmax, layers.Sigmoid} {
			if got := evaluate(t, test.l, activation, z, test.labels, 3, nil, 4); math.Abs(got-test.want) > 1e-6*test.want {
				t.Errorf("%+v after %s: loss %v, want %v", test.l, activation, got, test.want)
			}
		}
	}
}

// An ignored class: recorded with Keras 3.15.1 and TensorFlow 2.20. After a softmax the loss is computed from its
// output, and batches weigh by their rows, however many of them count.
func TestIgnoreClassMatchesKeras(t *testing.T) {
	z := []float32{50, -50, 1, -50, 50, 2, 20, -3, 0, 0.5, 0.25, -0.5}
	labels, minus := []float32{0, 0, 1, 2}, []float32{0, -1, 1, -1}
	weights := []float32{1, 2, 3, 4}
	for _, test := range []struct {
		activation layers.ActivationFunc
		fromLogits bool
		ignore     int
		labels     []float32
		weights    []float32
		batch      int
		want       float64
	}{
		{layers.Softmax, false, 2, labels, nil, 4, 10.745397567749023},
		{layers.Softmax, false, 2, labels, weights, 4, 26.863492965698242},
		{layers.Softmax, false, 2, labels, nil, 3, 8.05904769897461},
		{layers.Softmax, false, 2, labels, nil, 2, 12.088571548461914},
		{layers.Softmax, false, 2, labels, weights, 3, 20.147619247436523},
		{layers.Softmax, false, -1, minus, nil, 4, 8.05904769897461},
		{layers.Softmax, true, 2, labels, nil, 4, 1.2181113958358765},
		{layers.Sigmoid, false, 2, labels, nil, 4, 6.9279022216796875},
		{layers.Linear, false, 2, labels, nil, 4, 11.20749568939209},
		{layers.Linear, true, 2, labels, nil, 4, 41.000003814697266},
		{layers.Linear, true, 2, labels, weights, 4, 89.66667175292969},
		{layers.Linear, true, 2, labels, nil, 3, 30.75},
		{layers.Linear, true, 2, labels, nil, 2, 36.5},
		{layers.Linear, true, -1, minus, nil, 4, 11.5},
		{layers.Softmax, false, 2, []float32{2, 2, 2, 2}, nil, 4, 0},
	} {
		l := loss.SparseCategoricalCrossentropy{FromLogits: test.fromLogits, IgnoreClass: optional.Of(test.ignore)}
		if got := evaluate(t, l, test.activation, z, test.labels, 3, test.weights, test.batch); math.Abs(got-test.want) > 1e-6*test.want {
			t.Errorf("%+v: loss %v", test, got)
		}
	}
}

// evaluate is the loss of a model that is an activation alone.
func evaluate(t *testing.T, l nn.Loss, activation layers.ActivationFunc, z, labels []float32, classes int, weights []float32, batch int) float64 {
	t.Helper()
	rows := len(z) / classes
	m, err := nn.NewSequential(layers.Activation{Function: activation}).Build(t.Context(), nn.Features(classes), nn.BuildOptions{})
	if err != nil {
		t.Fatal(err)
	}
	shape := []int{rows, classes}
	if len(labels) == rows {
		shape = shape[:1]
	}
	logs, err := m.Evaluate(t.Context(), nn.Data{X: of(t, z, rows, classes), Y: of(t, labels, shape...), Weights: weights},
		nn.EvaluateOptions{Loss: l, BatchSize: batch, Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	v, _ := logs.Get("loss")
	return v
}

func of(t *testing.T, values []float32, shape ...int) *tensor.Float32 {
	t.Helper()
	x, err := tensor.Of(values, shape...)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// hidden hides the activation from a loss, which then reads what comes out of it.
type hidden struct{ nn.Loss }

// Start starts the loss as after no activation.
func (h hidden) Start(info plan.LossInfo) (plan.LossRule, error) {
	info.Activation = ""
	return h.Loss.Start(info)
}

// The whole way from the loss back to the weights, from the logits and from what comes out of the softmax.
func TestGradientsThroughModels(t *testing.T) {
	const rows, features, classes = 5, 4, 3
	x := make([]float32, rows*features)
	for i := range x {
		x[i] = float32(i*13%17)/8 - 1
	}
	numbers := []float32{2, 0, 1, 1, 0}
	for _, activation := range []layers.ActivationFunc{layers.Softmax, layers.Linear} {
		m, err := nn.NewSequential(layers.Dense{Units: 6, Activation: layers.Tanh},
			layers.Dense{Units: classes, Activation: activation, BiasInit: layers.RandomUniform{Min: -0.5, Max: 0.5}}).Build(t.Context(), nn.Features(features), nn.BuildOptions{Seed: 3})
		if err != nil {
			t.Fatal(err)
		}
		for _, test := range classLosses {
			if activation == layers.Linear && !test.logits {
				continue
			}
			labels := of(t, numbers, rows)
			if test.oneHot {
				labels = of(t, oneHot(numbers, classes), rows, classes)
			}
			for _, l := range []nn.Loss{test.l, hidden{test.l}} {
				for _, threads := range []int{1, 3} {
					if err := m.CheckGradients(t.Context(), of(t, x, rows, features), nn.GradientOptions{Loss: l, Y: labels, Threads: threads}); err != nil {
						t.Errorf("%s after %s, %T: %v", test.name, activation, l, err)
					}
				}
			}
		}
		ignoring := loss.SparseCategoricalCrossentropy{FromLogits: activation == layers.Linear, IgnoreClass: optional.Of(1)}
		for _, l := range []nn.Loss{ignoring, hidden{ignoring}} {
			if err := m.CheckGradients(t.Context(), of(t, x, rows, features), nn.GradientOptions{Loss: l, Y: of(t, numbers, rows), Threads: 2}); err != nil {
				t.Errorf("%+v after %s: %v", ignoring, activation, err)
			}
		}
	}
}

// A vector of classes at each step of a sequence: their losses are averaged.
func TestGradientsOfSequences(t *testing.T) {
	const rows, steps, features, classes = 3, 4, 2, 3
	x := make([]float32, rows*steps*features)
	for i := range x {
		x[i] = float32(i*13%17)/8 - 1
	}
	numbers := make([]float32, rows*steps)
	for i := range numbers {
		numbers[i] = float32(i * 5 % classes)
	}
	m, err := nn.NewSequential(layers.Dense{Units: classes, Activation: layers.Softmax}).Build(t.Context(), nn.Features(steps, features), nn.BuildOptions{Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	data := of(t, x, rows, steps, features)
	values := map[string]float64{}
	for name, test := range map[string]struct {
		l nn.Loss
		y *tensor.Float32
	}{
		"categorical":   {loss.CategoricalCrossentropy{}, of(t, oneHot(numbers, classes), rows, steps, classes)},
		"sparse":        {loss.SparseCategoricalCrossentropy{}, of(t, numbers, rows, steps)},
		"sparse column": {loss.SparseCategoricalCrossentropy{}, of(t, numbers, rows, steps, 1)},
		"ignored":       {loss.SparseCategoricalCrossentropy{IgnoreClass: optional.Of(2)}, of(t, numbers, rows, steps)},
	} {
		if err := m.CheckGradients(t.Context(), data, nn.GradientOptions{Loss: test.l, Y: test.y}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		logs, err := m.Evaluate(t.Context(), nn.Data{X: data, Y: test.y}, nn.EvaluateOptions{Loss: test.l, Metrics: []nn.Metric{metrics.Accuracy{}}})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		values[name], _ = logs.Get("loss")
	}
	if d := values["categorical"] - values["sparse"]; math.Abs(d) > 1e-6 || values["sparse"] != values["sparse column"] {
		t.Errorf("losses %v", values)
	}
	// The mean over the steps that count, by hand.
	p, err := m.Predict(t.Context(), data, nn.PredictOptions{})
	if err != nil {
		t.Fatal(err)
	}
	sum, n := 0.0, 0
	for i, c := range numbers {
		if c != 2 {
			sum -= math.Log(float64(p.Data()[i*classes+int(c)]))
			n++
		}
	}
	if got, want := values["ignored"], sum/float64(n); math.Abs(got-want) > 1e-6 {
		t.Errorf("loss %v with a class ignored, want %v", got, want)
	}
}

// Labels that are no class are found before anything runs, and named.
func TestLabelsAreChecked(t *testing.T) {
	m, err := nn.NewSequential(layers.Dense{Units: 3, Activation: layers.Softmax}).Build(t.Context(), nn.Features(2), nn.BuildOptions{})
	if err != nil {
		t.Fatal(err)
	}
	x := of(t, make([]float32, 4), 2, 2)
	ints := func(values []int32, shape ...int) tensor.Rows {
		y, err := tensor.Of(values, shape...)
		if err != nil {
			t.Fatal(err)
		}
		return y
	}
	for _, test := range []struct {
		l    nn.Loss
		y    tensor.Rows
		want string
	}{
		{loss.SparseCategoricalCrossentropy{}, ints([]int32{0, 2}, 2), ""},
		{loss.SparseCategoricalCrossentropy{}, ints([]int32{0, 2}, 2, 1), ""},
		{loss.SparseCategoricalCrossentropy{}, ints([]int32{0, 3}, 2),
			"nn: the label of row 1, column 0: loss: sparse categorical cross-entropy: the output has 3 classes, 0 to 2, and so none with the number 3"},
		{loss.SparseCategoricalCrossentropy{}, ints([]int32{-1, 2}, 2),
			"nn: the label of row 0, column 0: loss: sparse categorical cross-entropy is defined for labels that are numbers of classes, not -1"},
		{loss.SparseCategoricalCrossentropy{IgnoreClass: optional.Of(-1)}, ints([]int32{-1, 2}, 2), ""},
		{loss.SparseCategoricalCrossentropy{IgnoreClass: optional.Of(255)}, ints([]int32{255, 2}, 2), ""},
		{loss.SparseCategoricalCrossentropy{IgnoreClass: optional.Of(255)}, ints([]int32{255, 254}, 2),
			"nn: the label of row 1, column 0: loss: sparse categorical cross-entropy: the output has 3 classes, 0 to 2, and so none with the number 254"},
		{loss.SparseCategoricalCrossentropy{}, of(t, []float32{0, 1.5}, 2),
			"nn: the label of row 1, column 0: loss: sparse categorical cross-entropy is defined for labels that are numbers of classes, not 1.5"},
		{loss.CategoricalCrossentropy{}, ints([]int32{0, 0, 1, 1, 0, 0}, 2, 3), ""},
		{loss.CategoricalCrossentropy{}, of(t, []float32{0.2, 0.3, 0.5, 0.33, 0.33, 0.33}, 2, 3), ""},
		{loss.CategoricalCrossentropy{}, ints([]int32{0, 0, 1, 1, 0, 1}, 2, 3),
			"nn: the label of row 1, column 0: loss: categorical cross-entropy is defined for labels that sum to 1 over the 3 classes, not to 2"},
		{loss.CategoricalCrossentropy{}, ints([]int32{0, 0, 0, 1, 0, 0}, 2, 3),
			"nn: the label of row 0, column 0: loss: categorical cross-entropy is defined for labels that sum to 1 over the 3 classes, not to 0"},
		{loss.CategoricalCrossentropy{}, ints([]int32{0, 0, 1, 0, 2, 0}, 2, 3),
			"nn: the label of row 1, column 1: loss: categorical cross-entropy is defined for labels from 0 to 1, not 2"},
	} {
		_, err := m.Evaluate(t.Context(), nn.Data{X: x, Y: test.y}, nn.EvaluateOptions{Loss: test.l})
		if text(err) != test.want {
			t.Errorf("%+v of %v: error %q, want %q", test.l, test.y, text(err), test.want)
		}
		_, err = m.Fit(t.Context(), nn.Data{X: x, Y: test.y}, nn.FitOptions{Loss: test.l, Optimizer: optim.Adam{}})
		if text(err) != test.want {
			t.Errorf("%+v of %v: Fit's error %q, want %q", test.l, test.y, text(err), test.want)
		}
	}
	// In a sequence the column is the label's place in the row.
	steps, err := nn.NewSequential(layers.Dense{Units: 3}).Build(t.Context(), nn.Features(2, 2), nn.BuildOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = steps.Evaluate(t.Context(), nn.Data{X: of(t, make([]float32, 8), 2, 2, 2), Y: ints([]int32{0, 1, 2, 7}, 2, 2)},
		nn.EvaluateOptions{Loss: loss.SparseCategoricalCrossentropy{FromLogits: true}})
	if !strings.HasPrefix(text(err), "nn: the label of row 1, column 1: ") {
		t.Errorf("error %q", text(err))
	}
}

// points are rows of three classes that lie round three corners, with the classes' numbers.
func points(t *testing.T, rows int) (x *tensor.Float32, numbers []int32) {
	t.Helper()
	corners := [3][2]float32{{0, 1}, {1, -1}, {-1, -1}}
	values := make([]float32, rows*2)
	numbers = make([]int32, rows)
	state := uint32(1)
	for i := range numbers {
		c := i % 3
		numbers[i] = int32(c)
		for k := range 2 {
			state = state*1664525 + 1013904223
			values[2*i+k] = corners[c][k] + 1.2*(float32(state>>8)/(1<<24)-0.5)
		}
	}
	return of(t, values, rows, 2), numbers
}

// A small network learns three classes, with either kind of labels, from probabilities and from logits; the number of
// threads changes no bit.
func TestThreeClassesAreLearned(t *testing.T) {
	const rows = 300
	x, numbers := points(t, rows)
	sparse, err := tensor.Of(numbers, rows)
	if err != nil {
		t.Fatal(err)
	}
	floats := make([]float32, rows)
	for i, c := range numbers {
		floats[i] = float32(c)
	}
	dense := of(t, oneHot(floats, 3), rows, 3)
	for _, test := range []struct {
		l          nn.Loss
		activation layers.ActivationFunc
		y          tensor.Rows
		metric     string // what Keras makes of "accuracy"
	}{
		{loss.SparseCategoricalCrossentropy{}, layers.Softmax, sparse, "sparse_categorical_accuracy"},
		{loss.SparseCategoricalCrossentropy{FromLogits: true}, layers.Linear, sparse, "sparse_categorical_accuracy"},
		{loss.CategoricalCrossentropy{}, layers.Softmax, dense, "categorical_accuracy"},
		{loss.CategoricalCrossentropy{FromLogits: true, LabelSmoothing: 0.05}, layers.Linear, dense, "categorical_accuracy"},
	} {
		var first []float32
		for _, threads := range []int{1, 3} {
			m, err := nn.NewSequential(layers.Dense{Units: 8, Activation: layers.ReLU}, layers.Dense{Units: 3, Activation: test.activation}).
				Build(t.Context(), nn.Features(2), nn.BuildOptions{Seed: 7})
			if err != nil {
				t.Fatal(err)
			}
			other := nn.Metric(metrics.CategoricalAccuracy{})
			if test.metric == "sparse_categorical_accuracy" {
				other = metrics.SparseCategoricalAccuracy{}
			}
			history, err := m.Fit(t.Context(), nn.Data{X: x, Y: test.y}, nn.FitOptions{
				Optimizer: optim.Adam{LearningRate: 0.01}, Loss: test.l, Metrics: []nn.Metric{metrics.Accuracy{}, other},
				Epochs: 30, BatchSize: 64, Threads: threads,
			})
			if err != nil {
				t.Fatal(err)
			}
			accuracy, losses := history.Values("accuracy"), history.Values("loss")
			if last := accuracy[len(accuracy)-1]; last < 0.95 || losses[len(losses)-1] > losses[0]/2 {
				t.Errorf("%+v: accuracy %v after 30 epochs, losses %v", test.l, last, losses)
			}
			if !slices.Equal(accuracy, history.Values(test.metric)) {
				t.Errorf("%+v: accuracy is not %s", test.l, test.metric)
			}
			var weights []float32
			for _, p := range m.Parameters() {
				weights = append(weights, p.Values()...)
			}
			if threads == 1 {
				first = weights
			} else if !slices.Equal(first, weights) {
				t.Errorf("%+v: %d threads give other weights", test.l, threads)
			}
		}
	}
}

// A step with any of these losses allocates nothing after the first epoch.
func TestStepsAllocateNothing(t *testing.T) {
	const rows = 30
	x, numbers := points(t, rows)
	y, err := tensor.Of(numbers, rows)
	if err != nil {
		t.Fatal(err)
	}
	floats := make([]float32, rows)
	for i, c := range numbers {
		floats[i] = float32(c)
	}
	dense := of(t, oneHot(floats, 3), rows, 3)
	for _, test := range []struct {
		l nn.Loss
		y tensor.Rows
	}{
		{loss.CategoricalCrossentropy{LabelSmoothing: 0.1}, dense},
		{loss.SparseCategoricalCrossentropy{}, y},
		{loss.SparseCategoricalCrossentropy{IgnoreClass: optional.Of(1)}, y},
	} {
		m, err := nn.NewSequential(layers.Dense{Units: 3, Activation: layers.Softmax}).Build(t.Context(), nn.Features(2), nn.BuildOptions{})
		if err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		var allocated uint64
		watch := plan.CallbackFunc(func(e plan.Event, tr plan.Training) error {
			switch e {
			case plan.BatchBegin, plan.TestBatchBegin:
				runtime.ReadMemStats(&before)
			case plan.BatchEnd, plan.TestBatchEnd:
				if runtime.ReadMemStats(&after); tr.Epoch() > 0 {
					allocated += after.Mallocs - before.Mallocs
				}
			}
			return nil
		})
		if _, err := m.Fit(t.Context(), nn.Data{X: x, Y: test.y}, nn.FitOptions{Optimizer: optim.Adam{}, Loss: test.l, Metrics: []nn.Metric{metrics.Accuracy{}},
			Epochs: 20, BatchSize: 8, ValidationSplit: 0.3, Callbacks: []nn.Callback{watch}}); err != nil {
			t.Fatal(err)
		}
		// The runtime's own allocations may be counted too, but not one a step.
		if allocated > 10 {
			t.Errorf("%+v: %d allocations in 19 epochs of 5 batches", test.l, allocated)
		}
	}
}

// A label that the loss ignores moves no weight, and neither does a batch of them.
func TestIgnoredRowsMoveNothing(t *testing.T) {
	x, numbers := points(t, 8)
	y, err := tensor.Of(append(numbers[:4:4], 9, 9, 9, 9), 8)
	if err != nil {
		t.Fatal(err)
	}
	few, err := tensor.Of(numbers[:4], 4)
	if err != nil {
		t.Fatal(err)
	}
	options := nn.FitOptions{Optimizer: optim.SGD{}, NoShuffle: true, BatchSize: 8, Loss: loss.SparseCategoricalCrossentropy{IgnoreClass: optional.Of(9)}}
	build := func() *nn.Model {
		m, err := nn.NewSequential(layers.Dense{Units: 3, Activation: layers.Softmax}).Build(t.Context(), nn.Features(2), nn.BuildOptions{Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	fit := func(m *nn.Model, x, y tensor.Rows) []float32 {
		if _, err := m.Fit(t.Context(), nn.Data{X: x, Y: y}, options); err != nil {
			t.Fatal(err)
		}
		return m.Parameters()[0].Values()
	}
	all, only := fit(build(), x, y), fit(build(), of(t, x.Data()[:8], 4, 2), few)
	for i := range all {
		if math.Abs(float64(all[i]-only[i])) > 1e-7 {
			t.Fatalf("weights %v with ignored rows, %v without them", all, only)
		}
	}
	m := build()
	before := slices.Clone(m.Parameters()[0].Values())
	nines, err := tensor.Of([]int32{9, 9, 9, 9, 9, 9, 9, 9}, 8)
	if err != nil {
		t.Fatal(err)
	}
	if after := fit(m, x, nines); !slices.Equal(before, after) {
		t.Errorf("weights %v, after a batch of ignored rows %v", before, after)
	}
}
