package text_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/linnet-ml/linnet/tensor"
	"github.com/linnet-ml/linnet/text"
)

// byteIDs is a tokenizer with an id for each byte.
type byteIDs struct{ size int }

func (z byteIDs) Size() int { return z.size }

func (z byteIDs) AppendIDs(ctx context.Context, dst []int32, s string) ([]int32, error) {
	for i := range len(s) {
		dst = append(dst, int32(s[i]))
	}
	return dst, nil
}

// cores runs with each number of cores.
func cores(t *testing.T, f func(t *testing.T)) {
	before := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(before)
	for _, n := range []int{1, 2, 7} {
		runtime.GOMAXPROCS(n)
		t.Run(fmt.Sprintf("cores=%d", n), f)
	}
}

// noneLeft fails the test unless there are soon no more goroutines than before: one that has done its work may take a
// moment to end.
func noneLeft(t *testing.T, before int) {
	t.Helper()
	for range 1000 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Errorf("%d goroutines, %d before", runtime.NumGoroutine(), before)
}

// The bags of texts are those of the texts' ids, whatever the number of cores, the size of the vocabulary and the lengths.
func TestCountTexts(t *testing.T) {
	short := recordedTexts(t)
	var many []string
	for i := range 3000 {
		many = append(many, short[(i*i)%len(short)])
	}
	long := []string{"ab", strings.Repeat("ba", 1<<16), "", strings.Repeat("c", 1<<16-1)}
	hub := hubTokenizer(t, hubVocabulary(t), text.HubTokenizerOptions{})
	big := hubTokenizer(t, hubVocabulary(t), text.HubTokenizerOptions{OOVBuckets: 1 << 20})
	for name, c := range map[string]struct {
		texts []string
		t     text.Tokenizer
	}{
		"none":      {nil, hub},
		"empty":     {[]string{""}, hub},
		"no tokens": {[]string{"", ""}, byteIDs{256}},
		"many":      {many, hub},
		"buckets":   {many, big},
		"few":       {short[:5], big},
		"long":      {long, byteIDs{256}},
		"both":      {slices.Concat(many, long, many), byteIDs{256}},
	} {
		t.Run(name, func(t *testing.T) {
			var sequences [][]int32
			for _, s := range c.texts {
				sequences = append(sequences, appendIDs(c.t, nil, s))
			}
			want, err := text.CountSequences(sequences, text.BagOptions{Vocabulary: c.t.Size()})
			if err != nil {
				t.Fatal(err)
			}
			cores(t, func(t *testing.T) {
				goroutines := runtime.NumGoroutine()
				got, err := text.CountTexts(t.Context(), c.texts, c.t)
				if err != nil {
					t.Fatal(err)
				}
				noneLeft(t, goroutines)
				if got.Len() != len(c.texts) || got.Vocabulary() != c.t.Size() || !slices.Equal(got.Shape(), want.Shape()) {
					t.Fatalf("%d bags of %d ids, shape %v, want %v", got.Len(), got.Vocabulary(), got.Shape(), want.Shape())
				}
				gotNarrow, gotWide := got.Pairs()
				wantNarrow, wantWide := want.Pairs()
				if !slices.Equal(gotNarrow, wantNarrow) || !slices.Equal(gotWide, wantWide) {
					t.Error("other pairs than of the ids")
				}
				for i := range c.texts {
					gotFrom, gotTo := got.Bounds(i)
					wantFrom, wantTo := want.Bounds(i)
					if gotFrom != wantFrom || gotTo != wantTo || got.Length(i) != len(sequences[i]) {
						t.Fatalf("text %d: pairs %d to %d, length %d, want %d to %d, length %d", i, gotFrom, gotTo, got.Length(i), wantFrom, wantTo, len(sequences[i]))
					}
				}
			})
		})
	}
}

