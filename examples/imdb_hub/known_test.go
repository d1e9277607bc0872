package main

import (
	"testing"

	"github.com/linnet-ml/linnet/text"
)

// Words are counted as the tokenizer has them: a line break of HTML is none, and parts others; a mark alone is none.
func TestKnown(t *testing.T) {
	vocabulary, err := text.NewVocabulary(t.Context(), []string{"good", "film", "bad"})
	if err != nil {
		t.Fatal(err)
	}
	tokenizer, err := text.NewHubTokenizer(vocabulary, text.HubTokenizerOptions{WhiteSpace: true})
	if err != nil {
		t.Fatal(err)
	}
	for s, want := range map[string][2]int{"": {0, 0}, "good film": {2, 2}, "good <br> film": {2, 2}, "good<br />film - odd": {2, 3}, "<br/> ...": {0, 0}} {
		known, words, err := (&tutorial{tokenizer: tokenizer, words: 3}).known(t.Context(), s)
		if err != nil || known != want[0] || words != want[1] {
			t.Errorf("%q: %d of %d words, %v; want %v", s, known, words, err, want)
		}
	}
}
