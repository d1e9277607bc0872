package layers_test

import (
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
	"github.com/linnet-ml/linnet/tensor"
)

// drawn is a layer with one parameter that nothing uses.
type drawn struct {
	name  string // the parameter's full name, on which its values depend
	shape tensor.Shape
	init  nn.Initializer
}

var _ nn.NamedLayer = drawn{}

func (drawn) Kind() string { return "Drawn" }

func (d drawn) LayerName() string {
	layer, _, _ := strings.Cut(d.name, "/")
	return layer
}

func (d drawn) Build(b *nn.Builder, in ...nn.Symbol) (nn.Symbol, error) {
	_, parameter, _ := strings.Cut(d.name, "/")
	_, err := b.Parameter(nn.ParameterOptions{Name: parameter, Shape: d.shape, Init: d.init})
	return in[0], err
}

// draw returns the first values that an initializer gives a parameter.
func draw(t *testing.T, init nn.Initializer, shape tensor.Shape, seed uint64) []float32 {
	t.Helper()
	m, err := nn.NewSequential(drawn{"drawn/values", shape, init}).Build(nn.Features(1), nn.Seed(seed))
	must(t, err)
	return m.Parameters()[0].Values()
}

// initialCase is a recorded case that linnet has the initializer of.
func initialCase(c golden.Case) (init nn.Initializer, low, high, deviation float64, ok bool) {
	class, _, _ := strings.Cut(c.Name, "/")
	switch class {
	case "GlorotUniform":
		limit := c.Float("expected", "limit")
		return layers.GlorotUniform{}, -limit, limit, c.Float("expected", "stddev"), true
	case "RandomUniform":
		u := layers.RandomUniform{}
		if c.Has("config", "minval") {
			u.Min, u.Max = float32(c.Float("config", "minval")), float32(c.Float("config", "maxval"))
		}
		return u, c.Float("expected", "low"), c.Float("expected", "high"), c.Float("expected", "stddev"), true
	case "Zeros":
		return layers.Zeros{}, 0, 0, 0, true
	}
	return nil, 0, 0, 0, false
}

// absentInitializers are recorded and linnet does not have them yet.
var absentInitializers = []string{
	"Constant", "GlorotNormal", "HeNormal", "HeUniform", "Identity", "LSTM_bias_at_start", "LecunNormal", "LecunUniform",
	"Ones", "Orthogonal", "RandomNormal", "TruncatedNormal", "VarianceScaling",
	// Checked apart, here and in TestInitialBits.
	"layer_defaults", "same_seed_same_values",
}

func TestInitializers(t *testing.T) {
	compared := 0
	for _, c := range golden.Open(t, "initializers").Cases {
		init, low, high, deviation, ok := initialCase(c)
		if !ok {
			if class, _, _ := strings.Cut(c.Name, "/"); !slices.Contains(absentInitializers, class) {
				t.Errorf("%s: no test compares the initializer", c.Name)
			}
			continue
		}
		compared++
		t.Run(c.Name, func(t *testing.T) {
			shape := tensor.Shape(c.Ints("config", "shape"))
			// The formula, to the bit: the values are the unit stream's, stretched to the recorded range.
			values, unit := draw(t, init, shape, 5), draw(t, layers.RandomUniform{Min: 0, Max: 1}, shape, 5)
			lo, span := float32(low), float32(high)-float32(low)
			for i, v := range values {
				if want := float32(unit[i]*span) + lo; v != want {
					t.Fatalf("element %d is %v, not %v", i, v, want)
				}
			}
			// The distribution, from as many draws as were recorded.
			var all []float32
			for seed := uint64(0); len(all) < c.Int("measured", "draws"); seed++ {
				all = append(all, draw(t, init, shape, seed)...)
			}
			n, sum, squares := float64(len(all)), 0.0, 0.0
			mid := (low + high) / 2
			for _, v := range all {
				if float64(v) < float64(float32(low)) || float64(v) > float64(float32(high)) {
					t.Fatalf("%v is outside [%v, %v)", v, low, high)
				}
				sum += float64(v) - mid
				squares += (float64(v) - mid) * (float64(v) - mid)
			}
			golden.CloseNumber(t, "mean", sum/n, 0, golden.Tolerance{Abs: 5 * deviation / math.Sqrt(n)})
			// The standard error of a uniform distribution's deviation: its kurtosis is 1.8.
			golden.CloseNumber(t, "deviation", math.Sqrt(squares/n), deviation, golden.Tolerance{Abs: 5 * deviation * math.Sqrt(0.2/n)})
		})
	}
	if compared != 8+2+1 {
		t.Errorf("%d cases were compared", compared)
	}
}

func TestInitialDefaults(t *testing.T) {
	topic := golden.Open(t, "initializers")
	named := map[string]nn.Initializer{"GlorotUniform": layers.GlorotUniform{}, "Zeros": layers.Zeros{}, "RandomUniform": layers.RandomUniform{Min: -0.05, Max: 0.05}}
	same := func(what string, p *nn.Parameter, init nn.Initializer) {
		t.Helper()
		m := build(t, nn.Features(1), drawn{p.Name(), p.Shape(), init})
		if !slices.Equal(p.Values(), m.Parameter(p.Name()).Values()) {
			t.Errorf("%s does not start as Keras's default", what)
		}
	}
	c := topic.Case("layer_defaults/Dense")
	m := build(t, nn.Features(20), layers.Dense{Units: 30})
	same("Dense's kernel", m.Parameter("dense/kernel"), named[c.Text("expected", "kernel_initializer", "class")])
	same("Dense's bias", m.Parameter("dense/bias"), named[c.Text("expected", "bias_initializer", "class")])
	c = topic.Case("layer_defaults/Embedding")
	if lo, hi := c.Float("expected", "embeddings_initializer", "minval"), c.Float("expected", "embeddings_initializer", "maxval"); lo != -0.05 || hi != 0.05 {
		t.Errorf("Keras's default is from %v to %v", lo, hi)
	}
	m = build(t, nn.Tokens(3), layers.Embedding{Vocabulary: 20, Dim: 30})
	same("Embedding's table", m.Parameter("embedding/embeddings"), named[c.Text("expected", "embeddings_initializer", "class")])
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
		).Build(nn.Tokens(nn.AnyLength), nn.Seed(seed))
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
