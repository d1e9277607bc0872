package nn_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/loss"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/tensor"
	"github.com/linnet-ml/linnet/text"
)

// A product is a layer x·scale, element by element, with a parameter as wide as a row. The fields let a test spoil its
// gradients after they have been computed rightly.
type product struct {
	name string
	// twice reads the parameter in two steps: x·scale·scale.
	twice bool
	// spoilInput changes the input's gradient, rows lo to hi-1 of the batch; spoilScale that of the parameter.
	spoilInput func(dx []float32, width, lo, hi int)
	spoilScale func(values []float32)
}

func (product) Kind() string { return "Product" }

func (p product) LayerName() string { return p.name }

func (p product) Build(b *plan.Builder, in []plan.Symbol) ([]plan.Symbol, error) {
	scale, err := b.Parameter(plan.ParameterOptions{Name: "scale", Shape: tensor.Shape{in[0].Shape[1]}, Init: layers.RandomUniform{Min: 0.5, Max: 1.5}})
	if err != nil {
		return nil, err
	}
	x, err := b.Add(p.op(), in, scale)
	if err != nil || !p.twice {
		return x, err
	}
	return b.Add(p.op(), x, scale)
}

// op is the product of the rows and a parameter.
func (p product) op() plan.Op {
	return plan.Op{Outputs: sameAsFirst, Forward: p.forward, Backward: p.backward, Gradient: p.gradient}
}

// sameAsFirst is Op.Outputs of an operation whose output is like its first input.
func sameAsFirst(in []plan.Signature) ([]plan.Signature, error) { return in[:1], nil }

func (p product) forward(f *plan.Frame, s plan.Span) {
	x, y, scale := f.In(0, s), f.Out(0, s), f.Param(0)
	for i := range y {
		y[i] = x[i] * scale[i%len(scale)]
	}
}

func (p product) backward(f *plan.Frame, s plan.Span) {
	dy, scale := f.OutGrad(0, s), f.Param(0)
	dx := f.InGrad(0, s)
	if dx == nil {
		return
	}
	for i := range dx {
		dx[i] = dy[i] * scale[i%len(scale)]
	}
	if p.spoilInput != nil {
		p.spoilInput(f.InGrad(0, f.All()), f.InWidth(0), s.Lo, s.Hi)
	}
}

func (p product) gradient(f *plan.Frame, _ int, g plan.Gradient) {
	w, x, dy := f.OutWidth(0), f.In(0, f.All()), f.OutGrad(0, f.All())
	for j := g.Lo; j < g.Hi; j++ {
		for i := j; i < f.Rows()*w; i += w {
			g.Values[j] += dy[i] * x[i]
		}
	}
	if p.spoilScale != nil {
		p.spoilScale(g.Values[g.Lo:g.Hi])
	}
}

// sum is an operation that adds its two inputs.
var sum = plan.Op{
	Outputs: sameAsFirst,
	Forward: func(f *plan.Frame, s plan.Span) {
		y, a, b := f.Out(0, s), f.In(0, s), f.In(1, s)
		for i := range y {
			y[i] = a[i] + b[i]
		}
	},
	Backward: func(f *plan.Frame, s plan.Span) {
		for k := range 2 {
			copy(f.InGrad(k, s), f.OutGrad(0, s))
		}
	},
}

// branches is a layer with branches: three steps read its input, one value is both inputs of a sum, and one parameter
// serves three steps: x + 2·(x·p + x·p·p)·p.
type branches struct{}

func (branches) Kind() string { return "Branches" }

func (branches) Build(b *plan.Builder, in []plan.Symbol) ([]plan.Symbol, error) {
	p, err := b.Parameter(plan.ParameterOptions{Name: "scale", Shape: tensor.Shape{in[0].Shape[1]}, Init: layers.RandomUniform{Min: 0.5, Max: 1.5}})
	if err != nil {
		return nil, err
	}
	step := func(op plan.Op, in []plan.Symbol, params ...plan.ParameterRef) plan.Symbol {
		var out []plan.Symbol
		if err == nil {
			out, err = b.Add(op, in, params...)
		}
		if err != nil {
			return plan.Symbol{}
		}
		return out[0]
	}
	x, times := in[0], product{}.op()
	one := step(times, []plan.Symbol{x}, p)
	two := step(times, []plan.Symbol{one}, p)
	both := step(sum, []plan.Symbol{one, two})
	doubled := step(sum, []plan.Symbol{both, both})
	three := step(times, []plan.Symbol{doubled}, p)
	return []plan.Symbol{step(sum, []plan.Symbol{x, three})}, err
}

