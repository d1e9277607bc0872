package nn_test

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/loss"
	"github.com/linnet-ml/linnet/metrics"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optim"
	"github.com/linnet-ml/linnet/tensor"
)

// residual is another author's layer: two dense layers beside the values that they change.
type residual struct{ Units int }

func (residual) Kind() string { return "Residual" }

func (r residual) Build(b *plan.Builder, in []plan.Symbol) ([]plan.Symbol, error) {
	hidden, err := b.Apply(layers.Dense{Units: r.Units, Activation: layers.Tanh}, in...)
	if err != nil {
		return nil, err
	}
	change, err := b.Apply(layers.Dense{Units: r.Units}, hidden...)
	if err != nil {
		return nil, err
	}
	return b.Apply(layers.Add{}, in[0], change[0])
}

// reviewGraph has inputs of three kinds of rows, a table that two of them share, a layer made of layers, and two outputs.
func reviewGraph() *nn.Graph {
	g := &nn.Graph{Name: "reviews"}
	title, body, numbers := g.Input("title", nn.Tokens(4)), g.Input("body", nn.Tokens(nn.AnyLength)), g.Input("numbers", nn.Features(2))
	embed := g.Node(layers.Embedding{Vocabulary: 11, Dim: 3, Init: layers.RandomUniform{Min: -1, Max: 1}})
	all := g.Apply(layers.Concatenate{},
		g.Apply(layers.GlobalAveragePooling1D{}, embed.Apply(title)),
		g.Apply(layers.GlobalAveragePooling1D{}, embed.Apply(body)), numbers)
	block := g.Apply(residual{Units: 8}, all)
	g.Output("spam", g.Apply(layers.Dense{Name: "spam", Units: 1, Activation: layers.Sigmoid}, block))
	g.Output("stars", g.Apply(layers.Dense{Name: "stars", Units: 3, Activation: layers.Softmax}, block))
	return g
}

