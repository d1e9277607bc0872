package text_test

import (
	"context"
	"testing"

	"github.com/linnet-ml/linnet/text"
)

// The speed of one core: go test -run '^$' -bench Vectorization -cpu 1 ./text
func BenchmarkVectorization(b *testing.B) {
	texts, size := realTexts(b, 3000)
	for _, c := range []struct {
		name string
		spec text.Vectorizer
	}{
		{"words=10000", text.Vectorizer{MaxTokens: 10_000}},
		{"words=all", text.Vectorizer{}},
		{"words=10000/spaces", text.Vectorizer{MaxTokens: 10_000, Standardize: text.LowerAndSpacePunctuation, Split: text.SplitSpaces}},
		{"words=20000/ngrams=2", text.Vectorizer{MaxTokens: 20_000, NGrams: 2}},
		{"characters", text.Vectorizer{Split: text.SplitCharacters}},
	} {
		b.Run(c.name, func(b *testing.B) {
			v, err := c.spec.Adapt(b.Context(), texts)
			if err != nil {
				b.Fatal(err)
			}
			var ids []int32
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				for _, s := range texts {
					ids, _ = v.AppendIDs(context.Background(), ids[:0], s)
				}
			}
		})
	}
	b.Run("tf_idf=20000/ngrams=2", func(b *testing.B) {
		v, err := text.Vectorizer{MaxTokens: 20_000, NGrams: 2, OutputMode: text.OutputTFIDF}.Adapt(b.Context(), texts)
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(size))
		for b.Loop() {
			if _, err := v.Sparse(b.Context(), texts); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkAdapt(b *testing.B) {
	texts, size := realTexts(b, 3000)
	for name, spec := range map[string]text.Vectorizer{
		"words": {}, "words=10000": {MaxTokens: 10_000}, "ngrams=2": {NGrams: 2}, "ngrams=2/words=20000": {NGrams: 2, MaxTokens: 20_000},
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := spec.Adapt(b.Context(), texts); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
