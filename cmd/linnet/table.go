package main

import (
	"bufio"
	"io"
	"strings"
	"unicode/utf8"
)

// table is rows of cells for a terminal.
type table struct {
	rows [][]string
}

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

// widths are those of the columns.
func (t *table) widths() []int {
	var widths []int
	for _, row := range t.rows {
		for c, cell := range row {
			if c == len(widths) {
				widths = append(widths, 0)
			}
			widths[c] = max(widths[c], utf8.RuneCountInString(cell))
		}
	}
	return widths
}

// width is that of a whole line.
func (t *table) width() int {
	total := -2
	for _, w := range t.widths() {
		total += w + 2
	}
	return total
}

// write writes a line for each row, two spaces between columns. Columns of which left has an l begin together, the others,
// such as numbers, end together. The last letter of left stands for all further columns.
func (t *table) write(to io.Writer, left string) error {
	w := bufio.NewWriter(to)
	widths := t.widths()
	for _, row := range t.rows {
		var line strings.Builder
		for c, cell := range row {
			if c > 0 {
				line.WriteString("  ")
			}
			gap := strings.Repeat(" ", widths[c]-utf8.RuneCountInString(cell))
			if left[min(c, len(left)-1)] == 'l' {
				line.WriteString(cell + gap)
			} else {
				line.WriteString(gap + cell)
			}
		}
		w.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return w.Flush()
}
