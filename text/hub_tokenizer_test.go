package text_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/dgryski/go-farm"
	"github.com/linnet-ml/linnet/text"
)

// recorded reads a file of testdata/hub: see its README.
func recorded(tb testing.TB, name string, into any) {
	tb.Helper()
	f, err := os.Open("testdata/hub/" + name + ".json.gz")
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		tb.Fatal(err)
	}
	if err := json.NewDecoder(z).Decode(into); err != nil {
		tb.Fatal(err)
	}
}

func recordedTexts(tb testing.TB) []string {
	var r struct{ Texts [][]byte }
	recorded(tb, "texts", &r)
	if len(r.Texts) != 211 {
		tb.Fatalf("%d recorded texts", len(r.Texts))
	}
	texts := make([]string, len(r.Texts))
	for i, s := range r.Texts {
		texts[i] = string(s)
	}
	return texts
}

func hubVocabulary(tb testing.TB) *text.Vocabulary {
	tb.Helper()
	f, err := os.Open("testdata/hub/tokens.txt")
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	v, err := text.ReadHubVocabulary(context.Background(), f)
	if err != nil {
		tb.Fatal(err)
	}
	return v
}

func hubTokenizer(tb testing.TB, v *text.Vocabulary, o text.HubTokenizerOptions) *text.HubTokenizer {
	tb.Helper()
	t, err := text.NewHubTokenizer(v, o)
	if err != nil {
		tb.Fatal(err)
	}
	return t
}

// Tokens and ids are TensorFlow's, for all recorded texts of all recorded modules.
func TestHubTokenizerAsTensorFlow(t *testing.T) {
	texts, v := recordedTexts(t), hubVocabulary(t)
	for name, o := range map[string]text.HubTokenizerOptions{
		"nnlm": {}, "nnlm-oov50": {OOVBuckets: 50}, "nnlm-with-normalization": {Lower: true},
	} {
		var want struct {
			Vocabulary  int
			OOVRows     int `json:"oov_rows"`
			Tokens      [][][]byte
			TokenCounts []int `json:"token_counts"`
			IDs         [][]int32
			IDSums      []int `json:"id_sums"`
		}
		recorded(t, name+".expected", &want)
		z := hubTokenizer(t, v, o)
		if v.Len() != want.Vocabulary || z.Size() != want.Vocabulary+want.OOVRows {
			t.Fatalf("%s: %d words and %d ids, want %d and %d", name, v.Len(), z.Size(), want.Vocabulary, want.Vocabulary+want.OOVRows)
		}
		if len(want.IDs) != len(texts) || len(want.Tokens) != len(texts) {
			t.Fatalf("%s: ids of %d texts, tokens of %d", name, len(want.IDs), len(want.Tokens))
		}
		for i, s := range texts {
			ids, tokens := appendIDs(z, nil, s), appendTokens(z, nil, s)
			sum := 0
			for _, id := range ids {
				sum += int(id)
			}
			if len(ids) != want.TokenCounts[i] || len(tokens) != want.TokenCounts[i] || sum != want.IDSums[i] {
				t.Errorf("%s, text %d: %d tokens, %d ids, sum %d, want %d and sum %d", name, i, len(tokens), len(ids), sum, want.TokenCounts[i], want.IDSums[i])
			}
			if want.IDs[i] != nil && !slices.Equal(ids, want.IDs[i]) {
				t.Errorf("%s, text %d %.60q: ids %v, want %v", name, i, s, ids, want.IDs[i])
			}
			if want.Tokens[i] != nil && !slices.EqualFunc(tokens, want.Tokens[i], func(a string, b []byte) bool { return a == string(b) }) {
				t.Errorf("%s, text %d %.60q: tokens %q, want %q", name, i, s, tokens, want.Tokens[i])
			}
		}
	}
}

