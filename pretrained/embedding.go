package pretrained

import (
	"context"
	"errors"
	"io"
	"math"
	"reflect"

	"github.com/linnet-ml/linnet/internal/budget"
	"github.com/linnet-ml/linnet/internal/shown"
	"github.com/linnet-ml/linnet/tensor"
	"github.com/linnet-ml/linnet/text"
)

// Embedding is a table of vectors, shape (Rows, Dim), with what turns a text into rows of it: one vector per word,
// often with a few more rows behind them for words outside the vocabulary. It holds no open file and not the table
// itself. Any number of goroutines may use it at once.
type Embedding struct {
	source
}

// source is what a reader of a file knows about an embedding.
type source struct {
	name       string           // short, for the user: nnlm-en-dim50
	path       string           // of the file or folder, for errors
	tokenizer  text.Tokenizer   // gives ids below rows
	vocabulary *text.Vocabulary // the words of the first rows; at most rows of them
	rows, dim  int
	combiner   text.Combiner // not CombinerDefault
	skipped    int           // lines

	// read writes the table to dst, which has rows*dim values. What dst holds after an error does not matter. It may
	// leave the search for values that are not finite to ReadTable, which names the row; a reader that can name a line
	// does better to search itself.
	read func(ctx context.Context, dst []float32) error
}

// newEmbedding checks that the parts fit each other. Errors begin with "pretrained: " and name the path.
func newEmbedding(s source) (*Embedding, error) {
	if s.rows <= 0 || s.dim <= 0 {
		return nil, shown.Errorf("pretrained: %s: table of shape (%d, %d) is empty", s.path, s.rows, s.dim)
	}
	if err := budget.Check("table", 4, s.rows, s.dim); err != nil {
		return nil, shown.Errorf("pretrained: %s: %w", s.path, err)
	}
	if s.rows > math.MaxInt32 {
		return nil, shown.Errorf("pretrained: %s: a table of %d rows has more than ids can number, %d", s.path, s.rows, math.MaxInt32)
	}
	if n := s.vocabulary.Len(); n > s.rows {
		return nil, shown.Errorf("pretrained: %s: vocabulary of %d words is larger than the table, which has %d rows", s.path, n, s.rows)
	}
	if v := reflect.ValueOf(s.tokenizer); v.Kind() == reflect.Pointer && v.IsNil() {
		return nil, shown.Errorf("pretrained: %s: the tokenizer is nil", s.path)
	}
	if n := s.tokenizer.Size(); n < 1 {
		return nil, shown.Errorf("pretrained: %s: the tokenizer has %d ids", s.path, n)
	} else if n > s.rows {
		return nil, shown.Errorf("pretrained: %s: words have %d ids, but the table has only %d rows", s.path, n, s.rows)
	}
	switch s.combiner {
	case text.Sqrtn, text.Mean, text.Sum:
	default:
		return nil, shown.Errorf("pretrained: %s: no combiner: name one of sqrtn, mean and sum", s.path)
	}
	return &Embedding{s}, nil
}

// Name is a short name of the embedding, such as nnlm-en-dim50.
func (e *Embedding) Name() string { return e.name }

// Tokenizer turns a text into ids of rows.
func (e *Embedding) Tokenizer() text.Tokenizer { return e.tokenizer }

// Vocabulary holds the words of the first Vocabulary().Len() rows.
func (e *Embedding) Vocabulary() *text.Vocabulary { return e.vocabulary }

// Rows is the number of vectors: at least the length of the vocabulary.
func (e *Embedding) Rows() int { return e.rows }

// Dim is the number of values of a vector.
func (e *Embedding) Dim() int { return e.dim }

// Combiner says how the vectors of a text's tokens make one. It is never text.CombinerDefault.
func (e *Embedding) Combiner() text.Combiner { return e.combiner }

// Skipped is how many malformed lines VectorOptions.SkipMalformed has left out of the table.
func (e *Embedding) Skipped() int { return e.skipped }

// usable refuses an Embedding that nothing has made, and a context that is nil.
func (e *Embedding) usable(ctx context.Context) error {
	switch {
	case ctx == nil:
		return errNilContext
	case e == nil || e.read == nil:
		return errors.New("pretrained: the Embedding is nil or empty: OpenVectors, OpenHub, OpenModule and NewEmbedding make one")
	}
	return nil
}

// VectorsOf returns the vectors of words in the order given, shape (len(words), Dim), and how many of the words the
// embedding has. A word that it does not have gets a row of zeros. The words of a text.Vectorization, as its method
// Vocabulary lists them, give the first values for a layers.Embedding of its ids.
//
// It reads the whole table on the way. A file of vectors that is opened with these words as VectorOptions.Words has no more
// rows than are needed. An end of ctx is an error.
func (e *Embedding) VectorsOf(ctx context.Context, words []string) (vectors *tensor.Float32, found int, err error) {
	if err := e.usable(ctx); err != nil {
		return nil, 0, err
	}
	if vectors, err = tensor.New[float32](len(words), e.dim); err != nil {
		return nil, 0, shown.Errorf("pretrained: %s: vectors of %d words: %w", e.path, len(words), err)
	}
	table := make([]float32, e.rows*e.dim)
	if err := e.ReadTable(ctx, table); err != nil {
		return nil, 0, err
	}
	for i, word := range words {
		if id, ok := e.vocabulary.ID(word); ok {
			copy(vectors.Row(i), table[int(id)*e.dim:(int(id)+1)*e.dim])
			found++
		}
	}
	return vectors, found, nil
}

// ReadTable writes the table, shape (Rows, Dim), row by row to dst, which must have Rows*Dim values. It reads from the
// file each time. A file that has changed since it was opened, a wrong checksum, and a value that is not finite are
// errors, and so is a context that is done before the end; dst then holds nothing of use.
func (e *Embedding) ReadTable(ctx context.Context, dst []float32) error {
	if err := e.usable(ctx); err != nil {
		return err
	}
	if len(dst) != e.rows*e.dim {
		return shown.Errorf("pretrained: %s: a table of shape (%d, %d) does not fit a slice of %d values", e.path, e.rows, e.dim, len(dst))
	}
	if err := e.read(ctx, dst); err != nil {
		return shown.Error(err)
	}
	var bad error
	err := inChunks(ctx, dst, func(from int, values []float32) {
		if i := notFinite(values); i >= 0 && bad == nil {
			i += from
			bad = shown.Errorf("pretrained: %s: row %d, column %d of the table is %v", e.path, i/e.dim, i%e.dim, dst[i])
		}
	})
	if bad != nil {
		return bad
	}
	if err != nil {
		return shown.Errorf("pretrained: %s: %w", e.path, err)
	}
	return nil
}

var errNilContext = errors.New("pretrained: the context is nil")

// inChunks calls f with parts of values and where each begins, until ctx is done.
func inChunks(ctx context.Context, values []float32, f func(from int, part []float32)) error {
	const chunk = 1 << 20
	for from := 0; from < len(values); from += chunk {
		if err := ctx.Err(); err != nil {
			return err
		}
		f(from, values[from:min(from+chunk, len(values))])
	}
	return nil
}

// contextReader stops reading when the context is done.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

// notFinite returns the place of the first value that is NaN or infinite, -1 if there is none.
func notFinite(values []float32) int {
	const exponent = 0x7f800000
	for i, v := range values {
		if math.Float32bits(v)&exponent == exponent {
			return i
		}
	}
	return -1
}
