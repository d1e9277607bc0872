package wordvectors

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/linnet-ml/linnet/internal/filekind"
)

// Kind is a layout of a file of word vectors.
type Kind uint8

// The layouts.
const (
	Auto           Kind = iota // recognised by the file's first bytes
	GloVe                      // lines of a word and its values
	Word2VecText               // the same behind a line with the number of words and the dimension; fastText's .vec
	Word2VecBinary             // that line, then words and float32 values in binary
)

func (k Kind) String() string {
	switch k {
	case Auto:
		return "auto"
	case GloVe:
		return "GloVe text"
	case Word2VecText:
		return "word2vec text"
	case Word2VecBinary:
		return "word2vec binary"
	}
	return "Kind(" + strconv.Itoa(int(k)) + ")"
}

// fastTextMagic begins fastText's own .bin files, which hold a model of parts of words and not a table of words.
var fastTextMagic = [4]byte{0xba, 0x16, 0x4f, 0x2f}

// foreign returns an error that names what a file is that has no word vectors in any layout, and nil for all others.
func foreign(head []byte) error {
	if bytes.HasPrefix(head, fastTextMagic[:]) {
		return fmt.Errorf("wordvectors: this is a fastText model (.bin), which has vectors for parts of words; its .vec file has the words")
	}
	what := filekind.Content(head)
	if what == "" {
		return nil
	}
	if strings.HasPrefix(what, "data packed by") && !strings.Contains(what, ";") {
		return fmt.Errorf("wordvectors: the file is packed twice: this is %s once more; unpack it first", what)
	}
	switch {
	case what == "a zip archive":
		what += " in another; unpack it first"
	case strings.HasPrefix(what, "a pickle"):
		what += "; gensim's save_word2vec_format writes word vectors that can be read"
	case strings.HasPrefix(what, "an array of NumPy"), strings.HasPrefix(what, "an HDF5"):
		what += ", which has no words"
	}
	return fmt.Errorf("wordvectors: this is no table of word vectors but %s", what)
}

// recognise names the layout of a file that begins with head and is not foreign.
func recognise(head []byte) (Kind, error) {
	if len(head) == 0 {
		return Auto, fmt.Errorf("wordvectors: the file is empty")
	}
	line, rest, found := bytes.Cut(head, []byte{'\n'})
	if _, _, ok := headerFields(trimEnd(line)); !ok || !found {
		if looksLikeText(line) {
			return GloVe, nil
		}
		return Auto, fmt.Errorf("wordvectors: line 1 is neither a word with its values nor a header of word2vec: %q", shorten(line))
	}
	if line, _, _ := bytes.Cut(rest, []byte{'\n'}); len(rest) == 0 || looksLikeText(line) {
		return Word2VecText, nil
	}
	return Word2VecBinary, nil
}

// looksLikeText says whether a line, or the first part of a long one, ends with a space and a number, and has no control
// character as nearly every vector in binary has.
func looksLikeText(line []byte) bool {
	line = trimEnd(line)
	for _, c := range line {
		if c < ' ' && c != '\t' && c != '\r' {
			return false
		}
	}
	i := bytes.LastIndexByte(line, ' ')
	return i >= 0 && numeric(line[i+1:])
}

// headerFields splits "words dimension"; both are digits.
func headerFields(line []byte) (count, dim []byte, ok bool) {
	count, dim, ok = bytes.Cut(line, []byte{' '})
	dim = bytes.TrimLeft(dim, " ")
	return count, dim, ok && digits(count) && digits(dim)
}

func digits(b []byte) bool {
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(b) > 0
}

// trimEnd cuts what may stand behind the last value of a line: the CR of CR LF, more of them, spaces and tabs.
func trimEnd(line []byte) []byte {
	for len(line) > 0 && (line[len(line)-1] == ' ' || line[len(line)-1] == '\r' || line[len(line)-1] == '\t') {
		line = line[:len(line)-1]
	}
	return line
}

// trailingNumbers counts the numbers at the end of a line, up to most, of which it leaves the word at least one field.
func trailingNumbers(line []byte, most int) int {
	n := 0
	for n < most {
		line = bytes.TrimRight(line, " ")
		i := bytes.LastIndexByte(line, ' ')
		if i < 0 || !numeric(line[i+1:]) {
			break
		}
		line = line[:i]
		n++
	}
	return n
}

// shorten keeps an error readable when a line has megabytes.
func shorten(b []byte) []byte {
	const most = 60
	if len(b) > most {
		return b[:most]
	}
	return b
}
