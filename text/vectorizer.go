package text

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
)

// Vectorizer says how texts become ids of tokens, or rows with a column for each token: Keras's TextVectorization before
// it has a vocabulary. It is plain data; the zero value has Keras's defaults: ids of lower-cased words without
// punctuation. [Vectorizer.Adapt] learns the vocabulary from texts, [Vectorizer.WithVocabulary] takes a given one, and
// what they return does the work.
//
// Texts are bytes, as for TensorFlow: see [Standardization] and [Splitting] for what that means beyond ASCII.
type Vectorizer struct {
	// MaxTokens bounds the vocabulary with its special tokens: with OutputInt there are at most MaxTokens-2 words, in other
	// modes MaxTokens-1. 0, the default, sets no bound; 1 is an error.
	MaxTokens int

	// Unicode lower-cases letters beyond ASCII and composes characters, before Standardize. The default is to do neither.
	Unicode Unicode
	// Standardize is done to each text first. The default is LowerAndStripPunctuation.
	Standardize Standardization
	// StandardizeFunc is called with each text in place of Standardize and Unicode, which must then be the defaults. Several
	// goroutines call it at once.
	StandardizeFunc func(text string) string

	// Split makes tokens of a standardised text. The default is SplitWhitespace.
	Split Splitting
	// SplitFunc is called with each standardised text in place of Split, which must then be the default; [strings.Fields] is
	// one. Several goroutines call it at once. Empty tokens are id 0 with OutputInt and dropped in the other modes.
	SplitFunc func(text string) []string

	// NGrams makes tokens of all runs of 1 to NGrams tokens of a text, joined by a space: first all single tokens, then all
	// runs of two, and so on. 0, the default, is the same as 1: none but the single tokens.
	NGrams int
	// NGramSizes makes tokens of the runs of exactly these numbers of tokens, in this order (Keras's ngrams as a tuple). Not
	// together with NGrams.
	NGramSizes []int

	// OutputMode is what becomes of a text. The default is OutputInt.
	OutputMode OutputMode
	// OutputSequenceLength cuts off the ids of a text after that many, and in [Vectorization.Padded] is the length of the
	// rows. 0, the default, cuts nothing: the rows are then as long as the longest text's (Keras's None). Only with
	// OutputInt.
	OutputSequenceLength int
	// PadToMaxTokens makes rows of MaxTokens columns, however many words there are. Not with OutputInt.
	PadToMaxTokens bool
}

// OutputMode is what a [Vectorizer] makes of a text (TextVectorization's output_mode).
type OutputMode uint8

const (
	// OutputInt makes the ids of the tokens: 0 is padding (and the empty token), 1 is every token outside the vocabulary,
	// and the words follow. It is the default.
	OutputInt OutputMode = iota
	// OutputMultiHot makes a row with 1 in the column of each token that occurs. Column 0 is every token outside the
	// vocabulary; the words follow. There is none for the empty token.
	OutputMultiHot
	// OutputCount makes the same row with the number of times that the token occurs.
	OutputCount
	// OutputTFIDF makes the same row with that number times the token's weight: see [Vectorization.IDFWeights].
	OutputTFIDF
)

// String is Keras's name: "int", "multi_hot", "count" or "tf_idf".
func (m OutputMode) String() string {
	switch m {
	case OutputInt:
		return "int"
	case OutputMultiHot:
		return "multi_hot"
	case OutputCount:
		return "count"
	case OutputTFIDF:
		return "tf_idf"
	}
	return fmt.Sprintf("OutputMode(%d)", uint8(m))
}

// unknown is the name of the tokens outside a vocabulary.
const (
	unknown        = "[UNK]"
	longestSpecial = len(unknown)
)

// special are the tokens before the first word of a vocabulary.
func (m OutputMode) special() []string {
	if m == OutputInt {
		return []string{"", unknown}
	}
	return []string{unknown}
}

