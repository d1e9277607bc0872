package layers_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/linnet-ml/linnet/internal/golden"
	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optional"
	"github.com/linnet-ml/linnet/tensor"
)

// drawn is a layer of a given name with one parameter.
type drawn struct {
	layer, name string
	shape       tensor.Shape
	init        plan.Initializer
}

func (drawn) Kind() string { return "Drawn" }

func (d drawn) LayerName() string { return d.layer }

func (d drawn) Build(b *plan.Builder, in []plan.Symbol) ([]plan.Symbol, error) {
	_, err := b.Parameter(plan.ParameterOptions{Name: d.name, Shape: d.shape, Init: d.init})
	return in, err
}

// drawAs returns the first values that an initializer gives a parameter of that name.
func drawAs(layer, name string, init plan.Initializer, shape tensor.Shape, seed uint64) ([]float32, error) {
	b := plan.NewBuilder(context.Background(), plan.BuilderOptions{Seed: seed})
	in := b.Input(plan.Signature{Type: tensor.TypeFloat32, Shape: tensor.Shape{tensor.Unknown, 1}})
	out, err := b.Apply(drawn{layer, name, shape, init}, in)
	if err != nil {
		return nil, err
	}
	p, err := b.Finish(out...)
	if err != nil {
		return nil, err
	}
	return p.Params[0].Values(), nil
}

func draw(t *testing.T, init plan.Initializer, shape tensor.Shape, seed uint64) []float32 {
	t.Helper()
	values, err := drawAs("drawn", "values", init, shape, seed)
	must(t, err)
	return values
}

// initialCase is a recorded case as linnet writes it, with what its values must be like.
type initialCase struct {
	init            plan.Initializer // nil where linnet has none, or another test compares it
	mean, deviation float64
	low, high       float64 // no value is outside
	uniform         bool    // between low and high
	kurtosis        float64
}

func newInitialCase(c golden.Case) initialCase {
	class, _, _ := strings.Cut(c.Name, "/")
	expected := func(key string, or float64) float64 {
		if c.Has("expected", key) {
			return c.Float("expected", key)
		}
		return or
	}
	// Kurtosis: of the uniform distribution, of the normal one, and of that cut off at two standard deviations.
	k := initialCase{deviation: expected("stddev", 0), mean: expected("mean", 0), low: math.Inf(-1), high: math.Inf(1), kurtosis: 3}
	uniform := func(init plan.Initializer, low, high float64) initialCase {
		return initialCase{init: init, deviation: k.deviation, mean: (low + high) / 2, low: low, high: high, uniform: true, kurtosis: 1.8}
	}
	normal := func(init plan.Initializer) initialCase {
		k.init = init
		if c.Has("expected", "normal_stddev") {
			cut := 2 * c.Float("expected", "normal_stddev")
			k.low, k.high, k.kurtosis = k.mean-cut, k.mean+cut, 2.37
		}
		return k
	}
	constant := func(init plan.Initializer) initialCase {
		v := c.Float("expected", "value")
		return initialCase{init: init, mean: v, low: v, high: v}
	}
	optionalConfig := func(key string) (v optional.Value[float32]) {
		if c.Has("config", key) {
			v = optional.Of(float32(c.Float("config", key)))
		}
		return v
	}
	config := func(key string) float32 { return optionalConfig(key).Or(0) }
	limit := expected("limit", 0)
	switch class {
	case "GlorotUniform":
		return uniform(layers.GlorotUniform{}, -limit, limit)
	case "HeUniform":
		return uniform(layers.HeUniform{}, -limit, limit)
	case "LecunUniform":
		return uniform(layers.LecunUniform{}, -limit, limit)
	case "RandomUniform":
		return uniform(layers.RandomUniform{Min: config("minval"), Max: config("maxval")}, expected("low", 0), expected("high", 0))
	case "GlorotNormal":
		return normal(layers.GlorotNormal{})
	case "HeNormal":
		return normal(layers.HeNormal{})
	case "LecunNormal":
		return normal(layers.LecunNormal{})
	case "RandomNormal":
		return normal(layers.RandomNormal{Mean: config("mean"), StdDev: optionalConfig("stddev")})
	case "TruncatedNormal":
		return normal(layers.TruncatedNormal{Mean: config("mean"), StdDev: optionalConfig("stddev")})
	case "Zeros":
		return constant(layers.Zeros{})
	case "Ones":
		return constant(layers.Ones{})
	case "Constant":
		return constant(layers.Constant{Value: config("value")})
	}
	return initialCase{}
}

