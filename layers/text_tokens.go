package layers

import (
	"context"
	"errors"
	"fmt"

	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/tensor"
	"github.com/linnet-ml/linnet/text"
)

// TextTokens turns texts, one a row (nn.Texts), into the ids of their tokens, in order, (batch, Length): what an
// [Embedding] reads, with layers after it that look at the order of words. A long text loses its end, a short one is
// filled up with id 0, and a mask says which steps are of the text. It reads an input of the model, and has no parameters
// (Keras's TextVectorization in a model, which makes no mask).
//
// The number of steps is the same for all texts, so that a row's result does not depend on its batch even behind layers
// that know no masks. For an average of all words there is [TextEmbedding], which needs no length.
//
// Texts are tokenised once in each call of Fit, Evaluate and Predict, or before them by Model.Prepare.
type TextTokens struct {
	Name string
	// Words turns a text into ids: a *text.Vectorization adapted to texts, *text.HashedFeatures, or a tokenizer of one's
	// own. It is required. A model that is to be saved needs one that can be, as these two can. The Embedding's Vocabulary
	// is its Size. It needs no MaskZero: it hands this layer's mask on, and to a tokenizer other than a text.Vectorization id
	// 0 may be a word.
	Words text.Tokenizer
	// Length is the number of steps. The default is the OutputSequenceLength of a *text.Vectorization; without one it is
	// required.
	Length int
}

var _ plan.NamedLayer = TextTokens{}

// Kind is "TextTokens".
func (TextTokens) Kind() string { return "TextTokens" }

// LayerName is Name.
func (e TextTokens) LayerName() string { return e.Name }

// Build adds the operation.
func (e TextTokens) Build(b *plan.Builder, in []plan.Symbol) ([]plan.Symbol, error) {
	if err := checkTexts("TextTokens", b, in); err != nil {
		return nil, err
	}
	s, err := e.tokens()
	if err != nil {
		return nil, err
	}
	out, err := b.Add(s.op(), in)
	if err != nil {
		return nil, err
	}
	return out[:1], b.WithMask(out[0], out[1])
}

// tokens checks the fields and makes the operation's settings.
func (e TextTokens) tokens() (textTokens, error) {
	if isNil(e.Words) {
		return textTokens{}, errors.New("TextTokens needs Words")
	}
	length := e.Length
	if v, ok := e.Words.(*text.Vectorization); ok {
		spec := v.Vectorizer()
		if spec.OutputMode != text.OutputInt {
			return textTokens{}, fmt.Errorf("TextTokens needs Words with ids in order, output int, not %v", spec.OutputMode)
		}
		if length == 0 {
			length = spec.OutputSequenceLength
		}
	}
	switch {
	case e.Words.Size() < 1:
		return textTokens{}, fmt.Errorf("TextTokens's Words have %d ids", e.Words.Size())
	case length < 0:
		return textTokens{}, fmt.Errorf("TextTokens cannot have a Length of %d", length)
	case length == 0:
		return textTokens{}, errors.New("TextTokens needs a Length, or Words with an OutputSequenceLength")
	}
	return textTokens{words: e.Words, length: length}, nil
}

// textTokens makes ids of texts.
type textTokens struct {
	words  text.Tokenizer
	length int
}

func (s textTokens) op() plan.Op {
	return plan.Op{Outputs: s.outputs, Forward: s.forward,
		Source: &plan.Source{Prepare: s.prepare, Ready: s.ready, Unprepared: isTexts}}
}

// outputs are the ids and their mask.
func (s textTokens) outputs(in []plan.Signature) ([]plan.Signature, error) {
	steps := plan.Signature{Type: tensor.TypeInt32, Shape: tensor.Shape{in[0].Shape[0], s.length}}
	return []plan.Signature{steps, steps}, nil
}

// tokenRows are tokenised texts: prepared input.
type tokenRows struct {
	rows   [][]int32
	size   int // of the tokenizer
	length int
}

// Len is the number of texts.
func (r *tokenRows) Len() int { return len(r.rows) }

// Shape is (texts, length): what is missing at the end of a row is padding.
func (r *tokenRows) Shape() tensor.Shape { return tensor.Shape{len(r.rows), r.length} }

// Type is TypeInt32.
func (r *tokenRows) Type() tensor.Type { return tensor.TypeInt32 }

// ready reports whether x are tokenised texts.
func (s textTokens) ready(x tensor.Rows) bool {
	_, ok := x.(*tokenRows)
	return ok
}

// prepare tokenises texts.
func (s textTokens) prepare(ctx context.Context, x, _ tensor.Rows) (tensor.Rows, error) {
	switch x := x.(type) {
	case *tokenRows:
		if x.size != s.words.Size() || x.length != s.length {
			return nil, fmt.Errorf("%w: rows of %d of %d ids were prepared for another model: this one has rows of %d of %d", tensor.ErrShape,
				x.length, x.size, s.length, s.words.Size())
		}
		return x, nil
	case *tensor.String:
		rows, err := text.Sequences(ctx, x.Data(), s.words, s.length)
		return &tokenRows{rows: rows, size: s.words.Size(), length: s.length}, err
	}
	return nil, notTexts("TextTokens", plan.Signature{Type: x.Type(), Shape: x.Shape()})
}

func (s textTokens) forward(f *plan.Frame, at plan.Span) {
	data, rows := f.Source(0)
	ids, mask := f.OutIDs(0, at), f.OutIDs(1, at)
	for i, row := range rows[at.Lo:at.Hi] {
		var tokens []int32
		switch x := data.(type) {
		case *tokenRows:
			tokens = x.rows[row]
		case *tensor.String:
			local := f.Local(at.Worker)
			if *local == nil {
				*local = new([]int32)
			}
			buffer := (*local).(*[]int32)
			var err error
			if *buffer, err = s.words.AppendIDs(f.Context(), (*buffer)[:0], x.Data()[row]); err != nil {
				f.Fail(at.Worker, fmt.Errorf("text %d: %w", row, err))
				return
			}
			tokens = *buffer
		}
		from, to := i*s.length, (i+1)*s.length
		n := copy(ids[from:to], tokens)
		clear(ids[from+n : to])
		for k := range mask[from:to] {
			mask[from+k] = 0
			if k < n {
				mask[from+k] = 1
			}
		}
	}
}
