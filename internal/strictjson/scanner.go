package strictjson

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"

	"github.com/linnet-ml/linnet/internal/shown"
)

// Scanner reads JSON token by token, so that a reader can demand a certain form. It copies nothing of the text but the
// strings that String returns, and refuses what JSON does not allow: half surrogates too, which other readers turn into one and
// the same character. It looks at its context at least every 64 KiB.
type Scanner struct {
	ctx  context.Context
	text []byte
	o    Options
	what string // the text, for errors
	at   int    // after the last token
	look int    // where the context is looked at next
	word []byte // the last token as it is in the text

	// The last string:
	escaped bool // it has a backslash
	ascii   bool
}

// Options say where a text is from, for errors.
type Options struct {
	// What is the text: "header". Where it is given, errors say at which byte of the file they are.
	What string
	// Prefix goes before each error: "safetensors: ".
	Prefix string
	// Base is where the text begins in its file.
	Base int
	// MaxMembers is how many members an object may have that Members reads; 0 for any number.
	MaxMembers int
}

// New returns a Scanner of a text, which must not change.
func New(ctx context.Context, text []byte, o Options) *Scanner {
	s := &Scanner{ctx: ctx, text: text, o: o, what: o.What}
	if s.what == "" {
		s.what = "it"
	}
	return s
}

const (
	lookBytes = 64 << 10
	// maxNumber bounds a number's characters: no float64 needs more, and what reads numbers looks at no context.
	maxNumber = 1000
	// maxDepth is how deep values may nest that are skipped.
	maxDepth = 1000
)

// Kinds of tokens: a delimiter is itself.
const (
	stringToken  = '"'
	numberToken  = '0'
	literalToken = 't' // true, false, null
)

// Errorf is an error with its place, if that is wanted: the byte of the file after the last token.
func (s *Scanner) Errorf(format string, args ...any) error {
	if s.o.What == "" {
		return fmt.Errorf(s.o.Prefix+format, args...)
	}
	return fmt.Errorf("%sbyte %d: "+format, append([]any{s.o.Prefix, s.o.Base + s.at}, args...)...)
}

func (s *Scanner) syntax(format string, args ...any) error {
	return s.Errorf(s.what+" is not JSON: "+format, args...)
}

// stopped looks at the context, if it is time to.
func (s *Scanner) stopped() error {
	if s.at < s.look {
		return nil
	}
	s.look = s.at + lookBytes
	if err := s.ctx.Err(); err != nil {
		s.look = s.at
		return s.Errorf("reading %s: %w", s.what, err)
	}
	return nil
}

// Peek skips white space and returns the byte after it: 0 at the end, or when the context is done.
func (s *Scanner) Peek() byte {
	for ; s.at < len(s.text); s.at++ {
		switch c := s.text[s.at]; c {
		case ' ', '\t', '\n', '\r':
			if s.at >= s.look && s.stopped() != nil {
				return 0
			}
		default:
			return c
		}
	}
	return 0
}

// next reads a token and returns its kind.
func (s *Scanner) next() (kind byte, err error) {
	c := s.Peek()
	if s.at >= s.look {
		if err := s.stopped(); err != nil {
			return 0, err
		}
	}
	if s.at == len(s.text) {
		return 0, s.syntax("%w", io.ErrUnexpectedEOF)
	}
	from := s.at
	switch c {
	case '"':
		kind, err = stringToken, s.scanString()
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		kind, err = numberToken, s.scanNumber()
	case '{', '}', '[', ']', ',', ':':
		kind = c
		s.at++
	default:
		kind, err = literalToken, s.scanLiteral()
	}
	s.word = s.text[from:s.at]
	return kind, err
}

