package nn_test

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/linnet-ml/linnet/internal/golden"
	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optim"
)

func tutorialLayers() *nn.Sequential {
	return nn.NewSequential(
		layers.Embedding{Vocabulary: 10_000, Dim: 16},
		layers.GlobalAveragePooling1D{},
		layers.Dense{Units: 16, Activation: layers.ReLU},
		layers.Dense{Units: 1, Activation: layers.Sigmoid},
	)
}

// The texts are Keras's, to the letter.
func TestSummary(t *testing.T) {
	tutorial, err := tutorialLayers().Build(t.Context(), nn.Tokens(256), nn.BuildOptions{})
	if err != nil {
		t.Fatal(err)
	}
	multiHot, err := (&nn.Sequential{Name: "multi_hot", Layers: []nn.Layer{
		layers.Dense{Units: 16, Activation: layers.ReLU}, layers.Dense{Units: 16, Activation: layers.ReLU},
		layers.Dropout{Rate: 0.5}, layers.Dense{Units: 1},
	}}).Build(t.Context(), nn.SparseFeatures(10_000), nn.BuildOptions{})
	if err != nil {
		t.Fatal(err)
	}
	frozen, err := (&nn.Sequential{Layers: []nn.Layer{layers.BatchNormalization{}, layers.Flatten{}, layers.Dense{Units: 2}}}).Build(t.Context(), nn.Features(5, 3), nn.BuildOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := frozen.SetTrainable("dense/*", false); err != nil {
		t.Fatal(err)
	}
	nested, err := (&nn.Sequential{Name: "outer", Layers: []nn.Layer{
		stack{"inner", []nn.Layer{layers.Dense{Units: 3}, layers.Dense{Units: 2}}}, layers.Dense{Name: "dense_2", Units: 1},
	}}).Build(t.Context(), nn.Features(4), nn.BuildOptions{})
	if err != nil {
		t.Fatal(err)
	}
	functional := functionalModel(t)
	adam := optim.Adam{}
	got := map[string]string{
		"tutorial.unbuilt":               tutorialLayers().Summary(),
		"tutorial.built":                 tutorial.Summary(),
		"tutorial.compiled":              tutorial.Summary(),
		"tutorial.fitted":                tutorial.SummaryWith(nn.SummaryOptions{Optimizer: adam}),
		"tutorial.fitted_trainable":      tutorial.SummaryWith(nn.SummaryOptions{Optimizer: adam, ShowTrainable: true}),
		"tutorial.fitted_line_length_60": tutorial.SummaryWith(nn.SummaryOptions{Optimizer: adam, LineLength: 60}),
		"batchnorm_frozen.built":         frozen.Summary(),
		"batchnorm_frozen.fitted":        frozen.SummaryWith(nn.SummaryOptions{Optimizer: adam}),
		"functional.built":               functional.Summary(),
		"functional.fitted":              functional.SummaryWith(nn.SummaryOptions{Optimizer: optim.SGD{}}),
		"nested.built":                   nested.Summary(),
		"multi_hot.built":                multiHot.Summary(),
		"multi_hot.fitted":               multiHot.SummaryWith(nn.SummaryOptions{Optimizer: optim.RMSprop{}}),
	}
	recorded := golden.Open(t, "summary_progress")
	for name := range got {
		recorded.Case(name) // none is missed for a misspelling
	}
	for _, c := range recorded.Cases {
		if c.Text("config", "kind") != "summary" {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			text, ok := got[c.Name]
			if !ok {
				t.Skip("a layer's inner layers have no rows of their own")
			}
			if d := cmp.Diff(strings.Split(recorded.File(c.Text("file")), "\n"), strings.Split(text, "\n")); d != "" {
				t.Error(d)
			}
		})
	}
}

