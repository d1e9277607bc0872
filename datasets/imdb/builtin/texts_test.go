package builtin

import (
	"slices"
	"strings"
	"testing"

	"github.com/linnet-ml/linnet/datasets/imdb"
	"github.com/linnet-ml/linnet/internal/shared"
)

// TestTexts counts the words of the texts and compares with the counts that they come from.
func TestTexts(t *testing.T) {
	train, test, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	trainTexts, testTexts, err := Texts()
	if err != nil {
		t.Fatal(err)
	}
	index, err := WordIndex()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		bags  *Split
		texts *imdb.TextSplit
	}{{"train", train, trainTexts}, {"test", test, testTexts}} {
		if !slices.Equal(c.bags.Labels, c.texts.Labels) || len(c.texts.Texts) != 25000 || c.texts.Names != nil || c.texts.Ratings != nil {
			t.Fatalf("%s: %d texts with %d labels", c.name, len(c.texts.Texts), len(c.texts.Labels))
		}
		for i := 0; i < len(c.texts.Texts); i += 10 {
			text := c.texts.Texts[i]
			got := map[int32]float32{}
			for word := range strings.SplitSeq(text, " ") {
				got[int32(index[word]+3)]++
			}
			ids, counts := c.bags.Bags.Row(i)
			words := 0
			for k, id := range ids {
				if id < firstWord {
					continue
				}
				words++
				if got[id] != float32(counts[k]) {
					t.Fatalf("%s: text %d has word %d %v times, want %v", c.name, i, id, got[id], counts[k])
				}
			}
			if words != len(got) {
				t.Fatalf("%s: text %d has %d different words, want %d", c.name, i, len(got), words)
			}
		}
	}
}

// TestRealTexts holds that a row of the built-in texts belongs to the same row of the real ones.
func TestRealTexts(t *testing.T) {
	train, test, err := imdb.LoadTexts(t.Context(), imdb.TextOptions{Path: shared.Path(t, "data/imdb")})
	if err != nil {
		t.Fatal(err)
	}
	gotTrain, gotTest, err := Texts()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ want, got *imdb.TextSplit }{{train, gotTrain}, {test, gotTest}} {
		if !slices.Equal(c.want.Labels, c.got.Labels) {
			t.Error("other labels")
		}
		for i := 0; i < len(c.want.Texts); i += 50 {
			lower := strings.ToLower(c.want.Texts[i])
			for word := range strings.SplitSeq(c.got.Texts[i], " ") {
				if !strings.Contains(lower, word) {
					t.Fatalf("text %d has the word %q, which its review has not", i, word)
				}
			}
		}
	}
}

func BenchmarkTexts(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := Texts(); err != nil {
			b.Fatal(err)
		}
	}
}
