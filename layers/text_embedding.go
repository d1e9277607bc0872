package layers

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/tensor"
	"github.com/linnet-ml/linnet/text"
)

// TextTable is where a TextEmbedding takes its vectors from: a table with what turns a text into rows of it. A
// *pretrained.Embedding is one.
type TextTable interface {
	// Tokenizer turns a text into ids below Rows.
	Tokenizer() text.Tokenizer
	// Rows is the number of vectors.
	Rows() int
	// Dim is the length of a vector.
	Dim() int
	// Combiner is how the vectors of a text make one, unless the layer says otherwise.
	Combiner() text.Combiner
	// ReadTable writes the vectors, (Rows, Dim), row-major, to dst, which has Rows*Dim elements. It returns early with the
	// context's error when that is cancelled.
	ReadTable(ctx context.Context, dst []float32) error
}

// TextEmbedding turns texts, one a row (nn.Texts), into vectors (batch, Dim): it looks up the vectors of a text's
// tokens and puts them together. A text without tokens gives 0. It reads an input of the model.
//
// The vectors are the layer's own, with Words and Dim, or those of a Table that somebody else trained. With Words it
// computes what Keras's TextVectorization, Embedding and GlobalAveragePooling1D do for each text alone, without padding: a
// row's result never depends on its batch. With a Table it is TensorFlow Hub's KerasLayer with a text module.
//
// Texts are tokenised once in each call of Fit, Evaluate and Predict, or before them by Model.Prepare or
// text.CountTexts: they also take the text.Bags that these return. The same operation runs with and without
// nn.FitOptions.NoFusion.
//
// Parameters: embeddings (rows, Dim), a row for each id that Words can give, or those of the table, which Build then reads
// straight into the model. While it trains, Fit keeps gradients and an optimizer's slots of a large table only for rows
// that have had a gradient, which changes no bit.
type TextEmbedding struct {
	Name string
	// Words turns a text into ids, each of which has a vector: a *text.Vectorization adapted to texts,
	// *text.HashedFeatures, or a tokenizer of one's own. A model that is to be saved needs one that can be, as these two
	// can. Either Words and Dim or a Table is required.
	Words text.Tokenizer
	// Dim is the length of a vector.
	Dim int
	// Init gives the vectors their first values. The default is RandomUniform: -0.05 to 0.05.
	Init plan.Initializer
	// Table, in place of Words, Dim and Init, has vectors already. A model whose spec is to be written down needs one that
	// can be, such as a [VectorTable]: NewVectorTable makes it of any other.
	Table TextTable
	// Combiner says how the vectors of a text make one. The default is text.Mean, or the table's own.
	Combiner text.Combiner
	// Trainable lets Fit change the vectors of a Table. The default is to leave them as they are, as that of hub.KerasLayer.
	// Vectors without a Table always train; Model.SetTrainable freezes them.
	Trainable bool
	// EmbeddingsRegularizer adds to the loss. The default is to add nothing.
	EmbeddingsRegularizer plan.Regularizer
	// EmbeddingsConstraint changes the vectors after each step. The default is to change nothing.
	EmbeddingsConstraint plan.Constraint
}

var (
	_ plan.NamedLayer   = TextEmbedding{}
	_ plan.WeightedSpec = TextEmbedding{}
)

// Kind is "TextEmbedding".
func (TextEmbedding) Kind() string { return "TextEmbedding" }

// LayerName is Name.
func (e TextEmbedding) LayerName() string { return e.Name }

// WithoutWeights is the layer with a [TokenTable] in place of its table: that of a model whose vectors are written beside it.
// A layer without a Table stays as it is.
func (e TextEmbedding) WithoutWeights() (plan.Spec, error) {
	s, err := e.bag()
	if err != nil || e.Table == nil {
		return e, err
	}
	e.Table = TokenTable{Words: s.tokenizer, By: e.Table.Combiner(), Vectors: s.vocabulary, Width: s.dim}
	return e, nil
}

// Build makes or reads the vectors and adds the operation. A table that cannot be read is an error.
func (e TextEmbedding) Build(b *plan.Builder, in []plan.Symbol) ([]plan.Symbol, error) {
	if err := checkTexts("TextEmbedding", b, in); err != nil {
		return nil, err
	}
	s, err := e.bag()
	if err != nil {
		return nil, err
	}
	o := plan.ParameterOptions{Name: "embeddings", Shape: tensor.Shape{s.vocabulary, s.dim},
		Regularizer: e.EmbeddingsRegularizer, Constraint: e.EmbeddingsConstraint}
	if e.Table != nil {
		o.Load, o.NotTrainable = e.Table.ReadTable, !e.Trainable
	} else {
		o.Init = or(e.Init, RandomUniform{})
	}
	table, err := b.Parameter(o)
	if err != nil {
		return nil, err
	}
	return b.Add(s.op(), in, table)
}

