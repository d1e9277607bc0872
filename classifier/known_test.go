package classifier

import (
	"context"
	"testing"
)

// Known counts every occurrence of a word, and the same n-grams that Classify finds.
func TestKnown(t *testing.T) {
	var examples []Example
	for range 10 {
		examples = append(examples, Example{"a lovely film", []string{"pos"}}, Example{"a dull play", []string{"neg"}})
	}
	c, err := Train(context.Background(), examples, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if !c.parts.Spec.has(words) || c.parts.Spec.WordMin != 1 {
		t.Fatalf("the test needs single words: %+v", c.parts.Spec)
	}
	for _, v := range []struct {
		text       string
		known, all int
	}{
		{"", 0, 0},
		{"lovely", 1, 1},
		{"lovely dull lovely", 3, 3},
		{"quasar lovely zyx", 1, 3},
		{"quasar zyx", 0, 2},
	} {
		if known, all := c.Known(v.text); known != v.known || all != v.all {
			t.Errorf("%q: %d of %d, want %d of %d", v.text, known, all, v.known, v.all)
		}
	}
	parts := c.Parts()
	parts.Spec.WordMin, parts.Spec.WordMax, parts.Spec.CharMin, parts.Spec.CharMax = 0, 0, 2, 3
	characters, err := New(parts)
	if err != nil {
		t.Fatal(err)
	}
	if known, all := characters.Known("abc"); known != 0 || all < 2 {
		t.Errorf("characters: %d of %d", known, all)
	}
}