// idle is a layer with an operation that nobody reads.
type idle struct{}

func (idle) Kind() string { return "Idle" }

func (idle) Build(b *plan.Builder, in []plan.Symbol) ([]plan.Symbol, error) {
	_, err := product{}.Build(b, in)
	return in, err
}

// positive is a layer with a mask that is worked out from the values: a step counts where its first feature is positive.
type positive struct{}

func (positive) Kind() string { return "Positive" }

func (positive) Build(b *plan.Builder, in []plan.Symbol) ([]plan.Symbol, error) {
	mask, err := b.Add(isPositive, in)
	if err != nil {
		return nil, err
	}
	return in, b.WithMask(in[0], mask[0])
}

var isPositive = plan.Op{
	Outputs: func(in []plan.Signature) ([]plan.Signature, error) {
		return []plan.Signature{{Type: tensor.TypeInt32, Shape: in[0].Shape[:2]}}, nil
	},
	Forward: func(f *plan.Frame, s plan.Span) {
		ids, x := f.OutIDs(0, s), f.In(0, s)
		features := f.InWidth(0) / f.OutWidth(0)
		for i := range ids {
			ids[i] = 0
			if x[i*features] > 0 {
				ids[i] = 1
			}
		}
	},
}

// waves is an array of numbers from -1 to 1 that no two places share, none of them near 0.
func waves(t testing.TB, shape ...int) *tensor.Float32 {
	t.Helper()
	x := make([]float32, tensor.Shape(shape).Size())
	for i := range x {
		v := math.Sin(1.7*float64(i) + 0.4)
		x[i] = float32(v + math.Copysign(0.1, v))
	}
	a, err := tensor.Of(x, shape...)
	must(t, err)
	return a
}

func sequential(t testing.TB, in nn.Input, spec ...nn.Layer) *nn.Model {
	t.Helper()
	m, err := nn.NewSequential(spec...).Build(t.Context(), in, nn.BuildOptions{Seed: 3})
	must(t, err)
	return m
}

// checkAll checks a model's gradients with one worker and three, fused and as it was written.
func checkAll(t *testing.T, m *nn.Model, x tensor.Rows, o nn.GradientOptions) {
	t.Helper()
	for _, o.Threads = range []int{1, 3} {
		for _, o.NoFusion = range []bool{false, true} {
			if err := m.CheckGradients(t.Context(), x, o); err != nil {
				t.Errorf("%d threads, NoFusion %v: %v", o.Threads, o.NoFusion, err)
			}
		}
	}
}

func TestGradientsOfBranches(t *testing.T) {
	for _, c := range []struct {
		name string
		spec []nn.Layer
	}{
		{"alone", []nn.Layer{branches{}}},
		{"between layers", []nn.Layer{layers.Dense{Units: 4, Activation: layers.Tanh}, branches{}, layers.Dense{Units: 2}}},
		{"twice", []nn.Layer{branches{}, branches{}}},
		{"tied", []nn.Layer{layers.Dense{Units: 3}, product{twice: true}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			checkAll(t, sequential(t, nn.Features(5), c.spec...), waves(t, 7, 5), nn.GradientOptions{})
		})
	}
}

// An operation that nobody reads gives no gradient, not even where it reads the model's output, and its parameters stay.
func TestGradientsBesideIdleSteps(t *testing.T) {
	checkAll(t, sequential(t, nn.Features(5), layers.Dense{Units: 3}, idle{}), waves(t, 4, 5), nn.GradientOptions{})
	checkAll(t, sequential(t, nn.Features(5), layers.Dense{Units: 3}, idle{}, layers.Dense{Units: 2, Activation: layers.Sigmoid}), waves(t, 4, 5), nn.GradientOptions{})
}

// A mask that is worked out from values after a parameter takes no gradient.
func TestGradientsBesideMasksOfValues(t *testing.T) {
	m := sequential(t, nn.Features(4, 3), layers.Dense{Units: 3}, positive{}, layers.GlobalAveragePooling1D{}, layers.Dense{Units: 2})
	checkAll(t, m, waves(t, 5, 4, 3), nn.GradientOptions{Step: 0.002})
}

