package text_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/linnet-ml/linnet/tensor"
	"github.com/linnet-ml/linnet/text"
)

func columns(x *tensor.Sparse) [][]int32 {
	var rows [][]int32
	for i := range x.Len() {
		c, values := x.Row(i)
		if values != nil {
			panic("multi-hot rows have values")
		}
		rows = append(rows, c)
	}
	return rows
}

func TestMultiHot(t *testing.T) {
	// The width that is too large to be counted is sorted instead.
	for _, width := range []int{10, 1 << 20} {
		x, err := text.MultiHot([][]int32{{1, 9, 4, 1}, {}, {0, 3, 0}}, width)
		if err != nil {
			t.Fatal(err)
		}
		if got := columns(x); !slices.EqualFunc(got, [][]int32{{1, 4, 9}, {}, {0, 3}}, slices.Equal) || x.Shape()[1] != width {
			t.Errorf("%v: %v", x.Shape(), got)
		}
		_, err = text.MultiHot([][]int32{{1}, {2, 3, int32(width)}}, width)
		var id *text.IDError
		if !errors.As(err, &id) || id.Row != 1 || id.Column != 2 || id.ID != int32(width) {
			t.Errorf("width %d: %v", width, err)
		}
		if _, err = text.MultiHot([][]int32{{2, -1}}, width); !errors.As(err, &id) || id.Column != 1 || id.ID != -1 {
			t.Errorf("width %d: %v", width, err)
		}
	}
	if _, err := text.MultiHot(nil, -1); err == nil {
		t.Error("a width of -1 is accepted")
	}
}

// A model reads the same rows from the bags of padded reviews as from the reviews.
func TestBagsMultiHot(t *testing.T) {
	sequences := [][]int32{{5, 2, 5}, {1, 2, 3, 4}, {7}}
	padded, err := text.PadSequences(sequences, text.PadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	bags, err := text.MakeBags(padded, text.BagOptions{Vocabulary: 8})
	if err != nil {
		t.Fatal(err)
	}
	for _, rows := range [][2]int{{0, 3}, {1, 3}, {2, 2}} {
		got, err := bags.Rows(rows[0], rows[1]).MultiHot()
		if err != nil {
			t.Fatal(err)
		}
		want, err := text.MultiHot(sequences[rows[0]:rows[1]], 8)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.EqualFunc(columns(got), columns(want), slices.Equal) || !slices.Equal(got.Shape(), want.Shape()) {
			t.Errorf("rows %v: %v, want %v", rows, columns(got), columns(want))
		}
	}
}
