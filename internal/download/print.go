package download

import (
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/linnet-ml/linnet/internal/shown"
	"github.com/linnet-ml/linnet/internal/statusline"
)

// Printer writes how far downloads have come: on a terminal one line that changes, elsewhere a line when a file begins
// and one when it is there. What is not printable in the name of a file is escaped.
type Printer struct {
	w        io.Writer
	line     *statusline.Line
	terminal bool
	name     string // the file that the last line is about; empty: none
}

// NewPrinter returns one that writes to w.
func NewPrinter(w io.Writer) *Printer {
	line := statusline.New(w)
	return &Printer{w: w, line: line, terminal: line.Terminal()}
}

// Report is an [Options].Progress.
func (p *Printer) Report(name string, done, total int64) {
	name = shown.Text(name)
	if p.terminal {
		if p.name != name {
			p.End()
		}
		p.line.Draw([]byte(progressLine(name, done, total, p.line.Width())))
		p.name = name
		if done == total {
			p.End()
		}
		return
	}
	switch {
	case done == total:
		fmt.Fprintf(p.w, "%s: %s received\n", name, megabytes(done))
		p.name = ""
	case p.name != name && total > 0:
		fmt.Fprintf(p.w, "%s: downloading %s\n", name, megabytes(total))
		p.name = name
	case p.name != name:
		fmt.Fprintf(p.w, "%s: downloading\n", name)
		p.name = name
	}
}

// progressLine says how far a file is, in as many words as fit.
func progressLine(name string, done, total int64, width int) string {
	if total <= 0 {
		return fmt.Sprintf("%s: %s", name, megabytes(done))
	}
	percent := fmt.Sprintf("%d %%", int(100*float64(done)/float64(total)))
	line := ""
	for _, line = range []string{
		fmt.Sprintf("%s: %s of %s (%s)", name, megabytes(done), megabytes(total), percent),
		fmt.Sprintf("%s: %s of %s", name, megabytes(done), megabytes(total)),
		fmt.Sprintf("%s: %s", name, percent),
	} {
		if utf8.RuneCountInString(line) <= width {
			break
		}
	}
	return line
}

// End ends the line that a download without its end has left open.
func (p *Printer) End() {
	p.line.End()
	p.name = ""
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }
