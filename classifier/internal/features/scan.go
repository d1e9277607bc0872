package features

import (
	"math"
	"unicode"
	"unicode/utf8"
)

// A Scanner reads texts. It owns the memory of the last text it has read; one goroutine at a time may use it.
type Scanner struct {
	settings Settings

	hashes []uint64
	end    [Kinds]int // the hashes of kind k end here and begin where those of kind k-1 end

	tokens []uint64 // the hash of each word
	spans  []Span   // its place in the text
	runes  []rune   // the characters with single spaces, if there are n-grams of characters
	places []Span   // their places in the text, if asked for
	record bool
}

// A Span is a place in a text: bytes Start to End, without End.
type Span struct{ Start, End int }

// NewScanner returns a Scanner. Settings must pass [Settings.Check].
func NewScanner(s Settings) *Scanner { return &Scanner{settings: s} }

// Scan reads a text and returns the hashes of its n-grams: first those of [Words](1) in the order of the text, then those of
// Words(2), …, then those of [Chars](1), …. Equal n-grams have equal hashes. Bytes that are not UTF-8 count as white space.
// The result holds until the next call.
func (s *Scanner) Scan(text string) []uint64 {
	s.hashes = s.hashes[:0]
	if s.settings.WordMax > 0 {
		s.split(text)
	}
	for n := 1; n <= MaxGram; n++ {
		if s.settings.Has(Words(n)) {
			s.wordGrams(n)
		}
		s.end[Words(n)] = len(s.hashes)
	}
	if s.settings.CharMax > 0 {
		s.characters(text)
	}
	for n := 1; n <= MaxGram; n++ {
		if s.settings.Has(Chars(n)) {
			s.charGrams(n)
		}
		s.end[Chars(n)] = len(s.hashes)
	}
	return s.hashes
}

// Range returns where the hashes of one kind begin and end in the result of the last Scan.
func (s *Scanner) Range(k Kind) (start, end int) {
	if k > 0 {
		start = s.end[k-1]
	}
	return start, s.end[k]
}

// Tokens returns the places of the words in the text of the last Scan. An n-gram of n words that is number i of its kind
// covers words i to i+n-1.
func (s *Scanner) Tokens() []Span { return s.spans }

// RecordPlaces makes further calls of Scan note the places of characters.
func (s *Scanner) RecordPlaces() { s.record = true }

// Characters returns the places of the characters in the text of the last Scan, after [Scanner.RecordPlaces]. An n-gram of n characters
// that is number i of its kind covers characters i to i+n-1. The spaces before and after the text have places without
// bytes.
func (s *Scanner) Characters() []Span { return s.places }

// Classes of bytes.
const (
	classSpace = iota
	classWord
	classMark
	classMulti // part of a character of several bytes
)

var classes = func() (t [256]uint8) {
	for c := range t {
		switch {
		case c >= utf8.RuneSelf:
			t[c] = classMulti
		case c <= ' ' || c == 0x7f:
			t[c] = classSpace
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
			t[c] = classWord
		default:
			t[c] = classMark
		}
	}
	return t
}()

// classOf is the class of a character of several bytes, and whether it is a word of its own.
func classOf(r rune) (class int, alone bool) {
	switch {
	case r == utf8.RuneError, unicode.IsSpace(r), unicode.IsControl(r), unicode.Is(unicode.Cf, r):
		return classSpace, false
	case unicode.Is(unicode.Han, r), unicode.Is(unicode.Hiragana, r), unicode.Is(unicode.Katakana, r):
		return classWord, true
	case unicode.IsLetter(r), unicode.IsDigit(r), unicode.IsMark(r), unicode.IsNumber(r):
		return classWord, false
	}
	return classMark, true
}

// Odd numbers from the fractional part of the golden ratio and from those of square roots of primes, which spread the
// bits of a product.
const (
	prime0 = 0x9E3779B97F4A7C15
	prime1 = 0xBB67AE8584CAA73B
	prime2 = 0x3C6EF372FE94F82B
	prime3 = 0xA54FF53A5F1D36F1
)

