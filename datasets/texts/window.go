package texts

import (
	"bytes"
	"io"
	"unicode/utf8"
)

const (
	// block is how much of a file is looked at to find its format, and the most that is read at once.
	block = 256 << 10
	// piece is how much is read at once while records are small.
	piece = 64 << 10
)

// window is the part of a file, decoded to UTF-8, that holds the current record. It grows with the record and no further
// than its limit; a reader of records that would go beyond drops what it has of the record and looks for its end.
type window struct {
	r          io.Reader
	buf        []byte
	start, end int   // the record begins at start; bytes are there up to end
	err        error // of r; io.EOF at the end
	limit      int   // the most bytes of a record
	line       int   // of start, from 1
	column     int   // of start in characters, from 1; kept only if columns is set
	columns    bool

	firstLine, firstColumn int // where the record begins, even if its first bytes have been dropped

	returns bool // a carriage return alone ends a line too

	afterReturn bool // the last byte before start is a carriage return
}

func newWindow(r io.Reader, limit int) *window {
	return &window{r: r, limit: limit, line: 1, column: 1}
}

// begin says that a record begins at start.
func (w *window) begin() { w.firstLine, w.firstColumn = w.line, w.column }

// bytes is what is there from the start of the record on.
func (w *window) bytes() []byte { return w.buf[w.start:w.end] }

// more reads more bytes and reports whether there are any. Places relative to the record's start stay as they are.
func (w *window) more() bool {
	if w.err != nil {
		return false
	}
	n := w.end - w.start
	if len(w.buf)-w.end < piece/2 {
		to := w.buf
		if len(w.buf)-n < max(n, piece/2) { // moving costs n: only for as much room
			to = make([]byte, max(piece, 2*len(w.buf)))
		}
		copy(to, w.bytes())
		w.buf, w.start, w.end = to, 0, n
	}
	for range 100 {
		n, err := w.r.Read(w.buf[w.end:min(len(w.buf), w.end+block)])
		w.end += n
		w.err = err
		if n > 0 || err != nil {
			return n > 0
		}
	}
	w.err = io.ErrNoProgress
	return false
}

// advance goes on by n bytes.
func (w *window) advance(n int) {
	b := w.buf[w.start : w.start+n]
	w.line += lines(b, w.returns)
	if w.returns && n > 0 {
		if w.afterReturn && b[0] == '\n' { // both are one end of a line, and it has been counted
			w.line--
		}
		w.afterReturn = b[n-1] == '\r'
	}
	if w.columns {
		if i := bytes.LastIndexByte(b, '\n'); i >= 0 {
			w.column = 1
			b = b[i+1:]
		}
		w.column += utf8.RuneCount(b)
	}
	w.start += n
}

// lines counts the ends of lines.
func lines(b []byte, returns bool) int {
	n := bytes.Count(b, []byte{'\n'})
	if !returns {
		return n
	}
	for {
		i := bytes.IndexByte(b, '\r')
		if i < 0 {
			return n
		}
		b = b[i+1:]
		if len(b) == 0 || b[0] != '\n' {
			n++
		}
	}
}

// atRecord is the place of a fault of the record as a whole.
const atRecord = -1

// place returns line and column of a byte of the record.
func (w *window) place(at int) (line, column int) {
	if at == atRecord {
		return w.firstLine, w.firstColumn
	}
	b := w.bytes()
	b = b[:min(at, len(b))]
	line, column = w.line, w.column
	if n := lines(b, w.returns); n > 0 {
		line, column = line+n, 1
		from := bytes.LastIndexByte(b, '\n')
		if w.returns {
			from = max(from, bytes.LastIndexByte(b, '\r'))
		}
		b = b[from+1:]
	}
	return line, column + utf8.RuneCount(b)
}

// nextLine returns the length of the line at the window's start with its end, and whether it is longer than the limit. What
// of a longer line is still there is its last part only. At the end of the file the error is io.EOF.
func (w *window) nextLine() (n int, over bool, err error) {
	w.begin()
	for from := 0; ; {
		b := w.bytes()
		if i := bytes.IndexByte(b[from:], '\n'); i >= 0 {
			return from + i + 1, over || from+i > w.limit, nil
		}
		if from = len(b); from > w.limit {
			over = true
			w.advance(from)
			from = 0
		}
		if w.more() {
			continue
		}
		switch {
		case w.err != io.EOF:
			return 0, over, w.err
		case from == 0 && !over:
			return 0, false, io.EOF
		}
		return from, over, nil
	}
}

// trimEnd cuts the line's end off.
func trimEnd(line []byte) []byte {
	if n := len(line); n > 0 && line[n-1] == '\n' {
		line = line[:n-1]
	}
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	return line
}
