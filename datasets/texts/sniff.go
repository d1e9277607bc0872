package texts

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
)

// head is the beginning of a file as UTF-8; cut tells that more follows.
type head struct {
	b   []byte
	cut bool
}

// sniff finds format and columns from the beginning of the file. get returns its first line that is not empty, and what else
// has come, or its first block.
func (s *Source) sniff(get func(full bool) (head, error)) error {
	h, err := get(false)
	if err != nil {
		return err
	}
	first := firstLine(h.b)
	if len(first) == 0 {
		if h.cut {
			return fmt.Errorf("it begins with %s of white space", size(len(h.b)))
		}
		if len(h.b) == 0 {
			return fmt.Errorf("the file is empty: %w", ErrEmpty)
		}
		return fmt.Errorf("the file has nothing but white space: %w", ErrEmpty)
	}
	if bytes.IndexByte(h.b, 0) >= 0 {
		full, err := get(true)
		if err != nil {
			return err
		}
		if len(full.b) >= 262 && string(full.b[257:262]) == "ustar" {
			return errors.New("it is a tar archive; unpack it")
		}
		if b := full.b; len(b) > 8 && string(b[3:9]) == "\x00\x00\x00\x00\x00{" {
			return errors.New("it is a safetensors file, as models are, and no data")
		}
		if full.nulEverywhere() {
			return errors.New("it has NUL bytes everywhere: no text, or UTF-16 without its mark (give the encoding)")
		}
	}
	format := s.o.Format
	if format == "" {
		if format, err = guessFormat(first, get); err != nil {
			return err
		}
	}
	switch format {
	case "", CSV:
		return s.sniffCSV(h, first, get)
	case JSONLines, JSON:
		s.found.Format = format
		return s.sniffJSON(get)
	case FastText, Lines:
		s.found.Format = format
		return s.noColumns()
	}
	return fmt.Errorf("it is not of the format %s", quoted(format))
}

// noColumns refuses names of columns for a format that has none.
func (s *Source) noColumns() error {
	s.text, s.label = -1, -1
	if s.o.Text != "" || s.o.Label != "" {
		option := "Text"
		if s.o.Text == "" {
			option = "Label"
		}
		return badOption(option, "it is %s, which have no columns to give a name or number of", Found{Format: s.found.Format})
	}
	return nil
}

// firstLine is the first line that is not empty, without its end.
func firstLine(b []byte) []byte {
	b = bytes.TrimLeft(b, " \t\r\n")
	if i := bytes.IndexAny(b, "\r\n"); i >= 0 {
		b = b[:i]
	}
	return b
}

// guessFormat tells all formats but CSV and plain lines.
func guessFormat(first []byte, get func(full bool) (head, error)) (string, error) {
	after := func(b []byte) (byte, error) {
		if rest := bytes.TrimLeft(b[1:], " \t\r\n"); len(rest) > 0 {
			return rest[0], nil
		}
		h, err := get(true)
		if err != nil {
			return 0, err
		}
		if rest := bytes.TrimLeft(bytes.TrimLeft(h.b, " \t\r\n")[1:], " \t\r\n"); len(rest) > 0 {
			return rest[0], nil
		}
		return 0, nil
	}
	switch first[0] {
	case '{':
		if c, err := after(first); err != nil || c == '"' || c == '}' {
			return JSONLines, err
		}
	case '[':
		if c, err := after(first); err != nil || c == '{' || c == ']' && len(bytes.Trim(first, " \t[]")) == 0 {
			return JSON, err
		}
	}
	labelled := false
	fastTextLine(first, nil, func(int, []byte) bool {
		labelled = true
		return false
	})
	if labelled {
		return FastText, nil
	}
	return "", nil
}

