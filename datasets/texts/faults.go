package texts

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"iter"
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

// FaultKind is a kind of fault of data.
type FaultKind uint8

// The kinds of faults.
const (
	// BadRow is a row that cannot be read: a *RowError.
	BadRow FaultKind = iota
	// NoText is a row whose text is empty or white space.
	NoText
	// NoLabel is a row without label.
	NoLabel
	// Duplicate is a row with text and labels of a row before it in the same data.
	Duplicate
	// TwoLabels is a row with the text of a row before it and other labels.
	TwoLabels
	// Leak is a row whose text is in the first data too, with whatever labels.
	Leak
	// UnknownLabel is a label of further data that the first data does not have.
	UnknownLabel
	// SingleRow is a class of the first data with one row.
	SingleRow
	// OddCharacters is a row with U+FFFD, control characters, or UTF-8 that was once taken for Windows-1252 ("Ã©" for "é").
	OddCharacters

	faultKinds
)

// String names the faults, in the plural.
func (k FaultKind) String() string {
	if k >= faultKinds {
		return fmt.Sprintf("FaultKind(%d)", uint8(k))
	}
	return [...]string{"rows that cannot be read", "empty texts", "rows without label", "duplicates", "texts with two labels",
		"texts that are in both data", "labels that the first data does not have", "classes with one row", "texts with odd characters"}[k]
}

// Fault is what is wrong with data, in one way.
type Fault struct {
	Kind  FaultKind
	Count int
	// Examples are the first ones, in the order of the data.
	Examples []FaultExample
}

// FaultExample is the place of a fault.
type FaultExample struct {
	File    string
	Line    int
	Column  int // 0: the row as a whole
	Message string
}

// String is file:line: message, or file:line:column: message.
func (e FaultExample) String() string { return place(e.File, e.Line, e.Column) + ": " + e.Message }

// Class is a label and the number of its rows in each data that was watched.
type Class struct {
	Name string
	Rows []int
}

// Checker finds faults of data while its rows go by. The zero value is ready. Memory is bounded by some 80 bytes for each
// distinct text, and the names of files and classes. It is for one goroutine.
type Checker struct {
	// Examples is how many examples of each kind are kept. Default 5.
	Examples int

	faults  [faultKinds]Fault
	rows    []int
	texts   map[uint64]seenText
	files   []string
	classes map[string]*seenClass
	order   []*seenClass
	buf     []byte
}

// maxClasses is how many classes are counted. More are a wrong column, not classes.
const maxClasses = 100000

type seenText struct {
	labels     uint32 // a hash; 0: no labels
	file, line uint32
	parts      uint8 // a bit for each data
}

type seenClass struct {
	Class
	file string
	line int
}

// maxWatched is how many data a Checker tells apart.
const maxWatched = 8

var errWatched = fmt.Errorf("texts: a Checker watches at most %d data", maxWatched)

var errNotWatched = errors.New("texts: a nil Checker, or nil rows, cannot be watched")

// Watch passes rows on and looks at them. Each call is for another data; the data count from the first whose rows are read,
// and texts of the first that are in a later one too are leaks. If the rows that Watch returns are read again, they are
// passed on and not looked at. There are at most eight data: reading a ninth gives an error and no rows.
func (c *Checker) Watch(rows iter.Seq2[Row, error]) iter.Seq2[Row, error] {
	begun := false
	return func(yield func(Row, error) bool) {
		if c == nil || rows == nil {
			yield(Row{}, errNotWatched)
			return
		}
		if begun {
			rows(yield)
			return
		}
		part := len(c.rows)
		if part == maxWatched {
			yield(Row{}, errWatched)
			return
		}
		begun = true
		c.rows = append(c.rows, 0)
		for row, err := range rows {
			bad := (*RowError)(nil)
			switch {
			case err == nil:
				c.add(&row, part)
			case errors.As(err, &bad):
				c.rows[part]++
				c.fault(BadRow, FaultExample{bad.File, bad.Line, bad.Column, bad.Message})
			}
			if !yield(row, err) {
				return
			}
		}
	}
}

// Check reads all rows of one data or several, at most eight, the first being the training data, and looks at them.
// An error that does not stand for a row ends it, such as that of the context.
func Check(ctx context.Context, sources ...*Source) (*Checker, error) {
	if len(sources) > maxWatched {
		return nil, errWatched
	}
	c := &Checker{}
	for _, s := range sources {
		for _, err := range c.Watch(s.Rows(ctx)) {
			if err != nil && !errors.As(err, new(*RowError)) {
				return nil, err
			}
		}
	}
	return c, nil
}

// Rows is the number of rows of each data, with those that cannot be read.
func (c *Checker) Rows() []int { return slices.Clone(c.rows) }

// Classes are the labels sorted by name, at most 100,000.
func (c *Checker) Classes() []Class {
	classes := make([]Class, len(c.order))
	for i, k := range c.order {
		classes[i] = Class{k.Name, make([]int, len(c.rows))}
		copy(classes[i].Rows, k.Rows)
	}
	slices.SortFunc(classes, func(a, b Class) int { return strings.Compare(a.Name, b.Name) })
	return classes
}