// Each code point is stripped, made small or left alone as in TensorFlow. There it is between other characters, so that no
// space beside it hides what becomes of it.
func TestHubTokenizerCharacters(t *testing.T) {
	var want struct {
		Stripped [][2]rune `json:"stripped_by_pP"`
		Lowered  [][2]rune `json:"changed_by_lower"`
	}
	recorded(t, "unicode", &want)
	toStrip, toLower := runeSet(want.Stripped), runeSet(want.Lowered)
	v, err := text.NewVocabulary(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	plain, lower, kept := hubTokenizer(t, v, text.HubTokenizerOptions{}), hubTokenizer(t, v, text.HubTokenizerOptions{Lower: true}),
		hubTokenizer(t, v, text.HubTokenizerOptions{KeepPunctuation: true})
	stripped := 0
	var tokens []string
	for r := rune(0); r <= utf8.MaxRune; r++ {
		if !utf8.ValidRune(r) || r == ' ' {
			continue
		}
		s := string(r)
		whole := "x" + s + "x"
		if tokens = appendTokens(kept, tokens[:0], whole); len(tokens) != 1 || tokens[0] != whole {
			t.Fatalf("%U is not kept: %q", r, tokens)
		}
		wantLower := whole
		if toLower[r] {
			wantLower = "x" + string(r+0x20) + "x"
		}
		if toStrip[r] {
			stripped++
			whole, wantLower = "xx", "xx"
		}
		if tokens = appendTokens(plain, tokens[:0], "x"+s+"x"); len(tokens) != 1 || tokens[0] != whole {
			t.Errorf("%U: %q, want %q", r, tokens, whole)
		}
		if tokens = appendTokens(lower, tokens[:0], "x"+s+"x"); len(tokens) != 1 || tokens[0] != wantLower {
			t.Errorf("%U made small: %q, want %q", r, tokens, wantLower)
		}
	}
	if stripped != 842 {
		t.Errorf("%d characters are stripped, want 842", stripped)
	}
}

// Tokens fall into the buckets of their Fingerprint64 as TensorFlow computes it. A recorded string with a space in it is
// no token.
func TestHubTokenizerBuckets(t *testing.T) {
	var want struct {
		Vectors []struct {
			Input []byte
			Value string
		}
	}
	recorded(t, "fingerprint64", &want)
	v, err := text.NewVocabulary(context.Background(), []string{"in", "front"})
	if err != nil {
		t.Fatal(err)
	}
	const buckets = 1_000_003
	z := hubTokenizer(t, v, text.HubTokenizerOptions{KeepPunctuation: true, OOVBuckets: buckets})
	asked := 0
	for _, f := range want.Vectors {
		h, err := strconv.ParseUint(f.Value, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		if got := farm.Fingerprint64(f.Input); got != h {
			t.Errorf("%d bytes: fingerprint %d, want %d", len(f.Input), got, h)
		}
		if bytes.IndexByte(f.Input, ' ') >= 0 {
			continue
		}
		asked++
		if got := appendIDs(z, nil, string(f.Input)); !slices.Equal(got, []int32{int32(2 + h%buckets)}) {
			t.Errorf("%d bytes %.40q: id %v, want %d", len(f.Input), f.Input, got, 2+h%buckets)
		}
	}
	if asked < 200 {
		t.Errorf("only %d of %d recorded strings are tokens", asked, len(want.Vectors))
	}
}

// referenceIDs is the rule of a HubTokenizer, one step after the other.
func referenceIDs(v *text.Vocabulary, o text.HubTokenizerOptions, stripped map[rune]bool, s string) (ids []int32, tokens []string) {
	var clean strings.Builder
	whole := s
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		c := s[:size]
		s = s[size:]
		if o.Lower && r >= 'A' && r <= 'Z' {
			c = strings.ToLower(c)
		}
		if o.KeepPunctuation || r == utf8.RuneError && size == 1 || !stripped[r] {
			clean.WriteString(c)
		}
	}
	tokens = strings.Split(clean.String(), " ")
	if o.WhiteSpace {
		tokens = tokens[:0]
		for _, part := range strings.FieldsFunc(lineBreaks.ReplaceAllString(whole, " "), unicode.IsSpace) {
			kept := ""
			for len(part) > 0 {
				r, size := utf8.DecodeRuneInString(part)
				c := part[:size]
				part = part[size:]
				if o.Lower && r >= 'A' && r <= 'Z' {
					c = strings.ToLower(c)
				}
				if o.KeepPunctuation || r == utf8.RuneError && size == 1 || !stripped[r] {
					kept += c
				}
			}
			if kept != "" {
				tokens = append(tokens, kept)
			}
		}
	}
	for _, token := range tokens {
		id := int32(-1)
		for i := range v.Len() {
			if w, _ := v.Word(int32(i)); w == token {
				id = int32(i)
			}
		}
		if id < 0 {
			id = int32(v.Len()) + int32(farm.Fingerprint64([]byte(token))%uint64(max(o.OOVBuckets, 1)))
		}
		ids = append(ids, id)
	}
	return ids, tokens
}

var lineBreaks = regexp.MustCompile(`<[bB][rR] ?/?>`)

func strippedSet(tb testing.TB) map[rune]bool {
	var r struct {
		Stripped [][2]rune `json:"stripped_by_pP"`
	}
	recorded(tb, "unicode", &r)
	return runeSet(r.Stripped)
}

func runeSet(ranges [][2]rune) map[rune]bool {
	set := map[rune]bool{}
	for _, x := range ranges {
		for c := x[0]; c <= x[1]; c++ {
			set[c] = true
		}
	}
	return set
}

// FuzzHubTokenizer compares with the plain rule, from a few words of differing length.
func FuzzHubTokenizer(f *testing.F) {
	for _, s := range recordedTexts(f) {
		if len(s) < 300 {
			f.Add(s, false, false, uint8(1))
			f.Add(s, true, false, uint8(7))
		}
	}
	long := strings.Repeat("x", 1020)
	for _, s := range []string{long + " the", "the " + long + " a", long + "\u2014\u2014y", strings.Repeat("a ", 200), strings.Repeat("movie, ", 40) + long,
		strings.Repeat(".", 1030) + "the", strings.Repeat("\u65e5", 400), "the" + strings.Repeat(",", 9) + "movie Internationally", long + long + ".!" + long + " ."} {
		f.Add(s, true, false, uint8(3))
		f.Add(s, false, true, uint8(0))
		f.Add(s, true, false, uint8(131))
		f.Add(s, false, true, uint8(128))
	}
	for _, s := range whiteSpaceTexts {
		f.Add(s, true, false, uint8(131))
		f.Add(s, false, true, uint8(128))
	}
	stripped := strippedSet(f)
	words := []string{"the", "a", "movie", "was", "great", "themovie", "internationally", "Internationally", "na\u00efve", "\u65e5\u672c", "seventeen letters",
		"antidisestablishmentarianism", "", "\xff", "\xe2\x80", "12345678", "1234567890123456", "12345678901234567", long, "don't"}
	v, err := text.NewVocabulary(context.Background(), words)
	if err != nil {
		f.Fatal(err)
	}
	none, err := text.NewVocabulary(context.Background(), nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, s string, lower, keep bool, buckets uint8) {
		o := text.HubTokenizerOptions{Lower: lower, KeepPunctuation: keep, OOVBuckets: int(buckets % 128), WhiteSpace: buckets >= 128}
		for _, v := range []*text.Vocabulary{v, none} {
			z := hubTokenizer(t, v, o)
			ids, tokens := referenceIDs(v, o, stripped, s)
			if got := appendIDs(z, []int32{-5}, s); got[0] != -5 || !slices.Equal(got[1:], ids) {
				t.Errorf("%q, %+v: ids %v, want %v", s, o, got[1:], ids)
			}
			if got := appendTokens(z, nil, s); !slices.Equal(got, tokens) {
				t.Errorf("%q, %+v: tokens %q, want %q", s, o, got, tokens)
			}
		}
	})
}

