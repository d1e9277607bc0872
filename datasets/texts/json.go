package texts

import (
	"bytes"
	"io"
	"unicode/utf16"
	"unicode/utf8"
)

// jsonKind is what a value of JSON is.
type jsonKind uint8

const (
	jsonNull jsonKind = iota
	jsonBool
	jsonNumber
	jsonString
	jsonList
	jsonObject
)

func (k jsonKind) String() string {
	return [...]string{"null", "a boolean", "a number", "a string", "a list", "an object"}[k]
}

// jsonMember is a field of an object: where its name and its value lie, quotes included.
type jsonMember struct {
	key, value span
	kind       jsonKind
	escapedKey bool
	escaped    bool // of a string: it has backslashes
}

type span struct{ from, to int }

// jsonParser checks a value and finds the members of an object, which it does not keep. It tells the place of each fault.
// Where one member of a row is a long text, rows come four to six times as fast as from encoding/json (see
// BenchmarkStandardLibrary).
type jsonParser struct {
	b      []byte
	p      int
	nested []byte // the brackets that are open
	bad    *fault
}

// maxNested is how deep brackets may be nested, as in encoding/json.
const maxNested = 10000

// object calls member for each member of the object that b is, white space around it included. If member returns false, the
// rest is not looked at.
func (j *jsonParser) object(b []byte, member func(m jsonMember) bool) *fault {
	*j = jsonParser{b: b, nested: j.nested[:0]}
	j.space()
	switch {
	case j.p == len(b):
		return faultAt(j.p, "an object was expected")
	case b[j.p] != '{':
		start := j.p
		if kind, _ := j.value(); j.bad == nil {
			return faultAt(start, "%v instead of an object", kind)
		}
		return faultAt(start, "an object was expected, not %s", quoted(b[start:min(len(b), start+12)]))
	}
	j.p++
	for first := true; ; first = false {
		j.space()
		if first && j.at('}') {
			break
		}
		var m jsonMember
		m.key, m.escapedKey = j.name()
		m.value.from = j.p
		m.kind, m.escaped = j.value()
		m.value.to = j.p
		if j.bad != nil {
			return j.bad
		}
		if !member(m) {
			return nil
		}
		j.space()
		if j.at('}') {
			break
		}
		if !j.at(',') {
			return j.expected("a comma or the end of the object after a value")
		}
		j.p++
	}
	j.p++
	j.space()
	if j.p < len(b) {
		return faultAt(j.p, "text after the end of the object")
	}
	return nil
}

// name goes on after the name of a field that begins at p, and the colon after it.
func (j *jsonParser) name() (key span, escaped bool) {
	if !j.at('"') {
		j.expected("the name of a field in quotes")
		return span{}, false
	}
	key.from = j.p
	escaped = j.str()
	key.to = j.p
	if j.space(); !j.at(':') {
		j.expected("a colon after the name of a field")
		return span{}, false
	}
	j.p++
	j.space()
	return key, escaped
}

func (j *jsonParser) at(c byte) bool { return j.p < len(j.b) && j.b[j.p] == c }

func (j *jsonParser) space() {
	for j.p < len(j.b) && isJSONSpace(j.b[j.p]) {
		j.p++
	}
}

func isJSONSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

// expected reports what is missing at the place.
func (j *jsonParser) expected(what string) *fault {
	switch {
	case j.bad != nil:
	case j.p >= len(j.b):
		j.bad = faultAt(len(j.b), "the JSON ends here; %s was expected", what)
	default:
		_, n := utf8.DecodeRune(j.b[j.p:])
		j.bad = faultAt(j.p, "%s instead of %s", quoted(j.b[j.p:j.p+n]), what)
	}
	return j.bad
}

// plain are the bytes that have no meaning inside a string.
var plain = func() (table [256]bool) {
	for i := range table {
		table[i] = i >= ' ' && i != '"' && i != '\\'
	}
	return table
}()

