package download

import (
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// Printer writes how far downloads have come: on a terminal one line that changes, elsewhere a line when a file begins
// and one when it is there.
type Printer struct {
	w        io.Writer
	terminal bool
	name     string // the file that the last line is about; empty: none
	width    int    // of that line
}

// NewPrinter returns one that writes to w.
func NewPrinter(w io.Writer) *Printer {
	f, ok := w.(*os.File)
	return &Printer{w: w, terminal: ok && term.IsTerminal(int(f.Fd()))}
}

// Report is an [Options].Progress.
func (p *Printer) Report(name string, done, total int64) {
	if p.terminal {
		if p.name != name {
			p.End()
		}
		line := fmt.Sprintf("%s: %s", name, megabytes(done))
		if total > 0 {
			line = fmt.Sprintf("%s of %s (%d %%)", line, megabytes(total), int(100*float64(done)/float64(total)))
		}
		fmt.Fprintf(p.w, "\r%s%s", line, strings.Repeat(" ", max(0, p.width-len(line))))
		p.name, p.width = name, len(line)
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

// End ends the line that a download without its end has left open.
func (p *Printer) End() {
	if p.terminal && p.name != "" {
		fmt.Fprintln(p.w)
	}
	p.name, p.width = "", 0
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }
