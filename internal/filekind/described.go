package filekind

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/linnet-ml/linnet/internal/shown"
)

// Described says what a file is that begins with head and should have been one that is neither empty nor text, such as a
// model: what [Content] says, "an empty file" or a text and how it begins. It returns "" for what it does not know. Of head 512 bytes
// are enough; a shorter one is the whole file.
func Described(head []byte) string {
	what := Content(head)
	switch {
	case len(head) == 0:
		return "an empty file"
	case strings.HasPrefix(what, "a text"):
		what, _, _ = strings.Cut(what, ";") // nobody wants it in another encoding
		return what
	case what != "":
		return what
	case bytes.HasPrefix(head, []byte("\xba\x16\x4f\x2f")):
		return "a model of fastText (.bin)"
	case isText(head):
		return "a text, which begins with " + shown.Quote(firstLine(head))
	}
	return ""
}

// isText tells whether head is text in UTF-8, or in an encoding of single bytes that is ASCII for the most part.
func isText(head []byte) bool {
	ascii := 0
	for _, c := range head {
		switch {
		case c < ' ' && c != '\t' && c != '\n' && c != '\r' && c != '\f' || c == 0x7f:
			return false
		case c < utf8.RuneSelf:
			ascii++
		}
	}
	for range utf8.UTFMax { // the last character may be cut
		if utf8.Valid(head) {
			return len(bytes.TrimSpace(head)) > 0
		}
		head = head[:len(head)-min(1, len(head))]
	}
	return 4*ascii >= 3*len(head) && len(bytes.TrimSpace(head)) > 0
}

// firstLine is the beginning of the first line that is not empty.
func firstLine(head []byte) []byte {
	const most = 40
	head = bytes.TrimSpace(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")))
	if i := bytes.IndexAny(head, "\r\n"); i >= 0 {
		head = head[:i]
	}
	if len(head) <= most {
		return head
	}
	n := most
	for n > most-utf8.UTFMax && !utf8.RuneStart(head[n]) {
		n--
	}
	return head[:n]
}
