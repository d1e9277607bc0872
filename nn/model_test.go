package nn_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/tensor"
)

const smallVocabulary = 50

// smallText is the tutorial's model in small: 50 ids in 4 dimensions, 6 units.
func smallText(t testing.TB, options ...nn.BuildOptions) *nn.Model {
	t.Helper()
	m, err := nn.NewSequential(
		layers.Embedding{Vocabulary: smallVocabulary, Dim: 4},
		layers.GlobalAveragePooling1D{},
		layers.Dense{Units: 6, Activation: layers.ReLU},
		layers.Dense{Units: 1, Activation: layers.Sigmoid},
	).Build(t.Context(), nn.Tokens(nn.AnyLength), append(options, nn.BuildOptions{})[0])
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// noisyText is smallText with Dropout: its training depends on random numbers too.
func noisyText(t testing.TB) *nn.Model {
	t.Helper()
	m, err := nn.NewSequential(
		layers.Embedding{Vocabulary: smallVocabulary, Dim: 4},
		layers.GlobalAveragePooling1D{},
		layers.Dropout{Rate: 0.25},
		layers.Dense{Units: 6, Activation: layers.Tanh},
		layers.Dense{Units: 1, Activation: layers.Sigmoid},
	).Build(t.Context(), nn.Tokens(nn.AnyLength), nn.BuildOptions{Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func array[E tensor.Element](t testing.TB, data []E, shape ...int) *tensor.Array[E] {
	t.Helper()
	a, err := tensor.Of(data, shape...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// ids makes rows of ids below smallVocabulary, the same for the same sizes.
func ids(t testing.TB, rows, steps int) *tensor.Int32 {
	t.Helper()
	r := rand.New(rand.NewPCG(uint64(rows), uint64(steps)))
	x := array(t, make([]int32, rows*steps), rows, steps)
	for i := range x.Data() {
		x.Data()[i] = int32(r.IntN(smallVocabulary))
	}
	return x
}

// sides are labels for rows of ids: 1 where most ids are in the upper half of the vocabulary.
func sides(t testing.TB, x *tensor.Int32) *tensor.Int32 {
	t.Helper()
	y := array(t, make([]int32, x.Len()))
	for i := range x.Len() {
		upper := 0
		for _, id := range x.Row(i) {
			if id >= smallVocabulary/2 {
				upper++
			}
		}
		if 2*upper > len(x.Row(i)) {
			y.Data()[i] = 1
		}
	}
	return y
}

// sameBits fails when two lists of weights differ in any bit.
func sameBits(t testing.TB, what string, got, want [][]float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d parameters, want %d", what, len(got), len(want))
	}
	for i := range want {
		equalBits(t, what, got[i], want[i])
	}
}

func equalBits(t testing.TB, what string, got, want []float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d elements, want %d", what, len(got), len(want))
	}
	for i := range want {
		if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
			t.Fatalf("%s: element %d is %v, want %v", what, i, got[i], want[i])
		}
	}
}

func TestWeightsRoundTrip(t *testing.T) {
	m, other := smallText(t, nn.BuildOptions{Seed: 1}), smallText(t, nn.BuildOptions{Seed: 2})
	w := m.Weights(nil)
	must(t, other.SetWeights(w))
	sameBits(t, "after SetWeights", other.Weights(nil), w)
	w[0][0]++ // a copy: the models keep theirs
	if m.Weights(nil)[0][0] == w[0][0] || other.Weights(nil)[0][0] == w[0][0] {
		t.Error("Weights or SetWeights shares memory with the model")
	}
	if n := testing.AllocsPerRun(5, func() { w = m.Weights(w) }); n != 0 {
		t.Errorf("Weights allocates %v times with memory to use again", n)
	}
}

func TestSetWeightsOfWrongSizesChangesNothing(t *testing.T) {
	m := smallText(t)
	before := m.Weights(nil)
	for _, c := range []struct {
		want  string
		wrong func(w [][]float32) [][]float32
	}{
		{`nn: the model has 5 parameters, not 4`, func(w [][]float32) [][]float32 { return w[:4] }},
		{`nn: the model has 5 parameters, not 6`, func(w [][]float32) [][]float32 { return append(w, nil) }},
		{`nn: parameter "dense_1/bias" has shape (1,) (1 elements), not 0`, func(w [][]float32) [][]float32 { w[4] = nil; return w }},
		{`nn: parameter "dense/kernel" has shape (4, 6) (24 elements), not 25`, func(w [][]float32) [][]float32 {
			w[1] = append(w[1], 0)
			return w
		}},
	} {
		w := m.Weights(nil)
		for i := range w {
			for k := range w[i] {
				w[i][k]++
			}
		}
		wantError(t, m.SetWeights(c.wrong(w)), c.want)
		sameBits(t, c.want, m.Weights(nil), before)
	}
}

func TestParameters(t *testing.T) {
	m := smallText(t)
	var names []string
	n := 0
	for _, p := range m.Parameters() {
		names = append(names, p.Name()+" "+p.Shape().String())
		n += len(p.Values())
		if m.Parameter(p.Name()) != p || !p.Trainable() {
			t.Errorf("parameter %s", p.Name())
		}
	}
	want := []string{"embedding/embeddings (50, 4)", "dense/kernel (4, 6)", "dense/bias (6,)", "dense_1/kernel (6, 1)", "dense_1/bias (1,)"}
	if !slices.Equal(names, want) {
		t.Errorf("%q, want %q", names, want)
	}
	if m.ParameterCount() != n || n != 50*4+4*6+6+6+1 {
		t.Errorf("%d parameters, and %d values", m.ParameterCount(), n)
	}
	if p := m.Parameter("dense"); p != nil {
		t.Errorf("there is a parameter %s", p.Name())
	}
	if got := m.InputShape("input").String() + m.OutputShape("output").String(); got != "(None, None)(None, 1)" {
		t.Error(got)
	}
}

// Each input has the type that it was made with, and one that does not exist has none.
func TestInputType(t *testing.T) {
	g := &nn.Graph{}
	ids, numbers, words := g.Input("ids", nn.Tokens(3)), g.Input("numbers", nn.Features(2)), g.Input("words", nn.SparseFeatures(4))
	embedded := g.Apply(layers.Flatten{}, g.Apply(layers.Embedding{Vocabulary: 5, Dim: 2}, ids))
	g.Output("out", g.Apply(layers.Concatenate{}, embedded, numbers, g.Apply(layers.Dense{Units: 1}, words)))
	m, err := g.Build(t.Context(), nn.BuildOptions{})
	must(t, err)
	for name, want := range map[string]tensor.Type{"ids": tensor.TypeInt32, "numbers": tensor.TypeFloat32, "words": tensor.TypeSparse, "out": 0} {
		if got := m.InputType(name); got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
}

// Names are Keras's: the class in snake case, numbered from the second on, and never one that a layer has already.
func TestLayerNames(t *testing.T) {
	dense := func(name string) nn.Layer { return layers.Dense{Name: name, Units: 2} }
	for _, c := range []struct {
		given, want []string
	}{
		{[]string{"", "", ""}, []string{"dense", "dense_1", "dense_2"}},
		{[]string{"first", "", ""}, []string{"first", "dense", "dense_1"}},
		{[]string{"dense", "", ""}, []string{"dense", "dense_1", "dense_2"}},
		{[]string{"dense_1", "", "", ""}, []string{"dense_1", "dense", "dense_2", "dense_3"}},
		{[]string{"", "dense_2", "", ""}, []string{"dense", "dense_2", "dense_1", "dense_3"}},
	} {
		var spec []nn.Layer
		for _, name := range c.given {
			spec = append(spec, dense(name))
		}
		m, err := nn.NewSequential(spec...).Build(t.Context(), nn.Features(2), nn.BuildOptions{})
		must(t, err)
		for i, name := range c.want {
			if got := m.Parameters()[2*i].Name(); got != name+"/kernel" {
				t.Errorf("named %q: layer %d has %q, want %q", c.given, i, got, name+"/kernel")
			}
		}
	}
}

// One spec builds any number of models, each with its own parameters, which depend on the seed alone.
func TestBuildIsSeeded(t *testing.T) {
	one, same, other := smallText(t, nn.BuildOptions{Seed: 7}), smallText(t, nn.BuildOptions{Seed: 7}), smallText(t, nn.BuildOptions{Seed: 8})
	sameBits(t, "of one seed", one.Weights(nil), same.Weights(nil))
	if slices.Equal(one.Weights(nil)[0], other.Weights(nil)[0]) {
		t.Error("another seed gives the same table")
	}
	one.Parameter("embedding/embeddings").Values()[0] = 9
	if same.Parameter("embedding/embeddings").Values()[0] == 9 {
		t.Error("two models share a parameter")
	}
}