var whiteSpaceTexts = []string{
	"", " ", "good\n", "\tgood  movie\r\nthe\v\fend ", "great.<br /><br />The movie<br>was<BR/>great", "<br", "<b>the</b> <br  /> <br/x", "- good - !",
	"na\u00efve\u00a0the\u3000movie\u2003a\u0085was\u2028great\u205f", strings.Repeat(" ", 1100) + "the" + strings.Repeat("\n", 200) + "a",
	strings.Repeat("the<br />", 300), strings.Repeat("x", 1019) + "<br />the", strings.Repeat("\u00a0", 600) + "the",
}

// With WhiteSpace no white space and no line break of HTML is part of a word, and there are no empty tokens.
func TestHubTokenizerWhiteSpace(t *testing.T) {
	v, err := text.NewVocabulary(context.Background(), []string{"the", "good", "great", "movie"})
	if err != nil {
		t.Fatal(err)
	}
	z := hubTokenizer(t, v, text.HubTokenizerOptions{Lower: true, WhiteSpace: true})
	for s, want := range map[string][]int32{
		"good\n": {1}, "Great.<br /><br />The movie": {2, 0, 3}, "": nil, " \t\n<br>": nil, "the  \r\n  good - movie": {0, 1, 3}, "the\u00a0good\u3000unknown": {0, 1, 4},
	} {
		if got := appendIDs(z, nil, s); !slices.Equal(got, want) {
			t.Errorf("%q: ids %v, want %v", s, got, want)
		}
	}
	stripped := strippedSet(t)
	for _, s := range append(recordedTexts(t), whiteSpaceTexts...) {
		for _, o := range []text.HubTokenizerOptions{{WhiteSpace: true, Lower: true, OOVBuckets: 5}, {WhiteSpace: true, KeepPunctuation: true}} {
			z := hubTokenizer(t, v, o)
			ids, tokens := referenceIDs(v, o, stripped, s)
			if got := appendIDs(z, nil, s); !slices.Equal(got, ids) {
				t.Errorf("%.60q, %+v: ids %v, want %v", s, o, got, ids)
			}
			if got := appendTokens(z, nil, s); !slices.Equal(got, tokens) {
				t.Errorf("%.60q, %+v: tokens %q, want %q", s, o, got, tokens)
			}
		}
	}
	// Nothing but white space, for longer than the context may be left alone.
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := z.AppendIDs(ctx, nil, strings.Repeat(" ", 1<<20)); err != context.Canceled {
		t.Errorf("error %v", err)
	}
}

