// Package textline is the one place that knows what a line of a file of words has beside its text. Readers of lists
// of words use [Trim]. text.ReadHubVocabulary, which reads the words of TensorFlow Hub's modules, takes only [TrimReturn]: to
// TensorFlow a byte order mark is part of the first word. Tables of word vectors take only [TrimMark]: their lines may end with
// spaces, too, which their reader knows. Readers of CSV leave out the [Mark] alone.
package textline

import "bytes"

// Mark is the byte order mark U+FEFF in UTF-8, which some editors and spreadsheets write at the start of a file.
const Mark = "\xef\xbb\xbf"

// IsUTF16 reports whether a file begins with the byte order mark of UTF-16, in either order. Neither can begin a text in UTF-8.
func IsUTF16(head []byte) bool {
	return bytes.HasPrefix(head, []byte("\xff\xfe")) || bytes.HasPrefix(head, []byte("\xfe\xff"))
}

// Trim returns the text of line number n, counted from 1, whose line feed is already gone: without the Mark that the first
// line may begin with, and without the one carriage return that lines of Windows end with. A second carriage return and a
// Mark elsewhere belong to the text.
func Trim(n int, line []byte) []byte {
	if n == 1 {
		line = TrimMark(line)
	}
	return TrimReturn(line)
}

// TrimMark returns the start of a file without its Mark.
func TrimMark(head []byte) []byte { return bytes.TrimPrefix(head, []byte(Mark)) }

// TrimReturn returns a line without the one carriage return that it may end with.
func TrimReturn(line []byte) []byte {
	if n := len(line); n > 0 && line[n-1] == '\r' {
		return line[:n-1]
	}
	return line
}
