package loss_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/linnet-ml/linnet/loss"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optional"
	"github.com/linnet-ml/linnet/tensor"
)

var nan, inf = float32(math.NaN()), float32(math.Inf(1))

// text is an error's text, "" for none.
func text(err error) string {
	if err != nil {
		return err.Error()
	}
	return ""
}

// start starts a loss for rows of the given shapes.
func start(tb testing.TB, l plan.Loss, output, labels tensor.Shape, activation string) plan.LossRule {
	tb.Helper()
	rule, err := l.Start(plan.LossInfo{Output: output, Labels: labels, Activation: activation})
	if err != nil {
		tb.Fatal(err)
	}
	return rule
}

// classes reports whether a loss is over two classes or more.
func classes(l plan.Loss) bool {
	switch l.(type) {
	case loss.CategoricalCrossentropy, loss.SparseCategoricalCrossentropy:
		return true
	}
	return false
}

// labelShape is the shape of labels that go with an output.
func labelShape(l plan.Loss, output tensor.Shape) tensor.Shape {
	if _, ok := l.(loss.SparseCategoricalCrossentropy); ok {
		return output[:len(output)-1]
	}
	return output
}

func TestStartRefusesWhatDoesNotGoTogether(t *testing.T) {
	for _, test := range []struct {
		l              plan.Loss
		output, labels tensor.Shape
		want           string
	}{
		{loss.BinaryCrossentropy{}, tensor.Shape{1}, tensor.Shape{}, ""},
		{loss.BinaryCrossentropy{}, tensor.Shape{1}, tensor.Shape{1}, ""},
		{loss.BinaryCrossentropy{}, tensor.Shape{3, 1}, tensor.Shape{3}, ""},
		{loss.BinaryCrossentropy{LabelSmoothing: 1}, tensor.Shape{4}, tensor.Shape{4}, ""},
		{loss.BinaryCrossentropy{}, tensor.Shape{3}, tensor.Shape{},
			"loss: binary cross-entropy: a row of the output has shape (3,) and a row of the labels (); labels that are numbers of classes are for SparseCategoricalCrossentropy, or for an output of one unit"},
		{loss.BinaryCrossentropy{}, tensor.Shape{2}, tensor.Shape{1},
			"loss: binary cross-entropy: a row of the output has shape (2,) and a row of the labels (1,); labels that are numbers of classes are for SparseCategoricalCrossentropy, or for an output of one unit"},
		{loss.BinaryCrossentropy{}, tensor.Shape{3}, tensor.Shape{2},
			"loss: binary cross-entropy: a row of the output has shape (3,) and a row of the labels (2,)"},
		{loss.BinaryCrossentropy{}, tensor.Shape{1}, tensor.Shape{2},
			"loss: binary cross-entropy: a row of the output has shape (1,) and a row of the labels (2,)"},
		{loss.BinaryCrossentropy{}, tensor.Shape{tensor.Unknown, 2}, tensor.Shape{3, 2},
			"loss: binary cross-entropy: a row of the output has shape (None, 2) and a row of the labels (3, 2)"},
		{loss.BinaryCrossentropy{}, tensor.Shape{0}, tensor.Shape{0},
			"loss: binary cross-entropy: a row of the output has shape (0,): no elements, or a number of them that is not known"},
		{loss.BinaryCrossentropy{LabelSmoothing: -0.1}, tensor.Shape{1}, tensor.Shape{1},
			"loss: binary cross-entropy: a label smoothing of -0.1 is not from 0 to 1"},
		{loss.BinaryCrossentropy{LabelSmoothing: nan}, tensor.Shape{1}, tensor.Shape{1},
			"loss: binary cross-entropy: a label smoothing of NaN is not from 0 to 1"},
		{loss.CategoricalCrossentropy{}, tensor.Shape{3}, tensor.Shape{3}, ""},
		{loss.CategoricalCrossentropy{LabelSmoothing: 1}, tensor.Shape{5, 2}, tensor.Shape{5, 2}, ""},
		{loss.CategoricalCrossentropy{LabelSmoothing: 1.5}, tensor.Shape{3}, tensor.Shape{3},
			"loss: categorical cross-entropy: a label smoothing of 1.5 is not from 0 to 1"},
		{loss.CategoricalCrossentropy{}, tensor.Shape{3}, tensor.Shape{},
			"loss: categorical cross-entropy: a row of the output has shape (3,) and a row of the labels (); labels that are numbers of classes are for SparseCategoricalCrossentropy"},
		{loss.CategoricalCrossentropy{}, tensor.Shape{3}, tensor.Shape{1},
			"loss: categorical cross-entropy: a row of the output has shape (3,) and a row of the labels (1,); labels that are numbers of classes are for SparseCategoricalCrossentropy"},
		{loss.CategoricalCrossentropy{}, tensor.Shape{3}, tensor.Shape{2},
			"loss: categorical cross-entropy: a row of the output has shape (3,) and a row of the labels (2,)"},
		{loss.CategoricalCrossentropy{}, tensor.Shape{1}, tensor.Shape{1},
			"loss: categorical cross-entropy: a row of the output has shape (1,): of a single class it is always 0; BinaryCrossentropy is for one output"},
		{loss.CategoricalCrossentropy{}, tensor.Shape{tensor.Unknown, 2}, tensor.Shape{tensor.Unknown, 2},
			"loss: categorical cross-entropy: a row of the output has shape (None, 2): no elements, or a number of them that is not known"},
		{loss.SparseCategoricalCrossentropy{}, tensor.Shape{3}, tensor.Shape{}, ""},
		{loss.SparseCategoricalCrossentropy{}, tensor.Shape{3}, tensor.Shape{1}, ""},
		{loss.SparseCategoricalCrossentropy{IgnoreClass: optional.Of(-1)}, tensor.Shape{5, 3}, tensor.Shape{5}, ""},
		{loss.SparseCategoricalCrossentropy{}, tensor.Shape{3}, tensor.Shape{3},
			"loss: sparse categorical cross-entropy: a row of the output has shape (3,) and a row of the labels (3,); labels that give each class its probability are for CategoricalCrossentropy"},
		{loss.SparseCategoricalCrossentropy{}, tensor.Shape{5, 3}, tensor.Shape{4},
			"loss: sparse categorical cross-entropy: a row of the output has shape (5, 3) and a row of the labels (4,)"},
		{loss.SparseCategoricalCrossentropy{}, tensor.Shape{1}, tensor.Shape{},
			"loss: sparse categorical cross-entropy: a row of the output has shape (1,): of a single class it is always 0; BinaryCrossentropy is for one output"},
		{loss.SparseCategoricalCrossentropy{}, tensor.Shape{}, tensor.Shape{},
			"loss: sparse categorical cross-entropy: a row of the output has shape (): no elements, or a number of them that is not known"},
		{loss.SparseCategoricalCrossentropy{IgnoreClass: optional.Of(1<<24 + 1)}, tensor.Shape{3}, tensor.Shape{},
			"loss: sparse categorical cross-entropy: the class 16777217 to ignore is not from -16777216 to 16777216"},
		{loss.MeanSquaredError{}, tensor.Shape{1}, tensor.Shape{}, ""},
		{loss.MeanSquaredError{}, tensor.Shape{2, 3}, tensor.Shape{3, 2},
			"loss: mean squared error: a row of the output has shape (2, 3) and a row of the labels (3, 2)"},
	} {
		rule, err := test.l.Start(plan.LossInfo{Output: test.output, Labels: test.labels})
		if got := text(err); got != test.want || (err == nil) != (rule.Rows != nil) {
			t.Errorf("%T of %v and %v: error %q, want %q", test.l, test.output, test.labels, got, test.want)
		}
	}
}

