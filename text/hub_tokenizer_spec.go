package text

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/linnet-ml/linnet/internal/strictjson"
	"github.com/linnet-ml/linnet/tensor"
)

// A HubTokenizer is a spec that can be written down (plan.AssetSpec): its options as JSON, its words as an asset.

// Kind is "HubTokenizer".
func (t *HubTokenizer) Kind() string { return "HubTokenizer" }

// MarshalJSON writes the options.
func (t *HubTokenizer) MarshalJSON() ([]byte, error) {
	if t == nil {
		return []byte("null"), nil
	}
	return json.Marshal(t.options)
}

// UnmarshalJSON reads the options. The tokenizer lacks its words until WithAssets.
func (t *HubTokenizer) UnmarshalJSON(data []byte) error {
	var o HubTokenizerOptions
	if err := strictjson.Unmarshal(context.Background(), data, &o); err != nil {
		return fmt.Errorf("text: a HubTokenizer: %w", err)
	}
	*t = HubTokenizer{options: o}
	return nil
}

// Assets returns the words of the vocabulary, "words", in order.
func (t *HubTokenizer) Assets() (map[string]tensor.Rows, error) {
	if t == nil || t.vocabulary == nil {
		return nil, errors.New("text: a HubTokenizer without a vocabulary")
	}
	words := make([]string, t.vocabulary.Len())
	for i := range words {
		words[i] = t.vocabulary.word(i)
	}
	x, err := tensor.Of(words)
	if err != nil {
		return nil, err
	}
	return map[string]tensor.Rows{"words": x}, nil
}

// WithAssets returns the tokenizer of the options with the words.
func (t *HubTokenizer) WithAssets(ctx context.Context, assets map[string]tensor.Rows) (interface{ Kind() string }, error) {
	words, ok := assets["words"].(*tensor.String)
	if t == nil || !ok || words == nil || len(assets) != 1 {
		return nil, errors.New("text: a HubTokenizer has the asset \"words\", texts, and no other")
	}
	v, err := NewVocabulary(ctx, words.Data())
	if err != nil {
		return nil, err
	}
	return NewHubTokenizer(v, t.options)
}
