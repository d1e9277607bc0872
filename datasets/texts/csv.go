package texts

import (
	"bytes"
	"io"
)

// csvReader finds the records of CSV: fields between delimiters, in quotes if they hold delimiters, quotes (doubled) or ends of
// lines. It differs from encoding/csv where files of others ask for it: a quote inside an unquoted field is a quote, a
// carriage return alone ends a line as in Python, a record cannot take more memory than the limit, fields that nobody
// asked for are not copied, and an error keeps to its record.
type csvReader struct {
	w         *window
	delimiter byte
	quotes    bool    // whether quotes have their meaning
	most      int     // how many fields are kept; 0: all
	fields    []field // of the current record
	count     int     // of the fields, kept or not
}

func (c *csvReader) add(f field) {
	if c.count++; c.most == 0 || c.count <= c.most {
		c.fields = append(c.fields, f)
	}
}

// field is a field of the current record, without its quotes, as places relative to the window's start.
type field struct {
	from, to int
	quoted   bool
	doubled  bool // has quotes that are doubled, or carriage returns
}

// next finds the next record and returns its length with its end. The record stays at the window's start until the caller
// advances. Empty lines are skipped.
func (c *csvReader) next() (n int, bad *fault, err error) {
	w := c.w
	over, quotedRow := false, false
	pos, line := 0, -1
	b := w.bytes()
	// more gets more bytes after those of b, which have all been looked at.
	more := func() bool {
		if len(b) > w.limit+1 { // a carriage return at the end does not count
			over = true
			w.advance(pos)
			pos = 0
		}
		line = -1
		ok := w.more()
		b = w.bytes()
		return ok
	}
	// lineEnd takes the end of the line at pos, which is there.
	lineEnd := func() {
		pos++
		if b[pos-1] == '\r' && (pos < len(b) || more()) && b[pos] == '\n' {
			pos++
		}
	}
	// end is the end of the record, at pos: that of its line, or of the file.
	end := func() (int, *fault, error) {
		over = over || pos > w.limit
		switch {
		case pos < len(b):
			lineEnd()
		case w.err != io.EOF:
			return 0, nil, w.err
		}
		if over {
			return pos, overLong(w.limit, quotedRow), nil
		}
		return pos, nil, nil
	}
	for { // empty lines
		if pos == len(b) && !more() {
			return 0, nil, w.err
		}
		if b[pos] != '\n' && b[pos] != '\r' {
			break
		}
		lineEnd()
		w.advance(pos)
		b, pos = w.bytes(), 0
	}
	w.begin()
	c.fields, c.count = c.fields[:0], 0
	for {
		if pos == len(b) && !more() { // after a delimiter
			c.add(field{from: pos, to: pos})
			return end()
		}
		if c.quotes && b[pos] == '"' {
			open := pos
			quotedRow = true
			pos++
			f := field{from: pos, quoted: true}
			for {
				i := bytes.IndexByte(b[pos:], '"')
				if i < 0 {
					pos = len(b)
					if more() {
						continue
					}
					if w.err != io.EOF {
						return 0, nil, w.err
					}
					if over || pos > w.limit {
						return pos, overLong(w.limit, true), nil
					}
					return pos, faultAt(open, "a quoted field begins here and never ends%s", swallowed(lines(b[open:pos], true))), nil
				}
				f.to = pos + i
				pos += i + 1
				if pos == len(b) && !more() {
					break
				}
				if over {
					f = field{} // nobody will look at it
				}
				if b[pos] != '"' {
					break
				}
				f.doubled = true
				pos++
			}
			if pos < len(b) && b[pos] != c.delimiter && b[pos] != '\n' && b[pos] != '\r' {
				at := pos
				for b[pos] != '\n' && b[pos] != '\r' {
					if pos++; pos == len(b) && !more() {
						break
					}
				}
				n, bad, err = end()
				if bad == nil && err == nil {
					bad = faultAt(at, "text after the closing quote of a field; a quote inside a quoted field must be doubled")
				}
				return n, bad, err
			}
			if !over && !f.doubled {
				f.doubled = bytes.IndexByte(b[f.from:f.to], '\r') >= 0
			}
			c.add(f)
		} else {
			f := field{from: pos}
			for {
				if line < pos { // the next end of a line, or of what is there
					if line = bytes.IndexByte(b[pos:], '\n'); line < 0 {
						line = len(b) - pos
					}
					if i := bytes.IndexByte(b[pos:pos+line], '\r'); i >= 0 {
						line = i
					}
					line += pos
				}
				if i := bytes.IndexByte(b[pos:line], c.delimiter); i >= 0 {
					pos += i
					break
				}
				if pos = line; pos < len(b) || !more() {
					break
				}
			}
			f.to = pos
			c.add(f)
		}
		if pos == len(b) || b[pos] != c.delimiter {
			return end()
		}
		pos++
	}
}