func TestCheckLabel(t *testing.T) {
	for _, test := range []struct {
		l     plan.Loss
		label float32
		want  string
	}{
		{loss.BinaryCrossentropy{}, 0, ""},
		{loss.BinaryCrossentropy{}, 0.25, ""},
		{loss.BinaryCrossentropy{FromLogits: true}, 1, ""},
		{loss.BinaryCrossentropy{}, 2, "loss: binary cross-entropy is defined for labels from 0 to 1, not 2"},
		{loss.BinaryCrossentropy{}, -1, "loss: binary cross-entropy is defined for labels from 0 to 1, not -1"},
		{loss.BinaryCrossentropy{}, nan, "loss: binary cross-entropy is defined for labels from 0 to 1, not NaN"},
		{loss.CategoricalCrossentropy{}, 0.25, ""},
		{loss.CategoricalCrossentropy{}, 2, "loss: categorical cross-entropy is defined for labels from 0 to 1, not 2"},
		{loss.CategoricalCrossentropy{}, nan, "loss: categorical cross-entropy is defined for labels from 0 to 1, not NaN"},
		{loss.SparseCategoricalCrossentropy{}, 0, ""},
		{loss.SparseCategoricalCrossentropy{}, 7, ""},
		{loss.SparseCategoricalCrossentropy{}, -1, "loss: sparse categorical cross-entropy is defined for labels that are numbers of classes, not -1"},
		{loss.SparseCategoricalCrossentropy{IgnoreClass: optional.Of(-1)}, -1, ""},
		{loss.SparseCategoricalCrossentropy{IgnoreClass: optional.Of(-1)}, -2, "loss: sparse categorical cross-entropy is defined for labels that are numbers of classes, not -2"},
		{loss.SparseCategoricalCrossentropy{}, 1.5, "loss: sparse categorical cross-entropy is defined for labels that are numbers of classes, not 1.5"},
		{loss.SparseCategoricalCrossentropy{}, nan, "loss: sparse categorical cross-entropy is defined for labels that are numbers of classes, not NaN"},
		{loss.SparseCategoricalCrossentropy{}, inf, "loss: sparse categorical cross-entropy is defined for labels that are numbers of classes, not +Inf"},
		{loss.MeanSquaredError{}, -7, ""},
		{loss.MeanSquaredError{}, nan, "loss: mean squared error is defined for finite labels, not NaN"},
		{loss.MeanSquaredError{}, -inf, "loss: mean squared error is defined for finite labels, not -Inf"},
	} {
		output := tensor.Shape{9}
		rule := start(t, test.l, output, labelShape(test.l, output), "")
		if got := text(rule.CheckLabel(test.label)); got != test.want {
			t.Errorf("%T: label %v: error %q, want %q", test.l, test.label, got, test.want)
		}
	}
}