func TestHubTokenizerErrors(t *testing.T) {
	v := hubVocabulary(t)
	for want, o := range map[string]text.HubTokenizerOptions{
		"text: a HubTokenizer cannot have -1 buckets for words that are not in the vocabulary":  {OOVBuckets: -1},
		"text: a vocabulary of 3000 words with 2147480648 buckets has more than 2147483647 ids": {OOVBuckets: 1<<31 - 3000},
	} {
		if z, err := text.NewHubTokenizer(v, o); z != nil || err == nil || err.Error() != want {
			t.Errorf("%+v: %v, want %s", o, err, want)
		}
	}
	if z := hubTokenizer(t, v, text.HubTokenizerOptions{OOVBuckets: 1<<31 - 3001}); z.Size() != 1<<31-1 {
		t.Errorf("%d ids", z.Size())
	}
	if _, err := text.NewHubTokenizer(nil, text.HubTokenizerOptions{}); err == nil {
		t.Error("no vocabulary, and no error")
	}
}

func TestReadHubVocabulary(t *testing.T) {
	v, err := text.ReadHubVocabulary(context.Background(), strings.NewReader("\ufeffa\r\n\r\r\nb\rc\n \nlast\r"))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"\ufeffa", "\r", "b\rc", " ", "last"} {
		if got, ok := v.Word(int32(i)); got != want || !ok {
			t.Errorf("word %d is %q, want %q", i, got, want)
		}
	}
	for file, want := range map[string]string{
		"a\n\nb\n":   "text: line 2 of the vocabulary is empty",
		"a\nb\n\r\n": "text: line 3 of the vocabulary is empty",
		"a\r\nb\na":  `text: lines 1 and 3 of the vocabulary are both "a"`,
	} {
		if _, err := text.ReadHubVocabulary(context.Background(), strings.NewReader(file)); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", file, err, want)
		}
	}
}

func TestHubTokenizerDoesNotAllocate(t *testing.T) {
	v := hubVocabulary(t)
	texts := slices.DeleteFunc(recordedTexts(t), func(s string) bool { return strings.Contains(s, strings.Repeat("x", 1000)) })
	for _, o := range []text.HubTokenizerOptions{{}, {Lower: true, OOVBuckets: 50}} {
		z := hubTokenizer(t, v, o)
		var ids []int32
		all := func() {
			for _, s := range texts {
				ids, _ = z.AppendIDs(context.Background(), ids[:0], s)
			}
		}
		all()
		if n := testing.AllocsPerRun(10, all); n != 0 {
			t.Errorf("%+v: %v allocations", o, n)
		}
	}
}

// Many goroutines use one tokenizer, more than it keeps buffers for.
func TestHubTokenizerConcurrently(t *testing.T) {
	z := hubTokenizer(t, hubVocabulary(t), text.HubTokenizerOptions{OOVBuckets: 50})
	texts := recordedTexts(t)
	var want [][]int32
	for _, s := range texts {
		want = append(want, appendIDs(z, nil, s))
	}
	var all sync.WaitGroup
	for range 4 * runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for i, s := range texts {
				if got := appendIDs(z, nil, s); !slices.Equal(got, want[i]) {
					t.Errorf("text %d: %v, want %v", i, got, want[i])
				}
			}
		})
	}
	all.Wait()
}

func ExampleHubTokenizer() {
	v, err := text.NewVocabulary(context.Background(), []string{"the", "film", "was", "great"})
	if err != nil {
		panic(err)
	}
	t, err := text.NewHubTokenizer(v, text.HubTokenizerOptions{Lower: true})
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	tokens, err := t.AppendTokens(ctx, nil, "The film was... GREAT!  Wasn't it?")
	if err != nil {
		panic(err)
	}
	fmt.Printf("%q\n", tokens)
	ids, err := t.AppendIDs(ctx, nil, "The film was... GREAT!  Wasn't it?")
	if err != nil {
		panic(err)
	}
	fmt.Println(ids, t.Size())
	// Output:
	// ["the" "film" "was" "great" "" "wasnt" "it"]
	// [0 1 2 3 4 4 4] 5
}
