package example

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/linnet-ml/linnet/internal/shown"
	"github.com/linnet-ml/linnet/nn"
	"golang.org/x/term"
)

// Page is where a program writes what people read: the standard output. It breaks lines at spaces that are longer than the
// terminal is wide, escapes what is not printable, and remembers the first error, which must not be lost where nobody looks
// at that of each line. What follows the last line end waits for the next one, or for End.
type Page struct {
	to      io.Writer
	limit   int    // characters of a line of a paragraph
	columns int    // of the terminal; 0 where there is none, and lines may have any length
	line    []byte // not ended yet
	err     error
}

// pageWidth is that of a line on a wide terminal and where there is no terminal.
const pageWidth = 80

// NewPage returns a Page on w, which may be one already.
func NewPage(w io.Writer) *Page {
	if p, ok := w.(*Page); ok {
		return p
	}
	if f, ok := w.(*os.File); ok {
		if columns, _, err := term.GetSize(int(f.Fd())); err == nil && columns > 0 {
			return NarrowPage(w, columns)
		}
	}
	return &Page{to: w, limit: pageWidth}
}

// NarrowPage returns a Page on what is as wide as a terminal of so many columns.
func NarrowPage(w io.Writer, columns int) *Page {
	return &Page{to: w, limit: min(columns, pageWidth), columns: columns}
}

// NoPage returns a Page that nobody sees.
func NoPage() *Page { return NewPage(io.Discard) }

// Write writes lines.
func (p *Page) Write(b []byte) (int, error) {
	n := len(b)
	for len(b) > 0 {
		line, rest, ended := bytes.Cut(b, []byte("\n"))
		p.line = append(p.line, line...)
		if ended {
			p.flush("\n")
		}
		b = rest
	}
	return n, p.err
}

// flush writes the line that waits.
func (p *Page) flush(end string) {
	text := shown.Text(string(p.line))
	if p.columns > 0 {
		text = broken(text, p.columns)
	}
	text += end
	p.line = p.line[:0]
	if p.err != nil {
		return
	}
	_, err := io.WriteString(p.to, text)
	p.fail(err)
}

// fail remembers the first error.
func (p *Page) fail(err error) {
	if p.err == nil && err != nil {
		if path := (*fs.PathError)(nil); errors.As(err, &path) {
			err = path.Err
		}
		p.err = fmt.Errorf("the standard output cannot be written: %w", err)
	}
}

// End writes what waits, and returns err and the Page's own.
func (p *Page) End(err error) error {
	if len(p.line) > 0 {
		p.flush("")
	}
	switch {
	case p.err == nil || errors.Is(err, p.err):
		return err
	case err == nil || IsHelp(err):
		return p.err
	}
	return errors.Join(err, p.err)
}

// Print writes a text as a paragraph: it is broken into lines at its spaces.
func (p *Page) Print(text string) { fmt.Fprintln(p, p.Wrap(text)) }

// Wrap breaks a text at its spaces into lines.
func (p *Page) Wrap(text string) string { return wrap(text, p.limit-1) }

// List writes numbers as Python does, in lines.
func (p *Page) List(numbers []int32) string {
	return p.Wrap(strings.ReplaceAll(fmt.Sprint(numbers), " ", ", "))
}

// Fit is how many things of the same width fit into a line, at least 1 and at most most.
func (p *Page) Fit(most, width int) int { return max(1, min(most, p.limit/width)) }

// Summary is a model's as wide as there is room.
func (p *Page) Summary(m *nn.Model) string {
	o := nn.SummaryOptions{}
	if p.limit < pageWidth {
		o.LineLength = p.limit
	}
	return m.SummaryWith(o)
}

// wrap breaks a text at spaces into lines of a number of characters. Longer words stay whole.
func wrap(text string, width int) string {
	var b strings.Builder
	at := 0
	for _, word := range strings.Split(text, " ") {
		n := utf8.RuneCountInString(word)
		switch {
		case b.Len() == 0:
		case at+1+n > width:
			b.WriteByte('\n')
			at = 0
		default:
			b.WriteByte(' ')
			at++
		}
		b.WriteString(word)
		at += n
	}
	return b.String()
}

// broken is a line, broken at spaces if it is longer than a number of characters. What stands between two spaces stays whole.
func broken(line string, width int) string {
	var b strings.Builder
	for utf8.RuneCountInString(line) > width {
		at, n := -1, 0
		for i, r := range line {
			if r == ' ' && strings.Trim(line[:i], " ") != "" && (n <= width || at < 0) {
				at = i
			}
			if n++; n > width && at >= 0 {
				break
			}
		}
		rest := ""
		if at >= 0 {
			rest = strings.TrimLeft(line[at:], " ")
		}
		if rest == "" {
			break
		}
		b.WriteString(strings.TrimRight(line[:at], " "))
		b.WriteByte('\n')
		line = rest
	}
	b.WriteString(line)
	return b.String()
}