// every are the losses with each of their options, and what to call them.
var every = map[string]plan.Loss{
	"probabilities":          loss.BinaryCrossentropy{},
	"probabilities smoothed": loss.BinaryCrossentropy{LabelSmoothing: 0.2},
	"logits":                 loss.BinaryCrossentropy{FromLogits: true},
	"logits smoothed":        loss.BinaryCrossentropy{FromLogits: true, LabelSmoothing: 0.2},
	"squares":                loss.MeanSquaredError{},

	"classes":                 loss.CategoricalCrossentropy{},
	"classes smoothed":        loss.CategoricalCrossentropy{LabelSmoothing: 0.2},
	"classes logits":          loss.CategoricalCrossentropy{FromLogits: true},
	"classes logits smoothed": loss.CategoricalCrossentropy{FromLogits: true, LabelSmoothing: 0.2},
	"numbers":                 loss.SparseCategoricalCrossentropy{},
	"numbers logits":          loss.SparseCategoricalCrossentropy{FromLogits: true},
	"numbers ignored":         loss.SparseCategoricalCrossentropy{IgnoreClass: optional.Of(-1)},
}

// The gradient is the slope of the loss, measured by central differences on a formula in float64 that shares nothing
// with the implementation.
func TestGradientsAreSlopes(t *testing.T) {
	formulas := map[string]func(x, y float64) float64{
		"probabilities": func(p, y float64) float64 { return -y*math.Log(p) - (1-y)*math.Log(1-p) },
		"logits":        func(z, y float64) float64 { return math.Log(1+math.Exp(z)) - y*z },
		"squares":       func(x, y float64) float64 { return (x - y) * (x - y) },
	}
	for name, l := range every {
		if strings.HasPrefix(name, "classes") || strings.HasPrefix(name, "numbers") {
			continue // TestGradientsOfClassesAreSlopes
		}
		kind, smoothing := name, 0.0
		if b, ok := l.(loss.BinaryCrossentropy); ok {
			smoothing = float64(b.LabelSmoothing)
			kind = map[bool]string{false: "probabilities", true: "logits"}[b.FromLogits]
		}
		for _, width := range []int{1, 3} {
			const rows = 4
			output, labels := make([]float32, rows*width), make([]float32, rows*width)
			for i := range output {
				output[i], labels[i] = float32(i+1)/float32(len(output)+1), float32(i%3)/2
			}
			losses, gradient := make([]float32, rows), make([]float32, rows*width)
			start(t, l, tensor.Shape{width}, tensor.Shape{width}, "").Rows(losses, gradient, output, labels)
			for i := range output {
				const h = 1e-4
				x, y := float64(output[i]), float64(labels[i])*(1-smoothing)+smoothing/2
				want := (formulas[kind](x+h, y) - formulas[kind](x-h, y)) / (2 * h) / float64(width)
				if got := float64(gradient[i]); math.Abs(got-want) > 1e-5*(1+math.Abs(want)) {
					t.Errorf("%s, width %d, element %d: gradient %v, want %v", name, width, i, got, want)
				}
			}
		}
	}
}

