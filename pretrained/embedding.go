package pretrained

import (
	"fmt"
	"math"
	"math/bits"

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

	// read writes the table to dst, which has rows*dim values. What dst holds after an error does not matter. It may
	// leave the search for values that are not finite to ReadTable, which names the row; a reader that can name a line
	// does better to search itself.
	read func(dst []float32) error
}

// newEmbedding checks that the parts fit each other. Errors begin with "pretrained: " and name the path.
func newEmbedding(s source) (*Embedding, error) {
	if s.rows <= 0 || s.dim <= 0 {
		return nil, fmt.Errorf("pretrained: %s: table of shape (%d, %d) is empty", s.path, s.rows, s.dim)
	}
	if hi, lo := bits.Mul64(uint64(s.rows), uint64(s.dim)); hi != 0 || lo > math.MaxInt/4 || s.rows > math.MaxInt32 {
		return nil, fmt.Errorf("pretrained: %s: table of shape (%d, %d) is too large for this machine", s.path, s.rows, s.dim)
	}
	if n := s.vocabulary.Len(); n > s.rows {
		return nil, fmt.Errorf("pretrained: %s: vocabulary of %d words is larger than the table, which has %d rows", s.path, n, s.rows)
	}
	if n := s.tokenizer.Size(); n > s.rows {
		return nil, fmt.Errorf("pretrained: %s: words have %d ids, but the table has only %d rows", s.path, n, s.rows)
	}
	switch s.combiner {
	case text.Sqrtn, text.Mean, text.Sum:
	default:
		return nil, fmt.Errorf("pretrained: %s: no combiner: name one of sqrtn, mean and sum", s.path)
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

// ReadTable writes the table, shape (Rows, Dim), row by row to dst, which must have Rows*Dim values. It reads from the
// file each time. A file that has changed since it was opened, a wrong checksum, and a value that is not finite are
// errors; dst then holds nothing of use.
func (e *Embedding) ReadTable(dst []float32) error {
	if len(dst) != e.rows*e.dim {
		return fmt.Errorf("pretrained: %s: a table of shape (%d, %d) does not fit a slice of %d values", e.path, e.rows, e.dim, len(dst))
	}
	if err := e.read(dst); err != nil {
		return err
	}
	if i := notFinite(dst); i >= 0 {
		return fmt.Errorf("pretrained: %s: row %d, column %d of the table is %v", e.path, i/e.dim, i%e.dim, dst[i])
	}
	return nil
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
