package builtin

import (
	"context"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/linnet-ml/linnet/datasets/imdb"
	"github.com/linnet-ml/linnet/internal/shared"
	"github.com/linnet-ml/linnet/text"
)

// TestRealCounts counts the real reviews again and compares every row.
func TestRealCounts(t *testing.T) {
	o := imdb.Options{Path: shared.Path(t, "data/imdb"), NumWords: NumWords}
	train, test, err := imdb.Load(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	gotTrain, gotTest, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		want *imdb.Split
		got  *Split
	}{{"train", train, gotTrain}, {"test", test, gotTest}} {
		x, err := text.PadSequences(c.want.Reviews, text.PadOptions{Length: Length, Padding: text.Post})
		if err != nil {
			t.Fatal(err)
		}
		want, err := text.MakeBags(x, text.BagOptions{Vocabulary: NumWords})
		if err != nil {
			t.Fatal(err)
		}
		if c.got.Bags.Len() != want.Len() || c.got.Bags.Vocabulary() != want.Vocabulary() {
			t.Fatalf("%s: %d rows over %d ids, want %d over %d", c.name, c.got.Bags.Len(), c.got.Bags.Vocabulary(), want.Len(), want.Vocabulary())
		}
		for i := range want.Len() {
			ids, counts := c.got.Bags.Row(i)
			length := c.got.Bags.Length(i)
			wantIDs, wantCounts := want.Row(i)
			wantLength := want.Length(i)
			if length != wantLength || !slices.Equal(ids, wantIDs) || !slices.Equal(counts, wantCounts) {
				t.Fatalf("%s: row %d has ids %v, counts %v, length %d, want %v, %v, %d", c.name, i, ids, counts, length, wantIDs, wantCounts, wantLength)
			}
		}
		if d := cmp.Diff(c.want.Labels, c.got.Labels); d != "" {
			t.Errorf("%s: labels: %s", c.name, d)
		}
	}
	index, err := imdb.WordIndex(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	got, err := WordIndex()
	if err != nil {
		t.Fatal(err)
	}
	for word, rank := range index {
		if rank > NumWords {
			delete(index, word)
		}
	}
	if d := cmp.Diff(index, got); d != "" {
		t.Errorf("words: %s", d)
	}
}

// TestSize holds what every program that imports this package has to carry.
func TestSize(t *testing.T) {
	if limit := 5_000_000; len(file) > limit {
		t.Errorf("the embedded file has %d bytes, more than %d", len(file), limit)
	}
}

func BenchmarkLoad(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := Load(); err != nil {
			b.Fatal(err)
		}
	}
}
