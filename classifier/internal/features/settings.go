package features

import "fmt"

// MaxGram is the largest number of words or of characters in an n-gram.
const MaxGram = 8

// Settings says which n-grams a text has. The zero value has none.
type Settings struct {
	// WordMin and WordMax are the fewest and the most words in an n-gram of words; 0 and 0 for none. A word is a run of
	// letters, marks and digits; each Han character, Hiragana or Katakana is a word of its own.
	WordMin, WordMax int
	// CharMin and CharMax are the fewest and the most characters in an n-gram of characters; 0 and 0 for none. White
	// space of any length is one space, and one space stands before and after the text.
	CharMin, CharMax int
	// KeepCase keeps upper and lower case apart.
	KeepCase bool
	// Punctuation makes a word of every character that is neither part of a word nor white space.
	Punctuation bool
}

// Check returns an error if a range is impossible.
func (s Settings) Check() error {
	for _, r := range [...]struct {
		what     string
		min, max int
	}{{"words", s.WordMin, s.WordMax}, {"characters", s.CharMin, s.CharMax}} {
		if (r.min != 0 || r.max != 0) && (r.min < 1 || r.max < r.min || r.max > MaxGram) {
			return fmt.Errorf("features: n-grams of %d to %d %s: want 1 to %d, the smaller number first, or 0 and 0", r.min, r.max, r.what, MaxGram)
		}
	}
	return nil
}

// A Kind is the length of an n-gram and what it consists of: kind n-1 is n words, kind MaxGram+n-1 is n characters.
type Kind uint8

// Kinds is the number of kinds.
const Kinds = 2 * MaxGram

// Words returns the kind of n-grams of n words.
func Words(n int) Kind { return Kind(n - 1) }

// Chars returns the kind of n-grams of n characters.
func Chars(n int) Kind { return Kind(MaxGram + n - 1) }

// Length returns the number of words or characters in an n-gram of this kind, and whether they are characters.
func (k Kind) Length() (n int, chars bool) { return int(k)%MaxGram + 1, k >= MaxGram }

// Has returns whether a text has n-grams of kind k with these settings.
func (s Settings) Has(k Kind) bool {
	n, chars := k.Length()
	if chars {
		return s.CharMin > 0 && s.CharMin <= n && n <= s.CharMax
	}
	return s.WordMin > 0 && s.WordMin <= n && n <= s.WordMax
}
