package texts

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// The usual names of columns, most telling first.
var (
	textNames = []string{"text", "texts", "sentence", "review", "comment", "message", "content", "body", "tweet", "document",
		"utterance", "review_text", "reviewtext", "review_body", "comment_text", "full_text", "post", "sms", "query", "description"}
	labelNames = []string{"label", "labels", "class", "category", "target", "sentiment", "topic", "intent", "emotion", "tag", "tags",
		"classes", "categories", "language", "lang", "polarity", "rating", "stars", "label_text", "label_name", "y"}
)

// sample is the first rows of a file with columns.
type sample struct {
	names []string // nil: the columns have numbers
	rows  [][]cell
}

// cell is the beginning of a value.
type cell struct {
	text   string
	length int
}

func newCell(b string) cell {
	const most = 200
	c := cell{b, len(b)}
	if len(b) > most {
		c.text = strings.Clone(b[:most])
	}
	return c
}

func (s *sample) add(row []string) {
	cells := make([]cell, len(row))
	for i, v := range row {
		cells[i] = newCell(v)
	}
	s.rows = append(s.rows, cells)
}

// width is the number of columns.
func (s *sample) width() int {
	if s.names == nil && len(s.rows) > 0 {
		return len(s.rows[0])
	}
	return len(s.names)
}

// columns are the names, or the numbers from 1.
func (s *sample) columns() []string {
	if s.names != nil {
		return s.names
	}
	names := make([]string, s.width())
	for i := range names {
		names[i] = strconv.Itoa(i + 1)
	}
	return names
}

// described lists the columns for an error; those without a name with what is in their first row.
func (s *sample) described() string {
	switch n := s.width(); {
	case n == 0:
		return "there are no columns"
	case s.names != nil && n == 1:
		return "the only column is " + quoted(s.names[0])
	case s.names != nil:
		return "the columns are " + listed(s.names)
	}
	var b strings.Builder
	b.WriteString("the first row has")
	for i, c := range s.rows[0] {
		if i == mostListed {
			fmt.Fprintf(&b, " and %d more", len(s.rows[0])-i)
			break
		}
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, " %d: %s", i+1, quoted(c.text))
	}
	return b.String()
}

// sameName reports whether two names differ in nothing but case and the white space around them.
func sameName(a, b string) bool {
	return strings.EqualFold(strings.TrimSpace(a), strings.TrimSpace(b))
}

// named returns the column with a name, -1 for none, and whether several have it. The column not is not looked at.
func (s *sample) named(name string, same func(a, b string) bool, not int) (at int, several bool) {
	at = -1
	for i, n := range s.names {
		if i == not || !same(n, name) {
			continue
		}
		if at >= 0 {
			return at, true
		}
		at = i
	}
	return at, false
}

// find returns the column that an option names, by its value.
func (s *sample) find(option, name string) (int, error) {
	exact := func(a, b string) bool { return a == b }
	for _, same := range []func(a, b string) bool{exact, sameName} {
		switch at, several := s.named(name, same, -1); {
		case several:
			return 0, badOption(option, "two columns have the name %s; give the number of one, from 1", quoted(name))
		case at >= 0:
			return at, nil
		}
	}
	if n, err := strconv.Atoi(name); err == nil && n >= 1 && n <= s.width() {
		return n - 1, nil
	}
	return 0, badOption(option, "there is no column %s; %s", quoted(name), s.described())
}

// known returns the column with the first of the usual names, -1 for none. It is an error if several have that name.
func (s *sample) known(names []string, not int) (int, error) {
	for _, name := range names {
		switch at, several := s.named(name, sameName, not); {
		case several:
			return -1, fmt.Errorf("several columns have the name %s; %s: give the number of one, from 1", quoted(name), s.described())
		case at >= 0:
			return at, nil
		}
	}
	return -1, nil
}

// has reports whether a column has one of the usual names, or several have.
func (s *sample) has(names []string) bool {
	i, err := s.known(names, -1)
	return i >= 0 || err != nil
}

// column is what the rows of a sample tell about a column.
type column struct {
	mean     float64 // length
	spaced   float64 // share of values of several words
	distinct int
	repeats  bool // the same values come again and again
}

func (s *sample) stats() []column {
	stats := make([]column, s.width())
	for i := range stats {
		seen := map[string]bool{}
		total, n, spaced := 0, 0, 0
		for _, row := range s.rows {
			if i < len(row) && row[i].length > 0 {
				total += row[i].length
				n++
				if len(strings.Fields(row[i].text)) > 1 {
					spaced++
				}
				seen[row[i].text] = true
			}
		}
		if n > 0 {
			stats[i].mean = float64(total) / float64(n)
			stats[i].spaced = float64(spaced) / float64(n)
		}
		stats[i].distinct = len(seen)
		stats[i].repeats = len(seen) > 0 && 2*len(seen) <= n
	}
	return stats
}

// choose finds the columns of text and label; label is -1 if there is none and none is needed.
func (s *sample) choose(o *Options) (text, label int, guessed bool, err error) {
	text, label = -1, -1
	guessed = o.Text == "" || o.Label == ""
	if o.Text != "" {
		if text, err = s.find("Text", o.Text); err != nil {
			return 0, 0, false, err
		}
	}
	if o.Label != "" {
		if label, err = s.find("Label", o.Label); err != nil {
			return 0, 0, false, err
		}
		if label == text {
			return 0, 0, false, badOption("Label", "text and label are the same column, %s", quoted(s.columns()[text]))
		}
	}
	if text < 0 {
		if text, err = s.known(textNames, label); err != nil {
			return 0, 0, false, err
		}
	}
	if label < 0 {
		if label, err = s.known(labelNames, text); err != nil {
			return 0, 0, false, err
		}
	}
	stats := s.stats()
	if text < 0 {
		text = s.longest(stats, label)
	}
	if text < 0 {
		return 0, 0, false, fmt.Errorf("it is not clear which column is the text; %s: give its name or number", s.described())
	}
	if label < 0 && !o.LabelsOptional {
		if label = s.repeating(stats, text); label < 0 {
			return 0, 0, false, fmt.Errorf("it is not clear which column is the label; %s: give its name or number", s.described())
		}
	}
	return text, label, guessed, nil
}

// longest returns the column that is obviously the text, or -1.
func (s *sample) longest(stats []column, not int) int {
	var others []int
	for i := range stats {
		if i != not {
			others = append(others, i)
		}
	}
	if len(others) == 1 {
		return others[0]
	}
	if len(others) == 0 {
		return -1
	}
	slices.SortStableFunc(others, func(a, b int) int { return cmp.Compare(stats[b].mean, stats[a].mean) })
	first, second := stats[others[0]], stats[others[1]]
	switch {
	case first.mean >= 3*second.mean && first.mean > 0:
		return others[0]
	case len(stats) == 2 && first.mean > second.mean && second.repeats && !first.repeats:
		return others[0]
	}
	return -1
}

// repeating returns the column that is obviously the label, or -1.
func (s *sample) repeating(stats []column, text int) int {
	if len(stats) == 2 {
		label := 1 - text
		if n := len(s.rows); n >= 8 && stats[label].distinct == n { // numbers of rows, more likely
			return -1
		}
		return label
	}
	found := -1
	for i, c := range stats {
		if i == text || !c.repeats || c.mean > 64 {
			continue
		}
		if found >= 0 {
			return -1
		}
		found = i
	}
	return found
}