func TestGradientsOfLosses(t *testing.T) {
	sigmoid := layers.Dense{Units: 1, Activation: layers.Sigmoid}
	wide := layers.Dense{Units: 3, Activation: layers.Sigmoid}
	for _, c := range []struct {
		name string
		loss nn.Loss
		spec []nn.Layer
	}{
		{"from the logits after a sigmoid", loss.BinaryCrossentropy{}, []nn.Layer{sigmoid}},
		// Behind a Flatten the sigmoid is not the output any more, and the loss works on probabilities.
		{"from probabilities", loss.BinaryCrossentropy{}, []nn.Layer{sigmoid, layers.Flatten{}}},
		{"from logits", loss.BinaryCrossentropy{FromLogits: true}, []nn.Layer{layers.Dense{Units: 1}}},
		{"smoothed, after a sigmoid", loss.BinaryCrossentropy{LabelSmoothing: 0.2}, []nn.Layer{sigmoid}},
		{"smoothed, from probabilities", loss.BinaryCrossentropy{LabelSmoothing: 0.2}, []nn.Layer{sigmoid, layers.Flatten{}}},
		{"three outputs, after a sigmoid", loss.BinaryCrossentropy{LabelSmoothing: 0.1}, []nn.Layer{wide}},
		{"three outputs, from probabilities", loss.BinaryCrossentropy{}, []nn.Layer{wide, layers.Flatten{}}},
		{"after a softmax", loss.BinaryCrossentropy{}, []nn.Layer{layers.Dense{Units: 3, Activation: layers.Softmax}}},
		{"squared error", loss.MeanSquaredError{}, []nn.Layer{layers.Dense{Units: 3}}},
		{"squared error of a sigmoid", loss.MeanSquaredError{}, []nn.Layer{sigmoid}},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := sequential(t, nn.Features(4), c.spec...)
			y := make([]float32, 6*m.OutputShape("output")[1])
			for i := range y {
				y[i] = float32(i * 5 % 3 % 2)
			}
			labels, err := tensor.Of(y, 6, m.OutputShape("output")[1])
			must(t, err)
			checkAll(t, m, waves(t, 6, 4), nn.GradientOptions{Loss: c.loss, Y: labels})
		})
	}
}

// The tutorial's two networks, whole, with their loss and optimizer's view of it.
func TestGradientsOfTheTutorial(t *testing.T) {
	const rows, steps, words = 70, 9, 30 // more than one shard of rows
	ids, y := make([]int32, rows*steps), make([]float32, rows)
	for i := range ids {
		ids[i] = int32(i*i%17+i/steps) % words
		if i%steps > 4+i/steps%5 || i/steps == 3 {
			ids[i] = 0 // padding, and a row of nothing else
		}
	}
	for i := range y {
		y[i] = float32(i % 2)
	}
	x, err := tensor.Of(ids, rows, steps)
	must(t, err)
	labels, err := tensor.Of(y, rows)
	must(t, err)
	o := nn.GradientOptions{Loss: loss.BinaryCrossentropy{}, Y: labels, Samples: 40}
	// With biases of 0 a row of padding alone would lie exactly on relu's kink.
	relu := layers.Dense{Units: 6, Activation: layers.ReLU, BiasInit: layers.RandomUniform{Min: -0.5, Max: 0.5}}
	sigmoid := layers.Dense{Units: 1, Activation: layers.Sigmoid}
	for _, mask := range []bool{false, true} {
		m := sequential(t, nn.Tokens(nn.AnyLength),
			layers.Embedding{Vocabulary: words, Dim: 6, MaskZero: mask, Init: layers.RandomUniform{Min: -1, Max: 1}},
			layers.GlobalAveragePooling1D{}, relu, sigmoid)
		checkAll(t, m, x, o)
		bags, err := text.MakeBags(x, text.BagOptions{Vocabulary: words})
		must(t, err)
		if err := m.CheckGradients(t.Context(), bags, o); err != nil {
			t.Errorf("bags: %v", err)
		}
	}
	sequences := make([][]int32, rows)
	for i := range sequences {
		sequences[i] = x.Row(i)
	}
	hot, err := text.MultiHot(sequences, words)
	must(t, err)
	checkAll(t, sequential(t, nn.SparseFeatures(words), relu, relu, sigmoid), hot, o)
}