// absentInitializers are recorded and linnet does not have them yet, or other tests compare them.
var absentInitializers = []string{
	"Identity", "LSTM_bias_at_start", "VarianceScaling",
	// Compared in TestOrthogonal, TestInitialDefaults and TestInitialBits.
	"Orthogonal", "layer_defaults", "same_seed_same_values",
}

func TestInitializers(t *testing.T) {
	compared := 0
	for _, c := range golden.Open(t, "initializers").Cases {
		k := newInitialCase(c)
		if k.init == nil {
			if class, _, _ := strings.Cut(c.Name, "/"); !slices.Contains(absentInitializers, class) {
				t.Errorf("%s: no test compares the initializer", c.Name)
			}
			continue
		}
		compared++
		t.Run(c.Name, func(t *testing.T) {
			shape := tensor.Shape(c.Ints("config", "shape"))
			if k.uniform {
				// The formula, to the bit: the values are the unit stream's, stretched to the recorded range.
				values, unit := draw(t, k.init, shape, 5), draw(t, layers.RandomUniform{Min: 0, Max: 1}, shape, 5)
				lo, span := float32(k.low), float32(k.high)-float32(k.low)
				for i, v := range values {
					if want := float32(unit[i]*span) + lo; v != want {
						t.Fatalf("element %d is %v, not %v", i, v, want)
					}
				}
			}
			// The distribution, from as many draws as were recorded.
			n, sum, squares := 0, 0.0, 0.0
			for seed := uint64(0); n < c.Int("measured", "draws"); seed++ {
				for _, v := range draw(t, k.init, shape, seed) {
					if v < float32(k.low) || v > float32(k.high) {
						t.Fatalf("%v is outside [%v, %v]", v, k.low, k.high)
					}
					off := float64(v) - k.mean
					n, sum, squares = n+1, sum+off, squares+off*off
				}
			}
			root := math.Sqrt(float64(n))
			golden.CloseNumber(t, "mean", sum/float64(n), 0, golden.Tolerance{Abs: 5 * k.deviation / root})
			// The standard error of a deviation depends on the distribution's kurtosis.
			allowed := 5 * k.deviation * math.Sqrt((k.kurtosis-1)/4) / root
			golden.CloseNumber(t, "deviation", math.Sqrt(squares/float64(n)), k.deviation, golden.Tolerance{Abs: allowed})
		})
	}
	// 8 shapes of each of 6, 2 of each of 3, and 3 constants.
	if compared != 8*6+2*3+3 {
		t.Errorf("%d cases were compared", compared)
	}
}

// The columns, or rows if these are fewer, have the length of the gain and stand at right angles.
func TestOrthogonal(t *testing.T) {
	compared := 0
	for _, c := range golden.Open(t, "initializers").Cases {
		if !strings.HasPrefix(c.Name, "Orthogonal/") {
			continue
		}
		compared++
		gain := optional.Of(float32(c.Float("config", "gain")))
		if gain.Or(0) == 1 {
			gain = optional.Value[float32]{} // the default
		}
		q := draw(t, layers.Orthogonal{Gain: gain}, tensor.Shape(c.Ints("config", "shape")), 3)
		matrix := c.Ints("expected", "matrix_shape")
		checkOrthogonal(t, c.Name, q, matrix[0], matrix[1], float64(gain.Or(1)), c.Text("expected", "gram_of") == "columns")
	}
	if compared != 8 {
		t.Errorf("%d cases were compared", compared)
	}
	for _, shape := range []tensor.Shape{{1, 1}, {1, 5}, {5, 1}, {64, 256}, {100, 100}} {
		q := draw(t, layers.Orthogonal{}, shape, 9)
		checkOrthogonal(t, shape.String(), q, shape[0], shape[1], 1, shape[0] >= shape[1])
	}
	// Transposed and times the normal numbers it is made from, it is R: upper triangular, with a positive diagonal.
	const rows, columns = 9, 4
	a := draw(t, layers.RandomNormal{StdDev: optional.Of[float32](1)}, tensor.Shape{rows, columns}, 2)
	q := draw(t, layers.Orthogonal{}, tensor.Shape{rows, columns}, 2)
	for i := range columns {
		for j := range i + 1 {
			sum := 0.0
			for k := range rows {
				sum += float64(q[k*columns+i]) * float64(a[k*columns+j])
			}
			if (i == j && !(sum > 0.1)) || (i != j && !(math.Abs(sum) < 1e-5)) {
				t.Errorf("R has %v in row %d, column %d", sum, i, j)
			}
		}
	}
}

