package layers

import (
	"context"
	"errors"
	"fmt"

	"github.com/linnet-ml/linnet/internal/budget"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/tensor"
	"github.com/linnet-ml/linnet/text"
)

// errNilContext reports a call without a context.
var errNilContext = errors.New("layers: the context is nil")

// VectorTable is a TextTable in memory: vectors of one's own, or those of another table ([NewVectorTable]), which then can
// be written down with the model's spec. The vectors and what the tokenizer knows are assets beside the JSON.
type VectorTable struct {
	// Words turns a text into rows of the table. To be written down it must be a spec, as *text.HubTokenizer is.
	Words text.Tokenizer
	// By is how the vectors of a text make one.
	By text.Combiner
	// Vectors is (rows, dim).
	Vectors *tensor.Float32 `json:"-"`
}

var (
	_ TextTable      = VectorTable{}
	_ plan.AssetSpec = VectorTable{}
)

// NewVectorTable reads another table into memory.
func NewVectorTable(ctx context.Context, from TextTable) (VectorTable, error) {
	if ctx == nil {
		return VectorTable{}, errNilContext
	}
	if isNil(from) {
		return VectorTable{}, errors.New("layers: NewVectorTable needs a table")
	}
	rows, dim := from.Rows(), from.Dim()
	if rows < 1 || dim < 1 {
		return VectorTable{}, fmt.Errorf("layers: a table of shape (%d, %d) is empty", rows, dim)
	}
	if err := budget.Check("layers: table of vectors", 4, rows, dim); err != nil {
		return VectorTable{}, err
	}
	vectors, err := tensor.New[float32](rows, dim)
	if err != nil {
		return VectorTable{}, err
	}
	if err := from.ReadTable(ctx, vectors.Data()); err != nil {
		return VectorTable{}, err
	}
	return VectorTable{Words: from.Tokenizer(), By: from.Combiner(), Vectors: vectors}, nil
}

// Kind is "VectorTable".
func (VectorTable) Kind() string { return "VectorTable" }

// Tokenizer returns Words.
func (t VectorTable) Tokenizer() text.Tokenizer { return t.Words }

// Rows is the number of vectors.
func (t VectorTable) Rows() int {
	if t.Vectors == nil {
		return 0
	}
	return t.Vectors.Len()
}

// Dim is the length of a vector.
func (t VectorTable) Dim() int {
	if t.Vectors == nil || len(t.Vectors.Shape()) != 2 {
		return 0
	}
	return t.Vectors.Shape()[1]
}

// Combiner returns By.
func (t VectorTable) Combiner() text.Combiner { return t.By }

// ReadTable copies the vectors.
func (t VectorTable) ReadTable(ctx context.Context, dst []float32) error {
	if ctx == nil {
		return errNilContext
	}
	if t.Vectors == nil || len(dst) != len(t.Vectors.Data()) {
		return fmt.Errorf("layers: a table of shape (%d, %d) does not fit a slice of %d values", t.Rows(), t.Dim(), len(dst))
	}
	const chunk = 1 << 20
	for lo := 0; lo < len(dst); lo += chunk {
		if err := ctx.Err(); err != nil {
			return err
		}
		hi := min(lo+chunk, len(dst))
		copy(dst[lo:hi], t.Vectors.Data()[lo:hi])
	}
	return nil
}

// Assets returns the vectors.
func (t VectorTable) Assets() (map[string]tensor.Rows, error) {
	if t.Vectors == nil {
		return nil, errors.New("a VectorTable without Vectors")
	}
	return map[string]tensor.Rows{"vectors": t.Vectors}, nil
}

// WithAssets returns the table with its vectors.
func (t VectorTable) WithAssets(_ context.Context, assets map[string]tensor.Rows) (plan.Spec, error) {
	vectors, ok := assets["vectors"].(*tensor.Float32)
	if !ok || vectors == nil || len(assets) != 1 || len(vectors.Shape()) != 2 {
		return nil, errors.New("a VectorTable has the asset \"vectors\", float32 of two dimensions, and no other")
	}
	t.Vectors = vectors
	return t, nil
}
