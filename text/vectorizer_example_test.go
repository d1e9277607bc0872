package text_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/tensor"
	"github.com/linnet-ml/linnet/text"
)

func ExampleVectorizer() {
	reviews := []string{"A GREAT film!", "Not a great film.", "What a film..."}
	v, err := text.Vectorizer{MaxTokens: 5, OutputSequenceLength: 4}.Adapt(context.Background(), reviews)
	if err != nil {
		panic(err)
	}
	fmt.Printf("%q\n", v.Vocabulary())

	x, err := v.Padded(context.Background(), []string{"a great, GREAT mystery", "", "film"})
	if err != nil {
		panic(err)
	}
	for i := range x.Len() {
		fmt.Println(x.Row(i))
	}
	// Output:
	// ["" "[UNK]" "film" "a" "great"]
	// [3 4 4 1]
	// [0 0 0 0]
	// [2 0 0 0]
}

// Each distinct word and each pair of words has a column; rare ones weigh more.
func ExampleVectorizer_Adapt() {
	reviews := []string{"a great film", "not a great film", "a film"}
	v, err := text.Vectorizer{NGrams: 2, OutputMode: text.OutputTFIDF}.Adapt(context.Background(), reviews)
	if err != nil {
		panic(err)
	}
	x, err := v.Sparse(context.Background(), []string{"great great film"})
	if err != nil {
		panic(err)
	}
	columns, values := x.Row(0)
	for k, c := range columns {
		word, _ := v.Word(c)
		fmt.Printf("%-12q %.3f\n", word, values[k])
	}
	// Output:
	// "[UNK]"      0.743
	// "film"       0.560
	// "great film" 0.693
	// "great"      1.386
}

// What was learned is kept as a list of words, and made again from it.
func ExampleVectorizer_WithVocabulary() {
	v, err := text.Vectorizer{}.WithVocabulary(context.Background(), []string{"film", "great"}, nil)
	if err != nil {
		panic(err)
	}
	ids, err := v.AppendIDs(context.Background(), nil, "A great film, a GREAT one.")
	if err != nil {
		panic(err)
	}
	fmt.Println(ids)
	again, err := v.Vectorizer().WithVocabulary(context.Background(), v.Vocabulary(), v.IDFWeights())
	if err != nil {
		panic(err)
	}
	fmt.Println(again.Size())
	// Output:
	// [1 3 2 1 3 1]
	// 4
}

// The reviews hold line breaks in HTML, which a standardisation of one's own takes out first.
func ExampleVectorizer_standardizeFunc() {
	v := text.Vectorizer{StandardizeFunc: func(s string) string {
		return text.StripPunctuation.Apply(strings.ReplaceAll(text.Lower.Apply(s), "<br />", " "))
	}}
	adapted, err := v.Adapt(context.Background(), []string{"Great!<br /><br />It's GREAT."})
	if err != nil {
		panic(err)
	}
	fmt.Printf("%q\n", adapted.Vocabulary())
	// Output:
	// ["" "[UNK]" "great" "its"]
}

// A model reads texts, with the Vectorization in it, or what was made of them before: ids with the input Tokens, rows of
// columns with SparseFeatures. Padding must not count, or a review's score would depend on the longest one beside it:
// TextEmbedding needs none, and an Embedding of padded ids has MaskZero.
func ExampleVectorization() {
	ctx, reviews := context.Background(), []string{"a great film", "no"}
	v, err := text.Vectorizer{}.Adapt(ctx, reviews)
	if err != nil {
		panic(err)
	}
	score := func(in nn.Input, x tensor.Rows, spec ...nn.Layer) {
		model, err := nn.NewSequential(spec...).Build(ctx, in, nn.BuildOptions{})
		if err != nil {
			panic(err)
		}
		y, err := model.Predict(ctx, x, nn.PredictOptions{})
		if err != nil {
			panic(err)
		}
		fmt.Println(x.Shape(), "to", y.Shape())
	}
	texts, err := tensor.Of(reviews)
	if err != nil {
		panic(err)
	}
	score(nn.Texts(), texts, layers.TextEmbedding{Words: v, Dim: 8}, layers.Dense{Units: 1})

	ids, err := v.Padded(ctx, reviews)
	if err != nil {
		panic(err)
	}
	score(nn.Tokens(nn.AnyLength), ids, layers.Embedding{Vocabulary: v.Size(), Dim: 8, MaskZero: true}, layers.GlobalAveragePooling1D{}, layers.Dense{Units: 1})

	v, err = text.Vectorizer{OutputMode: text.OutputMultiHot}.Adapt(ctx, reviews)
	if err != nil {
		panic(err)
	}
	columns, err := v.Sparse(ctx, reviews)
	if err != nil {
		panic(err)
	}
	score(nn.SparseFeatures(v.Width()), columns, layers.Dense{Units: 1})
	// Output:
	// (2,) to (2, 1)
	// (2, 3) to (2, 1)
	// (2, 5) to (2, 1)
}

func ExampleStandardization() {
	s := "It's GREAT!<br />"
	fmt.Printf("%q\n", text.LowerAndStripPunctuation.Apply(s))
	fmt.Printf("%q\n", text.LowerAndSpacePunctuation.Apply(s))
	// Output:
	// "its greatbr "
	// "it's great  br   "
}

func ExampleSplitting() {
	fmt.Printf("%q\n", text.SplitWhitespace.Append(nil, " one\ttwo "))
	fmt.Printf("%q\n", text.SplitCharacters.Append(nil, "né 中"))
	// Output:
	// ["one" "two"]
	// ["n" "é" " " "中"]
}
