package pretrained

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/linnet-ml/linnet/text"
)

func TestNewEmbedding(t *testing.T) {
	v := vocabularyOfWords(t, "a", "b")
	tokenizer, err := text.NewHubTokenizer(v, text.HubTokenizerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	good := Table{Name: "mine", Tokenizer: tokenizer, Vocabulary: v, Rows: 3, Dim: 1,
		Read: func(_ context.Context, dst []float32) error { copy(dst, []float32{1, 2, 3}); return nil }}
	e, err := NewEmbedding(good)
	if err != nil {
		t.Fatal(err)
	}
	table, err := vectorTableOf(e)
	if err != nil || !slices.Equal(table, []float32{1, 2, 3}) || e.Name() != "mine" || e.Combiner() != text.Sqrtn || e.Vocabulary() != v {
		t.Errorf("table %v, error %v, name %q, combiner %v", table, err, e.Name(), e.Combiner())
	}
	for _, c := range []struct {
		change func(*Table)
		want   string
	}{
		{func(t *Table) { t.Name = "" }, "pretrained: an embedding needs a Name, a Tokenizer, a Vocabulary and Read"},
		{func(t *Table) { t.Tokenizer = nil }, "pretrained: an embedding needs a Name, a Tokenizer, a Vocabulary and Read"},
		{func(t *Table) { t.Vocabulary = nil }, "pretrained: an embedding needs a Name, a Tokenizer, a Vocabulary and Read"},
		{func(t *Table) { t.Read = nil }, "pretrained: an embedding needs a Name, a Tokenizer, a Vocabulary and Read"},
		{func(t *Table) { t.Rows = 2 }, "pretrained: mine: words have 3 ids, but the table has only 2 rows"},
		{func(t *Table) { t.Dim = 0 }, "pretrained: mine: table of shape (3, 0) is empty"},
		{func(t *Table) { t.Combiner = 9 }, "pretrained: mine: no combiner: name one of sqrtn, mean and sum"},
	} {
		bad := good
		c.change(&bad)
		if _, err := NewEmbedding(bad); err == nil || err.Error() != c.want {
			t.Errorf("got %v\nwant %s", err, c.want)
		}
	}
	for want, read := range map[string]func(context.Context, []float32) error{
		"pretrained: mine: gone":                                 func(context.Context, []float32) error { return errors.New("gone") },
		"pretrained: mine: row 1, column 0 of the table is +Inf": func(_ context.Context, dst []float32) error { dst[1] = float32(math.Inf(1)); return nil },
	} {
		bad := good
		bad.Read = read
		e, err := NewEmbedding(bad)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := vectorTableOf(e); err == nil || err.Error() != want {
			t.Errorf("got %v\nwant %s", err, want)
		}
	}
}

// appendIDs is the ids of a text's tokens.
func appendIDs(tb testing.TB, e *Embedding, s string) []int32 {
	tb.Helper()
	ids, err := e.Tokenizer().AppendIDs(context.Background(), nil, s)
	if err != nil {
		tb.Fatal(err)
	}
	return ids
}
