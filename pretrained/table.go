package pretrained

import (
	"context"
	"errors"
	"fmt"

	"github.com/linnet-ml/linnet/text"
)

// Table describes an embedding whose vectors are kept in a way of the caller's own.
type Table struct {
	// Name is the embedding's name.
	Name string
	// Tokenizer turns a text into ids below Rows. It is required.
	Tokenizer text.Tokenizer
	// Vocabulary has the words of the first rows. It is required, and no longer than Rows.
	Vocabulary *text.Vocabulary
	// Rows and Dim are the table's shape.
	Rows, Dim int
	// Combiner is how the vectors of a text make one. text.CombinerDefault means text.Sqrtn.
	Combiner text.Combiner
	// Read writes the table, row by row, to dst, which has Rows*Dim values. It is required, it must write the same each
	// time, and any number of goroutines may call it at once. It should return the context's error soon after ctx is done.
	Read func(ctx context.Context, dst []float32) error
}

// NewEmbedding makes an embedding of a table. Parts that do not fit each other are an error, and so is, when the table is
// read, a value that is not finite.
func NewEmbedding(t Table) (*Embedding, error) {
	if t.Name == "" || t.Tokenizer == nil || t.Vocabulary == nil || t.Read == nil {
		return nil, errors.New("pretrained: an embedding needs a Name, a Tokenizer, a Vocabulary and Read")
	}
	if t.Combiner == text.CombinerDefault {
		t.Combiner = text.Sqrtn
	}
	return newEmbedding(source{
		name: t.Name, path: t.Name, tokenizer: t.Tokenizer, vocabulary: t.Vocabulary,
		rows: t.Rows, dim: t.Dim, combiner: t.Combiner,
		read: func(ctx context.Context, dst []float32) error {
			if err := t.Read(ctx, dst); err != nil {
				return fmt.Errorf("pretrained: %s: %w", t.Name, err)
			}
			return nil
		},
	})
}