// Check returns an error if a field is out of range or does not go with another: what Adapt and WithVocabulary would
// return.
func (v Vectorizer) Check() error {
	if v.Standardize > LowerAndSpacePunctuation {
		return fmt.Errorf("text: Vectorizer: %v is unknown", v.Standardize)
	}
	if v.StandardizeFunc != nil && v.Standardize != LowerAndStripPunctuation {
		return fmt.Errorf("text: Vectorizer: Standardize %v and a StandardizeFunc: one of them must go", v.Standardize)
	}
	if v.StandardizeFunc != nil && v.Unicode != (Unicode{}) {
		return errors.New("text: Vectorizer: Unicode and a StandardizeFunc: one of them must go; the function may call Unicode.Apply")
	}
	if v.Split > SplitSpaces {
		return fmt.Errorf("text: Vectorizer: %v is unknown", v.Split)
	}
	if v.SplitFunc != nil && v.Split != SplitWhitespace {
		return fmt.Errorf("text: Vectorizer: Split %v and a SplitFunc: one of them must go", v.Split)
	}
	if v.NGrams < 0 {
		return fmt.Errorf("text: Vectorizer: NGrams %d is negative", v.NGrams)
	}
	if v.NGramSizes != nil {
		if v.NGrams != 0 {
			return fmt.Errorf("text: Vectorizer: NGrams %d and NGramSizes %v: one of them must go", v.NGrams, v.NGramSizes)
		}
		if len(v.NGramSizes) == 0 {
			return errors.New("text: Vectorizer: NGramSizes has none: no token would be left")
		}
		for i, n := range v.NGramSizes {
			if n < 1 {
				return fmt.Errorf("text: Vectorizer: NGramSizes[%d] is %d: an n-gram has at least one token", i, n)
			}
		}
	}
	if v.OutputMode > OutputTFIDF {
		return fmt.Errorf("text: Vectorizer: %v is unknown", v.OutputMode)
	}
	if least := len(v.OutputMode.special()) + 1; v.MaxTokens != 0 && v.MaxTokens < least {
		return fmt.Errorf("text: Vectorizer: MaxTokens %d leaves no room for a word: with output %v %d is the least", v.MaxTokens, v.OutputMode, least)
	}
	if v.MaxTokens > math.MaxInt32 {
		return fmt.Errorf("text: Vectorizer: MaxTokens %d is more than ids can number, %d", v.MaxTokens, math.MaxInt32)
	}
	if v.OutputSequenceLength < 0 {
		return fmt.Errorf("text: Vectorizer: OutputSequenceLength %d is negative", v.OutputSequenceLength)
	}
	if v.OutputSequenceLength > 0 && v.OutputMode != OutputInt {
		return fmt.Errorf("text: Vectorizer: OutputSequenceLength is for output int, not %v", v.OutputMode)
	}
	if v.PadToMaxTokens && v.MaxTokens == 0 {
		return errors.New("text: Vectorizer: PadToMaxTokens without MaxTokens")
	}
	if v.PadToMaxTokens && v.OutputMode == OutputInt {
		return errors.New("text: Vectorizer: PadToMaxTokens is for outputs with columns, not for int")
	}
	return nil
}

// Adapt learns the vocabulary from texts, a document each: the most frequent tokens, those that occur equally often in
// descending order of their bytes, up to MaxTokens with the special ones. With OutputTFIDF it learns their weights too,
// log(1 + documents/(1 + documents with the token)) (TextVectorization's adapt).
//
// It works on all cores, GOMAXPROCS of them; the result is the same with any number. Beside the texts it takes memory in
// proportion to the distinct tokens. Texts without any token but "" and "[UNK]" are an error; so is an end of ctx.
func (v Vectorizer) Adapt(ctx context.Context, texts []string) (*Vectorization, error) {
	if ctx == nil {
		return nil, errNilContext
	}
	if err := v.Check(); err != nil {
		return nil, err
	}
	v.NGramSizes = slices.Clone(v.NGramSizes)
	rule, hasher := newTokenRule(&v), newHasher()
	var all sharedTally
	for p := range all {
		all[p].hasher = hasher
		all[p].watch.ctx = ctx
	}
	s := newShares(texts)
	own := make([]struct {
		tally
		joined
	}, s.workers)
	err := s.do(ctx, func(worker, _, from, to int) error {
		w := &own[worker]
		w.hasher = hasher
		w.watch.ctx = ctx
		for i := from; i < to; i++ {
			w.add(rule, &w.joined, texts[i], i)
			if w.len() >= fewGrams {
				all.add(&w.tally, worker)
			}
			if w.watch.err != nil {
				return w.watch.err
			}
		}
		return nil
	})
	stopped := func(err error) error { return fmt.Errorf("text: adapting to %d texts: %w", len(texts), err) }
	if err != nil {
		return nil, stopped(err)
	}
	for worker := range own {
		own[worker].watch.ctx = ctx
		if all.add(&own[worker].tally, worker); own[worker].watch.stop() {
			return nil, stopped(context.Cause(ctx))
		}
	}
	special := v.OutputMode.special()
	limit := -1
	if v.MaxTokens > 0 {
		limit = v.MaxTokens - len(special)
	}
	words, err := all.most(ctx, limit, "", unknown)
	if err != nil {
		return nil, stopped(err)
	}
	if least := rule.leastTokens(); len(words) == 0 && least > 1 {
		return nil, fmt.Errorf("text: nothing to adapt to: none of %d texts has the %d tokens of the shortest n-gram, NGramSizes %v", len(texts), least, v.NGramSizes)
	}
	if len(words) == 0 {
		return nil, fmt.Errorf("text: nothing to adapt to: no token but %q and %q in %d texts", "", unknown, len(texts))
	}
	var b VocabularyBuilder
	for _, w := range words {
		b.Add(all.gram(w))
	}
	vocabulary, err := b.Vocabulary(ctx)
	if err != nil {
		return nil, err
	}
	a := v.with(rule, vocabulary)
	if v.OutputMode == OutputTFIDF {
		a.weights = make([]float32, len(special), len(special)+len(words))
		for _, w := range words {
			a.weights = append(a.weights, inverseDocumentFrequency(int64(len(texts)), all.documents(w)))
		}
		a.weights[0] = averageWeight(a.weights[1:])
	}
	return a, nil
}

