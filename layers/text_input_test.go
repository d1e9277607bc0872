package layers_test

import (
	"context"
	"fmt"
	"log"
	"slices"
	"strings"
	"testing"

	"github.com/linnet-ml/linnet/internal/golden"
	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/loss"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/optim"
	"github.com/linnet-ml/linnet/tensor"
	"github.com/linnet-ml/linnet/text"
)

// someReviews are texts of very different lengths, one of no word at all.
func someReviews(t testing.TB) *tensor.String {
	words := strings.Fields("a the great film bad awful lovely story, and it was not good! never again")
	texts := []string{"", "?!", "great"}
	u := uint32(3)
	for n := range 90 {
		var b strings.Builder
		for range n {
			u = u*1664525 + 1013904223
			b.WriteString(words[int(u>>8)%len(words)] + " ")
		}
		texts = append(texts, b.String())
	}
	return array(t, texts, len(texts))
}

func adapted(t testing.TB, v text.Vectorizer) *text.Vectorization {
	t.Helper()
	words, err := v.Adapt(t.Context(), someReviews(t).Data())
	must(t, err)
	return words
}

// isOfTheRowAlone checks that each row's prediction has the same bits alone and in any batch, from texts and prepared.
func isOfTheRowAlone(t *testing.T, m *nn.Model, x *tensor.String) {
	t.Helper()
	want := predict(t, m, x, nn.PredictOptions{})
	width := len(want) / x.Len()
	prepared, err := m.Prepare(t.Context(), x)
	must(t, err)
	if prepared == tensor.Rows(x) {
		t.Error("Prepare prepares nothing")
	}
	for name, rows := range map[string]tensor.Rows{"texts": x, "prepared": prepared} {
		for _, o := range []nn.PredictOptions{{BatchSize: 1}, {BatchSize: 7, Threads: 2}, {Threads: 3}, {NoFusion: true}} {
			if got := predict(t, m, rows, o); !equalBits(got, want) {
				t.Errorf("%s with %+v differ", name, o)
			}
		}
	}
	for i := range x.Len() {
		if got := predict(t, m, x.Rows(i, i+1), nn.PredictOptions{}); !equalBits(got, want[i*width:(i+1)*width]) {
			t.Errorf("text %d alone differs", i)
		}
	}
}

// A TextEmbedding with vectors of its own computes what Embedding and GlobalAveragePooling1D make of the padded ids, the
// padding masked, and both train to the same weights.
func TestTextEmbeddingOfOwnVectors(t *testing.T) {
	x := someReviews(t)
	y := sidesOf(t, x)
	words := adapted(t, text.Vectorizer{})
	ids, err := words.Padded(t.Context(), x.Data())
	must(t, err)
	own := build(t, nn.Texts(), layers.TextEmbedding{Name: "embedding", Words: words, Dim: 5}, layers.Dense{Units: 1})
	wired := build(t, nn.Tokens(nn.AnyLength), layers.Embedding{Vocabulary: words.Size(), Dim: 5, MaskZero: true},
		layers.GlobalAveragePooling1D{}, layers.Dense{Units: 1})
	for epoch := range 2 {
		if got, want := predict(t, own, x, nn.PredictOptions{}), predict(t, wired, ids, nn.PredictOptions{}); !equalBits(got, want) {
			t.Errorf("after %d epochs: %v, want %v", epoch, got, want)
		}
		o := nn.FitOptions{Optimizer: optim.Adam{}, Epochs: 1, Threads: 1 + epoch}
		fitTexts(t, own, x, y, o)
		fitTexts(t, wired, ids, y, o)
	}
	for i, w := range own.Weights(nil) {
		if !equalBits(w, wired.Parameters()[i].Values()) {
			t.Errorf("%s differs", own.Parameters()[i].Name())
		}
	}
	isOfTheRowAlone(t, own, x)
}

func TestTextEmbeddingOfOwnVectorsGradients(t *testing.T) {
	words := adapted(t, text.Vectorizer{NGrams: 2})
	for _, c := range []text.Combiner{text.CombinerDefault, text.Sqrtn, text.Sum} {
		m := build(t, nn.Texts(), layers.TextEmbedding{Words: words, Dim: 3, Combiner: c, Init: layers.RandomNormal{}, EmbeddingsRegularizer: layers.L2{}},
			layers.Dense{Units: 2, Activation: layers.Tanh})
		must(t, m.CheckGradients(t.Context(), someReviews(t).Rows(0, 9), nn.GradientOptions{}))
	}
}

