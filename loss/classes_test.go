package loss_test

import (
	"math"
	"slices"
	"testing"

	"github.com/linnet-ml/linnet/internal/golden"
	"github.com/linnet-ml/linnet/loss"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optional"
	"github.com/linnet-ml/linnet/tensor"
)

// classLosses are the losses of every kind that read classes, with labels made of numbers of classes.
var classLosses = []struct {
	name   string
	l      plan.Loss
	oneHot bool
	smooth float64
	logits bool
}{
	{"probabilities", loss.CategoricalCrossentropy{}, true, 0, false},
	{"probabilities smoothed", loss.CategoricalCrossentropy{LabelSmoothing: 0.3}, true, 0.3, false},
	{"logits", loss.CategoricalCrossentropy{FromLogits: true}, true, 0, true},
	{"logits smoothed", loss.CategoricalCrossentropy{FromLogits: true, LabelSmoothing: 0.3}, true, 0.3, true},
	{"numbers, probabilities", loss.SparseCategoricalCrossentropy{}, false, 0, false},
	{"numbers, logits", loss.SparseCategoricalCrossentropy{FromLogits: true}, false, 0, true},
}

// oneHot makes labels of n classes from their numbers.
func oneHot(numbers []float32, n int) []float32 {
	out := make([]float32, len(numbers)*n)
	for i, c := range numbers {
		out[i*n+int(c)] = 1
	}
	return out
}

// The gradient is the slope of the loss, measured by central differences on a formula in float64 that shares nothing
// with the implementation. Values come from the same formula, for every number of classes up to 70.
func TestGradientsOfClassesAreSlopes(t *testing.T) {
	formula := func(x []float64, label int, smooth float64, logits bool) float64 {
		total := 0.0
		for _, v := range x {
			if logits {
				v = math.Exp(v)
			}
			total += v
		}
		sum := 0.0
		for i, v := range x {
			if !logits {
				v = math.Log(v)
			}
			y := smooth / float64(len(x))
			if i == label {
				y += 1 - smooth
			}
			sum += y * (math.Log(total) - v)
		}
		return sum
	}
	for _, test := range classLosses {
		for n := 2; n <= 70; n++ {
			const rows = 3
			numbers, output := make([]float32, rows), make([]float32, rows*n)
			for i := range numbers {
				numbers[i] = float32(i * 7 % n)
			}
			for i := range output {
				output[i] = float32(i*37%101+3) / 110
				if test.logits {
					output[i] = 5*output[i] - 2
				}
			}
			labels := numbers
			if test.oneHot {
				labels = oneHot(numbers, n)
			}
			shape := tensor.Shape{n}
			rule := start(t, test.l, shape, labelShape(test.l, shape), "")
			losses, gradient := make([]float32, rows), make([]float32, rows*n)
			for i := range gradient {
				gradient[i] = nan // what an earlier batch may have left
			}
			rule.Rows(losses, gradient, output, labels)
			alone := make([]float32, rows)
			rule.Rows(alone, nil, output, labels)
			if !slices.Equal(losses, alone) {
				t.Errorf("%s, %d classes: losses %v with the gradient, %v without it", test.name, n, losses, alone)
			}
			for r := range losses {
				x := make([]float64, n)
				for i := range x {
					x[i] = float64(output[r*n+i])
				}
				at := func(i int, h float64) float64 {
					y := slices.Clone(x)
					y[i] += h
					return formula(y, int(numbers[r]), test.smooth, test.logits)
				}
				if got, want := float64(losses[r]), at(0, 0); math.Abs(got-want) > 1e-6*want {
					t.Errorf("%s, %d classes, row %d: loss %v, want %v", test.name, n, r, got, want)
				}
				for i := range x {
					const h = 1e-5
					want := (at(i, h) - at(i, -h)) / (2 * h)
					if got := float64(gradient[r*n+i]); math.Abs(got-want) > 2e-6*(1+math.Abs(want)) {
						t.Fatalf("%s, %d classes, row %d: gradient %d is %v, want %v", test.name, n, r, i, got, want)
					}
				}
			}
		}
	}
}

// Beyond the bounds of probabilities there is no slope; at the bounds there still is.
func TestNoGradientOfClassesBeyondTheBounds(t *testing.T) {
	low, high := float32(1e-7), float32(1-1e-7)
	sparse := start(t, loss.SparseCategoricalCrossentropy{}, tensor.Shape{3}, tensor.Shape{}, "")
	for _, test := range []struct {
		p    float32
		zero bool
	}{{0, true}, {low / 2, true}, {low, false}, {0.5, false}, {high, false}, {1, true}, {-3, true}, {4, true}} {
		losses, gradient := make([]float32, 1), make([]float32, 3)
		sparse.Rows(losses, gradient, []float32{test.p, 0.25, 0.25}, []float32{0})
		if (gradient[0] == 0) != test.zero {
			t.Errorf("sparse: the gradient at %v is %v", test.p, gradient[0])
		}
	}
	// CategoricalCrossentropy divides by the sum first, which is 1 here.
	categorical := start(t, loss.CategoricalCrossentropy{}, tensor.Shape{2}, tensor.Shape{2}, "")
	for _, p := range []float32{0, 5e-8} {
		losses, gradient := make([]float32, 1), make([]float32, 2)
		categorical.Rows(losses, gradient, []float32{p, 1 - p}, []float32{1, 0})
		if gradient[0] != 0 || gradient[1] != 0 || losses[0] != -float32(math.Log(1e-7)) {
			t.Errorf("categorical: of %v loss %v and gradient %v", p, losses, gradient)
		}
	}
}