// A word's hash reads its bytes in groups of eight: h = (h ^ group) * prime1, turned by half. The last group ends the word
// and is XORed with the word's length.
func group(h, v uint64) uint64 {
	h = (h ^ v) * prime1
	return h ^ h>>32
}

// finish makes every bit of x matter to every bit of the result.
func finish(x uint64) uint64 {
	x ^= x >> 32
	x *= prime3
	return x ^ x>>29
}

// split finds the words of the text.
func (s *Scanner) split(text string) {
	s.tokens, s.spans = s.tokens[:0], s.spans[:0]
	fold := uint8(0x20)
	if s.settings.KeepCase {
		fold = 0
	}
	for i := 0; i < len(text); {
		switch classes[text[i]] {
		case classSpace:
			i++
			continue
		case classMark:
			if s.settings.Punctuation {
				s.token(group(prime0, uint64(text[i])^1<<56), i, i+1)
			}
			i++
			continue
		}
		i = s.word(text, i, fold)
	}
}

func (s *Scanner) token(h uint64, start, end int) {
	s.tokens = append(s.tokens, h)
	s.spans = append(s.spans, Span{start, end})
}

// word reads a word that begins at start, or one character that is none, and returns where the next one may begin.
func (s *Scanner) word(text string, start int, fold uint8) int {
	h, v := uint64(prime0), uint64(0)
	length := uint64(0) // bytes read, of the lower-case word
	i := start
	for i < len(text) {
		c := text[i]
		switch classes[c] {
		case classWord:
			if c >= 'A' && c <= 'Z' {
				c |= fold
			}
			v = v<<8 | uint64(c)
			length++
			if length&7 == 0 {
				h, v = group(h, v), 0
			}
			i++
			continue
		case classMulti:
			r, size := utf8.DecodeRuneInString(text[i:])
			class, alone := classOf(r)
			if class == classWord && !alone {
				if fold != 0 {
					r = unicode.ToLower(r)
				}
				var b [utf8.UTFMax]byte
				for _, c := range b[:utf8.EncodeRune(b[:], r)] {
					v = v<<8 | uint64(c)
					length++
					if length&7 == 0 {
						h, v = group(h, v), 0
					}
				}
				i += size
				continue
			}
			if i == start { // not the end of a word: a character by itself
				if class == classWord || class == classMark && s.settings.Punctuation {
					s.token(group(prime0, uint64(r)^1<<56), i, i+size)
				}
				return i + size
			}
		}
		break
	}
	s.token(group(h, v^length<<56), start, i)
	return i
}

// wordGrams appends the hashes of the n-grams of n words: a polynomial of the words' hashes, so that the order matters.
func (s *Scanner) wordGrams(n int) {
	t := s.tokens
	if len(t) < n {
		return
	}
	s.hashes = grow(s.hashes, len(t)-n+1)
	out := s.hashes[len(s.hashes)-(len(t)-n+1):]
	switch n {
	case 1:
		for i := range out {
			out[i] = finish(t[i])
		}
	case 2:
		a := t[:len(out)]
		b := t[1:][:len(out)]
		for i := range out {
			out[i] = finish(a[i]*prime2 + b[i] + 2)
		}
	case 3:
		a := t[:len(out)]
		b := t[1:][:len(out)]
		c := t[2:][:len(out)]
		for i := range out {
			out[i] = finish((a[i]*prime2+b[i])*prime2 + c[i] + 3)
		}
	default:
		for i := range out {
			h := uint64(0)
			for _, x := range t[i : i+n] {
				h = h*prime2 + x
			}
			out[i] = finish(h + uint64(n))
		}
	}
}

// grow makes a slice n elements longer.
func grow(x []uint64, n int) []uint64 {
	if n > math.MaxInt-len(x) || len(x)+n > cap(x) {
		x = append(x, make([]uint64, n)...)
		return x
	}
	return x[:len(x)+n]
}