// TextTokens makes the ids that Padded does, and a mask of each text's own steps: the model is that of ids with MaskZero,
// before and after training, with any number of threads.
func TestTextTokensLikePaddedIDs(t *testing.T) {
	x := someReviews(t)
	y := sidesOf(t, x)
	words := adapted(t, text.Vectorizer{OutputSequenceLength: 12})
	ids, err := words.Padded(t.Context(), x.Data())
	must(t, err)
	for name, rest := range map[string][]nn.Layer{
		"LSTM":        {layers.LSTM{Units: 3}, layers.Dense{Units: 1}},
		"average":     {layers.GlobalAveragePooling1D{}, layers.Dense{Units: 1}},
		"convolution": {layers.Conv1D{Filters: 3, KernelSize: 3}, layers.GlobalMaxPooling1D{}, layers.Dense{Units: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			wired := build(t, nn.Tokens(12), append([]nn.Layer{layers.Embedding{Vocabulary: words.Size(), Dim: 4, MaskZero: true}}, rest...)...)
			for _, maskZero := range []bool{false, true} {
				own := build(t, nn.Texts(), append([]nn.Layer{layers.TextTokens{Words: words}, layers.Embedding{Vocabulary: words.Size(), Dim: 4, MaskZero: maskZero}}, rest...)...)
				if got, want := predict(t, own, x, nn.PredictOptions{}), predict(t, wired, ids, nn.PredictOptions{}); !closeTo(got, want, 1e-6) {
					t.Errorf("%v, want %v", got, want)
				}
				isOfTheRowAlone(t, own, x)
				var before [][]float32
				for _, threads := range []int{1, 2, 3} {
					again := build(t, nn.Texts(), own.Spec().(*nn.Sequential).Layers...)
					fitTexts(t, again, x, y, nn.FitOptions{Optimizer: optim.Adam{}, Epochs: 2, Threads: threads})
					if got := again.Weights(nil); before == nil {
						before = got
					} else if !slices.EqualFunc(got, before, equalBits) {
						t.Errorf("%d threads give other weights", threads)
					}
				}
			}
		})
	}
}

// closeTo reports whether values differ by at most the tolerance.
func closeTo(a, b []float32, tolerance float32) bool {
	return slices.EqualFunc(a, b, func(a, b float32) bool { return max(a-b, b-a) <= tolerance })
}

// To a tokenizer for which id 0 is a word, the mask still ends where the text does.
func TestTextTokensMask(t *testing.T) {
	x := array(t, []string{"w0 w2", "w1 w0 w0 w2 w2", "w0"}, 3)
	table := []float32{4, 1, 2}
	for _, noFusion := range []bool{false, true} {
		m := build(t, nn.Texts(), layers.TextTokens{Words: numbers{size: 3}, Length: 3}, layers.Embedding{Vocabulary: 3, Dim: 1}, layers.GlobalAveragePooling1D{})
		must(t, m.SetWeights([][]float32{table}))
		if got := predict(t, m, x, nn.PredictOptions{NoFusion: noFusion}); !slices.Equal(got, []float32{3, 3, 4}) {
			t.Errorf("averages %v", got)
		}
	}
}

func TestTextInputBuildErrors(t *testing.T) {
	words := adapted(t, text.Vectorizer{})
	columns := adapted(t, text.Vectorizer{OutputMode: text.OutputTFIDF})
	for _, c := range []struct {
		in    nn.Input
		layer nn.Layer
		want  string
	}{
		{nn.Texts(), layers.TextEmbedding{Words: words}, "TextEmbedding needs at least 1 dimension, not 0"},
		{nn.Texts(), layers.TextEmbedding{Words: (*text.Vectorization)(nil), Dim: 2}, "TextEmbedding needs Words and Dim, or a Table"},
		{nn.Texts(), layers.TextEmbedding{Words: &text.Vectorization{}, Dim: 2}, "TextEmbedding's Words have 0 ids"},
		{nn.Texts(), layers.TextEmbedding{Words: columns, Dim: 2}, "TextEmbedding counts every token, each alike, and so has no use for Words with output tf_idf: output int is for it"},
		{nn.Texts(), layers.TextEmbedding{Table: (*layers.VectorTable)(nil)}, "TextEmbedding's Table is a nil *layers.VectorTable"},
		{nn.Texts(), layers.TextEmbedding{Table: newTable(4, 2, text.Sum), Dim: 2}, "TextEmbedding has a Table, which has words, dimensions and values of its own: Words, Dim and Init are for a layer without one"},
		{nn.Texts(), layers.TextEmbedding{Words: words, Dim: 2, Combiner: 9}, "TextEmbedding has no Combiner 9; there are text.Sqrtn, text.Mean and text.Sum"},
		{nn.Texts(), layers.TextTokens{}, "TextTokens needs Words"},
		{nn.Texts(), layers.TextTokens{Words: words}, "TextTokens needs a Length, or Words with an OutputSequenceLength"},
		{nn.Texts(), layers.TextTokens{Words: words, Length: -1}, "TextTokens cannot have a Length of -1"},
		{nn.Texts(), layers.TextTokens{Words: columns, Length: 3}, "TextTokens needs Words with ids in order, output int, not tf_idf"},
		{nn.Texts(), layers.TextTokens{Words: numbers{}, Length: 3}, "TextTokens's Words have 0 ids"},
		{nn.Tokens(3), layers.TextTokens{Words: words, Length: 3}, "TextTokens reads texts, one a row (nn.Texts), not int32 of shape (None, 3)"},
	} {
		_, err := nn.NewSequential(c.layer).Build(t.Context(), c.in, nn.BuildOptions{})
		if err == nil || !strings.HasSuffix(err.Error(), ": "+c.want) {
			t.Errorf("got  %v\nwant %s", err, c.want)
		}
	}
}

