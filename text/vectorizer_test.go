package text_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/linnet-ml/linnet/internal/golden"
	"github.com/linnet-ml/linnet/text"
)

// config is what a recorded case sets of TextVectorization.
type config struct {
	Standardize          *string `json:"standardize"`
	Split                *string `json:"split"`
	NGrams               any     `json:"ngrams"`
	MaxTokens            int     `json:"max_tokens"`
	OutputMode           string  `json:"output_mode"`
	OutputSequenceLength int     `json:"output_sequence_length"`
	PadToMaxTokens       bool    `json:"pad_to_max_tokens"`
	Ragged               bool    `json:"ragged"`
}

func vectorizer(t *testing.T, c golden.Case) (v text.Vectorizer, ragged bool) {
	standardize, split := text.LowerAndStripPunctuation.String(), text.SplitWhitespace.String()
	k := config{Standardize: &standardize, Split: &split, OutputMode: "int"}
	c.Decode(&k, "config")
	v = text.Vectorizer{MaxTokens: k.MaxTokens, OutputSequenceLength: k.OutputSequenceLength, PadToMaxTokens: k.PadToMaxTokens}
	v.Standardize = named(t, k.Standardize, text.LowerAndStripPunctuation, text.Lower, text.StripPunctuation, text.NoStandardization)
	v.Split = named(t, k.Split, text.SplitWhitespace, text.SplitCharacters, text.NoSplit)
	v.OutputMode = named(t, &k.OutputMode, text.OutputInt, text.OutputMultiHot, text.OutputCount, text.OutputTFIDF)
	switch n := k.NGrams.(type) {
	case float64:
		v.NGrams = int(n)
	case []any:
		for _, size := range n {
			v.NGramSizes = append(v.NGramSizes, int(size.(float64)))
		}
	}
	if c.Has("split_at") {
		v.SplitFunc = func(s string) []string { return strings.Split(s, c.Text("split_at")) }
	}
	return v, k.Ragged
}

// named finds the constant of Keras's name, which is null for none.
func named[T fmt.Stringer](t *testing.T, name *string, all ...T) T {
	t.Helper()
	none := "none"
	if name == nil {
		name = &none
	}
	i := slices.IndexFunc(all, func(c T) bool { return c.String() == *name })
	if i < 0 {
		t.Fatalf("no constant is named %q", *name)
	}
	return all[i]
}

// column reads texts, which some cases have as a column.
func column(c golden.Case, name string) []string {
	var list []string
	for _, v := range c.List(name) {
		if _, isList := v.Any().([]any); isList {
			v = v.At(0)
		}
		list = append(list, v.Text())
	}
	return list
}

// adapted is the vectorization of a recorded case.
func adapted(t *testing.T, v text.Vectorizer, c golden.Case) (*text.Vectorization, error) {
	if c.Has("adapt") {
		return v.Adapt(t.Context(), column(c, "adapt"))
	}
	var weights []float32
	if c.Has("set_idf_weights") {
		weights = []float32{}
		for _, w := range c.Floats("set_idf_weights") {
			weights = append(weights, float32(w))
		}
	}
	return v.WithVocabulary(context.Background(), c.Texts("set_vocabulary"), weights)
}

// Every recorded case of Keras: the same vocabularies, the same ids and columns, and an error where Keras has one.
func TestVectorizerAsKeras(t *testing.T) {
	for topic, want := range map[string]int{"text": 132, "text_edges": 113} {
		recorded := golden.Open(t, topic)
		compared := 0
		for _, c := range recorded.Cases {
			if !c.Has("inputs") || c.Has("kind") && c.Text("kind") != "TextVectorization" {
				continue
			}
			compared++
			t.Run(c.Name, func(t *testing.T) { compareWithKeras(t, c) })
		}
		if compared != want {
			t.Errorf("%s: %d cases compared, want %d", topic, compared, want)
		}
	}
}