// sniffJSON finds the fields. A line is enough if it has the usual names; else the rows of the first block tell.
func (s *Source) sniffJSON(get func(full bool) (head, error)) error {
	h, err := get(false)
	if err != nil {
		return err
	}
	sm, err := s.sampleJSON(h)
	if err == nil && len(sm.rows) > 0 && (s.o.Text != "" || sm.has(textNames)) && (s.o.Label != "" || s.o.LabelsOptional || sm.has(labelNames)) &&
		s.chooseColumns(sm) == nil {
		return nil
	}
	if h, err = get(true); err != nil {
		return err
	}
	if sm, err = s.sampleJSON(h); err != nil {
		return err
	}
	switch {
	case len(sm.rows) > 0:
		return s.chooseColumns(sm)
	case h.cut:
		return fmt.Errorf("the first row is longer than %s; give the names of text and label", size(block))
	}
	return fmt.Errorf("there are no objects: %w", ErrEmpty)
}

// sampleJSON reads the first rows. It is an error if none of them can be read.
func (s *Source) sampleJSON(h head) (*sample, error) {
	sm := &sample{names: []string{}}
	w := newWindow(bytes.NewReader(h.b), len(h.b))
	var j jsonParser
	var firstBad error
	object := func(b []byte) {
		known := len(sm.names)
		row := make([]string, known)
		bad := j.object(b, func(m jsonMember) bool {
			key, _ := j.content(m.key, m.escapedKey, nil)
			at := slices.Index(sm.names, string(key))
			if at < 0 {
				if len(sm.names) == 1000 {
					return true
				}
				at = len(sm.names)
				sm.names = append(sm.names, string(key))
			}
			for len(row) <= at {
				row = append(row, "")
			}
			value := j.b[m.value.from:m.value.to]
			if m.kind == jsonString {
				value, _ = j.content(m.value, m.escaped, nil)
			}
			row[at] = string(value)
			return true
		})
		if bad != nil {
			sm.names = sm.names[:known]
			if firstBad == nil {
				firstBad = s.rowError(w, bad)
			}
			return
		}
		sm.add(row)
	}
	if s.found.Format == JSONLines {
		for len(sm.rows) < 100 {
			n, _, err := w.nextLine()
			if err != nil {
				break
			}
			b := w.bytes()[:n]
			if h.cut && b[n-1] != '\n' {
				break
			}
			if len(bytes.TrimSpace(b)) > 0 {
				object(trimEnd(b))
			}
			w.advance(n)
		}
	} else {
		w.columns = true
		a := jsonArray{w: w}
		for len(sm.rows) < 100 {
			n, bad, err := a.next()
			if err != nil || bad != nil && (h.cut || a.ended) {
				if bad != nil && !h.cut && firstBad == nil {
					firstBad = s.rowError(w, bad)
				}
				break
			}
			object(w.bytes()[:n])
			w.advance(n)
		}
	}
	if len(sm.rows) == 0 && firstBad != nil {
		return nil, firstBad
	}
	return sm, nil
}

// rowError is a fault with its place.
func (s *Source) rowError(w *window, bad *fault) *RowError {
	line, column := w.place(bad.at)
	return &RowError{s.shown, line, column, bad.message}
}

// chooseColumns sets the columns.
func (s *Source) chooseColumns(sm *sample) (err error) {
	if s.text, s.label, s.found.Guessed, err = sm.choose(&s.o); err != nil {
		return err
	}
	s.found.Columns = sm.columns()
	s.found.TextColumn, s.found.LabelColumn = s.found.Columns[s.text], ""
	if s.label >= 0 {
		s.found.LabelColumn = s.found.Columns[s.label]
	}
	return nil
}

// delimiters are tried in this order; of two that fit equally well the first is taken.
var delimiters = []rune{'\t', ',', ';', '|'}

// candidate is a way to read CSV.
type candidate struct {
	delimiter  rune
	noQuotes   bool
	records    [][]string
	faults     int
	consistent float64 // share of the records with as many fields as the first
	left       int     // bytes after the last whole record
}