// Faults are the kinds of faults that were found.
func (c *Checker) Faults() []Fault {
	c.faults[SingleRow] = Fault{}
	for _, k := range c.order {
		if len(k.Rows) > 0 && k.Rows[0] == 1 {
			c.fault(SingleRow, FaultExample{k.file, k.line, 0, "the only row of the class " + quoted(k.Name)})
		}
	}
	var faults []Fault
	for k, f := range c.faults {
		if f.Kind = FaultKind(k); f.Count > 0 {
			f.Examples = slices.Clone(f.Examples)
			faults = append(faults, f)
		}
	}
	return faults
}

func (c *Checker) most() int {
	if c.Examples > 0 {
		return c.Examples
	}
	return 5
}

func (c *Checker) fault(k FaultKind, e FaultExample) {
	f := &c.faults[k]
	if f.Count++; len(f.Examples) < c.most() {
		f.Examples = append(f.Examples, e)
	}
}

func (c *Checker) add(row *Row, part int) {
	c.rows[part]++
	report := func(k FaultKind, message func() string) {
		if f := &c.faults[k]; len(f.Examples) == c.most() {
			f.Count++
		} else {
			c.fault(k, FaultExample{row.File, row.Line, 0, message()})
		}
	}
	if !row.HasLabels {
		report(NoLabel, func() string { return "no label" })
	}
	for _, label := range row.Labels {
		if c.class(label, row, part) {
			report(UnknownLabel, func() string { return "the label " + quoted(label) + " is not in the first data" })
		}
	}
	if odd := oddCharacter(row.Text); odd != "" {
		report(OddCharacters, func() string { return odd })
	}
	if strings.TrimSpace(row.Text) == "" {
		report(NoText, func() string { return "the text is empty" })
		return
	}
	c.buf = append(c.buf[:0], row.Text...)
	sum := sha256.Sum256(c.buf)
	key := binary.LittleEndian.Uint64(sum[:])
	labels := labelsHash(row)
	bit := uint8(1) << part
	if c.texts == nil {
		c.texts = map[uint64]seenText{}
	}
	seen, ok := c.texts[key]
	if !ok {
		if n := len(c.files); n == 0 || c.files[n-1] != row.File {
			c.files = append(c.files, row.File)
		}
		c.texts[key] = seenText{labels, uint32(len(c.files) - 1), uint32(min(uint64(row.Line), math.MaxUint32)), bit}
		return
	}
	first := func() string { return place(c.files[seen.file], int(seen.line), 0) }
	if labels != 0 && seen.labels != 0 && labels != seen.labels {
		report(TwoLabels, func() string {
			return fmt.Sprintf("the text of %s with other labels: %s", first(), listed(row.Labels))
		})
	} else if seen.parts&bit != 0 && labels == seen.labels {
		report(Duplicate, func() string { return "text and labels of " + first() })
	}
	if part > 0 && seen.parts&1 != 0 {
		report(Leak, func() string { return "the text of " + first() })
	}
	seen.parts |= bit
	if seen.labels == 0 {
		seen.labels = labels
	}
	c.texts[key] = seen
}

// class counts a label, and tells whether it is new in further data.
func (c *Checker) class(label string, row *Row, part int) (unknown bool) {
	k := c.classes[label]
	if k == nil {
		if len(c.order) == maxClasses {
			return false
		}
		if c.classes == nil {
			c.classes = map[string]*seenClass{}
		}
		k = &seenClass{Class{Name: label}, row.File, row.Line}
		c.classes[label] = k
		c.order = append(c.order, k)
	}
	for len(k.Rows) <= part {
		k.Rows = append(k.Rows, 0)
	}
	k.Rows[part]++
	return part > 0 && k.Rows[0] == 0
}

// labelsHash is a number for the set of labels; 0 for a row without.
func labelsHash(row *Row) uint32 {
	if !row.HasLabels {
		return 0
	}
	labels := row.Labels
	if len(labels) > 1 {
		labels = slices.Sorted(slices.Values(labels))
	}
	h := fnv.New32a()
	for _, label := range labels {
		h.Write([]byte(label))
		h.Write([]byte{0})
	}
	return max(1, h.Sum32())
}

// oddCharacter says what is odd in a text, "" for nothing.
func oddCharacter(s string) string {
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c < 0x7F || c == '\n' || c == '\t' || c == '\r' {
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError:
			return "the replacement character U+FFFD: a byte was lost"
		case r < ' ' || r >= 0x7F && r < 0xA0:
			return fmt.Sprintf("the control character U+%04X", r)
		case r == 0xFEFF:
			return "a byte order mark, U+FEFF"
		case r == 'Ã' || r == 'Â' || strings.HasPrefix(s[i:], "â€"):
			// The two bytes of a character beyond ASCII, taken for two characters of Windows-1252.
			if r == 'â' {
				return `"â€": UTF-8 that was taken for Windows-1252`
			}
			if next, _ := utf8.DecodeRuneInString(s[i+n:]); next >= 0xA0 && next <= 0xBF {
				return fmt.Sprintf("%q: UTF-8 that was taken for Windows-1252", string([]rune{r, next}))
			}
		}
		i += n
	}
	return ""
}