// A check of gradients is worth what it finds.
func TestCheckGradientsFindsMistakes(t *testing.T) {
	scaleBy := func(f float32) func([]float32) {
		return func(v []float32) {
			for i := range v {
				v[i] *= f
			}
		}
	}
	for _, c := range []struct {
		name    string
		layer   product
		tensor  string
		index   []int // nil: any
		message string
	}{
		{"input: factor", product{spoilInput: func(dx []float32, w, lo, hi int) { scaleBy(1.05)(dx[lo*w : hi*w]) }}, "input", nil, ""},
		{"input: sign", product{spoilInput: func(dx []float32, w, lo, hi int) { scaleBy(-1)(dx[lo*w : hi*w]) }}, "input", nil, ""},
		{"input: nothing", product{spoilInput: func(dx []float32, w, lo, hi int) { clear(dx[lo*w : hi*w]) }}, "input", nil, ""},
		{"input: one element", product{spoilInput: func(dx []float32, w, lo, hi int) {
			if lo <= 2 && 2 < hi {
				dx[2*w+3] += 0.01
			}
		}}, "input", []int{2, 3}, ""},
		{"input: NaN", product{spoilInput: func(dx []float32, w, lo, hi int) {
			if lo <= 1 && 1 < hi {
				dx[1*w+4] = float32(math.NaN())
			}
		}}, "input", []int{1, 4}, "nn: the gradient of input[1 4] is NaN, but by central differences "},
		{"parameter: factor", product{spoilScale: scaleBy(0.97)}, "product/scale", nil, ""},
		{"parameter: sign", product{spoilScale: scaleBy(-1)}, "product/scale", nil, ""},
		{"parameter: one element", product{spoilScale: func(v []float32) { v[2] += 0.02 }}, "product/scale", []int{2}, "nn: the gradient of product/scale[2] is "},
		{"parameter: infinity", product{spoilScale: func(v []float32) { v[1] = float32(math.Inf(1)) }}, "product/scale", []int{1}, ""},
		{"tied parameter: not added up", product{twice: true, spoilScale: scaleBy(0.5)}, "product/scale", nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := sequential(t, nn.Features(5), c.layer)
			x := waves(t, 6, 5)
			for _, threads := range []int{1, 3} {
				err := m.CheckGradients(t.Context(), x, nn.GradientOptions{Threads: threads})
				var wrong *nn.GradientError
				if !errors.As(err, &wrong) {
					t.Fatalf("%d threads: %v", threads, err)
				}
				if wrong.Name != c.tensor || c.index != nil && !slices.Equal(wrong.Index, c.index) {
					t.Errorf("%d threads: found %s%v, not %s%v", threads, wrong.Name, wrong.Index, c.tensor, c.index)
				}
				if !strings.HasPrefix(err.Error(), c.message) || !strings.Contains(err.Error(), fmt.Sprintf("%s%v", wrong.Name, wrong.Index)) {
					t.Errorf("%d threads: %v", threads, err)
				}
			}
		})
	}
}

// The element that lies furthest off is named, of all arrays: here the input's gradient is spoilt a little, and that of
// the layer before it is wrong in consequence and in itself.
func TestCheckGradientsNamesTheWorst(t *testing.T) {
	m := sequential(t, nn.Features(5),
		product{name: "first", spoilScale: func(v []float32) { v[4] = 100 }}, product{name: "second", spoilScale: func(v []float32) { v[1] += 0.02 }})
	var wrong *nn.GradientError
	err := m.CheckGradients(t.Context(), waves(t, 6, 5), nn.GradientOptions{})
	if !errors.As(err, &wrong) || wrong.Name != "first/scale" || wrong.Index[0] != 4 || wrong.Gradient != 100 || math.Abs(wrong.Estimate) > 2 {
		t.Errorf("%v", err)
	}
}

// spoilt is a loss whose gradient is wrong in one column.
type spoilt struct{ loss.MeanSquaredError }

func (s spoilt) Start(info plan.LossInfo) (plan.LossRule, error) {
	rule, err := s.MeanSquaredError.Start(info)
	right := rule.Rows
	rule.Rows = func(losses, gradient, output, labels []float32) {
		right(losses, gradient, output, labels)
		for i := 1; i < len(gradient); i += 3 {
			gradient[i] *= 1.1
		}
	}
	return rule, err
}

func TestCheckGradientsFindsMistakesInLosses(t *testing.T) {
	m := sequential(t, nn.Features(4), layers.Dense{Units: 3})
	err := m.CheckGradients(t.Context(), waves(t, 6, 4), nn.GradientOptions{Loss: spoilt{}, Y: waves(t, 6, 3)})
	var wrong *nn.GradientError
	if !errors.As(err, &wrong) {
		t.Fatal(err)
	}
	if wrong.Name != "dense/bias" && wrong.Name != "dense/kernel" || wrong.Index[len(wrong.Index)-1] != 1 {
		t.Errorf("found %s%v", wrong.Name, wrong.Index)
	}
}

// Beside a kink the central difference of a wide step is wrong, that of a narrow one is not.
func TestCheckGradientsBesideKinks(t *testing.T) {
	m := sequential(t, nn.Features(4), layers.Activation{Function: layers.ReLU})
	x, err := tensor.Of([]float32{0.004, -0.004, 0.0015, -0.5}, 1, 4)
	must(t, err)
	must(t, m.CheckGradients(t.Context(), x, nn.GradientOptions{}))
}