func checkOrthogonal(t *testing.T, name string, q []float32, rows, columns int, gain float64, ofColumns bool) {
	t.Helper()
	vectors, length := rows, columns
	at := func(v, i int) float64 { return float64(q[v*columns+i]) }
	if ofColumns {
		vectors, length = columns, rows
		at = func(v, i int) float64 { return float64(q[i*columns+v]) }
	}
	for a := range vectors {
		for b := range a + 1 {
			sum, want := 0.0, 0.0
			for i := range length {
				sum += at(a, i) * at(b, i)
			}
			if a == b {
				want = gain * gain
			}
			if !(math.Abs(sum-want) < 1e-5) {
				t.Errorf("%s: the product of vectors %d and %d is %v, not %v", name, a, b, sum, want)
			}
		}
	}
}

// Settings out of range are errors of Build that name the parameter.
func TestInitializerErrors(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	square := tensor.Shape{2, 2}
	for _, c := range []struct {
		init  plan.Initializer
		shape tensor.Shape
		want  string
	}{
		{layers.RandomUniform{Min: nan}, square, "RandomUniform cannot draw from NaN to 0"},
		{layers.RandomUniform{Max: nan}, square, "RandomUniform cannot draw from 0 to NaN"},
		{layers.RandomUniform{Min: -inf, Max: 1}, square, "RandomUniform cannot draw from -Inf to 1"},
		{layers.RandomUniform{Min: 2, Max: 1}, square, "RandomUniform cannot draw from 2 to 1"},
		{layers.RandomUniform{Min: -3e38, Max: 3e38}, square, "RandomUniform cannot draw from -3e+38 to 3e+38"},
		{layers.RandomNormal{Mean: inf}, square, "RandomNormal cannot draw values of mean +Inf and standard deviation 0.05"},
		{layers.RandomNormal{StdDev: optional.Of[float32](-1)}, square, "RandomNormal cannot draw values of mean 0 and standard deviation -1"},
		{layers.TruncatedNormal{StdDev: optional.Of(nan)}, square, "TruncatedNormal cannot draw values of mean 0 and standard deviation NaN"},
		{layers.Constant{Value: nan}, square, "a Constant of NaN"},
		{layers.Orthogonal{Gain: optional.Of(inf)}, square, "Orthogonal with a gain of +Inf"},
		{layers.Orthogonal{}, tensor.Shape{4}, "shape does not fit: Orthogonal makes values of at least 2 dimensions, not (4,)"},
	} {
		_, err := drawAs("drawn", "values", c.init, c.shape, 0)
		if err == nil || !strings.HasSuffix(err.Error(), "parameter values: "+c.want) {
			t.Errorf("%+v\ngot  %v\nwant %s", c.init, err, c.want)
		}
	}
}