// overLong is overLimit of a record that may have quotes.
func overLong(limit int, quotes bool) *fault {
	bad := overLimit(limit)
	if quotes {
		bad.message += "; does a quote in it never close?"
	}
	return bad
}

func swallowed(n int) string {
	if n == 0 {
		return ""
	}
	return "; it takes up the rest of the file, " + counted(n, "line")
}

// value is the field's content: doubled quotes are one, and ends of lines are \n alone. It may be a part of the window or of
// buf, which it returns.
func (c *csvReader) value(f field, buf []byte) (value, grown []byte) {
	b := c.w.bytes()[f.from:f.to]
	if !f.doubled {
		return b, buf
	}
	buf = buf[:0]
	for len(b) > 0 {
		i := bytes.IndexAny(b, "\"\r")
		if i < 0 {
			break
		}
		buf = append(buf, b[:i]...)
		if b[i] == '"' {
			buf = append(buf, '"')
			b = b[i+2:]
		} else {
			if i+1 == len(b) || b[i+1] != '\n' {
				buf = append(buf, '\r')
			}
			b = b[i+1:]
		}
	}
	buf = append(buf, b...)
	return buf, buf
}

// csvRows streams the rows of CSV.
func (s *Source) csvRows(w *window, e *emitter) error {
	w.returns = true
	c := csvReader{w: w, delimiter: byte(s.found.Delimiter), quotes: !s.found.NoQuotes}
	if s.found.Header {
		n, _, err := c.next()
		if err != nil {
			return err
		}
		w.advance(n)
	}
	text, label, columns := s.text, s.label, len(s.found.Columns)
	c.most = columns
	var buf, labelBuf []byte
	for {
		n, bad, err := c.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		row := Row{File: s.shown, Line: w.firstLine}
		if bad == nil && c.count != columns {
			bad = faultAt(atRecord, "%s%s", notAsMany(c.count, "field", columns), extraFields(c.count > columns, c.delimiter, c.quotes))
		}
		if bad == nil {
			f := c.fields[text]
			bad = textFault(w.bytes()[f.from:f.to], f.from, s.found.Encoding)
		}
		if bad == nil && label >= 0 {
			f := c.fields[label]
			bad = textFault(w.bytes()[f.from:f.to], f.from, s.found.Encoding)
		}
		var value []byte
		if bad == nil {
			value, buf = c.value(c.fields[text], buf)
			row.Text = string(value)
			if label >= 0 {
				value, labelBuf = c.value(c.fields[label], labelBuf)
				var message string
				if row.Labels, row.HasLabels, message = e.fieldLabels(value); message != "" {
					bad = faultAt(c.fields[label].from, "%s", message)
				}
			}
		}
		if !e.row(w, row, bad) {
			return nil
		}
		w.advance(n)
	}
}

func extraFields(more bool, delimiter byte, quotes bool) string {
	if !more || !quotes {
		return ""
	}
	return "; a text with " + delimiterName(rune(delimiter)) + " must be in quotes"
}