// Beyond the bounds of probabilities there is no slope; at the bounds there still is.
func TestNoGradientBeyondTheBounds(t *testing.T) {
	low, high := float32(1e-7), float32(1-1e-7)
	output := []float32{0, low, high, 1, -3, 4}
	losses, gradient := make([]float32, 6), make([]float32, 6)
	start(t, loss.BinaryCrossentropy{}, tensor.Shape{1}, tensor.Shape{1}, "").Rows(losses, gradient, output, []float32{1, 1, 0, 0, 1, 0})
	for i, zero := range []bool{true, false, false, true, true, true} {
		if (gradient[i] == 0) != zero {
			t.Errorf("the gradient at %v is %v", output[i], gradient[i])
		}
	}
	if losses[0] != losses[1] || losses[0] != losses[4] || losses[2] != losses[3] || losses[2] != losses[5] {
		t.Errorf("losses %v differ beyond the bounds", losses)
	}
}

// A NaN output must reach the loss, where Fit finds it.
func TestNaNOutputGivesNaNLoss(t *testing.T) {
	for name, l := range every {
		for _, width := range []int{1, 2} {
			if width == 1 && classes(l) {
				continue
			}
			shape := tensor.Shape{width}
			output, labels := make([]float32, width), make([]float32, labelShape(l, shape).Size())
			output[width-1] = nan
			if len(labels) == width {
				labels[0] = 1
			}
			losses := []float32{0}
			start(t, l, shape, labelShape(l, shape), "").Rows(losses, nil, output, labels)
			if losses[0] == losses[0] {
				t.Errorf("%s, width %d: the loss is %v", name, width, losses[0])
			}
		}
	}
}

