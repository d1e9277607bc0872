package layers

import (
	"slices"
	"testing"

	"github.com/linnet-ml/linnet/tensor"
	"github.com/linnet-ml/linnet/text"
)

// Where ids begin is remembered for limits in use, not for all that a worker has ever had.
func TestCutsAreForgotten(t *testing.T) {
	const vocabulary = 1000
	ids := make([]int32, 30*20)
	for i := range ids {
		ids[i] = int32(i * 7919 % vocabulary)
	}
	x, err := tensor.Of(ids, 30, 20)
	if err != nil {
		t.Fatal(err)
	}
	bags, err := text.MakeBags(x, text.BagOptions{Vocabulary: vocabulary})
	if err != nil {
		t.Fatal(err)
	}
	b := &bagBatch{}
	rows := b.numbers(30)
	for step := range 2000 {
		lo := 100 + step/20 // the limits move
		checkNarrow(t, b, bags, rows, lo, lo+300, vocabulary)
	}
	if n := len(b.cuts); n > 2*(forgotten/20+2) {
		t.Errorf("%d limits are remembered", n)
	}
}

// checkNarrow narrows some rows and looks for their ids one by one.
func checkNarrow(t *testing.T, b *bagBatch, bags *text.Bags, rows []int32, lo, hi, vocabulary int) {
	t.Helper()
	b.locate(bags, rows, byCount)
	b.narrow(bags, rows, lo, hi, vocabulary)
	for i := range rows {
		got := bags.AppendIDs(nil, b.from[i], b.to[i])
		var want []int32
		from, to := bags.Bounds(i)
		for _, id := range bags.AppendIDs(nil, from, to) {
			if int(id) >= lo && int(id) < hi {
				want = append(want, id)
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("row %d: ids %v from %d to %d, want %v", i, got, lo, hi-1, want)
		}
	}
}

// However many limits a worker meets, what it remembers of them is a small part of what the bags take.
func TestCutsTakeLittleMemory(t *testing.T) {
	const rows, length, vocabulary = 50, 100, 1 << 17
	ids := make([]int32, rows*length)
	for i := range ids {
		ids[i] = int32(i * 7919 % vocabulary)
	}
	x, err := tensor.Of(ids, rows, length)
	if err != nil {
		t.Fatal(err)
	}
	bags, err := text.MakeBags(x, text.BagOptions{Vocabulary: vocabulary})
	if err != nil {
		t.Fatal(err)
	}
	b := &bagBatch{}
	for range 3 {
		for lo := 0; lo < vocabulary; lo += vocabulary / 64 {
			checkNarrow(t, b, bags, b.numbers(rows), lo, lo+vocabulary/64, vocabulary)
		}
	}
	if got, most := 4*rows*len(b.cuts), 8*rows*length/cutsShare; len(b.cuts) < leastCuts || got > most {
		t.Errorf("%d limits are remembered in %d bytes, want %d at the most", len(b.cuts), got, most)
	}
}
