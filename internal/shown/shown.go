// Package shown makes text that nobody vouches for fit for people's eyes: names from files and archives, what servers say,
// arguments of a command line. Such text may hold escape sequences, NUL, line ends, and characters that turn the direction of
// reading round: on a terminal, or in a log, they would do more than be read.
//
// Every text that this package returns has printable characters alone. What is not printable is written as Go writes it
// in a string: \x1b, \n, \u202e. A text that is printable stays as it is, so that it does no harm to call a function twice.
//
//   - [Text] escapes a text, for one that stands by itself: a message, a line of progress.
//   - [Quote] is for a text within a sentence: in quotes, and shortened.
//   - [Name] is for one that is a name as a rule: quoted only if need be. [Path] is for a path.
//   - [Errorf] makes an error whose text is escaped, whatever the errors within say.
package shown

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// most is how many bytes of a text Quote and Name show.
const most = 80

// Text is a text with everything escaped that is not printable, line ends included.
func Text(s string) string {
	if printable(s) {
		return s
	}
	return string(appendEscaped(nil, s, ""))
}

// Lines is [Text] that leaves line ends as they are.
func Lines(s string) string { return string(appendEscaped(nil, s, "\n")) }

// Quote is a text in quotes, of a long one the first 80 bytes and "…".
func Quote[T string | []byte](s T) string {
	if len(s) > most {
		return strconv.Quote(string(s[:cut(s, most)])) + "…"
	}
	return strconv.Quote(string(s))
}

// Name is a text as it is if it is printable, has no spaces at its ends and no more than 80 bytes, and else as [Quote] has it.
func Name(s string) string { return NameOf(s, most) }

// Path is [Name] for the path of a file, which is not shortened: its end says the most.
func Path(path string) string { return NameOf(path, len(path)) }

// NameOf is [Name] with another number of bytes.
func NameOf(s string, most int) string {
	short := s[:cut(s, most)]
	if short == "" || strings.TrimSpace(short) != short || !printable(short) {
		short = strconv.Quote(short)
	}
	if len(s) > most {
		short += "…"
	}
	return short
}

// Names is a list of at most 20 names with commas between them.
func Names(names []string) string {
	const most = 20
	list := make([]string, 0, most)
	for _, name := range names[:min(len(names), most)] {
		list = append(list, Name(name))
	}
	text := strings.Join(list, ", ")
	if n := len(names) - most; n > 0 {
		text += fmt.Sprintf(" and %d more", n)
	}
	return text
}

// cut is how many of the first most bytes are whole characters.
func cut[T string | []byte](s T, most int) int {
	if len(s) <= most {
		return len(s)
	}
	n := most
	for n > most-utf8.UTFMax && n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return n
}

// printable reports whether all of a text is.
func printable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

// appendEscaped appends a text in which what is not printable is escaped, but for the characters in except.
func appendEscaped(b []byte, s, except string) []byte {
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && n == 1:
			b = fmt.Appendf(b, `\x%02x`, s[0])
		case unicode.IsPrint(r) || strings.ContainsRune(except, r):
			b = append(b, s[:n]...)
		default:
			at := len(b)
			b = strconv.AppendQuoteRuneToASCII(b, r)
			b = append(b[:at], b[at+1:len(b)-1]...)
		}
		s = s[n:]
	}
	return b
}

// Errorf is fmt.Errorf, but for the text of the error, in which what is not printable is escaped. Of errors that were
// joined, each stays on a line of its own.
func Errorf(format string, args ...any) error { return Error(fmt.Errorf(format, args...)) }

// Error is an error with the text of err, in which what is not printable is escaped. It is err itself if that needs nothing.
func Error(err error) error {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok && err.Error() == errors.Join(joined.Unwrap()...).Error() {
		var each []error
		for _, e := range joined.Unwrap() {
			each = append(each, Error(e))
		}
		return errors.Join(each...)
	}
	if text := err.Error(); !printable(text) {
		return &escaped{text, err}
	}
	return err
}

// escaped is an error with a text that is printable.
type escaped struct {
	text string
	err  error
}

func (e *escaped) Error() string { return Text(e.text) }
func (e *escaped) Unwrap() error { return e.err }

// JSON is a JSON text in which what is not printable is escaped as JSON escapes it: it means the same. Line ends stay. A byte
// that is not UTF-8 becomes U+FFFD, as who reads JSON takes it.
func JSON(text []byte) []byte {
	if utf8.Valid(text) && !bytes.ContainsFunc(text, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }) {
		return text
	}
	b := make([]byte, 0, len(text))
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		switch {
		case r == utf8.RuneError && n == 1:
			b = append(b, `\ufffd`...)
		case unicode.IsPrint(r), r == '\n', r < ' ': // within strings JSON has no control characters below U+0020
			b = append(b, text[:n]...)
		case r > 0xffff:
			r -= 0x10000
			b = fmt.Appendf(b, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		default:
			b = fmt.Appendf(b, `\u%04x`, r)
		}
		text = text[n:]
	}
	return b
}

// Instead is err with the name that a user gave, or knows, in place of that of a temporary file.
func Instead(err error, temporary, name string) error {
	if err == nil || !strings.Contains(err.Error(), temporary) {
		return err
	}
	return &escaped{strings.ReplaceAll(err.Error(), temporary, name), err}
}
