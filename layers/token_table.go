package layers

import (
	"context"
	"errors"

	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/text"
)

// TokenTable is the TextTable of a model whose vectors are kept elsewhere: in the file of a saved model they are the weights
// of its TextEmbedding, and the layer's spec has this table. A model is built with it where its weights are given
// (nn.BuildOptions.Storage); without, its Build is an error, since there is nothing to read.
type TokenTable struct {
	// Words turns a text into rows of the table.
	Words text.Tokenizer
	// By is how the vectors of a text make one.
	By text.Combiner
	// Vectors is the number of vectors, Width the length of one.
	Vectors, Width int
}

var (
	_ TextTable = TokenTable{}
	_ plan.Spec = TokenTable{}
)

// Kind is "TokenTable".
func (TokenTable) Kind() string { return "TokenTable" }

// Tokenizer returns Words.
func (t TokenTable) Tokenizer() text.Tokenizer { return t.Words }

// Rows is the number of vectors.
func (t TokenTable) Rows() int { return t.Vectors }

// Dim is the length of a vector.
func (t TokenTable) Dim() int { return t.Width }

// Combiner returns By.
func (t TokenTable) Combiner() text.Combiner { return t.By }

// ReadTable is an error: the vectors are elsewhere.
func (t TokenTable) ReadTable(context.Context, []float32) error {
	return errors.New("a TokenTable has no vectors: they are the weights of the model that it was saved with")
}