func compareWithKeras(t *testing.T, c golden.Case) {
	spec, ragged := vectorizer(t, c)
	if ragged && spec.OutputMode != text.OutputInt {
		return // Keras refuses the option; here Sequences does: see TestVectorizationModes
	}
	v, err := adapted(t, spec, c)
	if c.Name == "vocabulary_padded/int" { // Keras takes the option and does nothing with it
		if err == nil || !strings.Contains(err.Error(), "PadToMaxTokens is for outputs with columns") {
			t.Errorf("got %v", err)
		}
		return
	}
	if c.Has("expected", "error") {
		if err == nil {
			t.Fatalf("no error, Keras has %s", c.Text("expected", "message"))
		}
		if !strings.HasPrefix(err.Error(), "text: ") {
			t.Errorf("%q does not name the package", err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(c.Texts("expected", "vocabulary"), v.Vocabulary()); diff != "" {
		t.Errorf("vocabulary (-Keras +linnet):\n%s", diff)
	}
	if c.Has("expected", "words") {
		if want := c.Texts("expected", "words"); v.Words().Len() != len(want) {
			t.Errorf("%d words, want %q", v.Words().Len(), want)
		}
	}
	for id, want := range v.Vocabulary() {
		if w, ok := v.Word(int32(id)); !ok || w != want {
			t.Errorf("Word(%d): %q, %t", id, w, ok)
		}
	}
	if v.Size() != len(v.Vocabulary()) {
		t.Errorf("Size %d for %d tokens", v.Size(), len(v.Vocabulary()))
	}
	if c.Has("expected", "idf_weights") {
		want := c.Floats("expected", "idf_weights")
		got := v.IDFWeights()
		if len(got) != v.Size() {
			t.Fatalf("%d weights for %d ids", len(got), v.Size())
		}
		for i, w := range want {
			switch {
			case i >= len(got):
				if w != 0 {
					t.Errorf("Keras has weight %v for the added column %d", w, i)
				}
			case !near(w, got[i]):
				t.Errorf("weight %d is %v, want %v", i, got[i], w)
			}
		}
	}

	texts := column(c, "inputs")
	if c.Has("expected", "output", "ragged") {
		got, err := v.Sequences(t.Context(), texts)
		if err != nil {
			t.Fatal(err)
		}
		for i, row := range c.List("expected", "output", "ragged") {
			if want := row.Ints(); !slices.EqualFunc(want, got[i], func(a int, b int32) bool { return a == int(b) }) {
				t.Errorf("row %d: %v, want %v", i, got[i], want)
			}
		}
		return
	}
	want := c.Array("expected", "output")
	if spec.OutputMode == text.OutputInt {
		x, err := v.Padded(t.Context(), texts)
		if err != nil {
			t.Fatal(err)
		}
		if s := x.Shape(); s[0] != len(texts) || len(want.Shape) == 2 && s[1] != want.Shape[1] || len(x.Data()) != want.Len() {
			t.Fatalf("shape %v, want %v", s, want.Shape)
		}
		for i, id := range x.Data() {
			if want.Int64[i] != int64(id) {
				t.Fatalf("%v, want %v", x.Data(), want.Int64)
			}
		}
		return
	}
	x, err := v.Sparse(t.Context(), texts)
	if err != nil {
		t.Fatal(err)
	}
	if s := x.Shape(); !slices.Equal(s, want.Shape) {
		t.Fatalf("shape %v, want %v", s, want.Shape)
	}
	for i := range texts {
		row := make([]float32, want.Shape[1])
		columns, values := x.Row(i)
		for k, column := range columns {
			row[column] = 1
			if values != nil {
				row[column] = values[k]
			}
		}
		for j, got := range row {
			if spec.OutputMode == text.OutputTFIDF {
				if w := want.Float32[i*len(row)+j]; !near(float64(w), got) {
					t.Errorf("row %d, column %d: %v, want %v", i, j, got, w)
				}
			} else if w := want.Int64[i*len(row)+j]; float32(w) != got {
				t.Errorf("row %d, column %d: %v, want %d", i, j, got, w)
			}
		}
	}
}

// near allows for the rounding of float32.
func near(want float64, got float32) bool {
	return math.Abs(want-float64(got)) <= 1e-6*max(1, math.Abs(want))
}

// What becomes of bytes, UTF-8 or not, is what TensorFlow makes of them.
func TestBytesAsTensorFlow(t *testing.T) {
	c := golden.Open(t, "text_edges").Case("bytes")
	decode := func(s string) string {
		b, err := base64.StdEncoding.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	lower, strip := c.Texts("expected", "lower"), c.Texts("expected", "strip_punctuation")
	splits := map[text.Splitting][]golden.Value{
		text.SplitWhitespace: c.List("expected", "whitespace"), text.SplitCharacters: c.List("expected", "character"),
	}
	for i, coded := range c.Texts("base64") {
		s := decode(coded)
		if got, want := text.Lower.Apply(s), decode(lower[i]); got != want {
			t.Errorf("%q in lower case: %q, want %q", s, got, want)
		}
		if got, want := text.StripPunctuation.Apply(s), decode(strip[i]); got != want {
			t.Errorf("%q without punctuation: %q, want %q", s, got, want)
		}
		for split, tokens := range splits {
			var want []string
			for _, w := range tokens[i].Texts() {
				want = append(want, decode(w))
			}
			if got := split.Append(nil, s); !slices.Equal(got, want) {
				t.Errorf("%q split by %v: %q, want %q", s, split, got, want)
			}
		}
	}
}

// What tf.strings says of each ASCII character, of letters beyond, and of what looks like white space.
func TestCharactersAsTensorFlow(t *testing.T) {
	topic := golden.Open(t, "text")
	var removed []byte
	for b := byte(1); b < 128; b++ {
		if text.StripPunctuation.Apply(string(rune(b))) == "" {
			removed = append(removed, b)
		}
	}
	if want := topic.Case("stripped_ascii").Text("expected", "removed_ascii"); string(removed) != want {
		t.Errorf("%q are punctuation, want %q", removed, want)
	}
	c := topic.Case("lower_chars")
	for i, s := range c.Texts("inputs") {
		if got, want := text.Lower.Apply(s), c.Text("expected", "lower", i); got != want {
			t.Errorf("%q in lower case: %q, want %q", s, got, want)
		}
	}
	c = topic.Case("whitespace_chars")
	for i, r := range c.Ints("codepoints") {
		s := "a" + string(rune(r)) + "b"
		if got := len(text.SplitWhitespace.Append(nil, s)) == 2; got != c.Bool("expected", "splits", i) {
			t.Errorf("%q is split: %t", s, got)
		}
	}
}

func TestStandardizationApply(t *testing.T) {
	const s = "It's GREAT,\tisn't it?<br />É\n"
	for z, want := range map[text.Standardization]string{
		text.LowerAndStripPunctuation: "its great\tisnt itbr É\n",
		text.Lower:                    "it's great,\tisn't it?<br />É\n",
		text.StripPunctuation:         "Its GREAT\tisnt itbr É\n",
		text.NoStandardization:        s,
		text.LowerAndSpacePunctuation: "it's great  isn't it  br   É ",
		text.Standardization(99):      s,
	} {
		if got := z.Apply(s); got != want {
			t.Errorf("%v: %q, want %q", z, got, want)
		}
		if got := z.Append([]byte("x"), s); string(got) != "x"+want {
			t.Errorf("%v appended: %q", z, got)
		}
	}
}

// reference is the plain definition: whole texts, one step after the other.
func reference(spec text.Vectorizer, words *text.Vocabulary, s string) []int32 {
	if spec.StandardizeFunc != nil {
		s = spec.StandardizeFunc(s)
	} else {
		s = spec.Standardize.Apply(s)
	}
	var tokens []string
	if spec.SplitFunc != nil {
		tokens = spec.SplitFunc(s)
	} else {
		tokens = spec.Split.Append(nil, s)
	}
	sizes := spec.NGramSizes
	for n := 1; n <= max(spec.NGrams, 1) && spec.NGramSizes == nil; n++ {
		sizes = append(sizes, n)
	}
	var ids []int32
	for _, n := range sizes {
		for i := 0; i+n <= len(tokens); i++ {
			token := strings.Join(tokens[i:i+n], " ")
			id, ok := words.ID(token)
			first := int32(1)
			if spec.OutputMode == text.OutputInt {
				first = 2
			}
			switch {
			case ok:
				ids = append(ids, id+first)
			case token != "":
				ids = append(ids, first-1)
			case spec.OutputMode == text.OutputInt:
				ids = append(ids, 0)
			}
		}
	}
	if spec.OutputSequenceLength > 0 {
		ids = ids[:min(len(ids), spec.OutputSequenceLength)]
	}
	return ids
}

// specs are combinations of all settings that have a say in the tokens.
func specs() []text.Vectorizer {
	var all []text.Vectorizer
	for z := text.LowerAndStripPunctuation; z <= text.LowerAndSpacePunctuation; z++ {
		for p := text.SplitWhitespace; p <= text.SplitSpaces; p++ {
			all = append(all, text.Vectorizer{Standardize: z, Split: p}, text.Vectorizer{Standardize: z, Split: p, NGrams: 3},
				text.Vectorizer{Standardize: z, Split: p, OutputMode: text.OutputCount, NGramSizes: []int{2, 1}})
		}
	}
	all = append(all, text.Vectorizer{OutputSequenceLength: 3}, text.Vectorizer{OutputSequenceLength: 3, NGrams: 2},
		text.Vectorizer{StandardizeFunc: strings.ToUpper}, text.Vectorizer{SplitFunc: func(s string) []string { return strings.Split(s, "a") }},
		text.Vectorizer{StandardizeFunc: strings.ToUpper, NGrams: 2, SplitFunc: strings.Fields, OutputMode: text.OutputMultiHot})
	return all
}

func FuzzVectorization(f *testing.F) {
	for _, s := range []string{"", "The cat, the CAT.", "it's e-mail", " - -- a-b ", "a\xffb \xe4\xb8!\xad 中文", "a\u00a0b\x0bc\x1cd",
		strings.Repeat("Ab", 40) + " x", "...", "x y z x y", "<br /><br />"} {
		f.Add(s, "the cat x y a b its "+strings.Repeat("ab", 40))
	}
	f.Fuzz(func(t *testing.T, s, corpus string) {
		if len(s)+len(corpus) > 1<<12 {
			return
		}
		for _, spec := range specs() {
			v, err := spec.Adapt(t.Context(), []string{corpus, s[len(s)/2:]})
			if err != nil {
				continue
			}
			if got, want := appendIDs(v, nil, s), reference(spec, v.Words(), s); !slices.Equal(got, want) {
				t.Fatalf("%+v: %q with %q:\n%v, want\n%v", spec, s, v.Vocabulary(), got, want)
			}
		}
	})
}

// A vocabulary is the counts' order, whichever goroutine counted what, and with any number of them.
func TestAdaptWithAnyNumberOfCores(t *testing.T) {
	var texts []string
	for i := range 20_000 {
		texts = append(texts, fmt.Sprintf("w%d w%d common W%d-%d", i%977, i*i%50_021, i%31, i))
	}
	counts, documents := map[string]int{}, map[string]int{}
	for _, s := range texts {
		seen := map[string]bool{}
		for _, w := range strings.Fields(text.LowerAndStripPunctuation.Apply(s)) {
			counts[w]++
			if !seen[w] {
				documents[w]++
			}
			seen[w] = true
		}
	}
	var want []string
	for w := range counts {
		want = append(want, w)
	}
	slices.SortFunc(want, func(a, b string) int {
		if counts[a] != counts[b] {
			return counts[b] - counts[a]
		}
		return strings.Compare(b, a)
	})
	if len(want) < 1<<15 {
		t.Fatalf("only %d words: a goroutine's own counts are never added to the others'", len(want))
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, cores := range []int{1, 7} {
		runtime.GOMAXPROCS(cores)
		v, err := text.Vectorizer{OutputMode: text.OutputTFIDF}.Adapt(t.Context(), texts)
		if err != nil {
			t.Fatal(err)
		}
		if got := v.Vocabulary()[1:]; !slices.Equal(got, want) {
			t.Fatalf("%d cores: %d words, want %d: %.5q…, want %.5q…", cores, len(got), len(want), got, want)
		}
		for i, w := range v.IDFWeights()[1:] {
			if exact := math.Log(1 + float64(len(texts))/float64(1+documents[want[i]])); w != float32(exact) {
				t.Fatalf("%d cores: weight of %q is %v, want %v", cores, want[i], w, exact)
			}
		}
		for _, limit := range []int{2, 1000, len(want), len(want) + 2} {
			v, err := text.Vectorizer{OutputMode: text.OutputCount, MaxTokens: limit}.Adapt(t.Context(), texts)
			if err != nil {
				t.Fatal(err)
			}
			if got := v.Vocabulary()[1:]; !slices.Equal(got, want[:min(limit-1, len(want))]) {
				t.Fatalf("%d cores, MaxTokens %d: %d words", cores, limit, len(got))
			}
		}
	}
}

// All ways to vectorize texts agree with AppendIDs, row by row, with any number of cores.
func TestVectorizationInBulk(t *testing.T) {
	var texts []string
	for i := range 9000 {
		texts = append(texts, strings.Repeat(fmt.Sprintf("w%d, W%d ", i%7, i%501), i%23))
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, cores := range []int{1, 3} {
		runtime.GOMAXPROCS(cores)
		for _, n := range []int{0, 9000} {
			texts := texts[:n]
			v, err := text.Vectorizer{NGrams: 2, MaxTokens: 300}.Adapt(t.Context(), texts[:min(n, 5000):n])
			if n == 0 {
				v, err = text.Vectorizer{}.WithVocabulary(context.Background(), []string{"a"}, nil)
			}
			if err != nil {
				t.Fatal(err)
			}
			sequences, err := v.Sequences(t.Context(), texts)
			if err != nil {
				t.Fatal(err)
			}
			x, err := v.Padded(t.Context(), texts)
			if err != nil {
				t.Fatal(err)
			}
			spec := v.Vectorizer()
			spec.OutputMode, spec.MaxTokens = text.OutputCount, 0
			columns, err := spec.WithVocabulary(context.Background(), v.Vocabulary()[2:], nil)
			if err != nil {
				t.Fatal(err)
			}
			counts, err := columns.Sparse(t.Context(), texts)
			if err != nil {
				t.Fatal(err)
			}
			if len(sequences) != n || x.Len() != n || counts.Len() != n {
				t.Fatalf("%d, %d and %d rows of %d texts", len(sequences), x.Len(), counts.Len(), n)
			}
			for i, s := range texts {
				want := appendIDs(v, nil, s)
				if !slices.Equal(sequences[i], want) {
					t.Fatalf("text %d: sequence %v, want %v", i, sequences[i], want)
				}
				if row := x.Row(i); !slices.Equal(row[:len(want)], want) || slices.ContainsFunc(row[len(want):], func(id int32) bool { return id != 0 }) {
					t.Fatalf("text %d: row %v, want %v", i, row, want)
				}
				times := map[int32]float32{}
				for _, id := range want {
					times[id-1]++
				}
				ids, values := counts.Row(i)
				if len(ids) != len(times) {
					t.Fatalf("text %d: columns %v, want %v", i, ids, times)
				}
				for k, id := range ids {
					if values[k] != times[id] {
						t.Fatalf("text %d: column %d has %v, want %v", i, id, values[k], times[id])
					}
				}
			}
		}
	}
}

// A method for another mode is an error, not a result that means something else.
func TestVectorizationModes(t *testing.T) {
	words := []string{"a", "b"}
	for mode := text.OutputInt; mode <= text.OutputTFIDF; mode++ {
		var weights []float32
		if mode == text.OutputTFIDF {
			weights = []float32{1, 3}
		}
		v, err := text.Vectorizer{OutputMode: mode}.WithVocabulary(context.Background(), words, weights)
		if err != nil {
			t.Fatal(err)
		}
		_, padded := v.Padded(t.Context(), words)
		_, sequences := v.Sequences(t.Context(), words)
		_, sparse := v.Sparse(t.Context(), words)
		isInt := mode == text.OutputInt
		if (padded == nil) != isInt || (sequences == nil) != isInt || (sparse == nil) == isInt {
			t.Errorf("%v: %v, %v, %v", mode, padded, sequences, sparse)
		}
		again, err := v.Vectorizer().WithVocabulary(context.Background(), v.Vocabulary(), v.IDFWeights())
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(again.Vocabulary(), v.Vocabulary()) || !slices.Equal(again.IDFWeights(), v.IDFWeights()) {
			t.Errorf("%v: made again from %q, %v: %q, %v", mode, v.Vocabulary(), v.IDFWeights(), again.Vocabulary(), again.IDFWeights())
		}
		if _, ok := v.Word(int32(v.Size())); ok {
			t.Errorf("%v: there is a word behind the last", mode)
		}
		if _, ok := v.Word(-1); ok {
			t.Errorf("%v: there is a word before the first", mode)
		}
	}
}

func TestVectorizerErrors(t *testing.T) {
	texts, words := []string{"a b"}, []string{"a", "b"}
	upper := strings.ToUpper
	nan := float32(math.NaN())
	for _, c := range []struct {
		spec    text.Vectorizer
		words   []string
		weights []float32
		want    string
	}{
		{text.Vectorizer{MaxTokens: -3}, words, nil, "MaxTokens -3 leaves no room"},
		{text.Vectorizer{MaxTokens: 2}, words, nil, "with output int 3 is the least"},
		{text.Vectorizer{MaxTokens: 3}, words, nil, "a vocabulary of 4, special tokens included, is more than MaxTokens 3"},
		{text.Vectorizer{Standardize: 9}, words, nil, "Standardization(9) is unknown"},
		{text.Vectorizer{Standardize: text.Lower, StandardizeFunc: upper}, words, nil, "one of them must go"},
		{text.Vectorizer{Split: 9}, words, nil, "Splitting(9) is unknown"},
		{text.Vectorizer{Split: text.NoSplit, SplitFunc: strings.Fields}, words, nil, "one of them must go"},
		{text.Vectorizer{NGrams: -1}, words, nil, "NGrams -1 is negative"},
		{text.Vectorizer{NGrams: 2, NGramSizes: []int{2}}, words, nil, "one of them must go"},
		{text.Vectorizer{NGramSizes: []int{}}, words, nil, "no token would be left"},
		{text.Vectorizer{NGramSizes: []int{1, 0}}, words, nil, "NGramSizes[1] is 0"},
		{text.Vectorizer{OutputMode: 9}, words, nil, "OutputMode(9) is unknown"},
		{text.Vectorizer{OutputSequenceLength: -1}, words, nil, "OutputSequenceLength -1 is negative"},
		{text.Vectorizer{OutputSequenceLength: 1, OutputMode: text.OutputCount}, words, nil, "is for output int, not count"},
		{text.Vectorizer{PadToMaxTokens: true, OutputMode: text.OutputCount}, words, nil, "PadToMaxTokens without MaxTokens"},
		{text.Vectorizer{}, nil, nil, "has no words"},
		{text.Vectorizer{}, []string{"", "[UNK]"}, nil, "has no words"},
		{text.Vectorizer{}, []string{"", "[UNK]", "a", ""}, nil, "word 3 of the vocabulary is empty"},
		{text.Vectorizer{}, []string{"", "[UNK]", "a", "b", "a"}, nil, "words 2 and 4 of the vocabulary are both \"a\""},
		{text.Vectorizer{}, words, []float32{1, 2}, "2 weights of words with output int"},
		{text.Vectorizer{OutputMode: text.OutputTFIDF}, words, nil, "0 weights of words with output tf_idf"},
		{text.Vectorizer{OutputMode: text.OutputTFIDF}, words, []float32{1}, "1 weights for 2 words"},
		{text.Vectorizer{OutputMode: text.OutputTFIDF}, words, []float32{1, nan}, "the weight of word 1, \"b\", is NaN"},
	} {
		_, err := c.spec.WithVocabulary(context.Background(), c.words, c.weights)
		if err == nil || !strings.HasPrefix(err.Error(), "text: ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v with %q, %v: %v, want …%s…", c.spec, c.words, c.weights, err, c.want)
		}
		if check := c.spec.Check(); check != nil {
			if _, adapt := c.spec.Adapt(t.Context(), texts); adapt == nil || adapt.Error() != check.Error() || err.Error() != check.Error() {
				t.Errorf("Check: %v, Adapt: %v", check, adapt)
			}
		}
	}
	_, err := (text.Vectorizer{NGramSizes: []int{4, 3}}).Adapt(t.Context(), []string{"good film", "bad"})
	if want := "text: nothing to adapt to: none of 2 texts has the 3 tokens of the shortest n-gram, NGramSizes [4 3]"; err == nil || err.Error() != want {
		t.Errorf("error %v\nwant  %s", err, want)
	}
	if _, err := (text.Vectorizer{}).Adapt(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "nothing to adapt to") {
		t.Errorf("no texts: %v", err)
	}

	ended, end := context.WithCancelCause(t.Context())
	why := errors.New("enough")
	end(why)
	v, err := text.Vectorizer{}.WithVocabulary(context.Background(), words, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, adapt := text.Vectorizer{}.Adapt(ended, texts)
	_, sequences := v.Sequences(ended, texts)
	_, padded := v.Padded(ended, texts)
	for _, err := range []error{adapt, sequences, padded} {
		if !errors.Is(err, why) {
			t.Errorf("after the end of the context: %v", err)
		}
	}
}

// The caller's slices are not the vectorization's.
func TestVectorizationIsImmutable(t *testing.T) {
	sizes, words := []int{1}, []string{"a", "b"}
	v, err := text.Vectorizer{NGramSizes: sizes}.WithVocabulary(context.Background(), words, nil)
	if err != nil {
		t.Fatal(err)
	}
	sizes[0], words[0] = 2, "b"
	v.Vectorizer().NGramSizes[0] = 3
	v.Vocabulary()[2] = "z"
	if got := appendIDs(v, nil, "a b c"); !slices.Equal(got, []int32{2, 3, 1}) {
		t.Errorf("got %v", got)
	}
}

func TestAppendIDsAllocates(t *testing.T) {
	s := strings.Repeat("The cat, the dog; don't É 中文 "+strings.Repeat("Long", 100)+" ", 20)
	for _, spec := range []text.Vectorizer{{}, {Standardize: text.NoStandardization}, {Split: text.SplitCharacters}, {NGrams: 3}, {Split: text.NoSplit},
		{OutputMode: text.OutputTFIDF}, {OutputSequenceLength: 5}} {
		v, err := spec.Adapt(t.Context(), []string{"the cat the dog dont", "cat"})
		if err != nil {
			t.Fatal(err)
		}
		ids := appendIDs(v, nil, s)
		if n := testing.AllocsPerRun(20, func() { ids, _ = v.AppendIDs(context.Background(), ids[:0], s) }); n != 0 {
			t.Errorf("%+v: %v allocations", spec, n)
		}
	}
}

// The real reviews give what Keras 3.15.1 on TensorFlow 2.20 makes of them: the hashes are of its vocabularies, a token
// a line, and of its outputs.
func TestVectorizerOnReviewsAsKeras(t *testing.T) {
	texts, size := realTexts(t, 500)
	if size != 620_318 {
		t.Fatalf("%d bytes of texts", size)
	}
	for _, c := range []struct {
		spec               text.Vectorizer
		shape              []int
		vocabulary, output string
	}{
		{text.Vectorizer{MaxTokens: 10_000, OutputSequenceLength: 250}, []int{500, 250},
			"030f3d2fab444fe97c0f3627be59c8645cea331ea1f9494db400a049b9e3aa81", "d9c3db2878fc885b6c871ff7ccf5068d15df1edbfcffd8f33220a2a306414ecd"},
		{text.Vectorizer{Split: text.SplitCharacters}, []int{500, 5547},
			"65784d1c24fa76be4e688b939737678cedd10c464d0b362c32bf8cf527270d2a", "9ab17282b146e0f8c6d22475b4d2d6002270a390eee0b3cbf63472702cc9da20"},
	} {
		v, err := c.spec.Adapt(t.Context(), texts)
		if err != nil {
			t.Fatal(err)
		}
		x, err := v.Padded(t.Context(), texts)
		if err != nil {
			t.Fatal(err)
		}
		var ids []byte
		for _, id := range x.Data() {
			ids = binary.LittleEndian.AppendUint32(ids, uint32(id))
		}
		vocabulary, output := sha256.Sum256([]byte(strings.Join(v.Vocabulary(), "\n"))), sha256.Sum256(ids)
		if hex.EncodeToString(vocabulary[:]) != c.vocabulary || hex.EncodeToString(output[:]) != c.output || !slices.Equal(x.Shape(), c.shape) {
			t.Errorf("%+v: vocabulary %x, output %v %x", c.spec, vocabulary, x.Shape(), output)
		}
	}

	v, err := text.Vectorizer{NGrams: 2, MaxTokens: 20_000, OutputMode: text.OutputTFIDF}.Adapt(t.Context(), texts)
	if err != nil {
		t.Fatal(err)
	}
	x, err := v.Sparse(t.Context(), texts)
	if err != nil {
		t.Fatal(err)
	}
	sum, row, hash := 0.0, make([]byte, v.Width()), sha256.New()
	for i := range texts {
		clear(row)
		columns, values := x.Row(i)
		for k, c := range columns {
			row[c] = 1
			sum += float64(values[k])
		}
		hash.Write(row)
	}
	vocabulary := sha256.Sum256([]byte(strings.Join(v.Vocabulary(), "\n")))
	if got := hex.EncodeToString(vocabulary[:]); got != "4bbb61c076a70e47c7b70fe86bf1e4a13a92f5c0a17e25f67a2809418c7c68fa" {
		t.Errorf("vocabulary of n-grams: %s", got)
	}
	if got := hex.EncodeToString(hash.Sum(nil)); got != "4116e94c369867c253d440bba5310a3eeb038792d5e9996c5f2fa9553ccfad5a" {
		t.Errorf("columns: %s", got)
	}
	if w := v.IDFWeights()[0]; !near(4.817014217376709, w) || math.Abs(sum/719494.7954995632-1) > 1e-6 {
		t.Errorf("weight of unknown tokens %v, sum of all values %v", w, sum)
	}
}
