package text

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"unicode/utf8"

	"github.com/linnet-ml/linnet/internal/budget"
	"github.com/linnet-ml/linnet/tensor"
)

// Vectorization turns texts into what models take, by a [Vectorizer] and a vocabulary: Keras's TextVectorization once it
// is adapted. It never changes; any number of goroutines may use it at once. Its bulk methods, Sequences, Padded and
// Sparse, work on all cores, GOMAXPROCS of them, with the same result for any number.
//
// As a [Tokenizer] it gives the ids of a text's tokens, which a table of vectors has rows for.
type Vectorization struct {
	spec    Vectorizer
	rule    *tokenRule
	words   *Vocabulary // without the special tokens
	first   int32       // the id of the first word; the unknown tokens have the one before it
	weights []float32   // OutputTFIDF: of each id
	ascii   *[128]int32 // SplitCharacters without n-grams: the id of each ASCII character

	memory pool[joined] // of AppendIDs, for n-grams and the like
}

var _ Tokenizer = (*Vectorization)(nil)

// Vectorizer is what the texts are treated by.
func (v *Vectorization) Vectorizer() Vectorizer {
	spec := v.spec
	spec.NGramSizes = slices.Clone(spec.NGramSizes)
	return spec
}

// Size is the number of ids, or of columns without padding: the words and the special tokens (vocabulary_size).
func (v *Vectorization) Size() int {
	if v == nil {
		return 0
	}
	return int(v.first) + v.words.Len()
}

// Width is the number of columns of [Vectorization.Sparse]: Size, or MaxTokens with PadToMaxTokens.
func (v *Vectorization) Width() int {
	if v.spec.PadToMaxTokens {
		return v.spec.MaxTokens
	}
	return v.Size()
}

// Words are the words without the special tokens: the id of one is its place there plus 2 with OutputInt, plus 1 in other
// modes (get_vocabulary(include_special_tokens=False)).
func (v *Vectorization) Words() *Vocabulary { return v.words }

// Vocabulary is the token of each id: "" for padding (with OutputInt), "[UNK]" for those outside the vocabulary, then the
// words (get_vocabulary). With it [Vectorizer.WithVocabulary] makes the same again.
func (v *Vectorization) Vocabulary() []string {
	list := slices.Grow(v.spec.OutputMode.special(), v.words.Len())
	for i := range v.words.Len() {
		list = append(list, v.words.word(i))
	}
	return list
}

// Word returns the token of an id: see [Vectorization.Vocabulary].
func (v *Vectorization) Word(id int32) (word string, ok bool) {
	if id >= 0 && id < v.first {
		return v.spec.OutputMode.special()[id], true
	}
	return v.words.Word(id - v.first)
}

// IDFWeights are the weights of the ids with OutputTFIDF, the inverse document frequencies; that of "[UNK]" is their
// average unless it was given. In the other modes there are none. Columns that PadToMaxTokens adds have none either: they
// stay 0.
func (v *Vectorization) IDFWeights() []float32 { return slices.Clone(v.weights) }

// AppendIDs appends the ids of the tokens of s, in order, without padding; not more than OutputSequenceLength, if there is
// one. In modes other than OutputInt they are columns, and empty tokens have none.
//
// Words and characters allocate nothing but what dst lacks, except for a changed word of more than 64 bytes where the
// vocabulary has one as long. N-grams, unsplit texts and the tokens of a SplitFunc need memory, which is used again. User
// functions allocate what they do.
//
// It looks at ctx about every 64 KiB of s, and its error is the context's; a StandardizeFunc or SplitFunc is waited for.
func (v *Vectorization) AppendIDs(ctx context.Context, dst []int32, s string) ([]int32, error) {
	if err := v.ready(ctx); err != nil {
		return dst, err
	}
	w := watch{ctx: ctx}
	var first *joined
	if v.rule.standardize != nil || v.rule.unicode != (Unicode{}) {
		first = v.memory.take()
		s = v.rule.first(&w, first, s)
	}
	switch {
	case v.rule.simple():
		dst = v.appendWords(&w, dst, s)
	case v.ascii != nil:
		dst = v.appendCharacters(&w, dst, s)
	default:
		g := v.memory.take()
		dst = v.appendJoined(&w, dst, s, g)
		v.memory.give(g, g.size())
	}
	if first != nil {
		v.memory.give(first, first.size())
	}
	return dst, w.err
}

// ready returns an error for arguments that nothing can be done with.
func (v *Vectorization) ready(ctx context.Context) error {
	if ctx == nil {
		return errNilContext
	}
	if v == nil || v.rule == nil {
		return errors.New("text: a Vectorization without a vocabulary: Vectorizer.Adapt and WithVocabulary make one")
	}
	return nil
}

// limit is how many ids a text has at most.
func (v *Vectorization) limit() int {
	if v.spec.OutputSequenceLength > 0 {
		return v.spec.OutputSequenceLength
	}
	return math.MaxInt
}