// newCandidate reads the records of the head.
func newCandidate(h head, delimiter rune, noQuotes bool) *candidate {
	c := &candidate{delimiter: delimiter, noQuotes: noQuotes}
	w := newWindow(bytes.NewReader(h.b), len(h.b))
	r := csvReader{w: w, delimiter: byte(delimiter), quotes: !noQuotes}
	same := 0
	for {
		n, bad, err := r.next()
		if err != nil {
			break
		}
		b := w.bytes()[:n]
		if last := b[n-1]; h.cut && w.start+n == w.end && (last != '\n' && last != '\r' || bad != nil) {
			if w.more(); w.start+n == w.end {
				c.left = n
				break
			}
		}
		if bad != nil {
			c.faults++
		} else {
			record := make([]string, len(r.fields))
			for i, f := range r.fields {
				v, _ := r.value(f, nil)
				record[i] = string(v)
			}
			c.records = append(c.records, record)
			if len(record) == len(c.records[0]) {
				same++
			}
		}
		w.advance(n)
	}
	if len(c.records) > 0 {
		c.consistent = float64(same) / float64(len(c.records)+c.faults)
	}
	return c
}

// namesIn reports whether the first record has the given or a usual name of a text column, and of a label column.
func (c *candidate) namesIn(o *Options) (text, label bool) {
	if len(c.records) == 0 {
		return false, false
	}
	sm := sample{names: c.records[0]}
	named := func(given string, usual []string) bool {
		if given == "" {
			return sm.has(usual)
		}
		at, _ := sm.named(given, sameName, -1)
		return at >= 0
	}
	return named(o.Text, textNames), named(o.Label, labelNames)
}

// sniffCSV finds delimiter, header and columns, or that lines are texts.
func (s *Source) sniffCSV(h head, first []byte, get func(full bool) (head, error)) error {
	o := &s.o
	tried := delimiters
	if o.Delimiter != 0 {
		tried = []rune{o.Delimiter}
	}
	csvGiven := o.Format == CSV || o.Delimiter != 0 || o.Text != "" || o.Label != "" || o.Header != FindHeader ||
		slices.Contains([]string{".csv", ".tsv"}, tableExtension(s.path))
	if o.Header == FindHeader {
		// A header with the usual names decides alone, and so does its lack where lines may be texts: the rows of a stream need
		// not be waited for.
		some := false
		for _, d := range tried {
			c := newCandidate(head{b: first}, d, o.NoQuotes)
			text, label := c.namesIn(o)
			some = some || text
			if d != ',' && d != ';' && !o.NoQuotes {
				continue // whether quotes have their meaning is seen in the rows
			}
			if c.faults == 0 && text && (label || o.LabelsOptional && o.Label == "") && len(firstLine(h.b)) < len(h.b) {
				full, err := get(false)
				if err != nil {
					return err
				}
				return s.setCSV(newCandidate(full, d, o.NoQuotes), true, full)
			}
		}
		if o.LabelsOptional && !csvGiven && !some {
			s.found.Format = Lines
			return s.noColumns()
		}
	}
	h, err := get(true)
	if err != nil {
		return err
	}
	var best *candidate
	bestScore := -1.0
	for _, d := range tried {
		c := newCandidate(h, d, o.NoQuotes)
		if !o.NoQuotes && (d == '\t' || d == '|') && bytes.IndexByte(h.b, '"') >= 0 {
			if plain := newCandidate(h, d, true); len(plain.records) > 0 && len(plain.records[0]) > 1 && plain.consistent == 1 &&
				(c.consistent < 1 || c.left > block/4) {
				c = plain
			}
		}
		if len(c.records) == 0 {
			continue
		}
		score := c.consistent
		text, label := c.namesIn(o)
		if text {
			score += 2
		}
		if label {
			score += 2
		}
		if len(c.records[0]) == 1 {
			score--
		}
		if score > bestScore {
			best, bestScore = c, score
		}
	}
	if best == nil {
		if c := newCandidate(h, tried[0], o.NoQuotes); c.left > 0 && h.cut {
			return fmt.Errorf("no row ends in the first %s; give the format, delimiter and columns", size(len(h.b)))
		}
		return s.firstFault(h, tried)
	}
	text, label := best.namesIn(o)
	if !csvGiven && !text && !label && (len(best.records[0]) == 1 || best.consistent < 0.9) {
		return errors.New("the format is not clear: no JSON, no labels of fastText, and none of comma, semicolon, tab and | splits the lines into the same number of fields; give the format or the delimiter")
	}
	header := o.Header == HasHeader
	if o.Header == FindHeader {
		header = best.header(o)
	}
	return s.setCSV(best, header, h)
}

