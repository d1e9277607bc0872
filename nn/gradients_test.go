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

func (p product) Build(b *nn.Builder, in ...nn.Symbol) (nn.Symbol, error) {
	scale, err := b.Parameter(nn.ParameterOptions{Name: "scale", Shape: tensor.Shape{in[0].Shape[1]}, Init: layers.RandomUniform{Min: 0.5, Max: 1.5}})
	if err != nil {
		return in[0], err
	}
	x, err := b.Step(productStep(p), in, scale)
	if err != nil || !p.twice {
		return x, err
	}
	return b.Step(productStep(p), []nn.Symbol{x}, scale)
}

type productStep product

func (productStep) Output(in []nn.Signature) (nn.Signature, error) { return in[0], nil }

func (productStep) Forward(f *nn.Frame, at nn.Span) {
	w := f.OutWidth()
	for i := at.Lo * w; i < at.Hi*w; i++ {
		f.Out()[i] = f.In(0)[i] * f.Param(0)[i%w]
	}
}

func (s productStep) Backward(f *nn.Frame, at nn.Span) {
	w := f.OutWidth()
	for i := at.Lo * w; i < at.Hi*w; i++ {
		f.InGrad(0)[i] = f.OutGrad()[i] * f.Param(0)[i%w]
	}
	if s.spoilInput != nil {
		s.spoilInput(f.InGrad(0), w, at.Lo, at.Hi)
	}
}

func (s productStep) Gradient(f *nn.Frame, _ int, g nn.Gradient) {
	w := f.OutWidth()
	for j := g.Lo; j < g.Hi; j++ {
		for i := j; i < f.Rows()*w; i += w {
			g.Values[j] += f.OutGrad()[i] * f.In(0)[i]
		}
	}
	if s.spoilScale != nil {
		s.spoilScale(g.Values[g.Lo:g.Hi])
	}
}

// sum is a step that adds its two inputs.
type sum struct{}

func (sum) Output(in []nn.Signature) (nn.Signature, error) { return in[0], nil }

func (sum) Forward(f *nn.Frame, at nn.Span) {
	for i := at.Lo * f.OutWidth(); i < at.Hi*f.OutWidth(); i++ {
		f.Out()[i] = f.In(0)[i] + f.In(1)[i]
	}
}

func (sum) Backward(f *nn.Frame, at nn.Span) {
	lo, hi := at.Lo*f.OutWidth(), at.Hi*f.OutWidth()
	for k := range 2 {
		if dx := f.InGrad(k); dx != nil {
			copy(dx[lo:hi], f.OutGrad()[lo:hi])
		}
	}
}

// branches is a layer with branches: three steps read its input, one value is both inputs of a sum, and one parameter
// serves three steps: x + 2·(x·p + x·p·p)·p.
type branches struct{}

func (branches) Kind() string { return "Branches" }

func (branches) Build(b *nn.Builder, in ...nn.Symbol) (nn.Symbol, error) {
	p, err := b.Parameter(nn.ParameterOptions{Name: "scale", Shape: tensor.Shape{in[0].Shape[1]}, Init: layers.RandomUniform{Min: 0.5, Max: 1.5}})
	if err != nil {
		return in[0], err
	}
	step := func(s nn.Step, in []nn.Symbol, params ...nn.ParameterRef) nn.Symbol {
		var out nn.Symbol
		if err == nil {
			out, err = b.Step(s, in, params...)
		}
		return out
	}
	x := in[0]
	one := step(productStep{}, []nn.Symbol{x}, p)
	two := step(productStep{}, []nn.Symbol{one}, p)
	both := step(sum{}, []nn.Symbol{one, two})
	doubled := step(sum{}, []nn.Symbol{both, both})
	three := step(productStep{}, []nn.Symbol{doubled}, p)
	return step(sum{}, []nn.Symbol{x, three}), err
}

// idle is a layer with a step that nobody reads.
type idle struct{}

func (idle) Kind() string { return "Idle" }