func TestCheckGradientsSamples(t *testing.T) {
	// One element in 500 is wrong: five samples of a seed do not meet it, all elements do.
	m := sequential(t, nn.Features(500), product{spoilScale: func(v []float32) { v[123] += 1 }})
	x := waves(t, 1, 500)
	must(t, m.CheckGradients(t.Context(), x, nn.GradientOptions{Samples: 5, Seed: 1}))
	if m.CheckGradients(t.Context(), x, nn.GradientOptions{Samples: 1000}) == nil {
		t.Error("more samples than elements do not check them all")
	}
}

// A check leaves the model's parameters and the caller's rows as they were, also when it finds a mistake.
func TestCheckGradientsChangesNothing(t *testing.T) {
	for _, p := range []product{{}, {spoilScale: func(v []float32) { v[0]++ }}} {
		m := sequential(t, nn.Features(5), layers.Dense{Units: 4}, p)
		x := waves(t, 6, 5)
		weights, rows := m.Weights(nil), slices.Clone(x.Data())
		err := m.CheckGradients(t.Context(), x, nn.GradientOptions{})
		if (err != nil) != (p.spoilScale != nil) {
			t.Error(err)
		}
		if !slices.EqualFunc(weights, m.Weights(nil), slices.Equal[[]float32]) || !slices.Equal(rows, x.Data()) {
			t.Error("weights or rows have changed")
		}
	}
}

// Dropout is checked with the noise of one step, or without any.
func TestCheckGradientsOfNoise(t *testing.T) {
	m := sequential(t, nn.Features(6), layers.Dense{Units: 6}, layers.Dropout{Rate: 0.5}, layers.Dense{Units: 2})
	for _, inference := range []bool{false, true} {
		checkAll(t, m, waves(t, 5, 6), nn.GradientOptions{Inference: inference, Seed: 4})
	}
}

// opaque is a layer that no gradient of its input goes through.
type opaque struct{}

func (opaque) Kind() string { return "Opaque" }

func (opaque) Build(b *plan.Builder, in []plan.Symbol) ([]plan.Symbol, error) {
	return b.Add(plan.Op{Outputs: sameAsFirst, Forward: func(*plan.Frame, plan.Span) {}}, in)
}

func TestCheckGradientsErrors(t *testing.T) {
	dense := sequential(t, nn.Features(3), layers.Dense{Units: 1})
	empty, err := tensor.New[float32](0, 3)
	must(t, err)
	infinite, err := tensor.Of([]float32{math.MaxFloat32, math.MaxFloat32, 1}, 1, 3)
	must(t, err)
	for _, c := range []struct {
		m    *nn.Model
		x    tensor.Rows
		o    nn.GradientOptions
		want string
	}{
		{dense, nil, nn.GradientOptions{}, "nn: there are no rows to check gradients on"},
		{dense, empty, nn.GradientOptions{}, "nn: there are no rows to check gradients on"},
		{dense, waves(t, 2, 4), nn.GradientOptions{}, "nn: shape does not fit: the model reads rows (None, 3), not (2, 4)"},
		{dense, waves(t, 2, 3), nn.GradientOptions{Step: -1}, "nn: Step -1 must be finite and not negative"},
		{dense, waves(t, 2, 3), nn.GradientOptions{Tolerance: math.NaN()}, "nn: Tolerance NaN must be finite and not negative"},
		{dense, waves(t, 2, 3), nn.GradientOptions{Samples: -2}, "nn: Samples -2 must not be negative"},
		{dense, waves(t, 2, 3), nn.GradientOptions{Loss: loss.MeanSquaredError{}}, "nn: data needs both X and Y"},
		{dense, infinite, nn.GradientOptions{Loss: loss.MeanSquaredError{}, Y: waves(t, 1, 1)}, "nn: the loss is +Inf, which has no gradient to check"},
		{sequential(t, nn.Features(3), opaque{}), waves(t, 2, 3), nn.GradientOptions{}, `nn: layer "opaque" lets no gradient through to the input`},
	} {
		if err := c.m.CheckGradients(t.Context(), c.x, c.o); err == nil || err.Error() != c.want {
			t.Errorf("got  %v\nwant %s", err, c.want)
		}
	}
	_, err = nn.NewSequential(layers.Dense{Units: 3}, opaque{}).Build(t.Context(), nn.Features(3), nn.BuildOptions{})
	if want := `nn: layer "opaque" lets no gradient through to the layers before it`; err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}