// What one model prepared another refuses, unless it reads the same; ids outside the Embedding's vocabulary are an error.
func TestTextTokensInputErrors(t *testing.T) {
	x := someReviews(t)
	tokens := func(length, size int) *nn.Model {
		return build(t, nn.Texts(), layers.TextTokens{Words: adapted(t, text.Vectorizer{MaxTokens: size}), Length: length}, layers.Embedding{Vocabulary: 8, Dim: 2}, layers.GlobalAveragePooling1D{})
	}
	m := tokens(5, 8)
	prepared, err := m.Prepare(t.Context(), x)
	must(t, err)
	if again, err := m.Prepare(t.Context(), prepared); err != nil || again != prepared {
		t.Errorf("prepared texts are prepared again, error %v", err)
	}
	if _, err := tokens(5, 7).Predict(t.Context(), prepared, nn.PredictOptions{}); err == nil ||
		!strings.HasSuffix(err.Error(), "rows of 5 of 8 ids were prepared for another model: this one has rows of 5 of 7") {
		t.Errorf("prepared by another model: %v", err)
	}
	if _, err := tokens(5, 12).Predict(t.Context(), x, nn.PredictOptions{}); err == nil || !strings.Contains(err.Error(), "outside the vocabulary 0 to 7") {
		t.Errorf("an id outside the vocabulary: %v", err)
	}
}

func hashed(t testing.TB) *text.HashedFeatures {
	t.Helper()
	features, err := text.NewHashedFeatures(text.HashedFeaturesOptions{Buckets: 1 << 17, NGrams: 2, MinCharacters: 3, MaxCharacters: 4, Unicode: text.Unicode{Lower: true, NFC: true}})
	must(t, err)
	return features
}

// Vectors of hashed features train to the same bits with any number of threads, in so large a table that Fit visits touched
// rows alone, and the row's score is its own.
func TestHashedFeaturesTrain(t *testing.T) {
	x := someReviews(t)
	y := sidesOf(t, x)
	var want [][]float32
	for _, threads := range []int{1, 2, 3} {
		m := build(t, nn.Texts(), layers.TextEmbedding{Words: hashed(t), Dim: 16}, layers.Dense{Units: 1})
		h := fitTexts(t, m, x, y, nn.FitOptions{Optimizer: optim.Adam{LearningRate: 0.01}, Epochs: 6, Threads: threads, NoFusion: threads == 3})
		losses := h.Values("loss")
		if first, last := losses[0], losses[len(losses)-1]; last >= first {
			t.Errorf("the loss went from %v to %v", first, last)
		}
		if got := m.Weights(nil); want == nil {
			want = got
			isOfTheRowAlone(t, m, x)
		} else if !slices.EqualFunc(got, want, equalBits) {
			t.Errorf("%d threads give other weights", threads)
		}
	}
}

// TextTokens makes the ids of Keras's TextVectorization: an Embedding whose vector of id i is i shows them.
func TestTextTokensAsKeras(t *testing.T) {
	compared := 0
	for _, c := range golden.Open(t, "text").Cases {
		if !c.Has("expected", "output") || !c.Has("config", "output_sequence_length") || c.Name == "column_input" {
			continue
		}
		var k struct {
			MaxTokens            int  `json:"max_tokens"`
			OutputSequenceLength *int `json:"output_sequence_length"`
		}
		c.Decode(&k, "config")
		if k.OutputSequenceLength == nil {
			continue
		}
		compared++
		words, err := text.Vectorizer{MaxTokens: k.MaxTokens, OutputSequenceLength: *k.OutputSequenceLength}.Adapt(t.Context(), c.Texts("adapt"))
		must(t, err)
		m := build(t, nn.Texts(), layers.TextTokens{Words: words}, layers.Embedding{Vocabulary: words.Size(), Dim: 1}, layers.Flatten{})
		table := make([]float32, words.Size())
		for i := range table {
			table[i] = float32(i)
		}
		must(t, m.SetWeights([][]float32{table}))
		inputs := c.Texts("inputs")
		got := predict(t, m, array(t, inputs, len(inputs)), nn.PredictOptions{})
		if want := c.Array("expected", "output").Int64; !slices.EqualFunc(got, want, func(a float32, b int64) bool { return a == float32(b) }) {
			t.Errorf("%s: %v, want %v", c.Name, got, want)
		}
	}
	if compared != 12 {
		t.Errorf("%d cases compared", compared)
	}
}

