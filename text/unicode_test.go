package text_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/linnet-ml/linnet/text"
	"golang.org/x/text/unicode/norm"
)

// The lower case of each character is that of Go's tables, as far as these are of the same Unicode.
func TestUnicodeLower(t *testing.T) {
	u := text.Unicode{Lower: true}
	for r := range rune(unicode.MaxRune + 1) {
		if !utf8.ValidRune(r) {
			continue
		}
		if got, want := u.Apply(string(r)), string(unicode.ToLower(r)); got != want && unicode.Version <= "15.0.0" {
			t.Errorf("%U becomes %q, not %q", r, got, want)
		}
	}
}

// uneven are texts of all kinds: composed and not, some so long that they are treated in pieces, some no UTF-8.
func uneven() []string {
	pieces := []string{"a", "E", "film ", "É", "é", "e\u0301", "H\u0331", "h\u0331\u0327", "\u0301", "\u0345", "中文", "\u1100\u1161\u11a8", "\u212a", "\u2126", "\u037e", "\u0130",
		"Ǆ", "ΑΣ", "\U00010400", "\U0001d15e", "\xff", "\xe4\xb8", "\xcc", "😀", "\u0344", "\u0f71\u0f72\u0f80", " ", ".", "\u2019", "\u00a0"}
	r := rand.New(rand.NewPCG(5, 6))
	texts := []string{"", "plain", "PLAIN", strings.Repeat("e\u0301", 30_000), strings.Repeat("中文É", 20_000), strings.Repeat("A plain text. ", 5_000) + "E\u0301",
		strings.Repeat("\xcc", 140_000), strings.Repeat("é ", 30_000) + "\u0301"}
	for range 400 {
		var b strings.Builder
		for range r.IntN(30) {
			b.WriteString(pieces[r.IntN(len(pieces))])
		}
		texts = append(texts, b.String())
	}
	return texts
}

// lowered is a text in lower case, character for character.
func lowered(s string) string {
	var b strings.Builder
	for s != "" {
		r, n := utf8.DecodeRuneInString(s)
		if n == 1 && r == utf8.RuneError {
			b.WriteByte(s[0])
		} else {
			b.WriteRune(unicode.ToLower(r))
		}
		s = s[n:]
	}
	return b.String()
}

func TestUnicode(t *testing.T) {
	for _, s := range uneven() {
		for u, want := range map[text.Unicode]string{
			{}:                       s,
			{Lower: true}:            lowered(s),
			{NFC: true}:              norm.NFC.String(s),
			{Lower: true, NFC: true}: norm.NFC.String(lowered(s)),
		} {
			got := u.Apply(s)
			if got != want {
				t.Errorf("%+v of %.100q: %.100q, not %.100q", u, s, got, want)
			}
			if again := u.Apply(got); again != got {
				t.Errorf("%+v of %.100q: %.100q, and of that %.100q", u, s, got, again)
			}
		}
	}
	// So many marks that the Unicode standard cuts them off: any text ends, and stays the same.
	for _, s := range []string{strings.Repeat("\u0301", 1000), "e" + strings.Repeat("\u0301\u0327", 100_000), strings.Repeat("\u0344\xff", 500)} {
		if got := (text.Unicode{NFC: true}).Apply(s); len(got) < len(s)/2 || len(got) > 2*len(s) {
			t.Errorf("%d bytes became %d", len(s), len(got))
		}
	}
}

// A Vectorizer finds the same tokens in texts that differ in what Unicode evens out, by each way through it.
func TestVectorizerUnicode(t *testing.T) {
	texts := slices.DeleteFunc(uneven(), func(s string) bool { return len(s) > 100_000 })
	for _, v := range []text.Vectorizer{
		{}, {NGrams: 2}, {Split: text.SplitCharacters}, {Split: text.NoSplit}, {SplitFunc: strings.Fields},
		{Standardize: text.NoStandardization}, {Standardize: text.LowerAndSpacePunctuation, Split: text.SplitSpaces},
	} {
		for _, u := range []text.Unicode{{Lower: true}, {NFC: true}, {Lower: true, NFC: true}} {
			v.Unicode = text.Unicode{}
			before := make([]string, len(texts))
			for i, s := range texts {
				before[i] = u.Apply(s)
			}
			want, err := v.Adapt(t.Context(), before)
			if err != nil {
				t.Fatal(err)
			}
			v.Unicode = u
			got, err := v.Adapt(t.Context(), texts)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got.Vocabulary(), want.Vocabulary()) {
				t.Errorf("%+v learns other tokens", v)
			}
			for i, s := range texts {
				a, err := got.AppendIDs(t.Context(), nil, s)
				b, _ := want.AppendIDs(t.Context(), nil, before[i])
				if err != nil || !slices.Equal(a, b) {
					t.Errorf("%+v of %.100q: %.100v, not %.100v, error %v", v, s, a, b, err)
				}
			}
		}
	}
	if _, err := (text.Vectorizer{Unicode: text.Unicode{NFC: true}, StandardizeFunc: strings.ToLower}).Adapt(t.Context(), texts); err == nil {
		t.Error("Unicode and a StandardizeFunc are no error")
	}
}

func TestUnicodeAllocates(t *testing.T) {
	s := strings.Repeat("ÉCOLE, e\u0301 “film” ", 100)
	for _, v := range []text.Vectorizer{{}, {NGrams: 2}, {Split: text.SplitCharacters}} {
		v.Unicode = text.Unicode{Lower: true, NFC: true}
		words, err := v.Adapt(t.Context(), []string{s})
		if err != nil {
			t.Fatal(err)
		}
		ids, _ := words.AppendIDs(t.Context(), nil, s)
		if n := testing.AllocsPerRun(10, func() { ids, _ = words.AppendIDs(t.Context(), ids[:0], s) }); n != 0 {
			t.Errorf("%+v: %v allocations", v, n)
		}
	}
}

// A long text ends soon after its context.
func TestUnicodeEndsWithItsContext(t *testing.T) {
	s := strings.Repeat("E\u0301A", 10<<20)
	v, err := text.Vectorizer{Unicode: text.Unicode{Lower: true, NFC: true}}.WithVocabulary(t.Context(), []string{"a"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer end()
	if _, err := v.AppendIDs(ctx, nil, s); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
}

func ExampleUnicode() {
	words, err := text.Vectorizer{Unicode: text.Unicode{Lower: true, NFC: true}}.Adapt(context.Background(), []string{"Été ÉTÉ", "e\u0301te\u0301"})
	if err != nil {
		panic(err)
	}
	fmt.Printf("%q\n", words.Vocabulary())
	// Output: ["" "[UNK]" "été"]
}
