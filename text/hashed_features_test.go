package text_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/linnet-ml/linnet/text"
)

func hashedFeatures(t testing.TB, o text.HashedFeaturesOptions) *text.HashedFeatures {
	t.Helper()
	h, err := text.NewHashedFeatures(o)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// hashedID is the id of a feature as the documentation has it, by other means.
func hashedID(feature string, buckets int) int32 {
	f := fnv.New64a()
	f.Write([]byte(feature))
	h := f.Sum64()
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	h ^= h >> 33
	n := new(big.Int).Mul(new(big.Int).SetUint64(h), big.NewInt(int64(buckets)))
	return int32(n.Rsh(n, 64).Int64())
}

// featuresOf are the features of a text, in order, found the slow way.
func featuresOf(o text.HashedFeaturesOptions, s string) (all []string) {
	words := o.Split.Append(nil, o.Standardize.Apply(o.Unicode.Apply(s)))
	for k, word := range words {
		if o.MaxCharacters > 0 {
			var chars []string
			for rest := "<" + word + ">"; rest != ""; {
				n := 1
				for n < len(rest) && !utf8.RuneStart(rest[n]) {
					n++
				}
				chars = append(chars, rest[:n])
				rest = rest[n:]
			}
			for from := range chars {
				for n := o.MinCharacters; n <= o.MaxCharacters && from+n <= len(chars); n++ {
					if n == 1 && (from == 0 || from == len(chars)-1) {
						continue
					}
					all = append(all, " "+strings.Join(chars[from:from+n], ""))
				}
			}
		}
		if o.NoWords {
			continue
		}
		for n := 1; n <= max(o.NGrams, 1) && n <= k+1; n++ {
			all = append(all, strings.Join(words[k+1-n:k+1], " "))
		}
	}
	return all
}

// The ids are those of the features that the slow way finds, of any bytes.
func TestHashedFeaturesAreThose(t *testing.T) {
	pieces := []string{"a", "B", "film", "É", "e\u0301", "中文", "\xff", "\xe4\xb8", "'", ",", "<br />", " ", "  ", "\t", "\n", "ß", "Σ", "\u00a0", "😀", "\x00"}
	r := rand.New(rand.NewPCG(1, 2))
	texts := []string{"", " ", "?!", "film", strings.Repeat("x", 66_000)}
	for range 300 {
		var b strings.Builder
		for range r.IntN(40) {
			b.WriteString(pieces[r.IntN(len(pieces))])
		}
		texts = append(texts, b.String())
	}
	for _, o := range []text.HashedFeaturesOptions{
		{Buckets: 1 << 20},
		{Buckets: 1000, NGrams: 3},
		{Buckets: 1<<31 - 1, NGrams: 16, Standardize: text.NoStandardization, Split: text.SplitSpaces},
		{Buckets: 77, MinCharacters: 3, MaxCharacters: 6},
		{Buckets: 1 << 16, NGrams: 2, MinCharacters: 1, MaxCharacters: 16, Standardize: text.LowerAndSpacePunctuation},
		{Buckets: 1 << 16, MinCharacters: 1, MaxCharacters: 1, NoWords: true},
		{Buckets: 1 << 16, NGrams: 2, MinCharacters: 2, MaxCharacters: 3, Unicode: text.Unicode{Lower: true, NFC: true}},
	} {
		h := hashedFeatures(t, o)
		for _, s := range texts {
			var want []int32
			for _, f := range featuresOf(o, s) {
				want = append(want, hashedID(f, o.Buckets))
			}
			got, err := h.AppendIDs(t.Context(), nil, s)
			if err != nil || !slices.Equal(got, want) {
				t.Fatalf("%+v of %.100q: %v, want %v", o, s, got, want)
			}
		}
	}
}

// The ids are for ever: a saved model has rows for them.
func TestHashedFeaturesStayAsTheyAre(t *testing.T) {
	h := hashedFeatures(t, text.HashedFeaturesOptions{Buckets: 1 << 20, NGrams: 2, MinCharacters: 3, MaxCharacters: 4})
	got, err := h.AppendIDs(t.Context(), nil, "Good films!")
	want := []int32{362094, 558280, 120763, 774524, 101101, 855751, 176930, 576179, 147620, 559247, 139204, 425723, 812375, 126185, 583860, 864689,
		77220, 366858, 596723}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// Buckets fill evenly with words that differ little.
func TestHashedFeaturesSpread(t *testing.T) {
	const buckets, words = 1000, 200_000
	h := hashedFeatures(t, text.HashedFeaturesOptions{Buckets: buckets})
	var counts [buckets]int
	var ids []int32
	for i := range words {
		var err error
		if ids, err = h.AppendIDs(t.Context(), ids[:0], fmt.Sprint("w", i)); err != nil || len(ids) != 1 {
			t.Fatal(ids, err)
		}
		counts[ids[0]]++
	}
	squares := 0.0
	for _, n := range counts {
		d := float64(n) - words/buckets
		squares += d * d
	}
	// Chi-squared with 999 degrees of freedom: 6 standard deviations.
	if x := squares / (words / buckets); x < 999-6*44.7 || x > 999+6*44.7 {
		t.Errorf("chi-squared %v of %d buckets", x, buckets)
	}
}

func TestHashedFeaturesErrors(t *testing.T) {
	for want, o := range map[string]text.HashedFeaturesOptions{
		"0 Buckets: there must be 1 to 2147483647":                            {},
		"-1 Buckets: there must be 1 to 2147483647":                           {Buckets: -1},
		"NGrams -1: there may be 0 to 16":                                     {Buckets: 1, NGrams: -1},
		"NGrams 17: there may be 0 to 16":                                     {Buckets: 1, NGrams: 17},
		"MaxCharacters 17: there may be 0 to 16":                              {Buckets: 1, MinCharacters: 2, MaxCharacters: 17},
		"MinCharacters 0 and MaxCharacters 3: both or none of them must be 0": {Buckets: 1, MaxCharacters: 3},
		"MinCharacters 4 must be from 1 to MaxCharacters, 3":                  {Buckets: 1, MinCharacters: 4, MaxCharacters: 3},
		"NoWords and NGrams 2: one of them must go":                           {Buckets: 1, NoWords: true, NGrams: 2, MinCharacters: 1, MaxCharacters: 2},
		"NoWords without MaxCharacters leaves no features":                    {Buckets: 1, NoWords: true},
		"Standardization(9) is unknown":                                       {Buckets: 1, Standardize: 9},
		"Split must make words, by whitespace or spaces, not character":       {Buckets: 1, Split: text.SplitCharacters},
	} {
		if _, err := text.NewHashedFeatures(o); err == nil || err.Error() != "text: HashedFeatures: "+want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
	h := hashedFeatures(t, text.HashedFeaturesOptions{Buckets: 9, NGrams: 2})
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := h.AppendIDs(ended, nil, strings.Repeat("a ", 1<<17)); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that is done: %v", err)
	}
	if _, err := new(text.HashedFeatures).AppendIDs(t.Context(), nil, "a"); err == nil {
		t.Error("no options are no error")
	}
	//lint:ignore SA1012 what is tested
	if _, err := h.AppendIDs(nil, nil, "a"); err == nil {
		t.Error("no context is no error")
	}
	for _, s := range []string{`{}`, `{"Buckets":-3}`, `{"Buckets":3,"Split":"character"}`, `{"Buckets":3,"Standardize":"x"}`, `{"Buckets":3,"More":1}`, `3`} {
		if err := new(text.HashedFeatures).UnmarshalJSON([]byte(s)); err == nil {
			t.Errorf("%s is no error", s)
		}
	}
}

func TestHashedFeaturesAsJSON(t *testing.T) {
	o := text.HashedFeaturesOptions{Buckets: 99, Unicode: text.Unicode{NFC: true}, Standardize: text.Lower, Split: text.SplitSpaces, NGrams: 2, MinCharacters: 2, MaxCharacters: 5}
	b, err := json.Marshal(hashedFeatures(t, o))
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"Buckets":99,"Unicode":{"NFC":true},"Standardize":"lower","Split":"spaces","NGrams":2,"MinCharacters":2,"MaxCharacters":5}`
	var again text.HashedFeatures
	if err := json.Unmarshal(b, &again); err != nil || string(b) != want || again.Options() != o {
		t.Errorf("%s became %+v, error %v", b, again.Options(), err)
	}
}

func TestHashedFeaturesAllocate(t *testing.T) {
	s := strings.Repeat("What a LOVELY film! É e\u0301 中文 ", 50)
	for _, o := range []text.HashedFeaturesOptions{
		{Buckets: 1 << 20, NGrams: 3, MinCharacters: 3, MaxCharacters: 6},
		{Buckets: 1 << 20, Unicode: text.Unicode{Lower: true, NFC: true}},
	} {
		h := hashedFeatures(t, o)
		ids, _ := h.AppendIDs(t.Context(), nil, s)
		if n := testing.AllocsPerRun(10, func() { ids, _ = h.AppendIDs(t.Context(), ids[:0], s) }); n != 0 {
			t.Errorf("%+v: %v allocations", o, n)
		}
	}
}

// BenchmarkHashedFeatures is of a review of 230 words.
func BenchmarkHashedFeatures(b *testing.B) {
	s := strings.Repeat("The film was great, and everybody in it gave a fine, lively performance. ", 18)
	for name, o := range map[string]text.HashedFeaturesOptions{
		"words":     {Buckets: 1 << 20},
		"ngrams=2":  {Buckets: 1 << 20, NGrams: 2},
		"chars=3-6": {Buckets: 1 << 20, MinCharacters: 3, MaxCharacters: 6},
		"unicode":   {Buckets: 1 << 20, NGrams: 2, Unicode: text.Unicode{Lower: true, NFC: true}},
	} {
		b.Run(name, func(b *testing.B) {
			h := hashedFeatures(b, o)
			b.SetBytes(int64(len(s)))
			var ids []int32
			for b.Loop() {
				ids, _ = h.AppendIDs(b.Context(), ids[:0], s)
			}
		})
	}
}

// Words, pairs of words and parts of words, each with one of a million ids: there is no vocabulary.
func ExampleHashedFeatures() {
	features, err := text.NewHashedFeatures(text.HashedFeaturesOptions{Buckets: 1 << 20, NGrams: 2, MinCharacters: 3, MaxCharacters: 6})
	if err != nil {
		panic(err)
	}
	bags, err := text.CountTexts(context.Background(), []string{"a great film", "a GREAT filmm!"}, features)
	if err != nil {
		panic(err)
	}
	first, _ := bags.Row(0)
	second, _ := bags.Row(1)
	same := 0
	for _, id := range first {
		if slices.Contains(second, id) {
			same++
		}
	}
	fmt.Println(len(first), "features,", same, "of them in the other text too")
	// Output: 30 features, 24 of them in the other text too
}