// A prediction allocates nothing once its memory is there.
func TestTextInputAllocates(t *testing.T) {
	x := someReviews(t)
	for name, m := range map[string]*nn.Model{
		"embedding": build(t, nn.Texts(), layers.TextEmbedding{Words: adapted(t, text.Vectorizer{}), Dim: 4}, layers.Dense{Units: 1}),
		"hashed":    build(t, nn.Texts(), layers.TextEmbedding{Words: hashed(t), Dim: 4}, layers.Dense{Units: 1}),
		"n-grams":   build(t, nn.Texts(), layers.TextEmbedding{Words: adapted(t, text.Vectorizer{NGrams: 2}), Dim: 4}, layers.Dense{Units: 1}),
		"tokens": build(t, nn.Texts(), layers.TextTokens{Words: adapted(t, text.Vectorizer{MaxTokens: 9}), Length: 20}, layers.Embedding{Vocabulary: 9, Dim: 4},
			layers.LSTM{Units: 2}, layers.Dense{Units: 1}),
	} {
		var out []float32
		run := func() {
			var err error
			out, err = m.PredictInto(t.Context(), out[:0], x, nn.PredictOptions{})
			must(t, err)
		}
		run()
		if n := testing.AllocsPerRun(20, run); n != 0 {
			t.Errorf("%s: a prediction allocates %v times", name, n)
		}
	}
}

// Texts in, a score out: the words are learned from the texts, their vectors with the rest of the network. The model needs
// no code beside it, and a text's score does not depend on the texts beside it.
func ExampleTextEmbedding() {
	ctx := context.Background()
	reviews := []string{"a great film", "lovely, great fun", "an awful film", "boring and awful"}
	words, err := text.Vectorizer{}.Adapt(ctx, reviews)
	if err != nil {
		log.Fatal(err)
	}
	model, err := nn.NewSequential(
		layers.TextEmbedding{Words: words, Dim: 8},
		layers.Dense{Units: 1, Activation: layers.Sigmoid},
	).Build(ctx, nn.Texts(), nn.BuildOptions{Seed: 7})
	if err != nil {
		log.Fatal(err)
	}
	x, _ := tensor.Of(reviews)
	y, _ := tensor.Of([]float32{1, 1, 0, 0})
	_, err = model.Fit(ctx, nn.Data{X: x, Y: y}, nn.FitOptions{Optimizer: optim.Adam{LearningRate: 0.05}, Loss: loss.BinaryCrossentropy{}, Epochs: 40})
	if err != nil {
		log.Fatal(err)
	}
	unseen, _ := tensor.Of([]string{"What a LOVELY film!", "An awful, boring story."})
	scores, err := model.Predict(ctx, unseen, nn.PredictOptions{})
	if err != nil {
		log.Fatal(err)
	}
	for i, score := range scores.Data() {
		fmt.Println(unseen.Data()[i], score > 0.5)
	}
	// Output:
	// What a LOVELY film! true
	// An awful, boring story. false
}

// Where the order of words matters: at most 200 words of each text, and a mask for those that a short text lacks.
func ExampleTextTokens() {
	ctx := context.Background()
	words, err := text.Vectorizer{OutputSequenceLength: 200}.Adapt(ctx, []string{"not good", "not bad", "good", "bad"})
	if err != nil {
		log.Fatal(err)
	}
	model, err := nn.NewSequential(
		layers.TextTokens{Words: words},
		layers.Embedding{Vocabulary: words.Size(), Dim: 8},
		layers.LSTM{Units: 8},
		layers.Dense{Units: 1, Activation: layers.Sigmoid},
	).Build(ctx, nn.Texts(), nn.BuildOptions{Seed: 7})
	if err != nil {
		log.Fatal(err)
	}
	one, _ := tensor.Of([]string{"not bad"})
	two, _ := tensor.Of([]string{"not bad", "not good, bad bad bad"})
	alone, err := model.Predict(ctx, one, nn.PredictOptions{})
	if err != nil {
		log.Fatal(err)
	}
	both, err := model.Predict(ctx, two, nn.PredictOptions{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(both.Shape(), "the same score alone:", alone.Data()[0] == both.Data()[0])
	// Output: (2, 1) the same score alone: true
}
