package text_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/linnet-ml/linnet/text"
)

// letters is a tokenizer whose tokens are the letters a to z, with ids from 0.
type letters struct{ size int }

func (l letters) Size() int { return l.size }

func (l letters) AppendIDs(ctx context.Context, dst []int32, s string) ([]int32, error) {
	for i := range len(s) {
		dst = append(dst, int32(s[i]-'a'))
	}
	return dst, nil
}

// Some texts make the bags of their ids, in memory that is used again.
func TestMakeTexts(t *testing.T) {
	texts := []string{"abba", "", "ccccc", strings.Repeat("z", 70_000), "cab"}
	for _, size := range []int{26, 100_000} {
		var b text.Bags
		var tokenizer text.Tokenizer = letters{size}
		for _, rows := range [][]int32{{0, 1, 2, 3, 4}, {4}, {2, 0}, {1}, {}, {3, 3}} {
			if err := b.MakeTexts(context.Background(), texts, rows, tokenizer); err != nil {
				t.Fatal(err)
			}
			if b.Len() != len(rows) || b.Vocabulary() != size {
				t.Errorf("rows %v: %d bags of %d ids", rows, b.Len(), b.Vocabulary())
			}
			for k, i := range rows {
				want := map[int32]int32{}
				for _, id := range appendIDs(tokenizer, nil, texts[i]) {
					want[id]++
				}
				ids, counts := b.Row(k)
				if b.Length(k) != len(texts[i]) || len(ids) != len(want) || !slices.IsSorted(ids) {
					t.Errorf("text %d: length %d, ids %v", i, b.Length(k), ids)
				}
				for j, id := range ids {
					if counts[j] != want[id] {
						t.Errorf("text %d: id %d %d times", i, id, counts[j])
					}
				}
			}
		}
		all := []int32{0, 1, 2, 4}
		if n := testing.AllocsPerRun(10, func() {
			if err := b.MakeTexts(context.Background(), texts, all, tokenizer); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%v allocations", n)
		}
	}
}

func TestMakeTextsErrors(t *testing.T) {
	var b text.Bags
	err := b.MakeTexts(context.Background(), []string{"a", "b", "abc"}, []int32{1, 2}, letters{2})
	var id *text.IDError
	if !errors.As(err, &id) || *id != (text.IDError{Row: 2, Column: 2, ID: 2, Vocabulary: 2}) || b.Len() != 0 {
		t.Errorf("%v, %d bags", err, b.Len())
	}
	err = b.MakeTexts(context.Background(), []string{"a", strings.Repeat("a", 1<<24)}, []int32{0, 1}, letters{2})
	if want := "text: shape does not fit: text 1 of 16777216 tokens is longer than 16777215"; err == nil || err.Error() != want || b.Len() != 0 {
		t.Errorf("got %v, %d bags\nwant %s", err, b.Len(), want)
	}
}
