package text

import "fmt"

// Standardization is what happens to a text before it is split into tokens (TextVectorization's standardize). It works
// on bytes, as TensorFlow does: only ASCII letters have a lower case (É stays É) and only ASCII characters are
// punctuation (“ is none). Bytes that are no UTF-8 stay as they are.
type Standardization uint8

const (
	// LowerAndStripPunctuation makes letters lower case and takes the 32 ASCII punctuation characters out, without a space
	// in their place: "It's GREAT<br />..." becomes "its greatbr ". It is the default.
	LowerAndStripPunctuation Standardization = iota
	// Lower makes letters lower case.
	Lower
	// StripPunctuation takes the 32 ASCII punctuation characters out.
	StripPunctuation
	// NoStandardization leaves the text as it is (Keras's None).
	NoStandardization
	// LowerAndSpacePunctuation makes letters lower case and puts a space in the place of each ASCII punctuation character
	// but the apostrophe, each tab and each line feed: "It's GREAT<br />" becomes "it's great br   ". That are the filters
	// of Keras's older Tokenizer and of text_to_word_sequence; the ids of imdb.npz come from texts treated so, and split
	// by [SplitSpaces].
	LowerAndSpacePunctuation
)

var _ fmt.Stringer = Standardization(0)

// String is Keras's name: "lower_and_strip_punctuation". LowerAndSpacePunctuation, which has none, is
// "lower_and_space_punctuation".
func (z Standardization) String() string {
	switch z {
	case LowerAndStripPunctuation:
		return "lower_and_strip_punctuation"
	case Lower:
		return "lower"
	case StripPunctuation:
		return "strip_punctuation"
	case NoStandardization:
		return "none"
	case LowerAndSpacePunctuation:
		return "lower_and_space_punctuation"
	}
	return fmt.Sprintf("Standardization(%d)", uint8(z))
}

// Append appends the standardised text to dst. An unknown standardization leaves the text as it is.
func (z Standardization) Append(dst []byte, s string) []byte {
	for i := range len(s) {
		if c := z.byte(s[i]); c&dropped == 0 {
			dst = append(dst, byte(c))
		}
	}
	return dst
}

// Apply returns the standardised text: s itself where nothing changes.
func (z Standardization) Apply(s string) string {
	for i := range len(s) {
		if z.byte(s[i])&(dropped|changed) != 0 {
			return string(z.Append([]byte(s[:i]), s[i:]))
		}
	}
	return s
}

// class is what becomes of a byte: in its low eight bits the byte that stands in its place, and flags.
type class uint16

const (
	dropped class = 1 << (8 + iota) // nothing stands in its place
	changed                         // another byte does
	between                         // what stands in its place is no part of a token
)

// byte is what becomes of a byte of the text. Standardization knows nothing of tokens: the flag between is not set.
func (z Standardization) byte(c byte) class {
	lower := z == LowerAndStripPunctuation || z == Lower || z == LowerAndSpacePunctuation
	switch {
	case 'A' <= c && c <= 'Z' && lower:
		return class(c-'A'+'a') | changed
	case z == LowerAndSpacePunctuation && (isPunctuation(c) && c != '\'' || c == '\t' || c == '\n'):
		return ' ' | changed
	case (z == LowerAndStripPunctuation || z == StripPunctuation) && isPunctuation(c):
		return dropped
	}
	return class(c)
}

// isPunctuation reports whether c is one of the 32 ASCII characters that are neither letters nor digits nor control
// characters nor the space (Python's string.punctuation).
func isPunctuation(c byte) bool {
	return '!' <= c && c <= '/' || ':' <= c && c <= '@' || '[' <= c && c <= '`' || '{' <= c && c <= '~'
}
