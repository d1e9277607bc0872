package text

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Splitting is how a standardised text becomes tokens (TextVectorization's split).
type Splitting uint8

const (
	// SplitWhitespace takes what stands between runs of ASCII white space: space, tab, line feed, vertical tab, form feed,
	// carriage return (tf.strings.split). A no-break space is no white space. It is the default; no token is empty.
	SplitWhitespace Splitting = iota
	// SplitCharacters makes a token of each Unicode character, white space too (tf.strings.unicode_split). What is no
	// UTF-8 becomes U+FFFD: one for each byte, or for as many as could have begun a character.
	SplitCharacters
	// NoSplit makes one token of the whole text (Keras's None).
	NoSplit
	// SplitSpaces takes what stands between runs of the space character alone (the split of Keras's older Tokenizer): see
	// [LowerAndSpacePunctuation].
	SplitSpaces
)

var _ fmt.Stringer = Splitting(0)

// String is Keras's name: "whitespace", "character" or "none". SplitSpaces, which has none, is "spaces".
func (p Splitting) String() string {
	switch p {
	case SplitWhitespace:
		return "whitespace"
	case SplitCharacters:
		return "character"
	case NoSplit:
		return "none"
	case SplitSpaces:
		return "spaces"
	}
	return fmt.Sprintf("Splitting(%d)", uint8(p))
}

// Append appends the tokens of s to dst, without standardising it. They are parts of s, but for a U+FFFD of
// SplitCharacters. An unknown splitting leaves s whole.
func (p Splitting) Append(dst []string, s string) []string {
	switch p {
	case SplitWhitespace, SplitSpaces:
		for {
			s = strings.TrimLeftFunc(s, p.separates)
			if s == "" {
				return dst
			}
			end := strings.IndexFunc(s, p.separates)
			if end < 0 {
				end = len(s)
			}
			dst = append(dst, s[:end])
			s = s[end:]
		}
	case SplitCharacters:
		for s != "" {
			n, valid := character(s)
			if valid {
				dst = append(dst, s[:n])
			} else {
				dst = append(dst, replacement)
			}
			s = s[n:]
		}
		return dst
	}
	return append(dst, s)
}

// separates reports whether a character stands between tokens.
func (p Splitting) separates(r rune) bool {
	return p == SplitSpaces && r == ' ' || p == SplitWhitespace && (r == ' ' || '\t' <= r && r <= '\r')
}

// replacement stands for what is no UTF-8.
const replacement = "\uFFFD"

// character is the length of the first character of s, which is not empty. Where that is no UTF-8 it is as long as a
// character could have begun so (Unicode's "maximal subparts", which ICU and so TensorFlow follow), and at least 1.
func character[S string | []byte](s S) (n int, valid bool) {
	c := s[0]
	lo, hi := byte(0x80), byte(0xBF) // the second byte of what c begins
	switch {
	case c < utf8.RuneSelf:
		return 1, true
	case c < 0xC2 || c > 0xF4:
		return 1, false
	case c < 0xE0:
		n = 2
	case c < 0xF0:
		n = 3
	default:
		n = 4
	}
	switch c {
	case 0xE0: // else it were shorter than three bytes
		lo = 0xA0
	case 0xED: // surrogates
		hi = 0x9F
	case 0xF0: // else it were shorter than four bytes
		lo = 0x90
	case 0xF4: // beyond U+10FFFF
		hi = 0x8F
	}
	for i := 1; i < n; i++ {
		if i == len(s) || s[i] < lo || s[i] > hi {
			return i, false
		}
		lo, hi = 0x80, 0xBF
	}
	return n, true
}