// str goes on after the string that begins at p, and reports whether it has backslashes.
func (j *jsonParser) str() (escaped bool) {
	b, p := j.b, j.p+1
	for {
		for p < len(b) && plain[b[p]] {
			p++
		}
		if j.p = p; p == len(b) {
			j.bad = faultAt(p, "the JSON ends inside a string")
			return escaped
		}
		switch b[p] {
		case '"':
			j.p++
			return escaped
		case '\\':
			escaped = true
			p++
			n := 1
			if p < len(b) && b[p] == 'u' {
				if p+5 > len(b) || hex4(b[p+1:p+5]) < 0 {
					j.bad = faultAt(p-1, `\u without four hexadecimal digits`)
					return escaped
				}
				n = 5
			} else if p == len(b) || bytes.IndexByte([]byte(`"\/bfnrt`), b[p]) < 0 {
				j.bad = faultAt(p-1, `a backslash that begins none of \" \\ \/ \b \f \n \r \t \u`)
				return escaped
			}
			p += n
		default:
			j.bad = faultAt(p, "the control character 0x%02X inside a string", b[p])
			return escaped
		}
	}
}

func hex4(b []byte) rune {
	var r rune
	for _, c := range b {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return -1
		}
		r = r<<4 | rune(c)
	}
	return r
}

// value goes on after the value that begins at p.
func (j *jsonParser) value() (kind jsonKind, escaped bool) {
	const what = "a value"
	base := len(j.nested)
	for first := true; j.bad == nil; first = false {
		var k jsonKind
		var e bool
		if j.p >= len(j.b) {
			j.expected(what)
			break
		}
		open := false
		switch c := j.b[j.p]; {
		case c == '"':
			k, e = jsonString, j.str()
		case c == '{' || c == '[':
			k = jsonList
			if c == '{' {
				k = jsonObject
			}
			if len(j.nested)+1 == maxNested { // with the object around it
				j.bad = faultAt(j.p, "more than %s brackets inside each other", decimal(maxNested))
				break
			}
			j.nested = append(j.nested, c)
			j.p++
			open = true
		case c == '-' || c >= '0' && c <= '9':
			k = jsonNumber
			j.number()
		default:
			k = jsonBool
			switch rest := j.b[j.p:]; {
			case bytes.HasPrefix(rest, []byte("true")):
				j.p += 4
			case bytes.HasPrefix(rest, []byte("false")):
				j.p += 5
			case bytes.HasPrefix(rest, []byte("null")):
				k = jsonNull
				j.p += 4
			default:
				j.expected(what)
			}
		}
		if first {
			kind, escaped = k, e
		}
		// Close what ends here, and go to the next value.
		for j.bad == nil && len(j.nested) > base {
			in := j.nested[len(j.nested)-1]
			j.space()
			if j.at(in + 2) { // ']' and '}' are two after '[' and '{'
				j.p++
				j.nested = j.nested[:len(j.nested)-1]
				open = false
				continue
			}
			if !open {
				if !j.at(',') {
					j.expected("a comma or a closing bracket after a value")
					break
				}
				j.p++
				j.space()
			}
			if in == '{' {
				j.name()
			}
			break
		}
		if len(j.nested) == base {
			break
		}
	}
	return kind, escaped
}

// number goes on after the number that begins at p.
func (j *jsonParser) number() {
	if j.at('-') {
		j.p++
	}
	digits := func() bool {
		from := j.p
		for j.p < len(j.b) && j.b[j.p] >= '0' && j.b[j.p] <= '9' {
			j.p++
		}
		return j.p > from
	}
	ok := true
	if j.at('0') {
		j.p++
	} else {
		ok = digits()
	}
	if ok && j.at('.') {
		j.p++
		ok = digits()
	}
	if ok && (j.at('e') || j.at('E')) {
		j.p++
		if j.at('+') || j.at('-') {
			j.p++
		}
		ok = digits()
	}
	if !ok {
		j.expected("a digit")
	}
}

// content is the content of the string at a span, which is valid. It is a part of b or of buf, which it returns. Half of a
// pair of \u escapes becomes U+FFFD, as in encoding/json.
func (j *jsonParser) content(s span, escaped bool, buf []byte) (content, grown []byte) {
	b := j.b[s.from+1 : s.to-1]
	if !escaped {
		return b, buf
	}
	if buf = buf[:0]; cap(buf) < len(b) { // the content is no longer
		buf = make([]byte, 0, len(b))
	}
	for {
		i := bytes.IndexByte(b, '\\')
		if i < 0 {
			buf = append(buf, b...)
			return buf, buf
		}
		buf = append(buf, b[:i]...)
		c := b[i+1]
		b = b[i+2:]
		switch c {
		case 'b':
			c = '\b'
		case 'f':
			c = '\f'
		case 'n':
			c = '\n'
		case 'r':
			c = '\r'
		case 't':
			c = '\t'
		case 'u':
			r := hex4(b[:4])
			b = b[4:]
			if utf16.IsSurrogate(r) {
				pair := utf8.RuneError
				if len(b) >= 6 && b[0] == '\\' && b[1] == 'u' {
					pair = utf16.DecodeRune(r, hex4(b[2:6]))
				}
				if r = pair; pair != utf8.RuneError {
					b = b[6:]
				}
			}
			buf = utf8.AppendRune(buf, r)
			continue
		}
		buf = append(buf, c)
	}
}