func (s *Scanner) scanLiteral() error {
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

func (s *Scanner) scanNumber() error {
	from := s.at
	end := min(len(s.text), from+maxNumber+1)
	digits := func() bool {
		from := s.at
		for s.at < end && '0' <= s.text[s.at] && s.text[s.at] <= '9' {
			s.at++
		}
		return s.at > from
	}
	one := func(set string) bool {
		if s.at < end && bytes.IndexByte([]byte(set), s.text[s.at]) >= 0 {
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
	switch {
	case s.at-from > maxNumber:
		return s.Errorf("%s has a number of more than %d characters", s.what, maxNumber)
	case !ok:
		return s.syntax("invalid number")
	}
	return nil
}

// scanString checks a string. unquote gives its value.
func (s *Scanner) scanString() error {
	s.at++
	s.escaped = false
	high := uint64(0) // all bytes, ORed: whether one of them is not ASCII
	for s.at < len(s.text) {
		if s.at >= s.look {
			if err := s.stopped(); err != nil {
				return err
			}
		}
		part := s.text[s.at:min(len(s.text), s.look)]
		n := 0
		for len(part)-n >= 8 {
			w := binary.LittleEndian.Uint64(part[n:])
			if end := special(w); end != 0 {
				k := bits.TrailingZeros64(end) / 8
				high |= w & (1<<(8*k) - 1)
				n += k
				break
			}
			high |= w
			n += 8
		}
		for n < len(part) && part[n] >= ' ' && part[n] != '"' && part[n] != '\\' {
			high |= uint64(part[n])
			n++
		}
		s.at += n
		if n == len(part) {
			continue
		}
		c := part[n]
		s.at++
		if c == '"' {
			s.ascii = high&highBits == 0
			return nil
		}
		if c < ' ' {
			return s.syntax("a control character in a string")
		}
		s.escaped = true
		if err := s.scanEscape(); err != nil {
			return err
		}
	}
	return s.syntax("%w", io.ErrUnexpectedEOF)
}

const (
	lowBits  = 0x0101010101010101
	highBits = 0x8080808080808080
)

// special returns a word whose lowest bit is in the first of the 8 bytes of w that ends a run of plain characters: a quotation
// mark, a backslash or a control character. It is 0 if there is none. Bits after the lowest one mean nothing.
func special(w uint64) uint64 {
	quote, backslash := w^('"'*lowBits), w^('\\'*lowBits)
	return ((w-' '*lowBits)&^w | (quote-lowBits)&^quote | (backslash-lowBits)&^backslash) & highBits
}

const (
	escapes = `"\/bfnrt`
	escaped = "\"\\/\b\f\n\r\t"
)

// scanEscape checks what follows a backslash.
func (s *Scanner) scanEscape() error {
	if s.at == len(s.text) {
		return s.syntax("%w", io.ErrUnexpectedEOF)
	}
	c := s.text[s.at]
	s.at++
	if c == 'u' {
		_, n, ok := unicode(s.text[s.at:])
		s.at += n
		if !ok {
			return s.syntax(`\u in a string without a character`)
		}
		return nil
	}
	if bytes.IndexByte([]byte(escapes), c) < 0 {
		return s.syntax("an escape that does not exist in a string")
	}
	return nil
}

// unicode reads what follows \u: four digits, and for the first half of a pair the second. It returns how many bytes that
// are, or are in order.
func unicode(b []byte) (r rune, n int, ok bool) {
	if r, ok = hex4(b); !ok {
		return 0, 0, false
	}
	if !utf16.IsSurrogate(r) {
		return r, 4, true
	}
	if !bytes.HasPrefix(b[4:], []byte(`\u`)) {
		return 0, 4, false
	}
	second, ok := hex4(b[6:])
	if !ok {
		return 0, 6, false
	}
	r = utf16.DecodeRune(r, second)
	return r, 10, r != utf8.RuneError
}

func hex4(b []byte) (r rune, ok bool) {
	if len(b) < 4 {
		return 0, false
	}
	for _, c := range b[:4] {
		switch {
		case '0' <= c && c <= '9':
			r = r<<4 | rune(c-'0')
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return r, true
}

// unquote is the value of the last token, a string that was checked. shared says that it may share the memory of the text.
func (s *Scanner) unquote(shared bool) (string, error) {
	word := s.word[1 : len(s.word)-1]
	if !s.escaped {
		if shared {
			return Shared(word), nil
		}
		return string(word), nil
	}
	i := bytes.IndexByte(word, '\\')
	b := make([]byte, 0, len(word))
	for look := 0; i >= 0; i = bytes.IndexByte(word, '\\') {
		b = append(b, word[:i]...)
		if len(b) >= look {
			if err := s.ctx.Err(); err != nil {
				return "", s.Errorf("reading %s: %w", s.what, err)
			}
			look = len(b) + lookBytes
		}
		c := word[i+1]
		word = word[i+2:]
		if c == 'u' {
			r, n, _ := unicode(word)
			b, word = utf8.AppendRune(b, r), word[n:]
			continue
		}
		b = append(b, escaped[bytes.IndexByte([]byte(escapes), c)])
	}
	return string(append(b, word...)), nil
}

// Shared returns b as a string without a copy. It is valid as long as b does not change.
func Shared(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// describe names the last token.
func (s *Scanner) describe(kind byte) string {
	switch kind {
	case stringToken:
		value, err := s.unquote(false)
		if err != nil {
			return "a text" // the context is done
		}
		return Quote(value)
	case numberToken:
		return fmt.Sprintf("the number %.80s", s.word)
	}
	return string(s.word)
}

// Quote is a text from a file for an error: escaped, and of a long one the first 80 bytes.
func Quote(s string) string { return shown.Quote(s) }

func (s *Scanner) expect(want byte) error {
	kind, err := s.next()
	if err == nil && kind != want && s.o.What == "" && want == '{' {
		return errors.New("there is no object")
	}
	if err == nil && kind != want && s.o.What == "" && want == '[' {
		return errors.New("there is no list")
	}
	if err == nil && kind != want {
		err = s.Errorf("%s has %s where %c is expected", s.what, s.describe(kind), want)
	}
	return err
}

// Colon reads the colon after a name.
func (s *Scanner) Colon() error { return s.expect(':') }

// String reads a string.
func (s *Scanner) String(what string) (string, error) { return s.string(what, false) }

// Text is String without a copy: the string shares the memory of the Scanner's text unless it has escapes. It is valid as long as
// the text does not change.
func (s *Scanner) Text(what string) (string, error) { return s.string(what, true) }

func (s *Scanner) string(what string, shared bool) (string, error) {
	kind, err := s.next()
	switch {
	case err != nil:
		return "", err
	case kind != stringToken:
		return "", s.Errorf("%s is %s, want a string", what, s.describe(kind))
	case !s.ascii && !utf8.Valid(s.word):
		return "", s.Errorf("%s, %s, is not UTF-8", what, s.describe(kind))
	}
	return s.unquote(shared)
}

// Number reads a number and returns it as it is in the text.
func (s *Scanner) Number(what string) ([]byte, error) {
	kind, err := s.next()
	if err == nil && kind != numberToken {
		err = s.Errorf("%s holds %s, want integers", what, s.describe(kind))
	}
	return s.word, err
}

// Object reads an object; member reads one key with its colon and value.
func (s *Scanner) Object(member func() error) error { return s.list('{', '}', member) }

// Array reads an array; element reads one of its values.
func (s *Scanner) Array(element func() error) error { return s.list('[', ']', element) }

func (s *Scanner) list(begin, end byte, item func() error) error {
	if err := s.expect(begin); err != nil {
		return err
	}
	if s.Peek() == end {
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

// Value reads a value of any kind and returns it as it is in the text.
func (s *Scanner) Value() ([]byte, error) {
	s.Peek()
	from := s.at
	err := s.skip(0)
	return s.text[from:s.at:s.at], err
}

func (s *Scanner) skip(depth int) error {
	if depth > maxDepth {
		return s.Errorf("%s nests more than %d deep", s.what, maxDepth)
	}
	switch s.Peek() {
	case '{':
		return s.Object(func() error {
			if kind, err := s.next(); err != nil || kind != stringToken {
				if err == nil {
					err = s.Errorf("name is %s, want a string", s.describe(kind))
				}
				return err
			}
			if err := s.Colon(); err != nil {
				return err
			}
			return s.skip(depth + 1)
		})
	case '[':
		return s.Array(func() error { return s.skip(depth + 1) })
	}
	switch kind, err := s.next(); {
	case err != nil:
		return err
	case kind != stringToken && kind != numberToken && kind != literalToken:
		return s.syntax("%s where a value is expected", s.describe(kind))
	}
	return nil
}

// Members reads an object, of which no name may occur twice; value reads what is under one. Names may share the memory of the text,
// as those of Text do. Objects with few members need no memory.
func (s *Scanner) Members(value func(name string) error) error {
	var room [8]string
	few := room[:0]
	var many map[string]bool // all names, if they are not few
	return s.Object(func() error {
		name, err := s.Text("name")
		if err != nil {
			return err
		}
		if many[name] || slices.Contains(few, name) {
			return s.Errorf("the member %s is there twice", Quote(name))
		}
		switch {
		case many != nil:
			many[name] = true
		case len(few) < len(room):
			few = append(few, name)
		default:
			many = map[string]bool{name: true}
			for _, n := range few {
				many[n] = true
			}
		}
		if s.o.MaxMembers > 0 && max(len(few), len(many)) > s.o.MaxMembers {
			return s.Errorf("an object has more than %d members", s.o.MaxMembers)
		}
		if err := s.Colon(); err != nil {
			return err
		}
		return value(name)
	})
}

// Null reads a null, if there is one.
func (s *Scanner) Null() (bool, error) {
	if s.Peek() != 'n' {
		return false, nil
	}
	kind, err := s.next()
	if err == nil && string(s.word) != "null" {
		err = s.syntax("%s where a value is expected", s.describe(kind))
	}
	return err == nil, err
}

// Members reads a text that is one object, of which no name may occur twice. The values are parts of the text.
func Members(ctx context.Context, text []byte, member func(name string, value []byte) error) error {
	s := New(ctx, text, Options{})
	err := s.Members(func(name string) error {
		value, err := s.Value()
		if err != nil {
			return err
		}
		return member(strings.Clone(name), value)
	})
	if err != nil {
		return err
	}
	return s.End()
}

// End demands that nothing but white space follows.
func (s *Scanner) End() error {
	if s.Peek() != 0 || s.at < len(s.text) {
		if err := s.stopped(); err != nil {
			return err
		}
		s.at++
		if s.o.What == "" {
			return errors.New("more follows the value")
		}
		return s.Errorf("something follows the %s's closing brace", s.o.What)
	}
	return nil
}