// appendWords is AppendIDs for words.
func (v *Vectorization) appendWords(w *watch, dst []int32, s string) []int32 {
	limit := len(dst) + min(v.limit(), math.MaxInt-len(dst))
	for i := 0; i < len(s) && len(dst) < limit; {
		end := v.rule.piece(s, i)
		if end == i {
			var word []byte
			if _, i, word = v.rule.longWord(w, s, i, nil, v.words.longest); len(word) > 0 {
				id, ok := lookUp(v.words, word)
				if !ok {
					id = -1
				}
				dst = append(dst, id+v.first)
			}
		} else {
			dst = v.appendPiece(dst, s[:end], i, limit)
			i = end
		}
		if i < len(s) && w.stop() {
			break
		}
	}
	return dst
}

// appendPiece appends the ids of the words of s from i on, until there are limit ids.
func (v *Vectorization) appendPiece(dst []int32, s string, i, limit int) []int32 {
	var memory [64]byte
	buf := memory[:0]
	for len(dst) < limit {
		var from, to int
		from, to, buf = v.rule.word(s, i, buf, v.words.longest)
		if from == to {
			break
		}
		i = to
		id, ok := int32(0), false
		if len(buf) > 0 {
			id, ok = lookUp(v.words, buf)
		} else {
			id, ok = v.words.ID(s[from:to])
		}
		if !ok {
			id = -1
		}
		dst = append(dst, id+v.first)
	}
	return dst
}

// appendCharacters is AppendIDs for characters.
func (v *Vectorization) appendCharacters(w *watch, dst []int32, s string) []int32 {
	limit := len(dst) + min(v.limit(), math.MaxInt-len(dst))
	for i := 0; i < len(s) && len(dst) < limit && w.err == nil; {
		if i > 0 && w.stop() {
			break
		}
		dst, i = v.appendSomeCharacters(w, dst, s, i, limit)
	}
	return dst
}

// appendSomeCharacters appends the ids of the characters that begin within watchBytes from i on, until there are limit
// ids, and returns where the next one begins.
func (v *Vectorization) appendSomeCharacters(w *watch, dst []int32, s string, i, limit int) (ids []int32, next int) {
	classes := &v.rule.classes
	for end := min(len(s), i+watchBytes); i < end && len(dst) < limit; {
		c := classes[s[i]]
		i++
		if c&dropped != 0 {
			continue
		}
		if byte(c) < utf8.RuneSelf {
			dst = append(dst, v.ascii[byte(c)])
			continue
		}
		var id int32
		if id, i = v.character(w, s, i, byte(c)); w.err != nil {
			break
		}
		dst = append(dst, id)
	}
	return dst, i
}

// character returns the id of the character of several bytes that begins with c, and where the next one begins. The
// byte after c is at i.
func (v *Vectorization) character(w *watch, s string, i int, c byte) (id int32, next int) {
	classes := &v.rule.classes
	// What is dropped may have stood inside a character: its bytes are gathered, and where the one after each is.
	var bytes [utf8.UTFMax]byte
	var after [utf8.UTFMax]int
	bytes[0], after[0] = c, i
	n := 1
	for k := i; k < len(s) && n < len(bytes); k++ {
		if k > i && w.at(k) {
			return 0, len(s)
		}
		if c := classes[s[k]]; c&dropped == 0 {
			bytes[n], after[n] = byte(c), k+1
			n++
		}
	}
	n, valid := character(bytes[:n])
	token := bytes[:n]
	if !valid {
		token = append(bytes[:0], replacement...)
	}
	id, ok := lookUp(v.words, token)
	if !ok {
		id = -1
	}
	return id + v.first, after[n-1]
}

// lookUp is [Vocabulary.ID] of bytes.
func lookUp(v *Vocabulary, word []byte) (id int32, ok bool) {
	if len(word) > v.longest {
		return 0, false
	}
	return find(v, hashBytes(v, word), word)
}

// appendJoined is AppendIDs for any tokens, with memory for them.
func (v *Vectorization) appendJoined(w *watch, dst []int32, s string, g *joined) []int32 {
	v.rule.join(w, g, s)
	limit := v.limit()
	spent := 0
	for p, n := (gram{}), 0; n < limit && w.err == nil; {
		token, ok := g.next(v.rule, &p)
		if !ok {
			break
		}
		if spent += len(token) + tokenCost; spent >= spentPerLook {
			spent = 0
			if w.stop() {
				break
			}
		}
		switch id, ok := lookUp(v.words, token); {
		case ok:
			dst = append(dst, id+v.first)
		case len(token) > 0:
			dst = append(dst, v.first-1)
		case v.spec.OutputMode == OutputInt:
			dst = append(dst, 0)
		default:
			continue
		}
		n++
	}
	return dst
}

// Sequences returns the ids of the tokens of each text, without padding: see AppendIDs (TextVectorization with
// ragged=True). An end of ctx is an error.
func (v *Vectorization) Sequences(ctx context.Context, texts []string) ([][]int32, error) {
	if err := v.ready(ctx); err != nil {
		return nil, err
	}
	if err := v.want(OutputInt); err != nil {
		return nil, err
	}
	rows, err := sequences(ctx, texts, v, v.limit())
	if err != nil {
		return nil, fmt.Errorf("text: vectorizing %d texts: %w", len(texts), err)
	}
	return rows, nil
}

