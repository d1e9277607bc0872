package nn

import (
	"math"
	"strings"
	"unicode"
	"unicode/utf8"
)

// table is a table with borders.
type table struct {
	columns []column
	widths  []int // within the borders, a space on either side included
}

type column struct {
	header string
	align  alignment
	end    float64 // as a part of the line
}

type alignment uint8

const (
	left alignment = iota
	right
	middle
)

// columnWidths makes columns that end at the given parts of a line of 40 to 1000 characters, or of 76 for 0. Keras asks rich for these widths without borders
// and spaces, 3n+1 characters more than there is room for, which rich takes evenly from all columns.
func columnWidths(columns []column, line int) []int {
	const standard, least, most = 76, 40, 1000
	if line == 0 {
		line = standard
	}
	line = min(max(line, least), most)
	widths := make([]int, len(columns))
	at, excess := 0, 3*len(columns)+1
	for i, c := range columns {
		end := int(c.end * float64(line))
		less := int(math.RoundToEven(float64(excess) / float64(len(columns)-i)))
		widths[i] = end - at + 2 - less
		at, excess = end, excess-less
	}
	return widths
}

// wholeNumbers widens columns of numbers, which are the ones on the right, to their longest word, since a number that is
// cut off, as Keras cuts it in narrow tables, is another number. The room comes from the widest other columns.
func (t *table) wholeNumbers(rows [][]string) {
	const narrowest = 2 + 3 // a few letters stay of every other column
	for i, c := range t.columns {
		if c.align != right {
			continue
		}
		need := 0
		for _, cells := range rows {
			for word := range strings.FieldsSeq(cells[i]) {
				need = max(need, 2+utf8.RuneCountInString(word))
			}
		}
		for t.widths[i] < need {
			widest := -1
			for k, other := range t.columns {
				if other.align != right && t.widths[k] > narrowest && (widest < 0 || t.widths[k] > t.widths[widest]) {
					widest = k
				}
			}
			if widest < 0 {
				break
			}
			t.widths[widest]--
			t.widths[i]++
		}
	}
}

// rule writes a line of the four given characters: left, line, crossing, right.
func (t *table) rule(b *strings.Builder, characters string) {
	c := []rune(characters)
	for i, w := range t.widths {
		b.WriteRune(c[min(i, 1)*2])
		for range w {
			b.WriteRune(c[1])
		}
	}
	b.WriteRune(c[3])
	b.WriteByte('\n')
}

// row writes the cells of a row, on as many lines as the longest needs.
func (t *table) row(b *strings.Builder, border string, cells []string) {
	lines := make([][]string, len(cells))
	height := 1
	for i, c := range cells {
		lines[i] = wrap(c, t.widths[i]-2)
		height = max(height, len(lines[i]))
	}
	for k := range height {
		for i := range cells {
			text := ""
			if k < len(lines[i]) {
				text = lines[i][k]
			}
			space := t.widths[i] - 2 - utf8.RuneCountInString(text)
			before := 0
			switch t.columns[i].align {
			case right:
				before = space
			case middle:
				before = space / 2
			}
			b.WriteString(border)
			b.WriteString(strings.Repeat(" ", before+1))
			b.WriteString(text)
			b.WriteString(strings.Repeat(" ", space-before+1))
		}
		b.WriteString(border)
		b.WriteByte('\n')
	}
}

// wrap breaks a text at its spaces into lines of at most width characters, and cuts longer words off.
func wrap(s string, width int) []string {
	var lines []string
	used := 0
	for word := range strings.FieldsFuncSeq(s, unicode.IsSpace) {
		n := utf8.RuneCountInString(word)
		if used > 0 && used+1+n <= width {
			lines[len(lines)-1] += " " + word
			used += 1 + n
			continue
		}
		used = n
		if n > width {
			word = string([]rune(word)[:width-1]) + "…"
		}
		lines = append(lines, word)
	}
	return lines
}