// What goes into a sigmoid or softmax are logits, and the output is then none, whatever the loss was told.
func TestBeforeActivation(t *testing.T) {
	ignored := loss.SparseCategoricalCrossentropy{IgnoreClass: optional.Of(-1)}
	ignoredLogits := loss.SparseCategoricalCrossentropy{IgnoreClass: optional.Of(-1), FromLogits: true}
	for _, test := range []struct {
		l              plan.Loss
		activation     string
		before, logits bool
	}{
		{loss.BinaryCrossentropy{}, "", false, false},
		{loss.BinaryCrossentropy{}, "relu", false, false},
		{loss.BinaryCrossentropy{}, "sigmoid", true, false},
		{loss.BinaryCrossentropy{}, "softmax", true, false},
		{loss.BinaryCrossentropy{FromLogits: true}, "", false, true},
		{loss.BinaryCrossentropy{FromLogits: true}, "relu", false, true},
		{loss.BinaryCrossentropy{FromLogits: true}, "sigmoid", true, false},
		{loss.CategoricalCrossentropy{}, "", false, false},
		{loss.CategoricalCrossentropy{}, "tanh", false, false},
		{loss.CategoricalCrossentropy{}, "softmax", true, false},
		{loss.CategoricalCrossentropy{}, "sigmoid", true, false},
		{loss.CategoricalCrossentropy{FromLogits: true}, "", false, true},
		{loss.CategoricalCrossentropy{FromLogits: true}, "softmax", true, false},
		{loss.SparseCategoricalCrossentropy{}, "", false, false},
		{loss.SparseCategoricalCrossentropy{}, "tanh", false, false},
		{loss.SparseCategoricalCrossentropy{}, "softmax", true, false},
		{loss.SparseCategoricalCrossentropy{}, "sigmoid", true, false},
		{loss.SparseCategoricalCrossentropy{FromLogits: true}, "", false, true},
		{loss.SparseCategoricalCrossentropy{FromLogits: true}, "softmax", true, false},
		{ignored, "softmax", false, false},
		{ignoredLogits, "softmax", false, true},
		{loss.MeanSquaredError{}, "sigmoid", false, false},
	} {
		shape := tensor.Shape{3}
		rule := start(t, test.l, shape, labelShape(test.l, shape), test.activation)
		if rule.BeforeActivation != test.before || rule.Logits != test.logits {
			t.Errorf("%+v after %q: before the activation %v, logits %v", test.l, test.activation, rule.BeforeActivation, rule.Logits)
		}
	}
}

func TestRowsBeforeActivation(t *testing.T) {
	// What evaluate gives with Keras 3.15.1 and TensorFlow 2.20 after any of these, from_logits set or not.
	logits, labels := []float32{2, -1, 0.5, 3}, []float32{1, 0, 0, 1}
	const keras = 0.365713506937027
	shape := tensor.Shape{2}
	for _, activation := range []string{"sigmoid", "softmax"} {
		for _, l := range []loss.BinaryCrossentropy{{}, {FromLogits: true}} {
			losses := make([]float32, 2)
			start(t, l, shape, shape, activation).Rows(losses, nil, logits, labels)
			if got := (float64(losses[0]) + float64(losses[1])) / 2; math.Abs(got-keras) > 1e-6*keras {
				t.Errorf("%+v after %s: loss %v, want %v", l, activation, got, keras)
			}
		}
	}
	// The label smoothing is kept.
	got, want := make([]float32, 2), make([]float32, 2)
	start(t, loss.BinaryCrossentropy{LabelSmoothing: 0.1}, shape, shape, "sigmoid").Rows(got, nil, logits, labels)
	start(t, loss.BinaryCrossentropy{FromLogits: true, LabelSmoothing: 0.1}, shape, shape, "").Rows(want, nil, logits, labels)
	if !slices.Equal(got, want) {
		t.Errorf("smoothed after a sigmoid: losses %v, want %v", got, want)
	}
}

// Only a loss that leaves elements out counts them.
func TestCounted(t *testing.T) {
	for name, l := range every {
		shape := tensor.Shape{3}
		rule := start(t, l, shape, labelShape(l, shape), "")
		if name != "numbers ignored" {
			if rule.Counted != nil {
				t.Errorf("%s counts labels", name)
			}
		} else if got := rule.Counted([]float32{-1, 0, 2, -1, -1}); got != 2 {
			t.Errorf("%s: %d labels count, want 2", name, got)
		}
	}
}

// Kinds are Keras's class names.
func TestKinds(t *testing.T) {
	for _, l := range every {
		if want := strings.TrimPrefix(fmt.Sprintf("%T", l), "loss."); l.Kind() != want {
			t.Errorf("Kind %q, want %q", l.Kind(), want)
		}
	}
}