func TestInitialDefaults(t *testing.T) {
	topic := golden.Open(t, "initializers")
	named := map[string]plan.Initializer{"GlorotUniform": layers.GlorotUniform{}, "Zeros": layers.Zeros{}, "RandomUniform": layers.RandomUniform{Min: -0.05, Max: 0.05}}
	same := func(p *plan.Parameter, init plan.Initializer) {
		t.Helper()
		layer, name, _ := strings.Cut(p.Name(), "/")
		want, err := drawAs(layer, name, init, p.Shape(), 1)
		must(t, err)
		if !slices.Equal(p.Values(), want) {
			t.Errorf("%s does not start as Keras's default", p.Name())
		}
	}
	c := topic.Case("layer_defaults/Dense")
	m := build(t, nn.Features(20), layers.Dense{Units: 30})
	same(m.Parameter("dense/kernel"), named[c.Text("expected", "kernel_initializer", "class")])
	same(m.Parameter("dense/bias"), named[c.Text("expected", "bias_initializer", "class")])
	c = topic.Case("layer_defaults/Embedding")
	if lo, hi := c.Float("expected", "embeddings_initializer", "minval"), c.Float("expected", "embeddings_initializer", "maxval"); lo != -0.05 || hi != 0.05 {
		t.Errorf("Keras's default is from %v to %v", lo, hi)
	}
	m = build(t, nn.Tokens(3), layers.Embedding{Vocabulary: 20, Dim: 30})
	same(m.Parameter("embedding/embeddings"), named[c.Text("expected", "embeddings_initializer", "class")])
	// And none but the defaults where others are asked for.
	m = build(t, nn.Features(4), layers.Dense{Units: 3, KernelInit: layers.Zeros{}, BiasInit: layers.RandomUniform{Min: 2, Max: 3}})
	if k := m.Parameter("dense/kernel").Values(); slices.Max(k) != 0 || slices.Min(k) != 0 {
		t.Errorf("the kernel is %v", k)
	}
	if b := m.Parameter("dense/bias").Values(); slices.Min(b) < 2 {
		t.Errorf("the bias is %v", b)
	}
}

// A parameter's initial values depend on the seed and its name: a layer that is added changes no other's.
func TestInitialValuesByName(t *testing.T) {
	values := func(name string, spec ...nn.Layer) []float32 {
		t.Helper()
		return build(t, nn.Features(6), spec...).Parameter(name).Values()
	}
	dense := layers.Dense{Units: 6}
	alone, second := values("dense/kernel", dense), values("dense_1/kernel", dense, dense)
	if slices.Equal(alone, second) {
		t.Error("two layers begin with the same values")
	}
	for what, same := range map[string][]float32{
		"the name that it gets anyway": values("dense/kernel", layers.Dense{Name: "dense", Units: 6}),
		"a Dropout in front":           values("dense/kernel", layers.Dropout{Rate: 0.5}, dense),
		"a Dense in front":             values("dense/kernel", layers.Dense{Name: "front", Units: 6}, dense),
		"a Dense after it":             values("dense/kernel", dense, layers.Dense{Name: "back", Units: 3}),
		"no bias, and an initial bias": values("dense/kernel", layers.Dense{Name: "front", Units: 6, NoBias: true}, layers.Dense{Units: 6, BiasInit: layers.Zeros{}}),
	} {
		if !slices.Equal(same, alone) {
			t.Errorf("%s changes the initial values", what)
		}
	}
	if !slices.Equal(second, values("dense_1/kernel", layers.Dense{Name: "dense_1", Units: 6})) {
		t.Error("the values of dense_1 depend on dense")
	}
}

// A seed's initial values are part of what linnet promises: another digest here is an entry in CHANGELOG.md.
func TestInitialBits(t *testing.T) {
	digest := func(seed uint64) string {
		m, err := nn.NewSequential(
			layers.Embedding{Vocabulary: 100, Dim: 16},
			layers.GlobalAveragePooling1D{},
			layers.Dense{Units: 16, Activation: layers.ReLU},
			layers.Dense{Units: 1, Activation: layers.Sigmoid},
		).Build(t.Context(), nn.Tokens(nn.AnyLength), nn.BuildOptions{Seed: seed})
		must(t, err)
		h := sha256.New()
		for _, w := range m.Weights(nil) {
			for _, v := range w {
				must(t, binary.Write(h, binary.LittleEndian, v))
			}
		}
		return fmt.Sprintf("%x", h.Sum(nil)[:8])
	}
	for seed, want := range map[uint64]string{0: "4effa9f5465b43cc", 7: "a4b42901f28e6cda", 1 << 63: "a0032d0491ad4f3c"} {
		if got := digest(seed); got != want {
			t.Errorf("seed %d: %s, not %s", seed, got, want)
		}
	}
}
