package text_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/linnet-ml/linnet/tensor"
	"github.com/linnet-ml/linnet/text"
)

// A Vectorization that is written down and read makes the same ids and rows.
func TestVectorizationGoesToJSONAndBack(t *testing.T) {
	texts := []string{"Good film, good cast", "a bad film \xff", "the cast [UNK] was bad"}
	for _, spec := range []text.Vectorizer{
		{},
		{Split: text.SplitSpaces, Standardize: text.LowerAndSpacePunctuation, NGramSizes: []int{1, 3}, OutputSequenceLength: 4},
		{Split: text.SplitCharacters, Standardize: text.NoStandardization, MaxTokens: 9},
		{Unicode: text.Unicode{Lower: true, NFC: true}, NGrams: 2},
		{OutputMode: text.OutputTFIDF, NGrams: 2, MaxTokens: 30, PadToMaxTokens: true},
	} {
		v, err := spec.Adapt(t.Context(), texts)
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		assets, err := v.Assets()
		if err != nil {
			t.Fatal(err)
		}
		read := new(text.Vectorization)
		if err := json.Unmarshal(b, read); err != nil {
			t.Fatal(err)
		}
		whole, err := read.WithAssets(t.Context(), assets)
		if err != nil {
			t.Fatal(err)
		}
		back := whole.(*text.Vectorization)
		if !reflect.DeepEqual(back.Vectorizer(), v.Vectorizer()) || !reflect.DeepEqual(back.Vocabulary(), v.Vocabulary()) || !reflect.DeepEqual(back.IDFWeights(), v.IDFWeights()) {
			t.Errorf("%s comes back as %+v, %q, %v", b, back.Vectorizer(), back.Vocabulary(), back.IDFWeights())
		}
		for _, s := range texts {
			if got, want := appendIDs(back, nil, s), appendIDs(v, nil, s); !reflect.DeepEqual(got, want) {
				t.Errorf("%s: %q has ids %v in place of %v", b, s, got, want)
			}
		}
	}
}

func TestVectorizationSpecErrors(t *testing.T) {
	v, err := text.Vectorizer{SplitFunc: strings.Fields}.WithVocabulary(t.Context(), []string{"a"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := json.Marshal(v); err == nil {
		t.Errorf("a Vectorizer with a function is written as %s", b)
	}
	for _, in := range []string{`[]`, `{"MaxTokens":"3"}`, `{"Stemming":true}`, `{"Split":"sentence"}`, `{"MaxTokens":-1}`, `{"OutputMode":"multi_hot","OutputSequenceLength":3}`} {
		if err := new(text.Vectorization).UnmarshalJSON([]byte(in)); err == nil {
			t.Errorf("%s is no error", in)
		}
	}
	tokens, _ := tensor.Of([]string{"", "[UNK]", "a"})
	twice, _ := tensor.Of([]string{"", "[UNK]", "a", "a"})
	plain, _ := tensor.Of([]string{"a", "b"})
	weights, _ := tensor.Of([]float32{1, 2, 3})
	for name, assets := range map[string]map[string]tensor.Rows{
		"none":    nil,
		"nil":     {"tokens": (*tensor.String)(nil)},
		"twice":   {"tokens": twice},
		"plain":   {"tokens": plain},
		"type":    {"tokens": weights},
		"weights": {"tokens": tokens, "weights": weights},
	} {
		if _, err := new(text.Vectorization).WithAssets(t.Context(), assets); err == nil {
			t.Errorf("assets %q are no error", name)
		}
	}
}
