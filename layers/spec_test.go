package layers_test

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"

	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
)

// Layers are plain data: equal specs are equal, they print what they say, and JSON gives back what it was given.
func TestSpecsAreData(t *testing.T) {
	specs := map[nn.Layer]string{
		layers.Embedding{Vocabulary: 10, Dim: 2, MaskZero: true}:                                    "{Name: Vocabulary:10 Dim:2 MaskZero:true Init:<nil> EmbeddingsRegularizer:<nil> EmbeddingsConstraint:<nil>}",
		layers.Embedding{Vocabulary: 10, Dim: 2, Init: layers.RandomUniform{Min: -1, Max: 1}}:       "{Name: Vocabulary:10 Dim:2 MaskZero:false Init:{Min:-1 Max:1} EmbeddingsRegularizer:<nil> EmbeddingsConstraint:<nil>}",
		layers.Dense{Name: "out", Units: 1, Activation: layers.Sigmoid, KernelInit: layers.Zeros{}}: "{Name:out Units:1 Activation:sigmoid NoBias:false KernelInit:{} BiasInit:<nil> KernelRegularizer:<nil> BiasRegularizer:<nil> KernelConstraint:<nil> BiasConstraint:<nil>}",
		layers.Dense{Units: 1, NoBias: true}:                                                        "{Name: Units:1 Activation: NoBias:true KernelInit:<nil> BiasInit:<nil> KernelRegularizer:<nil> BiasRegularizer:<nil> KernelConstraint:<nil> BiasConstraint:<nil>}",
		layers.GlobalAveragePooling1D{KeepDims: true}:                                               "{Name: KeepDims:true ChannelsFirst:false}",
		layers.Dropout{Rate: 0.5}:                                                                   "{Name: Rate:0.5}",
		layers.Flatten{Name: "flat"}:                                                                "{Name:flat}",
		layers.Activation{Function: layers.Tanh}:                                                    "{Name: Function:tanh}",
	}
	for spec, want := range specs {
		if got := fmt.Sprintf("%+v", spec); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	if _, ok := specs[nn.Layer(layers.Dense{Units: 1, NoBias: true})]; !ok {
		t.Error("a spec does not equal itself")
	}
	if _, ok := specs[nn.Layer(layers.Dense{Units: 1})]; ok {
		t.Error("different specs are equal")
	}
}

func TestSpecsAsJSON(t *testing.T) {
	roundTrip(t, layers.Embedding{Name: "words", Vocabulary: 10, Dim: 2, MaskZero: true})
	roundTrip(t, layers.Dense{Units: 3, Activation: layers.Softmax, NoBias: true})
	roundTrip(t, layers.GlobalAveragePooling1D{KeepDims: true, ChannelsFirst: true})
	roundTrip(t, layers.Dropout{Rate: 0.3})
	roundTrip(t, layers.Flatten{Name: "flat"})
	roundTrip(t, layers.Activation{Function: layers.ReLU})
	roundTrip(t, layers.RandomUniform{Min: -0.1, Max: 0.3})
}

func roundTrip[T comparable](t *testing.T, spec T) {
	t.Helper()
	b, err := json.Marshal(spec)
	must(t, err)
	var back T
	must(t, json.Unmarshal(b, &back))
	if back != spec {
		t.Errorf("%+v becomes %+v by way of %s", spec, back, b)
	}
}

// A layer that does not fit is an error that says where it stands, what it follows and what is wrong.
func TestBuildErrors(t *testing.T) {
	embedding := layers.Embedding{Vocabulary: 10, Dim: 4}
	for _, c := range []struct {
		in   nn.Input
		spec []nn.Layer
		want string
	}{
		{nn.Features(3), []nn.Layer{layers.Dense{}},
			`nn: layer 0 (dense) cannot follow the input (float32) of shape (None, 3): Dense needs at least 1 unit, not 0`},
		{nn.Features(3), []nn.Layer{layers.Dense{Units: 2}, layers.Dense{Units: -1, Name: "out"}},
			`nn: layer 1 (out) cannot follow layer 0 (dense) of shape (None, 2): Dense needs at least 1 unit, not -1`},
		{nn.Features(3), []nn.Layer{layers.Dense{Units: 2, Activation: "rely"}},
			`nn: layer 0 (dense) cannot follow the input (float32) of shape (None, 3): there is no activation function "rely"; there are "linear", "relu", "sigmoid", "tanh" and "softmax"`},
		{nn.Features(3), []nn.Layer{layers.Activation{Function: "ReLU"}},
			`nn: layer 0 (activation) cannot follow the input (float32) of shape (None, 3): there is no activation function "ReLU"; there are "linear", "relu", "sigmoid", "tanh" and "softmax"`},
		{nn.Features(), []nn.Layer{layers.Activation{Function: layers.ReLU}},
			`nn: layer 0 (activation) cannot follow the input (float32) of shape (None,): shape does not fit: Activation reads values of at least 2 dimensions, not (None,)`},
		{nn.Features(), []nn.Layer{layers.Dense{Units: 1}},
			`nn: layer 0 (dense) cannot follow the input (float32) of shape (None,): shape does not fit: Dense reads values of at least 2 dimensions, not (None,)`},
		{nn.Tokens(5), []nn.Layer{layers.Dense{Units: 1}},
			`nn: layer 0 (dense) cannot follow the input (int32) of shape (None, 5): shape does not fit: Dense reads float32 values, not int32 of shape (None, 5)`},
		{nn.Tokens(5), []nn.Layer{layers.Activation{Function: layers.ReLU}},
			`nn: layer 0 (activation) cannot follow the input (int32) of shape (None, 5): shape does not fit: Activation reads float32 values, not int32 of shape (None, 5)`},
		{nn.Tokens(5), []nn.Layer{layers.Flatten{}},
			`nn: layer 0 (flatten) cannot follow the input (int32) of shape (None, 5): shape does not fit: Flatten reads float32 values, not int32 of shape (None, 5)`},
		{nn.Tokens(5), []nn.Layer{layers.Dropout{}},
			`nn: layer 0 (dropout) cannot follow the input (int32) of shape (None, 5): shape does not fit: Dropout reads float32 values, not int32 of shape (None, 5)`},
		{nn.Tokens(5), []nn.Layer{layers.GlobalAveragePooling1D{}},
			`nn: layer 0 (global_average_pooling1d) cannot follow the input (int32) of shape (None, 5): shape does not fit: GlobalAveragePooling1D reads float32 values, not int32 of shape (None, 5)`},
		{nn.SparseFeatures(5), []nn.Layer{layers.Flatten{}},
			`nn: layer 0 (flatten) cannot follow the input (sparse float32) of shape (None, 5): shape does not fit: Flatten reads float32 values, not sparse float32 of shape (None, 5)`},
		{nn.Features(5), []nn.Layer{embedding},
			`nn: layer 0 (embedding) cannot follow the input (float32) of shape (None, 5): shape does not fit: Embedding reads int32 ids, not float32 of shape (None, 5)`},
		{nn.SparseFeatures(5), []nn.Layer{embedding},
			`nn: layer 0 (embedding) cannot follow the input (sparse float32) of shape (None, 5): shape does not fit: Embedding reads int32 ids, not sparse float32 of shape (None, 5)`},
		{nn.Tokens(5), []nn.Layer{layers.Embedding{Dim: 4}},
			`nn: layer 0 (embedding) cannot follow the input (int32) of shape (None, 5): Embedding needs a Vocabulary of at least 1 id, not 0`},
		{nn.Tokens(5), []nn.Layer{layers.Embedding{Vocabulary: 4}},
			`nn: layer 0 (embedding) cannot follow the input (int32) of shape (None, 5): Embedding needs a Dim of at least 1, not 0`},
		{nn.Tokens(5), []nn.Layer{layers.Embedding{Vocabulary: 1 << 30, Dim: math.MaxInt}},
			fmt.Sprintf(`nn: layer 0 (embedding) cannot follow the input (int32) of shape (None, 5): parameter embeddings of shape (1073741824, %d) has more than %d elements`, math.MaxInt, math.MaxInt/16)},
		{nn.Tokens(5), []nn.Layer{embedding, embedding},
			`nn: layer 1 (embedding_1) cannot follow layer 0 (embedding) of shape (None, 5, 4): shape does not fit: Embedding reads int32 ids, not float32 of shape (None, 5, 4)`},
		{nn.Tokens(5), []nn.Layer{embedding, layers.Flatten{}, layers.GlobalAveragePooling1D{}},
			`nn: layer 2 (global_average_pooling1d) cannot follow layer 1 (flatten) of shape (None, 20): shape does not fit: GlobalAveragePooling1D reads values (batch, steps, features), not (None, 20)`},
		{nn.Features(5), []nn.Layer{layers.Dense{Units: 3}, layers.GlobalAveragePooling1D{KeepDims: true}},
			`nn: layer 1 (global_average_pooling1d) cannot follow layer 0 (dense) of shape (None, 3): shape does not fit: GlobalAveragePooling1D reads values (batch, steps, features), not (None, 3)`},
		{nn.Tokens(nn.AnyLength), []nn.Layer{embedding, layers.Flatten{}, layers.Dense{Units: 1}},
			`nn: layer 2 (dense) cannot follow layer 1 (flatten) of shape (None, None): shape does not fit: Dense needs to know the last dimension of (None, None)`},
		{nn.Tokens(nn.AnyLength), []nn.Layer{embedding, layers.GlobalAveragePooling1D{ChannelsFirst: true}, layers.Activation{Function: layers.Softmax}},
			`nn: layer 2 (activation) cannot follow layer 1 (global_average_pooling1d) of shape (None, None): shape does not fit: softmax over a dimension of unknown length in (None, None)`},
		{nn.Features(3), []nn.Layer{layers.Dense{Units: 1, Activation: layers.Softmax}},
			`nn: layer 0 (dense) cannot follow the input (float32) of shape (None, 3): softmax over the last dimension of (None, 1) is always 1, and learns nothing; "sigmoid" is for one output`},
		{nn.Tokens(5), []nn.Layer{layers.Embedding{Vocabulary: 10, Dim: 4, MaskZero: true}, layers.GlobalAveragePooling1D{ChannelsFirst: true}},
			`nn: layer 1 (global_average_pooling1d) cannot follow layer 0 (embedding) of shape (None, 5, 4): shape does not fit: GlobalAveragePooling1D over 4 steps of (None, 5, 4) with a mask (None, 5)`},
		{nn.Features(3), []nn.Layer{layers.Dropout{Rate: 1}},
			`nn: layer 0 (dropout) cannot follow the input (float32) of shape (None, 3): a dropout rate of 1 is not from 0 to below 1`},
		{nn.Features(3), []nn.Layer{layers.Dropout{Rate: -0.1}},
			`nn: layer 0 (dropout) cannot follow the input (float32) of shape (None, 3): a dropout rate of -0.1 is not from 0 to below 1`},
		{nn.Features(3), []nn.Layer{layers.Dropout{Rate: float32(math.NaN())}},
			`nn: layer 0 (dropout) cannot follow the input (float32) of shape (None, 3): a dropout rate of NaN is not from 0 to below 1`},
		{nn.Features(3), []nn.Layer{layers.Dense{Units: 2, Name: "a/b"}},
			`nn: layer 0 (Dense): the name "a/b" contains a slash`},
		{nn.Features(3), []nn.Layer{layers.Dense{Units: 2, Name: "a"}, layers.Dropout{Name: "a"}},
			`nn: layer 1 (Dropout): two layers are named "a"`},
	} {
		_, err := nn.NewSequential(c.spec...).Build(t.Context(), c.in, nn.BuildOptions{})
		if err == nil || err.Error() != c.want {
			t.Errorf("%+v\ngot  %v\nwant %s", c.spec, err, c.want)
		}
	}
}

// A layer reads one value.
func TestBuildOfSeveralInputs(t *testing.T) {
	for _, l := range []nn.Layer{
		layers.Embedding{Vocabulary: 2, Dim: 1}, layers.GlobalAveragePooling1D{}, layers.Dense{Units: 1}, layers.Flatten{},
		layers.Dropout{}, layers.Activation{},
	} {
		_, err := nn.NewSequential(doubled{l}).Build(t.Context(), nn.Features(3), nn.BuildOptions{})
		want := "nn: layer 0 (doubled) cannot follow the input (float32) of shape (None, 3): it takes one input, not 2"
		if err == nil || err.Error() != want {
			t.Errorf("%s: %v", l.Kind(), err)
		}
	}
}

// doubled gives a layer its input twice.
type doubled struct{ layer nn.Layer }

func (doubled) Kind() string { return "Doubled" }

func (d doubled) Build(b *plan.Builder, in []plan.Symbol) ([]plan.Symbol, error) {
	return d.layer.Build(b, []plan.Symbol{in[0], in[0]})
}

// Shapes and parameters are Keras's, also where the number of steps is not known yet.
func TestShapes(t *testing.T) {
	for _, c := range []struct {
		in     nn.Input
		spec   nn.Layer
		want   string
		params string
	}{
		{nn.Tokens(5), layers.Embedding{Vocabulary: 10, Dim: 4}, "(None, 5, 4)", "embedding/embeddings (10, 4)"},
		{nn.Tokens(nn.AnyLength), layers.Embedding{Vocabulary: 10, Dim: 4}, "(None, None, 4)", "embedding/embeddings (10, 4)"},
		{nn.Features(3), layers.Dense{Units: 2}, "(None, 2)", "dense/kernel (3, 2) dense/bias (2,)"},
		{nn.Features(3), layers.Dense{Units: 2, NoBias: true}, "(None, 2)", "dense/kernel (3, 2)"},
		{nn.SparseFeatures(9), layers.Dense{Units: 2}, "(None, 2)", "dense/kernel (9, 2) dense/bias (2,)"},
		{nn.Features(nn.AnyLength, 3), layers.Dense{Units: 2, Activation: layers.Softmax}, "(None, None, 2)", "dense/kernel (3, 2) dense/bias (2,)"},
		{nn.Features(4, 3), layers.GlobalAveragePooling1D{}, "(None, 3)", ""},
		{nn.Features(4, 3), layers.GlobalAveragePooling1D{KeepDims: true}, "(None, 1, 3)", ""},
		{nn.Features(4, 3), layers.GlobalAveragePooling1D{ChannelsFirst: true}, "(None, 4)", ""},
		{nn.Features(4, 3), layers.GlobalAveragePooling1D{ChannelsFirst: true, KeepDims: true}, "(None, 4, 1)", ""},
		{nn.Features(nn.AnyLength, 3), layers.GlobalAveragePooling1D{}, "(None, 3)", ""},
		{nn.Features(4, 3), layers.Flatten{}, "(None, 12)", ""},
		{nn.Features(), layers.Flatten{}, "(None, 1)", ""},
		{nn.Features(nn.AnyLength, 3), layers.Flatten{}, "(None, None)", ""},
		{nn.Features(4, 3), layers.Dropout{Rate: 0.5}, "(None, 4, 3)", ""},
		{nn.Features(4, 3), layers.Activation{Function: layers.Tanh}, "(None, 4, 3)", ""},
	} {
		m := build(t, c.in, c.spec)
		params := ""
		for i, p := range m.Parameters() {
			if i > 0 {
				params += " "
			}
			params += fmt.Sprint(p.Name(), " ", p.Shape())
			if !p.Trainable() {
				params += " not trainable"
			}
		}
		if got := m.OutputShape("output").String(); got != c.want || params != c.params {
			t.Errorf("%+v: %s with %s, want %s with %s", c.spec, got, params, c.want, c.params)
		}
	}
}

// A model that is built for any length predicts rows of each length as one that is built for it.
func TestAnyLength(t *testing.T) {
	spec := []nn.Layer{
		layers.Embedding{Vocabulary: 9, Dim: 4, MaskZero: true}, layers.Dense{Units: 3, Activation: layers.Softmax}, layers.Dropout{Rate: 0.5},
		layers.GlobalAveragePooling1D{}, layers.Dense{Units: 2},
	}
	free := build(t, nn.Tokens(nn.AnyLength), spec...)
	for _, steps := range []int{5, 1, 12} {
		x := ids(t, 4, steps, 9)
		if !equalBits(predict(t, free, x, nn.PredictOptions{}), predict(t, build(t, nn.Tokens(steps), spec...), x, nn.PredictOptions{})) {
			t.Errorf("%d steps", steps)
		}
	}
}
