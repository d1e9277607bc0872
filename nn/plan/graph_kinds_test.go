package plan_test

import (
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/tensor"
)

// residual is a layer of a user's own: what another layer makes of its input is added to the input.
type residual struct {
	Name  string
	Inner plan.Layer
}

func (residual) Kind() string        { return "Residual" }
func (r residual) LayerName() string { return r.Name }

func (r residual) Build(b *plan.Builder, in []plan.Symbol) ([]plan.Symbol, error) {
	y, err := b.Apply(r.Inner, in...)
	if err != nil {
		return nil, err
	}
	return b.Apply(layers.Add{}, in[0], y[0])
}

// twoByTwo reads tokens, by one embedding in two places, and numbers, and has two outputs.
func twoByTwo() *nn.Graph {
	g := &nn.Graph{Name: "reviews"}
	title, body, numbers := g.Input("title", nn.Tokens(3)), g.Input("body", nn.Tokens(nn.AnyLength)), g.Input("numbers", nn.Features(2))
	embed := g.Node(layers.Embedding{Vocabulary: 10, Dim: 4, MaskZero: true, Init: layers.RandomUniform{Min: -1, Max: 1}})
	both := g.Apply(layers.Concatenate{},
		g.Apply(layers.GlobalAveragePooling1D{}, embed.Apply(title)),
		g.Apply(layers.GlobalAveragePooling1D{}, embed.Apply(body)), numbers)
	block := g.Apply(residual{Name: "block", Inner: layers.Dense{Units: 10, Activation: layers.ReLU, KernelInit: layers.HeNormal{}}}, both)
	g.Output("good", g.Apply(layers.Dense{Name: "good", Units: 1, Activation: layers.Sigmoid}, block))
	g.Output("stars", g.Apply(layers.Dense{Name: "stars", Units: 5, Activation: layers.Softmax}, block))
	return g
}

// A model of several inputs and outputs, with a shared embedding and a user's own layer, is written down and built again
// from what was written: parameters and predictions have the same bits.
func TestGraphGoesToJSONAndBack(t *testing.T) {
	ctx := t.Context()
	here := all(t)
	must(t, here.Register(residual{}))
	built, err := twoByTwo().Build(ctx, nn.BuildOptions{Seed: 11})
	must(t, err)
	e, err := here.Encode(built.Spec())
	must(t, err)

	_, err = all(t).Decode(t.Context(), e)
	if err == nil || !strings.HasPrefix(err.Error(), `plan: Nodes[4].Layer: the kind "Residual" is not known`) {
		t.Errorf("without the user's kind: %v", err)
	}

	there := all(t)
	must(t, there.Register(residual{}))
	spec, err := there.Decode(t.Context(), e)
	must(t, err)
	if !plan.Equal(spec, built.Spec()) {
		t.Errorf("%s comes back as %+v", e.JSON, spec)
	}
	again, err := spec.(*nn.Graph).Build(ctx, nn.BuildOptions{Seed: built.Seed()})
	must(t, err)
	var names [2][]string
	for i, m := range []*nn.Model{built, again} {
		for _, p := range m.Parameters() {
			names[i] = append(names[i], p.Name())
		}
	}
	if !reflect.DeepEqual(names[0], names[1]) || len(names[0]) != 7 {
		t.Errorf("parameters %q and %q", names[0], names[1])
	}
	if !sameBits(built.Weights(nil), again.Weights(nil)) {
		t.Error("the parameters of the model that was built again have other bits")
	}

	title, err := tensor.Of([]int32{1, 2, 0, 3, 9, 4}, 2, 3)
	must(t, err)
	body, err := tensor.Of([]int32{5, 6, 7, 8, 1, 0, 0, 0}, 2, 4)
	must(t, err)
	numbers, err := tensorOf(0.5, -1, 2, 3)
	must(t, err)
	data := nn.Data{Inputs: map[string]tensor.Rows{"title": title, "body": body, "numbers": numbers}}
	var outputs [2][][]float32
	for i, m := range []*nn.Model{built, again} {
		for out, err := range m.PredictAll(ctx, data, nn.PredictOptions{}) {
			must(t, err)
			outputs[i] = append(outputs[i], append([]float32{}, out["good"].Data()...), append([]float32{}, out["stars"].Data()...))
		}
	}
	if len(outputs[0]) != 2 || len(outputs[0][0]) != 2 || len(outputs[0][1]) != 10 || !sameBits(outputs[0], outputs[1]) {
		t.Errorf("predictions %v and %v", outputs[0], outputs[1])
	}
}

func sameBits(a, b [][]float32) bool {
	return reflect.DeepEqual(bitsOf(a), bitsOf(b))
}

func bitsOf(all [][]float32) [][]uint32 {
	out := make([][]uint32, len(all))
	for i, list := range all {
		for _, v := range list {
			out[i] = append(out[i], math.Float32bits(v))
		}
	}
	return out
}
