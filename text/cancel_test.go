package text_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/linnet-ml/linnet/text"
)

// Whatever reads texts ends soon after its context does, inside one text of 100 MB too, whatever that text is made of.
func TestCancelledInsideOneText(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 100 MB many times over")
	}
	const size = 100 << 20
	bg := context.Background()
	words := make([]string, 1000)
	for i := range words {
		words[i] = fmt.Sprint("word", i)
	}
	vocabulary, err := text.NewVocabulary(bg, words)
	if err != nil {
		t.Fatal(err)
	}
	hub, err := text.NewHubTokenizer(vocabulary, text.HubTokenizerOptions{OOVBuckets: 7})
	if err != nil {
		t.Fatal(err)
	}
	type work func(ctx context.Context, s string) error
	works := map[string]work{
		"hub/CountTexts": func(ctx context.Context, s string) error {
			_, err := text.CountTexts(ctx, []string{s}, hub)
			return err
		},
		"hub/MakeTexts": func(ctx context.Context, s string) error {
			return new(text.Bags).MakeTexts(ctx, []string{s}, []int32{0}, hub)
		},
		"hub/AppendTokens": func(ctx context.Context, s string) error {
			_, err := hub.AppendTokens(ctx, nil, s)
			return err
		},
	}
	for name, spec := range map[string]text.Vectorizer{
		"words": {}, "characters": {Split: text.SplitCharacters}, "whole": {Split: text.NoSplit}, "bigrams": {NGrams: 2},
		"long n-grams": {NGramSizes: []int{100_000}}, "counts": {OutputMode: text.OutputCount},
	} {
		v, err := spec.WithVocabulary(bg, words, nil)
		if err != nil {
			t.Fatal(err)
		}
		works[name+"/Adapt"] = func(ctx context.Context, s string) error {
			_, err := spec.Adapt(ctx, []string{s})
			return err
		}
		works[name+"/CountTexts"] = func(ctx context.Context, s string) error {
			_, err := text.CountTexts(ctx, []string{s}, v)
			return err
		}
		works[name+"/Sequences"] = func(ctx context.Context, s string) error {
			if spec.OutputMode != text.OutputInt {
				_, err := v.Sparse(ctx, []string{s})
				return err
			}
			_, err := v.Sequences(ctx, []string{s})
			return err
		}
	}
	names := make([]string, 0, len(works))
	for name := range works {
		names = append(names, name)
	}
	slices.Sort(names)
	distinct := &strings.Builder{}
	for i := 0; distinct.Len() < size; i++ {
		fmt.Fprintf(distinct, "%x ", i)
	}
	worst, at := time.Duration(0), ""
	for what, s := range map[string]string{
		"words": strings.Repeat("word1 and others, ", size/18), "one word": strings.Repeat("a", size), "punctuation": strings.Repeat("!", size),
		"“”": strings.Repeat("“”", size/6), "spaces": strings.Repeat(" ", size), "capitals": strings.Repeat("AB!", size/3), "no UTF-8": "é" + strings.Repeat("!", size) + "\xff",
		"distinct words": distinct.String(),
	} {
		for _, name := range names {
			ctx, cancel := context.WithCancel(bg)
			start := time.Now()
			var ended time.Time
			timer := time.AfterFunc(20*time.Millisecond, func() { ended = time.Now(); cancel() })
			err := works[name](ctx, s)
			if timer.Stop() { // it was done before
				cancel()
				if err != nil && time.Since(start) > time.Second {
					t.Errorf("%s of %s: %v", name, what, err)
				}
				continue
			}
			<-ctx.Done()
			late := time.Since(ended)
			if late > worst {
				worst, at = late, name+" of "+what
			}
			if late > time.Second {
				t.Errorf("%s of %s went on for %v after its context had ended", name, what, late)
			}
			if err != nil && !errors.Is(err, context.Canceled) {
				t.Errorf("%s of %s: error %v", name, what, err)
			}
			if err == nil && late > 200*time.Millisecond {
				t.Errorf("%s of %s took no notice of its context", name, what)
			}
			if late > 60*time.Millisecond {
				t.Logf("%s of %s: %v, error %v", name, what, late.Round(time.Millisecond), err)
			}
		}
	}
	t.Logf("the longest was %v, of %s", worst.Round(time.Millisecond), at)
}

// Tokens longer than what is read between two looks at the context are what the plain definition says.
func TestLongTokens(t *testing.T) {
	bg := context.Background()
	long := strings.Repeat("ab", 1<<16)
	texts := []string{
		long, strings.ToUpper(long), " " + long + " x ", strings.Repeat("!", 1<<17) + long + strings.Repeat("!", 1<<17) + "b c",
		strings.Repeat(" ", 1<<17) + "a", "a" + strings.Repeat("!", 1<<17) + "b", "a" + strings.Repeat("!", 1<<17) + " b",
		strings.Repeat("A!", 1<<16) + " c", strings.Repeat("a", 1<<16-1) + " b", strings.Repeat("a", 1<<16) + " b", strings.Repeat("a", 1<<16+1) + " b",
		strings.Repeat("é!", 1<<16) + " c", "\xc3" + strings.Repeat("!", 1<<17) + "\xa9",
	}
	words := []string{"ab", "a", "b", "c", "x", long, long + "b", strings.Repeat("a", 1<<16), "é"}
	for name, spec := range map[string]text.Vectorizer{
		"words": {}, "characters": {Split: text.SplitCharacters}, "bigrams": {NGrams: 2}, "spaces": {Split: text.SplitSpaces, Standardize: text.LowerAndSpacePunctuation},
	} {
		v, err := spec.WithVocabulary(bg, words, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i, s := range texts {
			if !slices.Equal(appendIDs(v, nil, s), reference(spec, v.Words(), s)) {
				t.Errorf("%s: text %d", name, i)
			}
		}
		a, err := spec.Adapt(bg, texts)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range texts {
			for _, id := range appendIDs(a, nil, s) {
				if id == 1 {
					t.Fatalf("%s: a token that was adapted to is unknown", name)
				}
			}
		}
	}
	v, err := text.NewVocabulary(bg, words)
	if err != nil {
		t.Fatal(err)
	}
	hub, err := text.NewHubTokenizer(v, text.HubTokenizerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range texts {
		var want []int32
		for _, token := range appendTokens(hub, nil, s) {
			id, ok := v.ID(token)
			if !ok {
				id = int32(v.Len())
			}
			want = append(want, id)
		}
		if !slices.Equal(appendIDs(hub, nil, s), want) {
			t.Errorf("hub: text %d", i)
		}
	}
}
