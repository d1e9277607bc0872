package text_test

import (
	"context"

	"github.com/linnet-ml/linnet/text"
)

// appendIDs is t.AppendIDs of a text for which the tokenizer has no error.
func appendIDs(t text.Tokenizer, dst []int32, s string) []int32 {
	ids, err := t.AppendIDs(context.Background(), dst, s)
	if err != nil {
		panic(err)
	}
	return ids
}

// appendTokens is t.AppendTokens in the same way.
func appendTokens(t *text.HubTokenizer, dst []string, s string) []string {
	tokens, err := t.AppendTokens(context.Background(), dst, s)
	if err != nil {
		panic(err)
	}
	return tokens
}