// jsonRow is a parser with what it needs to make rows.
type jsonRow struct {
	jsonParser
	s        *Source
	e        *emitter
	buf, key []byte
	labelBuf []byte

	text, label jsonMember // of the current object; without a value: not there
	twice       *fault     // one of them is there twice
	count       int        // of the members
}

// member keeps the members of text and label.
func (j *jsonRow) member(m jsonMember) bool {
	if j.count++; j.count%4096 == 0 && !j.e.alive() {
		return false
	}
	var name []byte
	name, j.key = j.content(m.key, m.escapedKey, j.key)
	var kept *jsonMember
	switch columns := j.s.found.Columns; {
	case string(name) == columns[j.s.text]:
		kept = &j.text
	case j.s.label >= 0 && string(name) == columns[j.s.label]:
		kept = &j.label
	default:
		return true
	}
	if kept.value.to > 0 && j.twice == nil {
		j.twice = faultAt(m.key.from, "the field %s is there twice", quoted(name))
	}
	*kept = m
	return true
}

// parse fills the row from an object.
func (j *jsonRow) parse(b []byte, row *Row) *fault {
	j.text, j.label, j.twice, j.count = jsonMember{}, jsonMember{}, nil, 0
	if bad := j.object(b, j.member); bad != nil {
		return bad
	}
	switch {
	case j.e.err != nil: // not all members were looked at
		return nil
	case j.twice != nil:
		return j.twice
	case j.text.value.to == 0:
		return faultAt(leading(b), "there is no field %s; the fields are %s", quoted(j.s.found.Columns[j.s.text]), j.fields(b))
	}
	m := j.text
	if m.kind != jsonString {
		return faultAt(m.value.from, "the text is %v, not a string", m.kind)
	}
	var value []byte
	value, j.buf = j.content(m.value, m.escaped, j.buf)
	if bytes.IndexByte(value, 0) >= 0 {
		return faultAt(m.value.from, "a NUL byte in the text")
	}
	row.Text = string(value)
	if j.label.value.to == 0 {
		return nil
	}
	m = j.label
	switch m.kind {
	case jsonNull:
		return nil
	case jsonObject:
		return faultAt(m.value.from, "the label is an object; a string, number, boolean or a list of these was expected")
	case jsonList:
		return j.list(m.value, row)
	}
	value, j.labelBuf = j.scalar(m.value, m.kind, m.escaped, j.labelBuf)
	if bytes.IndexByte(value, 0) >= 0 {
		return faultAt(m.value.from, "a NUL byte in the label")
	}
	row.Labels, row.HasLabels = j.e.wholeLabel(value)
	return nil
}

// scalar is the text of a string, number or boolean.
func (j *jsonRow) scalar(s span, kind jsonKind, escaped bool, buf []byte) (text, grown []byte) {
	if kind == jsonString {
		return j.content(s, escaped, buf)
	}
	return j.b[s.from:s.to], buf
}

// list fills the row's labels from a list, which is valid JSON.
func (j *jsonRow) list(s span, row *Row) *fault {
	set := &j.e.set
	set.begin(j.e)
	j.p = s.from + 1
	for {
		j.space()
		if j.at(']') {
			break
		}
		if j.at(',') {
			j.p++
			j.space()
		}
		from := j.p
		kind, escaped := j.value()
		if kind == jsonNull || kind == jsonList || kind == jsonObject {
			return faultAt(from, "%v in the list of labels", kind)
		}
		var label []byte
		label, j.labelBuf = j.scalar(span{from, j.p}, kind, escaped, j.labelBuf)
		if bytes.IndexByte(label, 0) >= 0 {
			return faultAt(from, "a NUL byte in the list of labels")
		}
		if label = bytes.TrimSpace(label); len(label) == 0 {
			return faultAt(from, "an empty label in the list of labels")
		}
		if !set.add(label, true) {
			break
		}
	}
	var bad string
	if row.Labels, bad = set.take(); bad != "" {
		return faultAt(s.from, "%s", bad)
	}
	row.HasLabels = true
	return nil
}

