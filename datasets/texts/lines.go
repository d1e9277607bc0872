package texts

import (
	"bytes"
	"io"
)

// labelPrefix begins a label in fastText's files.
const labelPrefix = "__label__"

// plainRows streams lines that are texts, empty ones included.
func (s *Source) plainRows(w *window, e *emitter) error {
	return s.lineRows(w, e, func(line []byte, row *Row) *fault {
		row.Text = string(line)
		return nil
	})
}

// fastTextRows streams lines with labels as fastText reads them: words that begin with __label__ are labels wherever they
// stand, and what is left is the text. Empty lines are skipped.
func (s *Source) fastTextRows(w *window, e *emitter) error {
	var buf []byte
	return s.lineRows(w, e, func(line []byte, row *Row) *fault {
		e.set.begin(e)
		nameless := -1
		buf = fastTextLine(line, buf[:0], func(at int, label []byte) bool {
			if len(label) == 0 {
				nameless = at
				return false
			}
			row.HasLabels = true
			return e.set.add(label, true)
		})
		if nameless >= 0 {
			return faultAt(nameless, "a label without a name")
		}
		var bad string
		if row.Labels, bad = e.set.take(); bad != "" {
			return faultAt(atRecord, "%s", bad)
		}
		row.Text = string(buf)
		return nil
	})
}

// fastTextLine calls found for each label of a line, without its prefix, until found returns false, and appends the text to
// text. The label's prefix begins at the byte at.
func fastTextLine(line, text []byte, found func(at int, label []byte) bool) []byte {
	all := len(line)
	for {
		i := bytes.Index(line, []byte(labelPrefix))
		for i > 0 && !isSpace(line[i-1]) { // inside a word
			next := bytes.Index(line[i+1:], []byte(labelPrefix))
			if next < 0 {
				i = -1
			} else {
				i += 1 + next
			}
		}
		if i < 0 {
			break
		}
		text = append(text, line[:i]...)
		at := all - len(line) + i
		line = line[i+len(labelPrefix):]
		n := 0
		for n < len(line) && !isSpace(line[n]) {
			n++
		}
		if !found(at, line[:n]) {
			return text
		}
		for n < len(line) && isSpace(line[n]) { // belongs to the label
			n++
		}
		line = line[n:]
	}
	text = append(text, line...)
	return bytes.Trim(text, asciiSpace)
}

// asciiSpace is what separates words in fastText.
const asciiSpace = " \t\v\f\r\n\x00"

func isSpace(c byte) bool { return c <= ' ' && bytes.IndexByte([]byte(asciiSpace), c) >= 0 }

// lineRows streams rows that are lines. parse fills the row. Lines of nothing but white space are skipped, except in the
// format [Lines].
func (s *Source) lineRows(w *window, e *emitter, parse func(line []byte, row *Row) *fault) error {
	for {
		n, over, err := w.nextLine()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		line := trimEnd(w.bytes()[:n])
		row := Row{File: s.shown, Line: w.firstLine}
		var bad *fault
		switch {
		case over:
			bad = overLimit(w.limit)
		case s.found.Format != Lines && len(bytes.Trim(line, " \t")) == 0:
			w.advance(n)
			if !e.alive() {
				return nil
			}
			continue
		default:
			if bad = textFault(line, 0, s.found.Encoding); bad == nil {
				bad = parse(line, &row)
			}
		}
		if !e.row(w, row, bad) {
			return nil
		}
		w.advance(n)
	}
}