// The first error is named, whichever core meets one first.
func TestCountTextsErrors(t *testing.T) {
	texts := slices.Repeat([]string{"abc"}, 20_000)
	texts[7000], texts[7001], texts[18_000] = "abz", "zzz", "z"
	cores(t, func(t *testing.T) {
		goroutines := runtime.NumGoroutine()
		for range 10 {
			b, err := text.CountTexts(t.Context(), texts, byteIDs{'z'})
			var id *text.IDError
			if b != nil || !errors.As(err, &id) || id.Row != 7000 || id.Column != 2 || id.ID != 'z' || id.Vocabulary != 'z' {
				t.Fatal(err)
			}
		}
		noneLeft(t, goroutines)
	})
}

func TestCountTextsTooLong(t *testing.T) {
	texts := []string{"a", strings.Repeat("a", 1<<24-1), strings.Repeat("a", 1<<24)}
	if b, err := text.CountTexts(t.Context(), texts[:2], byteIDs{'z'}); err != nil || b.Length(1) != 1<<24-1 {
		t.Error(err)
	}
	_, err := text.CountTexts(t.Context(), texts, byteIDs{'z'})
	if want := "text 2 of 16777216 tokens is longer than 16777215"; !errors.Is(err, tensor.ErrShape) || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %s", err, want)
	}
}

// cancelling is a tokenizer that ends a context after some texts.
type cancelling struct {
	byteIDs
	cancel context.CancelFunc
}

func (z cancelling) AppendIDs(ctx context.Context, dst []int32, s string) ([]int32, error) {
	if s == "stop" {
		z.cancel()
	}
	return z.byteIDs.AppendIDs(ctx, dst, s)
}

func TestCountTextsCancelled(t *testing.T) {
	texts := slices.Repeat([]string{"abc"}, 20_000)
	texts[5000] = "stop"
	cores(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		if b, err := text.CountTexts(ctx, texts, cancelling{byteIDs{256}, cancel}); b != nil || !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled on the way: %v", err)
		}
		if b, err := text.CountTexts(ctx, texts, byteIDs{256}); b != nil || !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled before: %v", err)
		}
		// What is finished is not thrown away.
		ctx, cancel = context.WithCancel(t.Context())
		if b, err := text.CountTexts(ctx, []string{"stop"}, cancelling{byteIDs{256}, cancel}); err != nil || b.Len() != 1 {
			t.Errorf("cancelled at the end: %v", err)
		}
	})
}

// One text and a huge vocabulary must not cost memory for each of its ids.
func TestCountTextsOfHugeVocabulary(t *testing.T) {
	z := byteIDs{1 << 30}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := text.CountTexts(t.Context(), []string{"abc"}, z)
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; err != nil || n > 1<<16 {
		t.Errorf("%d bytes for a text of 3, error %v", n, err)
	}
}

// BenchmarkCountTexts measures all cores on real reviews, with a vocabulary as large as nnlm-en-dim50's.
func BenchmarkCountTexts(b *testing.B) {
	texts, size := realTexts(b, 10_000)
	z := hubTokenizer(b, realVocabulary(b), text.HubTokenizerOptions{})
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := text.CountTexts(b.Context(), texts, z); err != nil {
			b.Fatal(err)
		}
	}
}

func ExampleCountTexts() {
	v, err := text.NewVocabulary(context.Background(), []string{"the", "film", "was", "great"})
	if err != nil {
		panic(err)
	}
	t, err := text.NewHubTokenizer(v, text.HubTokenizerOptions{Lower: true})
	if err != nil {
		panic(err)
	}
	bags, err := text.CountTexts(context.Background(), []string{"Great, great film!", "The worst film"}, t)
	if err != nil {
		panic(err)
	}
	for i := range bags.Len() {
		ids, counts := bags.Row(i)
		fmt.Println(ids, counts, bags.Length(i))
	}
	// Output:
	// [1 3] [1 2] 3
	// [0 1 4] [1 1 1] 3
}
