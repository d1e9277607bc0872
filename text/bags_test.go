package text_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"github.com/linnet-ml/linnet/tensor"
	"github.com/linnet-ml/linnet/text"
	"pgregory.net/rapid"
)

// Bags hold what a sort of each row finds, whatever the vocabulary, and whatever the memory was used for before.
func TestMakeBags(t *testing.T) {
	var again text.Bags
	rapid.Check(t, func(t *rapid.T) {
		vocabulary := rapid.SampledFrom([]int{1, 2, 63, 64, 65, 4096, 10_000, 70_000, 1 << 30}).Draw(t, "vocabulary")
		rows, steps := rapid.IntRange(0, 6).Draw(t, "rows"), rapid.IntRange(0, 300).Draw(t, "steps")
		o := text.BagOptions{Vocabulary: vocabulary, SkipZero: rapid.Bool().Draw(t, "skip zero")}
		x, err := tensor.New[int32](rows, steps)
		if err != nil {
			t.Fatal(err)
		}
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		spread := min(vocabulary, 1<<r.IntN(31))
		for i := range x.Data() {
			if r.IntN(3) > 0 { // otherwise 0: padding in runs and between
				x.Data()[i] = int32(r.IntN(spread)) + int32(r.IntN(vocabulary-spread+1))
			}
		}
		bad := rapid.Bool().Draw(t, "bad") && rows*steps > 0
		at := 0
		if bad {
			at = r.IntN(rows * steps)
			x.Data()[at] = []int32{-1, int32(vocabulary), -1 << 31, 1<<31 - 1}[r.IntN(4)]
		}
		err = again.Make(t.Context(), x, o)
		if bad {
			var id *text.IDError
			if !errors.As(err, &id) || id.Row != at/steps || id.Column != at%steps || id.ID != x.Data()[at] {
				t.Fatalf("id %d at row %d, column %d: %v", x.Data()[at], at/steps, at%steps, err)
			}
			if again.Len() != 0 || again.Rows(0, 0).Len() != 0 {
				t.Fatalf("%d rows after an error", again.Len())
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if again.Len() != rows {
			t.Fatalf("%d rows, want %d", again.Len(), rows)
		}
		for i := range rows {
			wantIDs, wantCounts, wantLength := count(x.Row(i), o.SkipZero)
			ids, counts := again.Row(i)
			length := again.Length(i)
			if !slices.Equal(ids, wantIDs) || !slices.Equal(counts, wantCounts) || length != wantLength {
				t.Fatalf("row %d %v: %v, %v, %d, want %v, %v, %d", i, x.Row(i), ids, counts, length, wantIDs, wantCounts, wantLength)
			}
		}
	})
}

func count(row []int32, skipZero bool) (ids, counts []int32, length int) {
	for _, id := range slices.Sorted(slices.Values(row)) {
		if id == 0 && skipZero {
			continue
		}
		if length++; len(ids) > 0 && ids[len(ids)-1] == id {
			counts[len(counts)-1]++
			continue
		}
		ids, counts = append(ids, id), append(counts, 1)
	}
	return ids, counts, length
}

func TestBagsShape(t *testing.T) {
	x, err := tensor.Of([]int32{1, 0, 0, 2, 3, 0, 4, 5, 0}, 3, 3)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		skip   bool
		lo, hi int
		want   string
	}{
		{false, 0, 3, "(3, 3)"}, {false, 1, 1, "(0, None)"}, {true, 0, 3, "(3, None)"}, {true, 1, 3, "(2, 2)"}, {true, 0, 1, "(1, 1)"},
	} {
		b, err := text.MakeBags(x, text.BagOptions{Vocabulary: 6, SkipZero: c.skip})
		if err != nil {
			t.Fatal(err)
		}
		if got := b.Rows(c.lo, c.hi).Shape().String(); got != c.want {
			t.Errorf("rows [%d:%d], skip zero %t: %s, want %s", c.lo, c.hi, c.skip, got, c.want)
		}
	}
}

func TestBagsDoNotAllocate(t *testing.T) {
	for _, vocabulary := range []int{10_000, 1 << 30} {
		x := reviews(64)
		var b text.Bags
		make := func() {
			if err := b.Make(t.Context(), x, text.BagOptions{Vocabulary: vocabulary}); err != nil {
				t.Fatal(err)
			}
			if b.Shape()[1] != 256 {
				t.Fatal(b.Shape())
			}
		}
		make()
		if n := testing.AllocsPerRun(10, make); n != 0 {
			t.Errorf("vocabulary of %d: %v allocations a call", vocabulary, n)
		}
	}
}

// One row of a vocabulary of millions must not cost memory for each of its ids.
func TestBagsOfHugeVocabulary(t *testing.T) {
	x := reviews(1)
	for _, vocabulary := range []int{1 << 24, 1 << 30, 1<<31 - 1} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := text.MakeBags(x, text.BagOptions{Vocabulary: vocabulary})
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; err != nil || n > 1<<16 {
			t.Errorf("vocabulary of %d: %d bytes for a row of 256 ids, error %v", vocabulary, n, err)
		}
	}
}

// reviews makes rows of 256 ids below 10,000, spread and padded about as reviews are.
func reviews(rows int) *tensor.Int32 {
	x, err := tensor.New[int32](rows, 256)
	if err != nil {
		panic(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	z := rand.NewZipf(r, 1.15, 4, 9995)
	for i := range rows {
		words := x.Row(i)
		if r.IntN(3) > 0 {
			words = words[:50+r.IntN(207)]
		}
		for k := range words {
			words[k] = int32(z.Uint64()) + 4
		}
	}
	return x
}

func BenchmarkMakeBags(b *testing.B) {
	x := reviews(1000)
	for _, vocabulary := range []int{10_000, 1 << 30} {
		b.Run(fmt.Sprintf("vocabulary=%d", vocabulary), func(b *testing.B) {
			var bags text.Bags
			for b.Loop() {
				if err := bags.Make(b.Context(), x, text.BagOptions{Vocabulary: vocabulary}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(x.Data())), "ns/id")
		})
	}
}

// A context that is done ends the making of bags, and leaves none.
func TestMakeIsCancelled(t *testing.T) {
	x := reviews(100)
	o := text.BagOptions{Vocabulary: 10_000}
	var b text.Bags
	if err := b.Make(t.Context(), x, o); err != nil || b.Len() != 100 {
		t.Fatalf("%d bags, error %v", b.Len(), err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.Make(ctx, x, o); !errors.Is(err, context.Canceled) || b.Len() != 0 {
		t.Errorf("%d bags, error %v", b.Len(), err)
	}
}

func TestIDErrorKnowsItsPlace(t *testing.T) {
	x, err := tensor.Of([]int32{0, 1, 2, 3, 4, 5}, 2, 3)
	if err != nil {
		t.Fatal(err)
	}
	_, err = text.MakeBags(x, text.BagOptions{Vocabulary: 5})
	var placed interface{ Place() (row, column int) }
	if !errors.As(err, &placed) {
		t.Fatalf("%v has no place", err)
	}
	if row, column := placed.Place(); row != 1 || column != 2 {
		t.Errorf("row %d, column %d", row, column)
	}
}