// tableExtension is the extension of a file's name, without that of its compression.
func tableExtension(path string) string {
	path = strings.ToLower(path)
	for _, packed := range []string{".gz", ".zst"} {
		path = strings.TrimSuffix(path, packed)
	}
	return filepath.Ext(path)
}

// firstFault is what is wrong with the first record of a file of which no record can be read.
func (s *Source) firstFault(h head, tried []rune) error {
	w := newWindow(bytes.NewReader(h.b), len(h.b))
	r := csvReader{w: w, delimiter: byte(tried[0]), quotes: !s.o.NoQuotes}
	if _, bad, err := r.next(); err == nil && bad != nil {
		return s.rowError(w, bad)
	} else if err != io.EOF {
		return err
	}
	return ErrEmpty
}

// setCSV sets the findings of CSV.
func (s *Source) setCSV(c *candidate, header bool, h head) error {
	s.found.Format, s.found.Delimiter, s.found.NoQuotes, s.found.Header = CSV, c.delimiter, c.noQuotes, header
	sm := &sample{}
	for i, record := range c.records {
		switch {
		case i == 0 && header:
			sm.names = record
		case len(record) == len(c.records[0]):
			sm.add(record)
		}
	}
	if header && len(c.records)+c.faults == 1 && !h.cut {
		return fmt.Errorf("the file has a header (%s) and no rows: %w", listed(sm.names), ErrEmpty)
	}
	return s.chooseColumns(sm)
}

// header tells whether the first record is one: it has a usual name that does not come again below it; or its values are
// short, have letters, differ, come nowhere again in their columns although other values do, and one stands over texts: it is much
// shorter than they are, or a word over values that nearly all are several. (A long word may be longer than short texts. That the
// word is shorter tells a header from a first row in next to no case where the rest does not.)
func (c *candidate) header(o *Options) bool {
	first, rows := c.records[0], c.records[1:]
	again := func(i int) bool {
		return slices.ContainsFunc(rows, func(r []string) bool { return i < len(r) && r[i] == first[i] })
	}
	for i, name := range first {
		name = strings.TrimSpace(name)
		usual := isOneOf(textNames, name) || isOneOf(labelNames, name)
		given := name != "" && (sameName(name, o.Text) || sameName(name, o.Label))
		if (usual || given) && !again(i) {
			return true
		}
	}
	if len(rows) < 4 {
		return false
	}
	sm := sample{names: first}
	for _, r := range rows {
		if len(r) == len(first) {
			sm.add(r)
		}
	}
	stats := sm.stats()
	overText, overLabel := false, false
	seen := map[string]bool{} // a record may have very many fields
	for i, name := range first {
		if name == "" || len(name) > 40 || strings.IndexFunc(name, unicode.IsLetter) < 0 || seen[name] || again(i) {
			return false
		}
		seen[name] = true
		word := len(strings.Fields(name)) == 1
		overText = overText || stats[i].mean >= 4*float64(len(name)) || word && stats[i].spaced >= 0.9
		overLabel = overLabel || stats[i].repeats
	}
	return overText && overLabel
}