// functionalModel is the graph whose summary is recorded.
func functionalModel(t *testing.T) *nn.Model {
	t.Helper()
	g := &nn.Graph{}
	words := g.Apply(layers.Embedding{Name: "words", Vocabulary: 10_000, Dim: 16, MaskZero: true}, g.Input("tokens", nn.Tokens(256)))
	a := g.Apply(layers.Bidirectional{Layer: layers.LSTM{Units: 4}}, words)
	b := g.Apply(layers.GlobalMaxPooling1D{}, g.Apply(layers.Conv1D{Filters: 16, KernelSize: 3, Activation: layers.ReLU}, words))
	g.Output("stars", g.Apply(layers.Dense{Name: "a_rather_long_layer_name_for_a_column", Units: 3, Activation: layers.Softmax},
		g.Apply(layers.Concatenate{}, a, b)))
	m, err := g.Build(t.Context(), nn.BuildOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// stack is another author's layer, made of layers that follow one another.
type stack struct {
	name   string
	layers []nn.Layer
}

func (stack) Kind() string        { return "Sequential" }
func (s stack) LayerName() string { return s.name }

func (s stack) Build(b *plan.Builder, in []plan.Symbol) (_ []plan.Symbol, err error) {
	for _, l := range s.layers {
		if in, err = b.Apply(l, in...); err != nil {
			return nil, err
		}
	}
	return in, nil
}

// cells returns the cells of a summary's rows; the lines of a cell are put together.
func cells(summary string) [][]string {
	var rows [][]string
	open := false
	for line := range strings.Lines(summary) {
		if !strings.HasPrefix(line, "│") {
			open = false
			continue
		}
		parts := strings.Split(strings.Trim(strings.TrimSpace(line), "│"), "│")
		if !open {
			rows = append(rows, make([]string, len(parts)))
			open = true
		}
		for i, p := range parts {
			row := rows[len(rows)-1]
			row[i] = strings.TrimSpace(row[i] + " " + strings.TrimSpace(p))
		}
	}
	return rows
}

// A layer that is used twice has one row, at its greatest distance from the outputs, with the connections of both uses; an
// input that nothing reads comes first among the last, and a layer that no output depends on has no row.
func TestSummaryOfGraph(t *testing.T) {
	g := &nn.Graph{}
	title, body := g.Input("title", nn.Tokens(4)), g.Input("body", nn.Tokens(6))
	g.Input("unread", nn.Features(2))
	embed := g.Node(layers.Embedding{Vocabulary: 9, Dim: 2, MaskZero: true})
	e, f := embed.Apply(title), embed.Apply(body)
	lstm := g.Apply(layers.LSTM{Units: 3, ReturnState: true}, f)
	g.Apply(layers.Dense{Name: "lost", Units: 7}, lstm)
	pooled := g.Apply(layers.GlobalAveragePooling1D{}, e)
	g.Output("a", g.Apply(layers.Concatenate{}, pooled, lstm.Output(2)))
	g.Output("b", pooled)
	m, err := g.Build(t.Context(), nn.BuildOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{
		{"title (InputLayer)", "(None, 4)", "0", "-", "-"},
		{"body (InputLayer)", "(None, 6)", "0", "-", "-"},
		{"embedding (Embedding)", "(None, 6, 2)", "18", "title[0][0], body[0][0]", "Y"},
		{"not_equal (NotEqual)", "(None, 4)", "0", "title[0][0]", "-"},
		{"not_equal_1 (NotEqual)", "(None, 6)", "0", "body[0][0]", "-"},
		{"global_average_pooling1d (GlobalAveragePooling1D)", "(None, 2)", "0", "embedding[0][0], not_equal[0][0]", "-"},
		{"lstm (LSTM)", "[(None, 3), (None, 3), (None, 3)]", "72", "embedding[1][0], not_equal_1[0][0]", "Y"},
		{"unread (InputLayer)", "(None, 2)", "0", "-", "-"},
		{"concatenate (Concatenate)", "(None, 5)", "0", "global_average_pooling1d[0][0], lstm[0][2]", "-"},
	}
	if d := cmp.Diff(want, cells(m.SummaryWith(nn.SummaryOptions{LineLength: 200, ShowTrainable: true}))); d != "" {
		t.Error(d)
	}

	chain := &nn.Graph{Name: "chain"}
	chain.Output("y", chain.Apply(layers.Dense{Units: 1}, chain.Apply(layers.Flatten{}, chain.Input("x", nn.Features(2, 2)))))
	if m, err = chain.Build(t.Context(), nn.BuildOptions{}); err != nil {
		t.Fatal(err)
	}
	want = [][]string{{"x (InputLayer)", "(None, 2, 2)", "0"}, {"flatten (Flatten)", "(None, 4)", "0"}, {"dense (Dense)", "(None, 1)", "5"}}
	if d := cmp.Diff(want, cells(m.Summary())); d != "" {
		t.Error(d)
	}
}

// A number of parameters that is cut off would be read as another one.
func TestSummaryShowsWholeNumbers(t *testing.T) {
	m, err := (&nn.Sequential{Layers: []nn.Layer{
		layers.Embedding{Vocabulary: 1_234_567, Dim: 1}, layers.GlobalAveragePooling1D{}, layers.Dense{Units: 1},
	}}).Build(t.Context(), nn.Tokens(4), nn.BuildOptions{})
	if err != nil {
		t.Fatal(err)
	}
	g := &nn.Graph{}
	g.Output("y", g.Apply(layers.Embedding{Vocabulary: 1_234_567, Dim: 1}, g.Input("x", nn.Tokens(4))))
	graph, err := g.Build(t.Context(), nn.BuildOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, width := range []int{40, 50, 60, 80} {
		for _, trainable := range []bool{false, true} {
			o := nn.SummaryOptions{LineLength: width, ShowTrainable: trainable}
			for _, text := range []string{m.SummaryWith(o), graph.SummaryWith(o)} {
				if !strings.Contains(text, " 1,234,567 │") {
					t.Errorf("no whole 1,234,567 in\n%s", text)
				}
			}
		}
	}
}

// Names of any length leave the table whole.
func TestSummaryKeepsItsWidth(t *testing.T) {
	for _, name := range []string{strings.Repeat("long", 40), "größer", "a b  c"} {
		m, err := (&nn.Sequential{Layers: []nn.Layer{layers.Dense{Name: name, Units: 1 << 16}}}).Build(t.Context(), nn.Features(1), nn.BuildOptions{})
		if err != nil {
			t.Fatal(err)
		}
		g := &nn.Graph{}
		x := g.Input(name+"x", nn.Features(1))
		g.Output("y", g.Apply(layers.Add{}, x, g.Apply(layers.Dense{Name: name, Units: 1}, x)))
		graph, err := g.Build(t.Context(), nn.BuildOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []int{math.MinInt, 1, 40, 41, 63, 100, 200, 1 << 30, math.MaxInt} {
			for _, trainable := range []bool{false, true} {
				o := nn.SummaryOptions{LineLength: want, ShowTrainable: trainable}
				text := m.SummaryWith(o) + graph.SummaryWith(o)
				for _, line := range strings.Split(text, "\n")[1:] {
					if n := len([]rune(line)); !strings.HasPrefix(line, " ") && !strings.HasPrefix(line, "Model: ") && line != "" && n != min(max(want, 40), 1000) {
						t.Errorf("line of %d characters, want %d: %s", n, min(max(want, 40), 1000), line)
					}
				}
			}
		}
	}
}
