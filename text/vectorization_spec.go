package text

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/linnet-ml/linnet/internal/strictjson"
	"github.com/linnet-ml/linnet/tensor"
)

// A Vectorization is a spec that can be written down (plan.AssetSpec): its Vectorizer as JSON, its tokens and their
// weights as assets.

// vectorizerJSON is a Vectorizer as it is written: what is chosen by a constant has its name.
type vectorizerJSON struct {
	MaxTokens            int     `json:",omitempty"`
	Unicode              Unicode `json:",omitzero"`
	Standardize          string  `json:",omitempty"`
	Split                string  `json:",omitempty"`
	NGrams               int     `json:",omitempty"`
	NGramSizes           []int   `json:",omitempty"`
	OutputMode           string  `json:",omitempty"`
	OutputSequenceLength int     `json:",omitempty"`
	PadToMaxTokens       bool    `json:",omitempty"`
}

// Kind is "TextVectorization".
func (v *Vectorization) Kind() string { return "TextVectorization" }

// MarshalJSON writes the Vectorizer. One with functions cannot be written.
func (v *Vectorization) MarshalJSON() ([]byte, error) {
	if v == nil {
		return []byte("null"), nil
	}
	s := v.spec
	if s.StandardizeFunc != nil || s.SplitFunc != nil {
		return nil, errors.New("text: a Vectorizer with a function cannot be written down")
	}
	return json.Marshal(vectorizerJSON{s.MaxTokens, s.Unicode, nameUnlessDefault(s.Standardize), nameUnlessDefault(s.Split), s.NGrams, s.NGramSizes,
		nameUnlessDefault(s.OutputMode), s.OutputSequenceLength, s.PadToMaxTokens})
}

// UnmarshalJSON reads the Vectorizer. The tokens are missing until WithAssets.
func (v *Vectorization) UnmarshalJSON(data []byte) error {
	var in vectorizerJSON
	if err := strictjson.Unmarshal(context.Background(), data, &in); err != nil {
		return fmt.Errorf("text: a Vectorization: %w", err)
	}
	s := Vectorizer{MaxTokens: in.MaxTokens, Unicode: in.Unicode, NGrams: in.NGrams, NGramSizes: in.NGramSizes,
		OutputSequenceLength: in.OutputSequenceLength, PadToMaxTokens: in.PadToMaxTokens}
	var err error
	if s.Standardize, err = constantNamed(in.Standardize, LowerAndSpacePunctuation); err != nil {
		return err
	}
	if s.Split, err = constantNamed(in.Split, SplitSpaces); err != nil {
		return err
	}
	if s.OutputMode, err = constantNamed(in.OutputMode, OutputTFIDF); err != nil {
		return err
	}
	if err := s.Check(); err != nil {
		return err
	}
	*v = Vectorization{spec: s}
	return nil
}

// Assets returns the token of each id, "tokens", and with OutputTFIDF their "weights".
func (v *Vectorization) Assets() (map[string]tensor.Rows, error) {
	if v == nil || v.words == nil {
		return nil, errors.New("text: a Vectorization without a vocabulary")
	}
	tokens, err := tensor.Of(v.Vocabulary())
	if err != nil {
		return nil, err
	}
	assets := map[string]tensor.Rows{"tokens": tokens}
	if v.weights != nil {
		weights, err := tensor.Of(v.weights)
		if err != nil {
			return nil, err
		}
		assets["weights"] = weights
	}
	return assets, nil
}

// WithAssets returns the Vectorization of the Vectorizer with the tokens and weights.
func (v *Vectorization) WithAssets(ctx context.Context, assets map[string]tensor.Rows) (interface{ Kind() string }, error) {
	if v == nil {
		return nil, errors.New("text: the Vectorization is nil")
	}
	tokens, _ := assets["tokens"].(*tensor.String)
	weights, _ := assets["weights"].(*tensor.Float32)
	special := v.spec.OutputMode.special()
	wanted := 1
	var values []float32
	if v.spec.OutputMode == OutputTFIDF {
		wanted = 2
		if weights != nil {
			values = weights.Data()
		}
	}
	if tokens == nil || len(assets) != wanted || wanted == 2 && weights == nil ||
		len(tokens.Data()) < len(special) || !slices.Equal(tokens.Data()[:len(special)], special) {
		return nil, fmt.Errorf("text: a Vectorization has the assets \"tokens\", texts that begin with %q, with tf_idf float32 \"weights\", and no other", special)
	}
	return v.spec.WithVocabulary(ctx, tokens.Data(), values)
}

// constant is a type of constants with names, the default 0.
type constant interface {
	~uint8
	fmt.Stringer
}

// nameUnlessDefault is the name of a constant, and "" for the default.
func nameUnlessDefault[C constant](c C) string {
	if c == 0 {
		return ""
	}
	return c.String()
}

// constantNamed finds the constant of a name among those up to last.
func constantNamed[C constant](name string, last C) (C, error) {
	if name == "" {
		return 0, nil
	}
	for c := C(0); c <= last; c++ {
		if c.String() == name {
			return c, nil
		}
	}
	return 0, fmt.Errorf("text: there is no %T %q", last, name)
}
