package nn_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/linnet-ml/linnet/internal/golden"
	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/nn"
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
	adam := optim.Adam{}
	got := map[string]string{
		"tutorial.unbuilt":               tutorialLayers().Summary(),
		"tutorial.built":                 tutorial.Summary(),
		"tutorial.compiled":              tutorial.Summary(),
		"tutorial.fitted":                tutorial.SummaryWith(nn.SummaryOptions{Optimizer: adam}),
		"tutorial.fitted_trainable":      tutorial.SummaryWith(nn.SummaryOptions{Optimizer: adam, ShowTrainable: true}),
		"tutorial.fitted_line_length_60": tutorial.SummaryWith(nn.SummaryOptions{Optimizer: adam, LineLength: 60}),
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
				t.Skip("of a model that linnet cannot build yet")
			}
			if d := cmp.Diff(strings.Split(recorded.File(c.Text("file")), "\n"), strings.Split(text, "\n")); d != "" {
				t.Error(d)
			}
		})
	}
}

// Names of any length leave the table whole.
func TestSummaryKeepsItsWidth(t *testing.T) {
	for _, name := range []string{strings.Repeat("long", 40), "größer", "a b  c"} {
		m, err := (&nn.Sequential{Layers: []nn.Layer{layers.Dense{Name: name, Units: 1 << 16}}}).Build(t.Context(), nn.Features(1), nn.BuildOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []int{1, 40, 41, 63, 100, 200} {
			for _, trainable := range []bool{false, true} {
				text := m.SummaryWith(nn.SummaryOptions{LineLength: want, ShowTrainable: trainable})
				for _, line := range strings.Split(text, "\n")[1:] {
					if n := len([]rune(line)); !strings.HasPrefix(line, " ") && line != "" && n != max(want, 40) {
						t.Errorf("line of %d characters, want %d: %s", n, max(want, 40), line)
					}
				}
			}
		}
	}
}
