package model_test

import (
	"context"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/linnet-ml/linnet/internal/shared"
	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/model"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/pretrained"
	"github.com/linnet-ml/linnet/tensor"
	"github.com/linnet-ml/linnet/text"
)

// fileForChild names the file from which a test's program predicts in a process of its own.
const fileForChild = "LINNET_TEST_PREDICT"

// reviews are texts to predict from.
var reviews = []string{"A good film, good actors; I liked it.", "bad", "", "The worst movie that was ever made!", "caf\u00e9 \xff\xfe 12 <br />"}

func predictReviews(t testing.TB, m *nn.Model) string {
	t.Helper()
	x, err := tensor.Of(reviews)
	must(t, err)
	var b strings.Builder
	out, err := m.PredictInto(t.Context(), nil, x, nn.PredictOptions{})
	must(t, err)
	for _, v := range out {
		fmt.Fprintf(&b, "%08x ", math.Float32bits(v))
	}
	return b.String()
}

// TestPredictInChild is no test of its own: it is what predictInNewProcess starts.
func TestPredictInChild(t *testing.T) {
	path := os.Getenv(fileForChild)
	if path == "" {
		t.Skip("it belongs to TestPredictsTextInNewProcess")
	}
	f, err := model.Load(t.Context(), path, model.LoadOptions{})
	must(t, err)
	defer f.Close()
	fmt.Printf("\npredicted: %s\n", predictReviews(t, f.Model))
}

// predictInNewProcess loads a model in another process, and returns what it predicts.
func predictInNewProcess(t *testing.T, path string) string {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestPredictInChild$", "-test.count=1")
	cmd.Env = append(os.Environ(), fileForChild+"="+path)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		if bits, ok := strings.CutPrefix(line, "predicted: "); ok {
			return strings.TrimSuffix(bits, "\n")
		}
	}
	t.Fatalf("it did not predict:\n%s", out)
	return ""
}

// Models with word vectors of others read raw texts in a process that has nothing but the file.
func TestPredictsTextInNewProcess(t *testing.T) {
	tables := map[string]func(t *testing.T) nn.Layer{
		"GloVe": func(t *testing.T) nn.Layer {
			e, err := pretrained.OpenVectors(t.Context(), shared.Path(t, "data/embeddings/glove.6B.100d.imdb-vocab.txt.gz"),
				pretrained.VectorOptions{Limit: 20000, Lower: true, OOV: pretrained.OOVUniform})
			must(t, err)
			return layers.TextEmbedding{Table: e}
		},
		"small TF-Hub module": func(t *testing.T) nn.Layer {
			e, err := pretrained.OpenHub(t.Context(), "../pretrained/testdata/hub/movie", pretrained.HubOptions{})
			must(t, err)
			return layers.TextEmbedding{Table: e}
		},
		"963812 rows": func(t *testing.T) nn.Layer {
			if testing.Short() {
				t.Skip("-short")
			}
			if dir := os.Getenv("LINNET_HUB_LARGE"); dir != "" {
				e, err := pretrained.OpenHub(t.Context(), dir, pretrained.HubOptions{})
				must(t, err)
				return layers.TextEmbedding{Table: e, Trainable: true}
			}
			return layers.TextEmbedding{Table: largeTable{numberedWords(t, largeRows-1, "good", "bad", "film", "worst", "movie")}, Trainable: true}
		},
	}
	for name, layer := range tables {
		t.Run(name, func(t *testing.T) {
			m, err := nn.NewSequential(layer(t), layers.Dense{Units: 8, Activation: layers.ReLU}, layers.Dense{Units: 1, Activation: layers.Sigmoid}).
				Build(t.Context(), nn.Texts(), nn.BuildOptions{Seed: 4})
			must(t, err)
			path := filepath.Join(t.TempDir(), "reviews.linnet")
			must(t, model.Save(t.Context(), path, m, model.SaveOptions{}))
			want := predictReviews(t, m)
			if got := predictInNewProcess(t, path); got != want {
				t.Errorf("another process predicts %s, not %s", got, want)
			}
		})
	}
}

// largeRows is how many rows the table of TensorFlow Hub's nnlm-en-dim50 has.
const largeRows = 963_812

// largeTable is a table of that size, whose vectors depend on their place.
type largeTable struct{ words *text.HubTokenizer }

func (l largeTable) Tokenizer() text.Tokenizer { return l.words }
func (l largeTable) Rows() int                 { return l.words.Size() }
func (largeTable) Dim() int                    { return 50 }
func (largeTable) Combiner() text.Combiner     { return text.Sqrtn }

func (l largeTable) ReadTable(_ context.Context, dst []float32) error {
	n := uint32(1)
	for i := range dst {
		n = n*1664525 + 1013904223
		dst[i] = float32(int32(n)) / (1 << 31)
	}
	return nil
}

// numberedWords is a tokenizer of so many words, the first of which are given.
func numberedWords(t testing.TB, n int, first ...string) *text.HubTokenizer {
	t.Helper()
	var b text.VocabularyBuilder
	for _, w := range first {
		b.Add([]byte(w))
	}
	for i := 0; b.Len() < n; i++ {
		b.Add(fmt.Appendf(nil, "word%d", i))
	}
	v, err := b.Vocabulary(t.Context())
	must(t, err)
	h, err := text.NewHubTokenizer(v, text.HubTokenizerOptions{})
	must(t, err)
	return h
}