func graphModel(t testing.TB, g *nn.Graph) *nn.Model {
	t.Helper()
	m, err := g.Build(t.Context(), nn.BuildOptions{Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// reviewRows are rows for reviewGraph.
func reviewRows(t testing.TB, rows int) nn.Data {
	t.Helper()
	spam, stars := make([]int32, rows), make([]int32, rows)
	title, body := ids(t, rows, 4), ids(t, rows, 7)
	for _, x := range []*tensor.Int32{title, body} {
		for i := range x.Data() {
			x.Data()[i] %= 11
		}
	}
	for i := range rows {
		spam[i], stars[i] = title.Data()[4*i]&1, body.Data()[7*i]%3
	}
	return nn.Data{
		Inputs: map[string]tensor.Rows{"title": title, "body": body, "numbers": waves(t, rows, 2)},
		Labels: map[string]tensor.Rows{"spam": array(t, spam, rows), "stars": array(t, stars, rows)},
	}
}

func reviewOutputs() map[string]nn.OutputOptions {
	return map[string]nn.OutputOptions{
		"spam":  {Loss: loss.BinaryCrossentropy{}, LossWeight: 0.5, Metrics: []nn.Metric{metrics.Accuracy{}}},
		"stars": {Loss: loss.SparseCategoricalCrossentropy{}, Metrics: []nn.Metric{metrics.Accuracy{}, metrics.Mean{}}},
	}
}

func names(m *nn.Model) []string {
	var all []string
	for _, p := range m.Parameters() {
		all = append(all, p.Name())
	}
	return all
}

func mustEvaluate(t testing.TB, m *nn.Model, d nn.Source, o nn.EvaluateOptions) *history.Logs {
	t.Helper()
	logs, err := m.Evaluate(t.Context(), d, o)
	if err != nil {
		t.Fatal(err)
	}
	return logs
}

// value is what was logged under a name that must be there.
func value(t testing.TB, l *history.Logs, name string) float64 {
	t.Helper()
	v, ok := l.Get(name)
	if !ok {
		t.Fatalf("nothing is logged as %q; there are %q", name, logNames(l))
	}
	return v
}

func near(t testing.TB, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

func TestGraphTrains(t *testing.T) {
	m := graphModel(t, reviewGraph())
	if d := cmp.Diff([]string{"embedding/embeddings", "residual/dense/kernel", "residual/dense/bias", "residual/dense_1/kernel", "residual/dense_1/bias",
		"spam/kernel", "spam/bias", "stars/kernel", "stars/bias"}, names(m)); d != "" {
		t.Error(d)
	}
	data := reviewRows(t, 150)
	h, err := m.Fit(t.Context(), data, nn.FitOptions{Optimizer: optim.Adam{LearningRate: 0.02}, Outputs: reviewOutputs(), Epochs: 30, Validation: data})
	if err != nil {
		t.Fatal(err)
	}
	logged := []string{"loss", "spam_loss", "stars_loss", "spam_accuracy", "stars_accuracy", "stars_mean"}
	for _, name := range logged {
		logged = append(logged, "val_"+name)
	}
	got := slices.Clone(h.Names())
	slices.Sort(got)
	slices.Sort(logged)
	if d := cmp.Diff(logged, got); d != "" {
		t.Error(d)
	}
	if first, last := h.Values("loss")[0], h.Values("loss")[29]; !(last < 0.8*first) {
		t.Errorf("the loss went from %v to %v", first, last)
	}
	logs := mustEvaluate(t, m, data, nn.EvaluateOptions{Outputs: reviewOutputs()})
	near(t, "loss", value(t, logs, "loss"), 0.5*value(t, logs, "spam_loss")+value(t, logs, "stars_loss"), 1e-6)
	near(t, "the mean probability of 3 classes", value(t, logs, "stars_mean"), 1.0/3, 1e-6)
	near(t, "val_loss", h.Values("val_loss")[29], value(t, logs, "loss"), 1e-6)

	// An output alone has the loss that it has beside the other, and a metric needs no loss.
	one := reviewOutputs()
	delete(one, "stars")
	alone := mustEvaluate(t, m, data, nn.EvaluateOptions{Outputs: one})
	near(t, "half of spam_loss", value(t, alone, "loss"), 0.5*value(t, logs, "spam_loss"), 1e-6)
	measured := mustEvaluate(t, m, data, nn.EvaluateOptions{Outputs: map[string]nn.OutputOptions{"stars": {Metrics: []nn.Metric{metrics.Accuracy{}}}}})
	if d := cmp.Diff([]string{"stars_accuracy"}, logNames(measured)); d != "" {
		t.Error(d)
	}
	near(t, "stars_accuracy", value(t, measured, "stars_accuracy"), value(t, logs, "stars_accuracy"), 0)
}

func TestGraphSameBits(t *testing.T) {
	data := reviewRows(t, 150)
	fit := func(threads int, noFusion bool) [][]float32 {
		m := graphModel(t, reviewGraph())
		if _, err := m.Fit(t.Context(), data, nn.FitOptions{Optimizer: optim.Adam{}, Outputs: reviewOutputs(), Epochs: 2, BatchSize: 70,
			Threads: threads, NoFusion: noFusion}); err != nil {
			t.Fatal(err)
		}
		return m.Weights(nil)
	}
	sameBits(t, "a second Build", graphModel(t, reviewGraph()).Weights(nil), graphModel(t, reviewGraph()).Weights(nil))
	fused, plain := fit(1, false), fit(1, true)
	for _, threads := range []int{2, 3, 8} {
		sameBits(t, fmt.Sprintf("%d threads", threads), fit(threads, false), fused)
		sameBits(t, fmt.Sprintf("%d threads without fusion", threads), fit(threads, true), plain)
	}
	for i := range fused {
		for k := range fused[i] {
			near(t, fmt.Sprintf("element %d of parameter %d with fusion", k, i), float64(fused[i][k]), float64(plain[i][k]), 2e-3)
		}
	}
}

// The gradients of all parameters against central differences of the weighted sum of both losses, with weights for rows.
func TestGraphGradients(t *testing.T) {
	m := graphModel(t, reviewGraph())
	data := reviewRows(t, 9)
	data.OutputWeights = map[string][]float32{"stars": {1, 2, 0, 0.5, 1, 1, 3, 1, 0.25}}
	for _, noFusion := range []bool{false, true} {
		tr, err := m.NewTrainer(nn.TrainerOptions{Optimizer: optim.SGD{}, Outputs: reviewOutputs(), NoFusion: noFusion})
		if err != nil {
			t.Fatal(err)
		}
		l, err := tr.Gradients(t.Context(), nn.Batch(data))
		if err != nil {
			t.Fatal(err)
		}
		gradients := map[string][]float32{}
		for _, name := range names(m) {
			if gradients[name], err = tr.Gradient(name); err != nil {
				t.Fatal(err)
			}
		}
		if err := tr.Close(); err != nil {
			t.Fatal(err)
		}
		lossNow := func() float64 {
			return value(t, mustEvaluate(t, m, data, nn.EvaluateOptions{Outputs: reviewOutputs(), NoFusion: noFusion}), "loss")
		}
		near(t, "the loss of Gradients", l, lossNow(), 1e-6)
		for _, p := range m.Parameters() {
			before := slices.Clone(p.Values())
			for i := 0; i < len(before); i += 3 {
				side := func(by float32) float64 {
					w := slices.Clone(before)
					w[i] += by
					if err := m.SetParameter(p.Name(), w); err != nil {
						t.Fatal(err)
					}
					return lossNow()
				}
				const h = 1.0 / 64
				near(t, fmt.Sprintf("gradient %d of %s", i, p.Name()), float64(gradients[p.Name()][i]), (side(h)-side(-h))/(2*h), 2e-4)
			}
			if err := m.SetParameter(p.Name(), before); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// A graph of layers that follow one another is the Sequential of these layers, to the bit.
func TestGraphIsSequential(t *testing.T) {
	list := []nn.Layer{layers.Dense{Units: 5, Activation: layers.Tanh}, layers.Dropout{Rate: 0.2}, residual{Units: 5}, layers.Dense{Units: 1, Activation: layers.Sigmoid}}
	g := &nn.Graph{}
	at := g.Input("x", nn.Features(4))
	for _, l := range list {
		at = g.Apply(l, at)
	}
	g.Output("y", at)
	graph := graphModel(t, g)
	sequential, err := nn.NewSequential(list...).Build(t.Context(), nn.Features(4), nn.BuildOptions{Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	x := waves(t, 50, 4)
	y := make([]float32, 50)
	for i := range y {
		if x.Data()[4*i] > 0 {
			y[i] = 1
		}
	}
	o := nn.FitOptions{Optimizer: optim.Adam{}, Loss: loss.BinaryCrossentropy{}, Metrics: []nn.Metric{metrics.Accuracy{}}, Epochs: 3}
	first, err := graph.Fit(t.Context(), nn.Data{Inputs: map[string]tensor.Rows{"x": x}, Labels: map[string]tensor.Rows{"y": array(t, y, 50)}}, o)
	if err != nil {
		t.Fatal(err)
	}
	second, err := sequential.Fit(t.Context(), nn.Data{X: x, Y: array(t, y, 50)}, o)
	if err != nil {
		t.Fatal(err)
	}
	sameBits(t, "weights", graph.Weights(nil), sequential.Weights(nil))
	for _, name := range []string{"loss", "accuracy"} {
		if d := cmp.Diff(second.Values(name), first.Values(name)); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

// A layer applied twice is one layer with one set of parameters: two copies of it, with the same values, give the same
// output, and the sum of their gradients is its gradient.
func TestGraphSharedLayer(t *testing.T) {
	build := func(shared bool) *nn.Model {
		g := &nn.Graph{}
		x := g.Input("x", nn.Features(3))
		first, second := g.Node(layers.Dense{Name: "a", Units: 3, Activation: layers.Tanh}), g.Node(layers.Dense{Name: "b", Units: 3, Activation: layers.Tanh})
		if shared {
			second = first
		}
		g.Output("y", second.Apply(first.Apply(x)))
		return graphModel(t, g)
	}
	one, two := build(true), build(false)
	for _, name := range []string{"kernel", "bias"} {
		if err := two.SetParameter("a/"+name, one.Parameter("a/"+name).Values()); err != nil {
			t.Fatal(err)
		}
		if err := two.SetParameter("b/"+name, one.Parameter("a/"+name).Values()); err != nil {
			t.Fatal(err)
		}
	}
	if one.ParameterCount() != 12 || two.ParameterCount() != 24 {
		t.Errorf("%d and %d parameters, want 12 and 24", one.ParameterCount(), two.ParameterCount())
	}
	batch := nn.Batch{X: waves(t, 5, 3), Y: waves(t, 5, 3)}
	gradient := func(m *nn.Model, names ...string) [][]float32 {
		tr, err := m.NewTrainer(nn.TrainerOptions{Optimizer: optim.SGD{}, Loss: loss.MeanSquaredError{}})
		if err != nil {
			t.Fatal(err)
		}
		defer tr.Close()
		if _, err := tr.Gradients(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
		var all [][]float32
		for _, name := range names {
			g, err := tr.Gradient(name)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, g)
		}
		return all
	}
	for _, name := range []string{"kernel", "bias"} {
		sum, parts := gradient(one, "a/"+name)[0], gradient(two, "a/"+name, "b/"+name)
		for i, v := range sum {
			near(t, fmt.Sprintf("gradient %d of %s", i, name), float64(v), float64(parts[0][i])+float64(parts[1][i]), 1e-6)
		}
	}
}

// kept is a layer that wrongly keeps what a Build gave it.
type kept struct {
	symbol    *plan.Symbol
	parameter *plan.ParameterRef
}

func (kept) Kind() string { return "Kept" }

func (k kept) Build(b *plan.Builder, in []plan.Symbol) ([]plan.Symbol, error) {
	p, err := b.Parameter(plan.ParameterOptions{Name: "p", Shape: tensor.Shape{1}})
	if err != nil {
		return nil, err
	}
	if k.symbol != nil {
		if k.symbol.Shape == nil {
			*k.symbol = in[0]
		}
		return b.Apply(layers.Add{}, in[0], *k.symbol)
	}
	if *k.parameter == (plan.ParameterRef{}) {
		*k.parameter = p
	}
	return b.Add(plan.Op{Outputs: sameAsFirst, Forward: func(*plan.Frame, plan.Span) {}, Backward: func(*plan.Frame, plan.Span) {},
		Gradient: func(*plan.Frame, int, plan.Gradient) {}}, in, *k.parameter)
}

func TestGraphBuildErrors(t *testing.T) {
	dense := func(name string) nn.Layer { return layers.Dense{Name: name, Units: 2} }
	input := func() (*nn.Graph, nn.Value) {
		g := &nn.Graph{}
		return g, g.Input("x", nn.Features(2))
	}
	byHand := func(nodes []nn.GraphNode, out nn.GraphRef) *nn.Graph {
		return &nn.Graph{Inputs: []nn.GraphInput{{Name: "x", Input: nn.Features(2)}}, Nodes: nodes, Outputs: []nn.GraphOutput{{Name: "y", Ref: out}}}
	}
	x := nn.GraphRef{Node: -1}
	cases := map[string]func() *nn.Graph{
		"nn: input 1 of layer 0 is a value of another graph": func() *nn.Graph {
			g, v := input()
			_, other := input()
			g.Output("y", g.Apply(layers.Add{}, v, other))
			return g
		},
		`nn: output "y" is a value of another graph`: func() *nn.Graph {
			g, _ := input()
			_, other := input()
			g.Output("y", other)
			return g
		},
		"nn: input 0 of layer 0 is a value of another graph": func() *nn.Graph {
			g, _ := input()
			g.Output("y", g.Apply(dense(""), nn.Value{}))
			return g
		},
		"nn: layer 0 of the graph is nil": func() *nn.Graph {
			g, v := input()
			g.Output("y", g.Apply(nil, v))
			return g
		},
		"nn: a graph needs inputs and outputs; this one has 1 and 0": func() *nn.Graph {
			g, _ := input()
			return g
		},
		`nn: two inputs are named "x", or one has no name`: func() *nn.Graph {
			g, v := input()
			g.Output("y", g.Apply(layers.Add{}, v, g.Input("x", nn.Features(2))))
			return g
		},
		`nn: output: the name "y\n" cannot be printed`: func() *nn.Graph {
			g, v := input()
			g.Output("y\n", v)
			return g
		},
		`nn: input: the name "\x1b" cannot be printed`: func() *nn.Graph {
			g, v := input()
			g.Output("y", g.Apply(layers.Add{}, v, g.Input("\x1b", nn.Features(2))))
			return g
		},
		`nn: two outputs are named "y", or one has no name`: func() *nn.Graph {
			g, v := input()
			g.Output("y", g.Apply(dense(""), v))
			g.Output("y", v)
			return g
		},
		`nn: layer 1 (Dense): two layers are named "d"`: func() *nn.Graph {
			g, v := input()
			g.Output("y", g.Apply(dense("d"), g.Apply(dense("d"), v)))
			return g
		},
		`nn: layer 0 (Dense): an input and a layer are named "x"`: func() *nn.Graph {
			g, v := input()
			g.Output("y", g.Apply(dense("x"), v))
			return g
		},
		`nn: output "y" is dense, output 1, which does not exist`: func() *nn.Graph {
			g, v := input()
			g.Output("y", g.Apply(dense(""), v).Output(1))
			return g
		},
		"nn: layer 1 (Add) reads dense, output 1, which does not exist or depends on the layer itself": func() *nn.Graph {
			g, v := input()
			d := g.Apply(dense(""), v)
			g.Output("y", g.Apply(layers.Add{}, d, d.Output(1)))
			return g
		},
		`nn: layer 1 (add) cannot follow input "x" of shape (None, 2) and dense of shape (None, 3): shape does not fit: values of shapes (None, 2) and (None, 3) cannot be merged element by element`: func() *nn.Graph {
			g, v := input()
			g.Output("y", g.Apply(layers.Add{}, v, g.Apply(layers.Dense{Units: 3}, v)))
			return g
		},
		"nn: layer 0 (Add) reads layer 1, which does not exist or depends on the layer itself": func() *nn.Graph {
			return byHand([]nn.GraphNode{
				{Layer: layers.Add{}, Calls: [][]nn.GraphRef{{x, {Node: 1}}}},
				{Layer: dense(""), Calls: [][]nn.GraphRef{{{Node: 0}}}},
			}, nn.GraphRef{Node: 1})
		},
		"nn: layer 0 (Dense) reads dense, use 1, which does not exist or depends on the layer itself": func() *nn.Graph {
			return byHand([]nn.GraphNode{{Layer: dense(""), Calls: [][]nn.GraphRef{{x}, {{Node: 0, Call: 1}}}}}, nn.GraphRef{})
		},
		"nn: layer 0 (Dense) reads layer 7, which does not exist or depends on the layer itself": func() *nn.Graph {
			return byHand([]nn.GraphNode{{Layer: dense(""), Calls: [][]nn.GraphRef{{{Node: 7}}}}}, nn.GraphRef{})
		},
		"nn: layer 0 (Dense) reads input 3, which does not exist or depends on the layer itself": func() *nn.Graph {
			return byHand([]nn.GraphNode{{Layer: dense(""), Calls: [][]nn.GraphRef{{{Node: -4}}}}}, nn.GraphRef{})
		},
		`nn: output "y" is layer 4, which does not exist`: func() *nn.Graph { return byHand(nil, nn.GraphRef{Node: 4}) },
		"nn: layer 0: the layer is nil": func() *nn.Graph {
			return byHand([]nn.GraphNode{{Calls: [][]nn.GraphRef{{x}}}}, nn.GraphRef{})
		},
		"nn: layer 0 (dense), which reads nothing: it takes one input, not 0": func() *nn.Graph {
			return byHand([]nn.GraphNode{{Layer: dense(""), Calls: [][]nn.GraphRef{{}}}}, nn.GraphRef{})
		},
		`nn: input "x": Build needs an input: nn.Tokens, nn.Texts, nn.Features or nn.SparseFeatures`: func() *nn.Graph {
			g := &nn.Graph{}
			g.Output("y", g.Input("x", nn.Input{}))
			return g
		},
	}
	for want, graph := range cases {
		t.Run(want, func(t *testing.T) {
			_, err := graph().Build(t.Context(), nn.BuildOptions{})
			wantError(t, err, want)
		})
	}

	for place, layer := range map[string]kept{"add: ": {symbol: &plan.Symbol{}}, "": {parameter: &plan.ParameterRef{}}} {
		g, v := input()
		g.Output("y", g.Apply(layer, v))
		if _, err := g.Build(t.Context(), nn.BuildOptions{}); err != nil {
			t.Error(err)
		}
		_, err := g.Build(t.Context(), nn.BuildOptions{})
		wantError(t, err, `nn: layer 0 (kept) cannot follow input "x" of shape (None, 2): `+place+"a symbol or parameter is of another build: each Build makes its own")
	}
}

func TestGraphDataErrors(t *testing.T) {
	m := graphModel(t, reviewGraph())
	cases := map[string]func(d *nn.Data){
		`nn: the model has the inputs ["title" "body" "numbers"]: give them by name, in Inputs`:                                                                     func(d *nn.Data) { d.Inputs, d.X = nil, waves(t, 6, 2) },
		"nn: data has either X or Inputs, not both":                                                                                                                 func(d *nn.Data) { d.X = waves(t, 6, 2) },
		`nn: the data has no rows for the input "body"`:                                                                                                             func(d *nn.Data) { delete(d.Inputs, "body") },
		`nn: the model has no input "bodies"; there are ["title" "body" "numbers"]`:                                                                                 func(d *nn.Data) { d.Inputs["bodies"] = waves(t, 6, 2) },
		`nn: input "title" has 6 rows and "numbers" has 5`:                                                                                                          func(d *nn.Data) { d.Inputs["numbers"] = waves(t, 5, 2) },
		`nn: the data has no labels for the output "stars"`:                                                                                                         func(d *nn.Data) { delete(d.Labels, "stars") },
		`nn: the data has labels for "start"; the model has the outputs ["spam" "stars"]`:                                                                           func(d *nn.Data) { d.Labels["start"] = d.Labels["stars"] },
		`nn: the data has weights for "start"; the model has the outputs ["spam" "stars"]`:                                                                          func(d *nn.Data) { d.OutputWeights = map[string][]float32{"start": make([]float32, 6)} },
		`nn: output "spam": X has 6 rows and Weights has 5`:                                                                                                         func(d *nn.Data) { d.OutputWeights = map[string][]float32{"spam": make([]float32, 5)} },
		`nn: output "stars": X has 6 rows and Y has 5`:                                                                                                              func(d *nn.Data) { d.Labels["stars"] = array(t, make([]int32, 5), 5) },
		`nn: the model has the outputs ["spam" "stars"]: give labels and weights by name, in Labels and OutputWeights`:                                              func(d *nn.Data) { d.Y = d.Labels["spam"] },
		`nn: output "stars": the label of row 2, column 0: loss: sparse categorical cross-entropy: the output has 3 classes, 0 to 2, and so none with the number 3`: func(d *nn.Data) { d.Labels["stars"] = array(t, []int32{0, 1, 3, 0, 0, 0}, 6) },
		`nn: input "title": layer "embedding": row 0, column 1: id 11 is outside the vocabulary 0 to 10`: func(d *nn.Data) {
			d.Inputs["title"] = array(t, slices.Repeat([]int32{1, 11, 2, 3}, 6), 6, 4)
		},
	}
	for want, change := range cases {
		t.Run(want, func(t *testing.T) {
			d := reviewRows(t, 6)
			change(&d)
			_, err := m.Fit(t.Context(), d, nn.FitOptions{Optimizer: optim.SGD{}, Outputs: reviewOutputs()})
			wantError(t, err, want)
			_, err = m.Evaluate(t.Context(), d, nn.EvaluateOptions{Outputs: reviewOutputs()})
			wantError(t, err, want)
		})
	}
	d := reviewRows(t, 6)
	d.Inputs["title"] = array(t, slices.Repeat([]int32{1, 11, 2, 3}, 6), 6, 4)
	_, err := m.Evaluate(t.Context(), d, nn.EvaluateOptions{Outputs: reviewOutputs()})
	if e := (*nn.InputError)(nil); !errors.As(err, &e) || e.Input != "title" || e.Row != 0 || e.Column != 1 {
		t.Errorf("the place of the id is not in %v", err)
	}
	d = reviewRows(t, 6)
	wrong := func(want string, change func(o map[string]nn.OutputOptions)) {
		t.Helper()
		o := reviewOutputs()
		change(o)
		_, err := m.Fit(t.Context(), d, nn.FitOptions{Optimizer: optim.SGD{}, Outputs: o})
		wantError(t, err, want)
	}
	wrong(`nn: the model has no output "start"; there are ["spam" "stars"]`, func(o map[string]nn.OutputOptions) { o["start"] = o["stars"] })
	wrong(`nn: output "spam": a loss weight of -1 is not above 0 and finite`, func(o map[string]nn.OutputOptions) {
		o["spam"] = nn.OutputOptions{Loss: loss.BinaryCrossentropy{}, LossWeight: -1}
	})
	wrong(`nn: Fit needs a loss`, func(o map[string]nn.OutputOptions) {
		clear(o)
		o["spam"] = nn.OutputOptions{Metrics: []nn.Metric{metrics.Accuracy{}}}
	})
	_, err = m.Fit(t.Context(), d, nn.FitOptions{Optimizer: optim.SGD{}, Loss: loss.BinaryCrossentropy{}})
	wantError(t, err, `nn: the model has the outputs ["spam" "stars"]: give their losses and metrics by name, in Outputs`)
	_, err = m.Predict(t.Context(), waves(t, 6, 2), nn.PredictOptions{})
	wantError(t, err, `nn: the model has the inputs ["title" "body" "numbers"] and the outputs ["spam" "stars"]: PredictAll takes and gives them by name`)
}

func TestGraphPredictAll(t *testing.T) {
	m := graphModel(t, reviewGraph())
	data := reviewRows(t, 11)
	predict := func(o nn.PredictOptions) map[string][]float32 {
		all := map[string][]float32{}
		for out, err := range m.PredictAll(t.Context(), nn.Data{Inputs: data.Inputs}, o) {
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff([]string{"spam", "stars"}, slices.Sorted(maps.Keys(out))); d != "" {
				t.Fatal(d)
			}
			for name, v := range out {
				all[name] = append(all[name], v.Data()...)
			}
		}
		return all
	}
	want := predict(nn.PredictOptions{})
	if len(want["spam"]) != 11 || len(want["stars"]) != 33 {
		t.Fatalf("%d and %d values, want 11 and 33", len(want["spam"]), len(want["stars"]))
	}
	for _, o := range []nn.PredictOptions{{BatchSize: 1}, {BatchSize: 4, Threads: 3}} {
		for name, v := range predict(o) {
			equalBits(t, fmt.Sprintf("%s with %+v", name, o), v, want[name])
		}
	}

	// An Intermediate's outputs have the layers' names, in the order asked for, and go on sharing the parameters.
	inner, err := m.Intermediate("stars", "residual", "embedding")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"stars", "residual", "embedding"}, inner.OutputNames()); d != "" {
		t.Error(d)
	}
	clone, err := m.Clone(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	before := clone.Weights(nil)
	if err := m.SetParameter("stars/bias", []float32{0, 9, 0}); err != nil {
		t.Fatal(err)
	}
	sameBits(t, "the clone", clone.Weights(nil), before)
	want = predict(nn.PredictOptions{})
	for out, err := range inner.PredictAll(t.Context(), nn.Data{Inputs: data.Inputs}, nn.PredictOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		equalBits(t, "stars", out["stars"].Data(), want["stars"])
		if got, want := out["residual"].Shape().String()+out["embedding"].Shape().String(), "(11, 8)(11, 4, 3)"; got != want {
			t.Errorf("shapes %s, want %s", got, want)
		}
	}
	for layer, want := range map[string]string{
		"title": `nn: layer "title" puts out int32, not float32`,
		"none":  `nn: the model has no layer "none"; there are ["title" "body" "numbers" "embedding" "global_average_pooling1d" "global_average_pooling1d_1" "concatenate" "residual" "spam" "stars"]`,
	} {
		_, err := m.Intermediate(layer)
		wantError(t, err, want)
	}

	// What is frozen stays as it is; the rest moves, and a second pattern finds a layer within a layer.
	if n, err := m.SetTrainable("residual/*/*", false); err != nil || n != 4 {
		t.Fatalf("%d parameters of the residual block, error %v", n, err)
	}
	if _, err := m.SetTrainable("residuals/*", false); err == nil {
		t.Error("a pattern that no parameter matches is no error")
	}
	old := map[string][]float32{}
	for _, p := range m.Parameters() {
		old[p.Name()] = slices.Clone(p.Values())
	}
	if _, err := m.Fit(t.Context(), data, nn.FitOptions{Optimizer: optim.SGD{}, Outputs: reviewOutputs()}); err != nil {
		t.Fatal(err)
	}
	for _, p := range m.Parameters() {
		frozen := p.Name()[:3] == "res"
		if slices.Equal(old[p.Name()], p.Values()) != frozen {
			t.Errorf("%s: frozen %v", p.Name(), frozen)
		}
	}
}

// Steps with id 0 count neither in the loss nor in metrics: the loss is the sum of the others' losses, each times its
// weight, over their number, as in Keras (losses/loss.py, apply_mask), and an accuracy weighs them alike. Weights may be
// one for each row or for each step.
func TestMaskReachesLossAndMetrics(t *testing.T) {
	const rows, steps, classes = 5, 4, 3
	x := array(t, []int32{1, 2, 0, 0, 3, 0, 1, 0, 0, 0, 0, 0, 4, 4, 1, 2, 2, 0, 0, 3}, rows, steps)
	y := make([]int32, rows*steps)
	perStep := make([]float32, rows*steps)
	for i := range y {
		y[i], perStep[i] = int32((i*i+1)%classes), float32(i%4)/2+0.25
	}
	labels := array(t, y, rows, steps)
	perRow := []float32{1, 0.5, 2, 3, 0.25}
	embedding := layers.Embedding{Vocabulary: 5, Dim: 3, MaskZero: true, Init: layers.RandomUniform{Min: -1, Max: 1}}
	dense := layers.Dense{Units: classes, Activation: layers.Softmax}
	for name, list := range map[string][]nn.Layer{
		"Dense":           {embedding, dense},
		"TimeDistributed": {embedding, layers.TimeDistributed{Layer: dense}},
	} {
		m, err := nn.NewSequential(list...).Build(t.Context(), nn.Tokens(nn.AnyLength), nn.BuildOptions{Seed: 2})
		if err != nil {
			t.Fatal(err)
		}
		p, err := m.Predict(t.Context(), x, nn.PredictOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, weights := range [][]float32{nil, perRow, perStep} {
			var sum, n, right, rightWeights, allWeights float64
			for i, id := range x.Data() {
				if id == 0 {
					continue
				}
				w := 1.0
				switch len(weights) {
				case rows:
					w = float64(weights[i/steps])
				case rows * steps:
					w = float64(weights[i])
				}
				of := p.Data()[i*classes : (i+1)*classes]
				sum -= w * math.Log(float64(of[y[i]]))
				n++
				allWeights += w
				if slices.Index(of, slices.Max(of)) == int(y[i]) {
					right++
					rightWeights += w
				}
			}
			what := fmt.Sprintf("%s, %d weights: ", name, len(weights))
			data := nn.Data{X: x, Y: labels, Weights: weights}
			for _, threads := range []int{1, 3} {
				for _, l := range []nn.Loss{loss.SparseCategoricalCrossentropy{}, nil} {
					logs := mustEvaluate(t, m, data, nn.EvaluateOptions{Loss: l, Threads: threads,
						Metrics: []nn.Metric{metrics.Accuracy{}}, WeightedMetrics: []nn.Metric{metrics.Accuracy{As: "weighted"}}})
					if l != nil {
						near(t, what+"loss", value(t, logs, "loss"), sum/n, 1e-6)
					}
					near(t, what+"accuracy", value(t, logs, "accuracy"), right/n, 1e-6)
					near(t, what+"weighted accuracy", value(t, logs, "weighted"), rightWeights/allWeights, 1e-6)
				}
			}
			// Its gradient is that of this loss: what is fed at masked steps does not matter.
			gradient := func(labels *tensor.Int32) [][]float32 {
				m, err := m.Clone(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				h, err := m.Fit(t.Context(), nn.Data{X: x, Y: labels, Weights: weights}, nn.FitOptions{Optimizer: optim.SGD{LearningRate: 1}, Loss: loss.SparseCategoricalCrossentropy{}})
				if err != nil {
					t.Fatal(err)
				}
				near(t, what+"loss in Fit", h.Values("loss")[0], sum/n, 1e-6)
				return m.Weights(nil)
			}
			other := slices.Clone(y)
			for i, id := range x.Data() {
				if id == 0 {
					other[i] = (other[i] + 1) % classes
				}
			}
			sameBits(t, what+"other labels at masked steps", gradient(array(t, other, rows, steps)), gradient(labels))
		}
		if err := m.CheckGradients(t.Context(), x, nn.GradientOptions{Loss: loss.SparseCategoricalCrossentropy{}, Y: labels}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func logNames(l *history.Logs) []string {
	var names []string
	for name := range l.All() {
		names = append(names, name)
	}
	return names
}

// Nodes in any order are applied in rounds, each from the first to the last, as soon as what they read is there: layers get
// their names in that order.
func TestNodesInAnyOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		n := 1 + random.IntN(12)
		place := random.Perm(n) // of the nodes in an order that can be computed
		g := &nn.Graph{Inputs: []nn.GraphInput{{Name: "in", Input: nn.Features(2)}}, Nodes: make([]nn.GraphNode, n)}
		ref := func(below int) nn.GraphRef {
			if i := random.IntN(below + 1); i > 0 {
				return nn.GraphRef{Node: place[i-1], Call: random.IntN(len(g.Nodes[place[i-1]].Calls))}
			}
			return nn.GraphRef{Node: -1}
		}
		for i, at := range place {
			g.Nodes[at].Layer = layers.Dense{Name: fmt.Sprint("node", at), Units: 2}
			for range 1 + random.IntN(2) {
				g.Nodes[at].Calls = append(g.Nodes[at].Calls, []nn.GraphRef{ref(i)})
			}
			g.Outputs = append(g.Outputs, nn.GraphOutput{Name: fmt.Sprint(i), Ref: nn.GraphRef{Node: at, Call: len(g.Nodes[at].Calls) - 1}})
		}
		want := []string{"in"}
		type call struct{ node, call int }
		known := map[call]bool{{-1, 0}: true}
		for len(want) < n+1 {
			for i, node := range g.Nodes {
				for k, refs := range node.Calls {
					ready := !known[call{i, k}] && (k == 0 || known[call{i, k - 1}])
					for _, r := range refs {
						ready = ready && known[call{r.Node, r.Call}]
					}
					if ready && k == 0 {
						want = append(want, fmt.Sprint("node", i))
					}
					known[call{i, k}] = known[call{i, k}] || ready
				}
			}
		}
		m, err := g.Build(t.Context(), nn.BuildOptions{})
		must(t, err)
		if got := m.LayerNames(); !slices.Equal(got, want) {
			t.Fatalf("the layers are applied as %q, want %q", got, want)
		}
	}
}
