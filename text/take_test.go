package text_test

import (
	"slices"
	"testing"

	"github.com/linnet-ml/linnet/text"
)

func TestTakeBags(t *testing.T) {
	for _, vocabulary := range []int{10, 100_000} { // narrow and wide
		all, err := text.CountSequences([][]int32{{1, 1}, {2, 3, 3}, {}, {9}}, text.BagOptions{Vocabulary: vocabulary})
		if err != nil {
			t.Fatal(err)
		}
		b, err := all.Rows(1, 4).Take([]int{2, 0, 2, 1}) // of a part, whose offsets do not begin at 0
		if err != nil || b.Len() != 4 || b.Vocabulary() != vocabulary {
			t.Fatal(b, err)
		}
		for i, want := range [][2][]int32{{{9}, {1}}, {{2, 3}, {1, 2}}, {{9}, {1}}, {}} {
			ids, counts := b.Row(i)
			total := int32(0)
			for _, c := range counts {
				total += c
			}
			if !slices.Equal(ids, want[0]) || !slices.Equal(counts, want[1]) || b.Length(i) != int(total) {
				t.Errorf("row %d: %v, %v of %d", i, ids, counts, b.Length(i))
			}
		}
		for _, bad := range []int{-1, 4} {
			if b, err := all.Take([]int{0, bad}); b != nil || err == nil {
				t.Errorf("row %d: error %v", bad, err)
			}
		}
		if b, err := all.Take(nil); err != nil || b.Len() != 0 {
			t.Error(b, err)
		}
	}
}
