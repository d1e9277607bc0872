package texts

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ErrEmpty is wrapped by the error about a file, folder or stream without rows, which comes from [Open] or [Source.Rows].
var ErrEmpty = errors.New("no rows")

// An OptionError reports one of the [Options] that is impossible, or that names what the data does not have, such as a column.
// The data may be good.
type OptionError struct {
	Option  string // the field's name
	Problem string // a sentence
}

// Error is the problem.
func (e *OptionError) Error() string { return e.Problem }

func badOption(option, format string, args ...any) error {
	return &OptionError{option, fmt.Sprintf(format, args...)}
}

var errNilContext = errors.New("texts: the context is nil")

var errNotOpen = errors.New("texts: the Source is nil or empty: Open makes one")

// RowError reports a row that cannot be read. The rows after it may be good.
type RowError struct {
	// File is the file's path as it was given to [Open], or the path of a file in a folder; "stdin" for a stream.
	File string
	// Line counts from 1: the line where the fault is. In files that have no lines (a [Format]) it is the row.
	Line int
	// Column is the character of the line, from 1. 0 where the fault has no single place in its line.
	Column int
	// Message says what is wrong. Texts of the file are in it quoted and shortened.
	Message string
}

// Error is file:line:column: message.
func (e *RowError) Error() string {
	return place(e.File, e.Line, e.Column) + ": " + e.Message
}

// place is file:line:column, without the parts that are 0.
func place(file string, line, column int) string {
	s := shownPath(file)
	if line > 0 {
		s += ":" + strconv.Itoa(line)
		if column > 0 {
			s += ":" + strconv.Itoa(column)
		}
	}
	return s
}

// shownPath quotes paths that a terminal should not get as they are.
func shownPath(path string) string {
	for _, r := range path {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return quoted(path)
		}
	}
	return path
}

// quoted is %q of a text of a file, cut after 60 bytes.
func quoted[T string | []byte](s T) string {
	const most = 60
	if len(s) <= most {
		return strconv.Quote(string(s))
	}
	n := most
	for n > most-utf8.UTFMax && !utf8.RuneStart(s[n]) {
		n--
	}
	return strconv.Quote(string(s[:n])) + "…"
}

// mostListed is how many names an error lists.
const mostListed = 20

// listed is the quoted names, as many as are listed.
func listed(names []string) string { return listedOf(names, len(names)) }

// listedOf is listed of count names, the first of which are there.
func listedOf(names []string, count int) string {
	var b strings.Builder
	for i, name := range names[:min(len(names), mostListed)] {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(quoted(name))
	}
	if count > mostListed {
		fmt.Fprintf(&b, " and %d more", count-mostListed)
	}
	return b.String()
}

// fault is what is wrong with a record, and at which of its bytes.
type fault struct {
	at      int // or atRecord
	message string
}

func faultAt(at int, format string, args ...any) *fault {
	return &fault{at, fmt.Sprintf(format, args...)}
}

// overLimit reports a row that is too long.
func overLimit(limit int) *fault {
	return faultAt(atRecord, "the row has more than %s (MaxText)", size(limit))
}

// size is a number of bytes in words.
func size(n int) string {
	switch {
	case n >= 1<<20 && n%(1<<20) == 0:
		return decimal(n>>20) + " MiB"
	case n >= 1<<10 && n%(1<<10) == 0:
		return decimal(n>>10) + " KiB"
	}
	return counted(n, "byte")
}

// decimal is a number with commas between thousands.
func decimal(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// counted is a number and a noun, in the plural if need be.
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if strings.HasSuffix(noun, "s") {
		noun += "e"
	}
	return decimal(n) + " " + noun + "s"
}

// notAsMany says that there are n of something and not as many as expected.
func notAsMany(n int, noun string, expected int) string {
	verb := "are"
	if expected == 1 {
		verb = "is"
	}
	return counted(n, noun) + " where " + decimal(expected) + " " + verb + " expected"
}