// Padded returns the ids of the tokens of each text, (len(texts), OutputSequenceLength), with zeros after those of a
// short text and without the end of a long one. The zeros are not of the text: a model that reads the ids needs an
// Embedding with MaskZero, or else, with layers that know no masks, an OutputSequenceLength; otherwise a text's result
// depends on the longest text beside it. A model that reads texts, with layers.TextEmbedding or layers.TextTokens, needs
// neither. Without an OutputSequenceLength the rows are as long as the longest: with
// NoSplit one id each, (len(texts), 1), as Keras has it for texts (rows, 1). An end of ctx is an error.
func (v *Vectorization) Padded(ctx context.Context, texts []string) (*tensor.Int32, error) {
	if err := v.ready(ctx); err != nil {
		return nil, err
	}
	if err := v.want(OutputInt); err != nil {
		return nil, err
	}
	length := v.spec.OutputSequenceLength
	if length == 0 {
		sequences, err := v.Sequences(ctx, texts)
		if err != nil || len(sequences) == 0 {
			if err == nil {
				return tensor.New[int32](0, 0)
			}
			return nil, err
		}
		return PadSequences(sequences, PadOptions{Padding: Post})
	}
	if err := budget.Check("text: padded sequences", 4, len(texts), length); err != nil {
		return nil, err
	}
	x, err := tensor.New[int32](len(texts), length)
	if err != nil {
		return nil, err
	}
	s := newShares(texts)
	err = s.do(ctx, func(_, _, from, to int) error {
		for i := from; i < to; i++ {
			row := x.Row(i)
			if _, err := v.AppendIDs(ctx, row[:0:length], texts[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("text: vectorizing %d texts: %w", len(texts), err)
	}
	return x, nil
}

// Sparse returns a row for each text with a column for each id, (len(texts), Width): 1, the number of times that the
// token occurs, or that times its weight, by the OutputMode, which must not be OutputInt. With NoSplit, too, each text has a
// row, as Keras has it for texts (rows, 1); for texts (rows) it then makes one row of them all. An end of ctx is an error.
func (v *Vectorization) Sparse(ctx context.Context, texts []string) (*tensor.Sparse, error) {
	if err := v.ready(ctx); err != nil {
		return nil, err
	}
	if v.spec.OutputMode == OutputInt {
		return nil, fmt.Errorf("text: Sparse is for outputs with columns, not for %v", v.spec.OutputMode)
	}
	s := newShares(texts)
	offsets := make([]int, len(texts)+1) // first the number of columns of each row
	type piece struct {
		columns []int32
		values  []float32
	}
	pieces := make([]piece, len(s.ends))
	own := make([]struct {
		ids      []int32
		pairs    []uint64
		distinct distinct
	}, s.workers)
	err := s.do(ctx, func(worker, share, from, to int) error {
		w := &own[worker]
		if w.pairs == nil {
			// About the ids of all shares of a goroutine: that is what counting each id of the vocabulary must pay for.
			w.distinct.expect(v.Size(), len(s.ends)*shareBytes/8/len(own), true)
			w.pairs = []uint64{}
		}
		w.pairs = w.pairs[:0]
		for i := from; i < to; i++ {
			var err error
			if w.ids, err = v.AppendIDs(ctx, w.ids[:0], texts[i]); err != nil {
				return err
			}
			start := len(w.pairs)
			w.pairs, _ = distinctPairs(&w.distinct, w.ids, w.pairs)
			offsets[i+1] = len(w.pairs) - start
		}
		p := piece{columns: make([]int32, len(w.pairs))}
		if v.spec.OutputMode != OutputMultiHot {
			p.values = make([]float32, len(w.pairs))
		}
		for k := range w.pairs {
			column, count := unpack(w.pairs, k)
			p.columns[k] = column
			switch v.spec.OutputMode {
			case OutputCount:
				p.values[k] = float32(count)
			case OutputTFIDF:
				p.values[k] = float32(count) * v.weights[column]
			}
		}
		pieces[share] = p
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("text: vectorizing %d texts: %w", len(texts), err)
	}
	for i := range texts {
		offsets[i+1] += offsets[i]
	}
	columns := make([]int32, 0, offsets[len(texts)])
	var values []float32
	if v.spec.OutputMode != OutputMultiHot {
		values = make([]float32, 0, offsets[len(texts)])
	}
	for i := range pieces {
		columns, values = append(columns, pieces[i].columns...), append(values, pieces[i].values...)
		pieces[i] = piece{}
	}
	return tensor.NewSparse(v.Width(), offsets, columns, values)
}

// want returns an error if the mode is another one.
func (v *Vectorization) want(m OutputMode) error {
	if v.spec.OutputMode != m {
		return fmt.Errorf("text: a sequence of ids is for output %v, not for %v", m, v.spec.OutputMode)
	}
	return nil
}
