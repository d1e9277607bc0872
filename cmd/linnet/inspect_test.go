package main

import (
	"strings"
	"testing"

	"github.com/linnet-ml/linnet/classifier"
)

// The lengths of n-grams are a sentence, of any kinds and lengths.
func TestInspectNGrams(t *testing.T) {
	for _, v := range []struct {
		spec     classifier.Spec
		features int
		want     string
	}{
		{classifier.Spec{WordMin: 1, WordMax: 2, CharMin: 2, CharMax: 4}, 5944, "5,944 n-grams of 1 to 2 words and of 2 to 4 characters"},
		{classifier.Spec{WordMin: 1, WordMax: 1}, 96, "96 n-grams of 1 word"},
		{classifier.Spec{WordMin: 1, WordMax: 1, CharMin: 3, CharMax: 3}, 1, "1 n-gram of 1 word and of 3 characters"},
		{classifier.Spec{CharMin: 1, CharMax: 5}, 7, "7 n-grams of 1 to 5 characters"},
		{classifier.Spec{WordMin: 2, WordMax: 2}, 7, "7 n-grams of 2 words"},
	} {
		var b strings.Builder
		(&inspectedClassifier{Spec: v.spec, Features: v.features}).write(&b)
		if _, got, _ := strings.Cut(b.String(), "\n"); got != v.want+"\n" {
			t.Errorf("%+v: %q, want %q", v.spec, got, v.want)
		}
	}
}