// WithVocabulary takes the words of a vocabulary, in the order of their ids (TextVectorization's vocabulary and
// idf_weights, and set_vocabulary). The special tokens may stand before them, "" and "[UNK]" with OutputInt and "[UNK]" in
// the other modes, as [Vectorization.Vocabulary] returns them. No word, an empty word, a word that is there twice, and
// more than MaxTokens with the special ones are errors. "[UNK]" elsewhere is a word like others.
//
// With OutputTFIDF there must be a weight for each word, and for "[UNK]" if that is there; else its weight is the average.
// In the other modes weights must be nil. A NaN or an infinity among them is an error, and so is an end of ctx.
func (v Vectorizer) WithVocabulary(ctx context.Context, words []string, weights []float32) (*Vectorization, error) {
	if err := v.Check(); err != nil {
		return nil, err
	}
	v.NGramSizes = slices.Clone(v.NGramSizes)
	if (weights != nil) != (v.OutputMode == OutputTFIDF) {
		return nil, fmt.Errorf("text: %d weights of words with output %v: tf_idf must have them, the others must not", len(weights), v.OutputMode)
	}
	if weights != nil && len(weights) != len(words) {
		return nil, fmt.Errorf("text: %d weights for %d words", len(weights), len(words))
	}
	for i, w := range weights {
		if math.IsNaN(float64(w)) || math.IsInf(float64(w), 0) {
			return nil, fmt.Errorf("text: the weight of word %d, %q, is %v", i, words[i], w)
		}
	}
	special := v.OutputMode.special()
	before := 0 // special tokens in words
	if len(words) >= len(special) && slices.Equal(words[:len(special)], special) {
		before = len(special)
	}
	if len(words) == before {
		return nil, errors.New("text: the vocabulary has no words")
	}
	if i := slices.Index(words[before:], ""); i >= 0 {
		return nil, fmt.Errorf("text: word %d of the vocabulary is empty; special tokens may only stand before all words: %q", before+i, special)
	}
	if n := len(words) - before + len(special); v.MaxTokens > 0 && n > v.MaxTokens {
		return nil, fmt.Errorf("text: a vocabulary of %d, special tokens included, is more than MaxTokens %d", n, v.MaxTokens)
	}
	vocabulary, err := NewVocabulary(ctx, words[before:])
	if twice := (*DuplicateError)(nil); errors.As(err, &twice) {
		return nil, &DuplicateError{Word: twice.Word, First: before + twice.First, Second: before + twice.Second}
	} else if err != nil {
		return nil, err
	}
	a := v.with(newTokenRule(&v), vocabulary)
	if v.OutputMode == OutputTFIDF {
		if before == 0 {
			a.weights = append(a.weights, averageWeight(weights))
		}
		a.weights = append(a.weights, weights...)
	}
	return a, nil
}

func (v Vectorizer) with(rule *tokenRule, words *Vocabulary) *Vectorization {
	a := &Vectorization{spec: v, rule: rule, words: words, first: int32(len(v.OutputMode.special()))}
	if rule.characters() {
		a.ascii = new([128]int32)
		for c := range a.ascii {
			a.ascii[c] = a.first - 1
			if id, ok := words.ID(string(rune(c))); ok {
				a.ascii[c] = a.first + id
			}
		}
	}
	return a
}