// fields lists the names of the fields of an object, which is valid.
func (j *jsonRow) fields(b []byte) string {
	var names []string
	j.object(b, func(m jsonMember) bool {
		if len(names) < mostListed {
			var name []byte
			name, j.key = j.content(m.key, m.escapedKey, j.key)
			names = append(names, string(name))
		}
		return len(names) < mostListed
	})
	return listedOf(names, j.count)
}

// leading is how many bytes of white space b begins with.
func leading(b []byte) int {
	n := 0
	for n < len(b) && isJSONSpace(b[n]) {
		n++
	}
	return n
}

// jsonLineRows streams lines with an object each. Empty lines are skipped.
func (s *Source) jsonLineRows(w *window, e *emitter) error {
	j := jsonRow{s: s, e: e}
	return s.lineRows(w, e, j.parse)
}

// jsonArrayRows streams the objects of one array.
func (s *Source) jsonArrayRows(w *window, e *emitter) error {
	w.columns = true
	a := jsonArray{w: w}
	j := jsonRow{s: s, e: e}
	for {
		n, bad, err := a.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		row := Row{File: s.shown, Line: w.firstLine}
		if bad == nil {
			b := w.bytes()[:n]
			if bad = textFault(b, 0, s.found.Encoding); bad == nil {
				bad = j.parse(b, &row)
			}
		}
		if !e.row(w, row, bad) || a.ended {
			return nil
		}
		w.advance(n)
	}
}

// jsonArray finds the elements of an array.
type jsonArray struct {
	w      *window
	opened bool
	some   bool // an element has come
	ended  bool // nothing more can be found
}

// space advances to the next byte that is no white space; false at the end of the file.
func (a *jsonArray) space() bool {
	for {
		b := a.w.bytes()
		n := leading(b)
		a.w.advance(n)
		if n < len(b) {
			return true
		}
		if !a.w.more() {
			return false
		}
	}
}

// stop is a fault after which no element can be found.
func (a *jsonArray) stop(format string, args ...any) (int, *fault, error) {
	if a.w.err != nil && a.w.err != io.EOF {
		return 0, nil, a.w.err
	}
	a.ended = true
	return 0, faultAt(0, format, args...), nil
}

// next finds the next element, which begins at the window's start, and returns its length.
func (a *jsonArray) next() (n int, bad *fault, err error) {
	w := a.w
	w.begin()
	if !a.opened {
		if !a.space() || w.bytes()[0] != '[' {
			return a.stop("an array was expected")
		}
		w.advance(1)
		a.opened = true
	}
	const cut = "the file ends here, and the array is not closed"
	if !a.space() {
		return a.stop(cut)
	}
	if c := w.bytes()[0]; c == ']' {
		w.advance(1)
		if a.space() {
			return a.stop("text after the end of the array")
		}
		return 0, nil, w.err
	} else if a.some {
		if c != ',' {
			_, size := utf8.DecodeRune(w.bytes())
			return a.stop("%s instead of a comma between two objects", quoted(w.bytes()[:size]))
		}
		w.advance(1)
		if !a.space() {
			return a.stop(cut)
		}
	}
	a.some = true
	w.begin()
	var (
		pos, depth int
		inside     bool // a string
		over       bool
	)
	found := func(n int) (int, *fault, error) {
		if over || n > w.limit {
			return n, overLimit(w.limit), nil
		}
		return n, nil, nil
	}
	for {
		b := w.bytes()
	look:
		for pos < len(b) {
			if inside {
				for pos < len(b) && plain[b[pos]] {
					pos++
				}
				switch {
				case pos == len(b):
					break look
				case b[pos] == '\\':
					if pos+1 == len(b) { // its second byte has not come yet
						break look
					}
					pos++
				case b[pos] == '"':
					inside = false
				}
				pos++
				continue
			}
			switch c := b[pos]; {
			case c == '"':
				inside = true
			case c == '{' || c == '[':
				depth++
			case c == '}' || c == ']':
				if depth == 0 {
					return found(pos)
				}
				if depth--; depth == 0 {
					return found(pos + 1)
				}
			case depth == 0 && (c == ',' || isJSONSpace(c)):
				return found(pos)
			}
			pos++
		}
		if len(b) > w.limit {
			over = true
			w.advance(pos)
			pos = 0
		}
		if !w.more() {
			n, bad, err := a.stop("the file ends inside this element, and the array is not closed")
			if bad != nil {
				bad.at = atRecord
			}
			return n, bad, err
		}
	}
}
