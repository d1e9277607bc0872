package safetensors

import (
	"bytes"
	"fmt"
	"io"
	"unicode/utf16"
	"unicode/utf8"
)

// scanner reads JSON that must have a certain form, token by token. It keeps nothing of the text but the strings it returns,
// and refuses what JSON does not allow: half surrogates too, which other readers turn into one and the same character.
type scanner struct {
	text []byte
	at   int    // behind the last token
	base int    // where text begins in the file
	what string // what the text is, for errors

	word  []byte // the last token as it is in the text
	value string // its value if it is a string
}

// Kinds of tokens: a delimiter is itself.
const (
	stringToken  = '"'
	numberToken  = '0'
	literalToken = 't' // true, false, null
)

// errorf adds the place: the byte of the file behind the last token.
func (s *scanner) errorf(format string, args ...any) error {
	return fmt.Errorf("safetensors: byte %d: "+format, append([]any{s.base + s.at}, args...)...)
}

func (s *scanner) syntax(format string, args ...any) error {
	return s.errorf(s.what+" is not JSON: "+format, args...)
}

// peek skips white space and returns the byte after it, 0 at the end.
func (s *scanner) peek() byte {
	for ; s.at < len(s.text); s.at++ {
		switch c := s.text[s.at]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

// next reads a token and returns its kind.
func (s *scanner) next() (kind byte, err error) {
	c := s.peek()
	if s.at == len(s.text) {
		return 0, s.syntax("%w", io.ErrUnexpectedEOF)
	}
	from := s.at
	switch {
	case c == '"':
		kind, err = stringToken, s.scanString()
	case c == '-' || '0' <= c && c <= '9':
		kind, err = numberToken, s.scanNumber()
	case bytes.IndexByte([]byte("{}[],:"), c) >= 0:
		kind = c
		s.at++
	default:
		kind, err = literalToken, s.scanLiteral()
	}
	s.word = s.text[from:s.at]
	return kind, err
}

func (s *scanner) scanLiteral() error {
	for _, word := range []string{"true", "false", "null"} {
		if bytes.HasPrefix(s.text[s.at:], []byte(word)) {
			s.at += len(word)
			return nil
		}
	}
	r, n := utf8.DecodeRune(s.text[s.at:])
	s.at += n
	return s.syntax("invalid character %q", r)
}

func (s *scanner) scanNumber() error {
	digits := func() bool {
		from := s.at
		for s.at < len(s.text) && '0' <= s.text[s.at] && s.text[s.at] <= '9' {
			s.at++
		}
		return s.at > from
	}
	one := func(set string) bool {
		if s.at < len(s.text) && bytes.IndexByte([]byte(set), s.text[s.at]) >= 0 {
			s.at++
			return true
		}
		return false
	}
	one("-")
	ok := one("0") || digits()
	if ok && one(".") {
		ok = digits()
	}
	if ok && one("eE") {
		one("+-")
		ok = digits()
	}
	if !ok {
		return s.syntax("invalid number")
	}
	return nil
}

func (s *scanner) scanString() error {
	s.at++
	from := s.at
	for s.at < len(s.text) {
		switch c := s.text[s.at]; {
		case c == '"':
			s.value = string(s.text[from:s.at])
			s.at++
			return nil
		case c == '\\':
			return s.scanEscaped(from)
		case c < ' ':
			s.at++
			return s.syntax("a control character in a string")
		}
		s.at++
	}
	return s.syntax("%w", io.ErrUnexpectedEOF)
}

// scanEscaped goes on with a string that begins at from where the first backslash is.
func (s *scanner) scanEscaped(from int) error {
	b := bytes.Clone(s.text[from:s.at])
	for s.at < len(s.text) {
		c := s.text[s.at]
		s.at++
		switch {
		case c == '"':
			s.value = string(b)
			return nil
		case c < ' ':
			return s.syntax("a control character in a string")
		case c != '\\':
			b = append(b, c)
			continue
		}
		if s.at == len(s.text) {
			break
		}
		c = s.text[s.at]
		s.at++
		if c == 'u' {
			r, err := s.scanUnicode()
			if err != nil {
				return err
			}
			b = utf8.AppendRune(b, r)
			continue
		}
		i := bytes.IndexByte([]byte(`"\/bfnrt`), c)
		if i < 0 {
			return s.syntax("an escape that does not exist in a string")
		}
		b = append(b, "\"\\/\b\f\n\r\t"[i])
	}
	return s.syntax("%w", io.ErrUnexpectedEOF)
}

// scanUnicode reads what follows \u: four digits, and for the first half of a pair the second.
func (s *scanner) scanUnicode() (rune, error) {
	r, ok := s.hex4()
	if ok && utf16.IsSurrogate(r) {
		if ok = bytes.HasPrefix(s.text[s.at:], []byte(`\u`)); ok {
			s.at += 2
			var second rune
			second, ok = s.hex4()
			r = utf16.DecodeRune(r, second)
			ok = ok && r != utf8.RuneError
		}
	}
	if !ok {
		return 0, s.syntax(`\u in a string without a character`)
	}
	return r, nil
}

func (s *scanner) hex4() (r rune, ok bool) {
	if len(s.text)-s.at < 4 {
		return 0, false
	}
	for _, c := range s.text[s.at : s.at+4] {
		switch {
		case '0' <= c && c <= '9':
			r = r<<4 | rune(c-'0')
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	s.at += 4
	return r, true
}

// describe names the last token.
func (s *scanner) describe(kind byte) string {
	switch kind {
	case stringToken:
		return quote(s.value)
	case numberToken:
		return fmt.Sprintf("the number %.80s", s.word)
	}
	return string(s.word)
}

func (s *scanner) expect(want byte) error {
	kind, err := s.next()
	if err == nil && kind != want {
		err = s.errorf("%s has %s where %c is expected", s.what, s.describe(kind), want)
	}
	return err
}

func (s *scanner) colon() error { return s.expect(':') }

// str reads a string.
func (s *scanner) str(what string) (string, error) {
	kind, err := s.next()
	if err == nil && kind != stringToken {
		err = s.errorf("%s is %s, want a string", what, s.describe(kind))
	}
	return s.value, err
}

// number reads a number and returns it as it is in the text.
func (s *scanner) number(what string) ([]byte, error) {
	kind, err := s.next()
	if err == nil && kind != numberToken {
		err = s.errorf("%s holds %s, want integers", what, s.describe(kind))
	}
	return s.word, err
}

// object reads an object; member reads one key with its colon and value.
func (s *scanner) object(member func() error) error { return s.list('{', '}', member) }

// array reads an array; element reads one of its values.
func (s *scanner) array(element func() error) error { return s.list('[', ']', element) }

func (s *scanner) list(begin, end byte, item func() error) error {
	if err := s.expect(begin); err != nil {
		return err
	}
	if s.peek() == end {
		s.at++
		return nil
	}
	for {
		if err := item(); err != nil {
			return err
		}
		kind, err := s.next()
		switch {
		case err != nil:
			return err
		case kind == end:
			return nil
		case kind != ',':
			return s.syntax("%s where , or %c is expected", s.describe(kind), end)
		}
	}
}

// maxDepth is how deep values may nest that nobody asked for.
const maxDepth = 64

// skip reads a value of any kind.
func (s *scanner) skip(depth int) error {
	if depth > maxDepth {
		return s.errorf("%s nests more than %d deep", s.what, maxDepth)
	}
	switch s.peek() {
	case '{':
		return s.object(func() error {
			if _, err := s.str("name"); err != nil {
				return err
			}
			if err := s.colon(); err != nil {
				return err
			}
			return s.skip(depth + 1)
		})
	case '[':
		return s.array(func() error { return s.skip(depth + 1) })
	}
	switch kind, err := s.next(); {
	case err != nil:
		return err
	case kind != stringToken && kind != numberToken && kind != literalToken:
		return s.syntax("%s where a value is expected", s.describe(kind))
	}
	return nil
}

// end demands that nothing but white space follows.
func (s *scanner) end() error {
	if s.peek() != 0 || s.at < len(s.text) {
		s.at++
		return s.errorf("something follows the %s's closing brace", s.what)
	}
	return nil
}