// bag checks the fields and makes the operation's settings.
func (e TextEmbedding) bag() (textBag, error) {
	tokenizer, rows, dim := e.Words, 0, e.Dim
	switch {
	case e.Table != nil && isNil(e.Table):
		return textBag{}, fmt.Errorf("TextEmbedding's Table is a nil %T", e.Table)
	case e.Table == nil && isNil(e.Words):
		return textBag{}, errors.New("TextEmbedding needs Words and Dim, or a Table")
	case e.Table == nil && dim < 1:
		return textBag{}, fmt.Errorf("TextEmbedding needs at least 1 dimension, not %d", dim)
	case e.Table == nil:
		if rows = tokenizer.Size(); rows < 1 {
			return textBag{}, fmt.Errorf("TextEmbedding's Words have %d ids", rows)
		}
		if v, ok := tokenizer.(*text.Vectorization); ok {
			if mode := v.Vectorizer().OutputMode; mode == text.OutputTFIDF || mode == text.OutputMultiHot {
				return textBag{}, fmt.Errorf("TextEmbedding counts every token, each alike, and so has no use for Words with output %v: output int is for it", mode)
			}
		}
	case e.Words != nil || e.Dim != 0 || e.Init != nil:
		return textBag{}, errors.New("TextEmbedding has a Table, which has words, dimensions and values of its own: Words, Dim and Init are for a layer without one")
	default:
		tokenizer, rows, dim = e.Table.Tokenizer(), e.Table.Rows(), e.Table.Dim()
		switch {
		case rows < 1 || dim < 1:
			return textBag{}, fmt.Errorf("TextEmbedding needs a table of at least 1 row and 1 dimension, not (%d, %d)", rows, dim)
		case tokenizer == nil:
			return textBag{}, errors.New("TextEmbedding's Table has no tokenizer")
		case tokenizer.Size() < 1 || tokenizer.Size() > rows:
			return textBag{}, fmt.Errorf("TextEmbedding's tokenizer has %d ids and its table %d rows", tokenizer.Size(), rows)
		}
	}
	by, err := e.divisor()
	return textBag{bag: bag{vocabulary: rows, dim: dim, by: by}, tokenizer: tokenizer}, err
}

// isNil reports whether v is nil or a nil pointer.
func isNil(v any) bool {
	r := reflect.ValueOf(v)
	return v == nil || r.Kind() == reflect.Pointer && r.IsNil()
}

// divisor is what the sum of a text's vectors is divided by.
func (e TextEmbedding) divisor() (divisor, error) {
	c := e.Combiner
	if c == text.CombinerDefault {
		c = text.Mean
		if e.Table != nil {
			c = e.Table.Combiner()
		}
	}
	switch c {
	case text.Sqrtn:
		return byRoot, nil
	case text.Mean:
		return byCount, nil
	case text.Sum:
		return byOne, nil
	case text.CombinerDefault:
		return 0, errors.New("TextEmbedding's Table names no Combiner; set it to text.Sqrtn, text.Mean or text.Sum")
	}
	return 0, fmt.Errorf("TextEmbedding has no Combiner %d; there are text.Sqrtn, text.Mean and text.Sum", c)
}

// checkTexts refuses inputs of a layer other than texts that the model reads.
func checkTexts(layer string, b *plan.Builder, in []plan.Symbol) error {
	texts, err := single(in)
	if err == nil && (texts.Type != tensor.TypeString || len(texts.Shape) != 1 || !b.IsInput(texts)) {
		err = notTexts(layer, texts.Signature)
	}
	return err
}

// isTexts reports whether x are texts: those that are read once are tokenised where they are needed.
func isTexts(x tensor.Rows) bool {
	_, ok := x.(*tensor.String)
	return ok
}

// notTexts reports an input of a layer that reads texts.
func notTexts(layer string, in plan.Signature) error {
	return fmt.Errorf("%w: %s reads texts, one a row (nn.Texts), not %v of shape %v", tensor.ErrShape, layer, in.Type, in.Shape)
}

// textBag is a bag that is made from texts.
type textBag struct {
	bag
	tokenizer text.Tokenizer
}

func (s textBag) op() plan.Op {
	op := s.bag.op()
	op.Form = nil // a tokenizer need not be comparable
	op.Forward = s.forward
	op.Source = &plan.Source{Prepare: s.prepare, Ready: s.ready, Unprepared: isTexts}
	return op
}

// ready reports whether x are bags. Their signature is that of the ids which they stand for.
func (s textBag) ready(x tensor.Rows) bool {
	_, ok := x.(*text.Bags)
	return ok
}

// prepare tokenises texts.
func (s textBag) prepare(ctx context.Context, x, _ tensor.Rows) (tensor.Rows, error) {
	switch x := x.(type) {
	case *text.Bags:
		if x.Vocabulary() != s.tokenizer.Size() {
			return nil, fmt.Errorf("bags of a vocabulary of %d ids do not fit the tokenizer, which has %d", x.Vocabulary(), s.tokenizer.Size())
		}
		return x, nil
	case *tensor.String:
		return text.CountTexts(ctx, x.Data(), s.tokenizer)
	}
	return nil, notTexts("TextEmbedding", plan.Signature{Type: x.Type(), Shape: x.Shape()})
}

func (s textBag) forward(f *plan.Frame, at plan.Span) { s.withBags(f, at, s.fresh, s.means) }

// fresh makes the bags of rows that were not prepared.
func (s textBag) fresh(ctx context.Context, bags *text.Bags, x tensor.Rows, rows []int32) error {
	return bags.MakeTexts(ctx, x.(*tensor.String).Data(), rows, s.tokenizer)
}
