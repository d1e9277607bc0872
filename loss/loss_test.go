package loss_test

import (
	"math"
	"strings"
	"testing"

	"github.com/linnet-ml/linnet/loss"
	"github.com/linnet-ml/linnet/nn"
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

func TestCheckRefusesWhatDoesNotGoTogether(t *testing.T) {
	for _, test := range []struct {
		l              nn.Loss
		output, labels tensor.Shape
		want           string
	}{
		{loss.BinaryCrossentropy{}, tensor.Shape{1}, tensor.Shape{}, ""},
		{loss.BinaryCrossentropy{}, tensor.Shape{1}, tensor.Shape{1}, ""},
		{loss.BinaryCrossentropy{}, tensor.Shape{3, 1}, tensor.Shape{3}, ""},
		{loss.BinaryCrossentropy{LabelSmoothing: 1}, tensor.Shape{4}, tensor.Shape{4}, ""},
		{loss.BinaryCrossentropy{}, tensor.Shape{3}, tensor.Shape{},
			"loss: binary cross-entropy: a row of the output has shape (3,) and a row of the labels ()"},
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
		if got := text(test.l.Check(test.output, test.labels)); got != test.want {
			t.Errorf("%T of %v and %v: error %q, want %q", test.l, test.output, test.labels, got, test.want)
		}
	}
}

func TestCheckLabel(t *testing.T) {
	for _, test := range []struct {
		l     nn.Loss
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
		if got := text(test.l.CheckLabel(test.label)); got != test.want {
			t.Errorf("%T: label %v: error %q, want %q", test.l, test.label, got, test.want)
		}
	}
}

// every are the losses with each of their options, and what to call them.
var every = map[string]nn.Loss{
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
			l.Rows(losses, gradient, output, labels)
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
	loss.BinaryCrossentropy{}.Rows(losses, gradient, output, []float32{1, 1, 0, 0, 1, 0})
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
			output, labels := make([]float32, width), make([]float32, width)
			output[width-1], labels[0] = nan, 1
			if _, ok := l.(loss.SparseCategoricalCrossentropy); ok {
				labels = []float32{0}
			}
			losses := []float32{0}
			l.Rows(losses, nil, output, labels)
			if losses[0] == losses[0] {
				t.Errorf("%s, width %d: the loss is %v", name, width, losses[0])
			}
		}
	}
}

func TestFromActivation(t *testing.T) {
	if _, ok := (loss.BinaryCrossentropy{}).FromActivation("relu"); ok {
		t.Error("a loss from the input of relu")
	}
	// What evaluate gives with Keras 3.15.1 and TensorFlow 2.20 behind any of these, from_logits set or not.
	logits, labels := []float32{2, -1, 0.5, 3}, []float32{1, 0, 0, 1}
	const keras = 0.365713506937027
	for _, activation := range []string{"sigmoid", "softmax"} {
		for _, l := range []loss.BinaryCrossentropy{{}, {FromLogits: true}} {
			from, ok := l.FromActivation(activation)
			if !ok {
				t.Fatalf("no loss from the input of %s", activation)
			}
			losses := make([]float32, 2)
			from.Rows(losses, nil, logits, labels)
			if got := (float64(losses[0]) + float64(losses[1])) / 2; math.Abs(got-keras) > 1e-6*keras {
				t.Errorf("%+v behind %s: loss %v, want %v", l, activation, got, keras)
			}
		}
	}
	l := loss.BinaryCrossentropy{LabelSmoothing: 0.1}
	if got, _ := l.FromActivation("sigmoid"); got != nn.Loss(loss.BinaryCrossentropy{FromLogits: true, LabelSmoothing: 0.1}) {
		t.Errorf("%+v from the input of a sigmoid: the label smoothing is not kept", got)
	}
}