func (idle) Build(b *nn.Builder, in ...nn.Symbol) (nn.Symbol, error) {
	_, err := product{}.Build(b, in...)
	return in[0], err
}

// positive is a layer with a mask that is worked out from the values: a step counts where its first feature is positive.
type positive struct{}

func (positive) Kind() string { return "Positive" }

func (positive) Build(b *nn.Builder, in ...nn.Symbol) (nn.Symbol, error) {
	mask, err := b.Step(positiveStep{}, in)
	return b.Masked(in[0], mask), err
}

type positiveStep struct{}

func (positiveStep) Output(in []nn.Signature) (nn.Signature, error) {
	return nn.Signature{Type: tensor.TypeInt32, Shape: in[0].Shape[:2]}, nil
}

func (positiveStep) Forward(f *nn.Frame, at nn.Span) {
	steps := f.OutWidth()
	features := f.Width(0) / steps
	for i := at.Lo * steps; i < at.Hi*steps; i++ {
		f.OutIDs()[i] = 0
		if f.In(0)[i*features] > 0 {
			f.OutIDs()[i] = 1
		}
	}
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
	m, err := nn.NewSequential(spec...).Build(in, nn.Seed(3))
	must(t, err)
	return m
}

// checkAll checks a model's gradients with one worker and three, fused and as it was written.
func checkAll(t *testing.T, m *nn.Model, x tensor.Rows, o nn.GradientOptions) {
	t.Helper()
	for _, o.Threads = range []int{1, 3} {
		for _, o.NoFusion = range []bool{false, true} {
			if err := m.CheckGradients(x, o); err != nil {
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

// A step that nobody reads gives no gradient, not even where it reads the model's output, and its parameters stay.
func TestGradientsBesideIdleSteps(t *testing.T) {
	checkAll(t, sequential(t, nn.Features(5), layers.Dense{Units: 3}, idle{}), waves(t, 4, 5), nn.GradientOptions{})
	checkAll(t, sequential(t, nn.Features(5), layers.Dense{Units: 3}, idle{}, layers.Dense{Units: 2, Activation: layers.Sigmoid}), waves(t, 4, 5), nn.GradientOptions{})
}

// A mask that is worked out from values behind a parameter takes no gradient.
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
		{"from the logits behind a sigmoid", loss.BinaryCrossentropy{}, []nn.Layer{sigmoid}},
		// Behind a Flatten the sigmoid is not the output any more, and the loss works on probabilities.
		{"from probabilities", loss.BinaryCrossentropy{}, []nn.Layer{sigmoid, layers.Flatten{}}},
		{"from logits", loss.BinaryCrossentropy{FromLogits: true}, []nn.Layer{layers.Dense{Units: 1}}},
		{"smoothed, behind a sigmoid", loss.BinaryCrossentropy{LabelSmoothing: 0.2}, []nn.Layer{sigmoid}},
		{"smoothed, from probabilities", loss.BinaryCrossentropy{LabelSmoothing: 0.2}, []nn.Layer{sigmoid, layers.Flatten{}}},
		{"three outputs, behind a sigmoid", loss.BinaryCrossentropy{LabelSmoothing: 0.1}, []nn.Layer{wide}},
		{"three outputs, from probabilities", loss.BinaryCrossentropy{}, []nn.Layer{wide, layers.Flatten{}}},
		{"behind a softmax", loss.BinaryCrossentropy{}, []nn.Layer{layers.Dense{Units: 3, Activation: layers.Softmax}}},
		{"squared error", loss.MeanSquaredError{}, []nn.Layer{layers.Dense{Units: 3}}},
		{"squared error of a sigmoid", loss.MeanSquaredError{}, []nn.Layer{sigmoid}},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := sequential(t, nn.Features(4), c.spec...)
			y := make([]float32, 6*m.OutputShape()[1])
			for i := range y {
				y[i] = float32(i * 5 % 3 % 2)
			}
			labels, err := tensor.Of(y, 6, m.OutputShape()[1])
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
		if err := m.CheckGradients(bags, o); err != nil {
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
				err := m.CheckGradients(x, nn.GradientOptions{Threads: threads})
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
	err := m.CheckGradients(waves(t, 6, 5), nn.GradientOptions{})
	if !errors.As(err, &wrong) || wrong.Name != "first/scale" || wrong.Index[0] != 4 || wrong.Gradient != 100 || math.Abs(wrong.Estimate) > 2 {
		t.Errorf("%v", err)
	}
}

// spoilt is a loss whose gradient is wrong in one column.
type spoilt struct{ loss.MeanSquaredError }

func (s spoilt) Rows(losses, gradient, output, labels []float32) {
	s.MeanSquaredError.Rows(losses, gradient, output, labels)
	for i := 1; i < len(gradient); i += 3 {
		gradient[i] *= 1.1
	}
}

func TestCheckGradientsFindsMistakesInLosses(t *testing.T) {
	m := sequential(t, nn.Features(4), layers.Dense{Units: 3})
	err := m.CheckGradients(waves(t, 6, 4), nn.GradientOptions{Loss: spoilt{}, Y: waves(t, 6, 3)})
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
	must(t, m.CheckGradients(x, nn.GradientOptions{}))
}

func TestCheckGradientsSamples(t *testing.T) {
	// One element in 500 is wrong: five samples of a seed do not meet it, all elements do.
	m := sequential(t, nn.Features(500), product{spoilScale: func(v []float32) { v[123] += 1 }})
	x := waves(t, 1, 500)
	must(t, m.CheckGradients(x, nn.GradientOptions{Samples: 5, Seed: 1}))
	if m.CheckGradients(x, nn.GradientOptions{Samples: 1000}) == nil {
		t.Error("more samples than elements do not check them all")
	}
}

// A check leaves the model's parameters and the caller's rows as they were, also when it finds a mistake.
func TestCheckGradientsChangesNothing(t *testing.T) {
	for _, p := range []product{{}, {spoilScale: func(v []float32) { v[0]++ }}} {
		m := sequential(t, nn.Features(5), layers.Dense{Units: 4}, p)
		x := waves(t, 6, 5)
		weights, rows := m.Weights(nil), slices.Clone(x.Data())
		err := m.CheckGradients(x, nn.GradientOptions{})
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

func (opaque) Build(b *nn.Builder, in ...nn.Symbol) (nn.Symbol, error) {
	return b.Step(opaqueStep{}, in)
}

type opaqueStep struct{}

func (opaqueStep) Output(in []nn.Signature) (nn.Signature, error) { return in[0], nil }
func (opaqueStep) Forward(*nn.Frame, nn.Span)                     {}

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
		{dense, waves(t, 2, 3), nn.GradientOptions{Step: -1}, "nn: a gradient check with Step -1, Tolerance 0 and Samples 0"},
		{dense, waves(t, 2, 3), nn.GradientOptions{Tolerance: math.NaN()}, "nn: a gradient check with Step 0, Tolerance NaN and Samples 0"},
		{dense, waves(t, 2, 3), nn.GradientOptions{Samples: -2}, "nn: a gradient check with Step 0, Tolerance 0 and Samples -2"},
		{dense, waves(t, 2, 3), nn.GradientOptions{Loss: loss.MeanSquaredError{}}, "nn: data needs both X and Y"},
		{dense, infinite, nn.GradientOptions{Loss: loss.MeanSquaredError{}, Y: waves(t, 1, 1)}, "nn: the loss is +Inf, which has no gradient to check"},
		{sequential(t, nn.Features(3), opaque{}), waves(t, 2, 3), nn.GradientOptions{}, `nn: layer "opaque" lets no gradient through to the input`},
	} {
		if err := c.m.CheckGradients(c.x, c.o); err == nil || err.Error() != c.want {
			t.Errorf("got  %v\nwant %s", err, c.want)
		}
	}
	_, err = nn.NewSequential(layers.Dense{Units: 3}, opaque{}).Build(nn.Features(3))
	if want := `nn: layer "opaque" lets no gradient through to the layers before it`; err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}
