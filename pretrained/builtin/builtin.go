package builtin

import (
	_ "embed"
	"fmt"

	"github.com/linnet-ml/linnet/pretrained"
	"github.com/linnet-ml/linnet/pretrained/builtin/internal/packed"
	"github.com/linnet-ml/linnet/text"
)

//go:embed glove.vectors
var file []byte

// Name is the name of the embedding.
const Name = "glove-imdb-50"

// Notice is the text of the file NOTICE: the source of the vectors, the terms, and what was changed.
//
//go:embed NOTICE
var Notice string

// Open returns the embedding. Each call unpacks it anew, which takes some milliseconds, and the embedding keeps 2.6 MB.
// An error means that the program itself was damaged.
func Open() (*pretrained.Embedding, error) {
	t, err := packed.Decode(file)
	if err != nil {
		return nil, fmt.Errorf("builtin: %w", err)
	}
	var words text.VocabularyBuilder
	for _, w := range t.Words {
		words.Add(w)
	}
	vocabulary, err := words.Vocabulary()
	if err != nil {
		return nil, fmt.Errorf("builtin: %w", err)
	}
	tokenizer, err := text.NewHubTokenizer(vocabulary, text.HubTokenizerOptions{Lower: true})
	if err != nil {
		return nil, fmt.Errorf("builtin: %w", err)
	}
	t.Words = nil // the vocabulary has them
	t.Words = nil // the vocabulary has them
	known := len(t.Values)
	return pretrained.NewEmbedding(pretrained.Table{
		Name: Name, Tokenizer: tokenizer, Vocabulary: vocabulary, Rows: tokenizer.Size(), Dim: t.Dim, Combiner: text.Sqrtn,
		Read: func(dst []float32) error {
			t.Floats(dst[:known])
			clear(dst[known:])
			return nil
		},
	})
}