// Infinite logits: a class that is impossible costs nothing where its label is 0.
func TestInfiniteLogits(t *testing.T) {
	for _, test := range []struct {
		z    []float32
		want float64
	}{
		{[]float32{1, 2, -inf}, math.Log(1 + math.E)},
		{[]float32{-inf, 2, 1}, math.Inf(1)},
		{[]float32{inf, 2, 1}, math.NaN()},
		{[]float32{-inf, -inf, -inf}, math.NaN()},
		{[]float32{nan, 2, 1}, math.NaN()},
		{[]float32{1, nan, 2}, math.NaN()},
		{[]float32{-3e38, 3e38, 0}, math.Inf(1)},
	} {
		for _, l := range classLosses {
			if !l.logits || l.smooth != 0 {
				continue
			}
			losses, gradient, labels := make([]float32, 1), make([]float32, 3), []float32{0}
			if l.oneHot {
				labels = []float32{1, 0, 0}
			}
			shape := tensor.Shape{3}
			start(t, l.l, shape, labelShape(l.l, shape), "").Rows(losses, gradient, test.z, labels)
			if got := float64(losses[0]); !(math.Abs(got-test.want) < 1e-6 || got == test.want || got != got && test.want != test.want) {
				t.Errorf("%s: loss of %v is %v, want %v", l.name, test.z, got, test.want)
			}
		}
	}
}

// Unchecked labels that are no class give NaN, and no panic.
func TestNoClassGivesNaN(t *testing.T) {
	rule := start(t, loss.SparseCategoricalCrossentropy{}, tensor.Shape{3}, tensor.Shape{}, "")
	for _, y := range []float32{-1, 3, 1e30, nan, inf, -inf} {
		losses, gradient := make([]float32, 1), make([]float32, 3)
		rule.Rows(losses, gradient, []float32{0.2, 0.3, 0.5}, []float32{y})
		if losses[0] == losses[0] || gradient[0] == gradient[0] {
			t.Errorf("label %v: loss %v, gradient %v", y, losses, gradient)
		}
	}
}

// An ignored vector leaves nothing of an earlier batch in its gradient.
func TestIgnoredGradientIsZero(t *testing.T) {
	for _, fromLogits := range []bool{false, true} {
		l := loss.SparseCategoricalCrossentropy{FromLogits: fromLogits, IgnoreClass: optional.Of(0)}
		losses, gradient := []float32{5, 5}, []float32{nan, nan, nan, nan, nan, nan}
		start(t, l, tensor.Shape{3}, tensor.Shape{}, "").Rows(losses, gradient, []float32{0.2, 0.3, 0.5, 0.2, 0.3, 0.5}, []float32{0, 1})
		if !slices.Equal(gradient[:3], []float32{0, 0, 0}) || gradient[4] >= 0 || losses[0] != 0 || losses[1] <= 0 {
			t.Errorf("from logits %v: losses %v, gradient %v", fromLogits, losses, gradient)
		}
	}
}

// Keras's metrics of the same names are the means of these losses.
func TestLossesAsMetricsMatchKeras(t *testing.T) {
	golden.Open(t, "metrics").Run(t, "", func(t *testing.T, c golden.Case) {
		l := map[string]plan.Loss{
			"CategoricalCrossentropy/categorical": loss.CategoricalCrossentropy{}, "SparseCategoricalCrossentropy/sparse": loss.SparseCategoricalCrossentropy{},
		}[c.Name]
		if l == nil {
			return
		}
		c.Decode(&struct{}{}, "config")
		labels, output, weights := c.Array("y_true"), c.Array("y_pred"), c.Array("sample_weight").Float32
		y := labels.Float32
		for _, v := range labels.Int32 {
			y = append(y, float32(v))
		}
		losses := make([]float32, output.Shape[0])
		start(t, l, tensor.Shape(output.Shape[1:]), tensor.Shape(labels.Shape[1:]), "").Rows(losses, nil, output.Float32, y)
		var results []float64
		sum, count, at := 0.0, 0.0, 0
		for _, n := range c.Ints("batch_sizes") {
			for ; n > 0; n, at = n-1, at+1 {
				sum += float64(losses[at]) * float64(weights[at])
				count += float64(weights[at])
			}
			results = append(results, sum/count)
		}
		golden.CloseList(t, "after each batch", results, c.Floats("expected", "after_each_batch"), golden.Tolerance{Rel: 1e-6})
	})
}
