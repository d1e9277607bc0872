// Package statusline draws a line on a terminal again and again in its place: how far something that takes long is.
package statusline

import (
	"fmt"
	"io"
	"os"
	"time"
	"unicode/utf8"

	"github.com/linnet-ml/linnet/internal/shown"
	"golang.org/x/term"
)

// A Line is drawn in its place with nothing but a carriage return and spaces. What is not
// printable in a text is escaped. A writer that fails is not written to again.
type Line struct {
	to       io.Writer
	terminal int  // the file descriptor
	known    bool // to be a terminal, so that it can be asked for its width
	shown    int  // characters that are drawn
	failed   bool
	buffer   []byte
}

// New returns a Line on w.
func New(w io.Writer) *Line {
	l := &Line{to: w}
	if f, ok := w.(*os.File); ok {
		l.terminal = int(f.Fd())
		l.known = term.IsTerminal(l.terminal)
	}
	return l
}

// Terminal returns whether the writer is a terminal that can draw lines in their place: $TERM is not "dumb".
func (l *Line) Terminal() bool { return l.known && os.Getenv("TERM") != "dumb" }

// Failed returns whether the writer has failed.
func (l *Line) Failed() bool { return l.failed }

// Width is how many characters a drawn line may have: one less than the terminal has, for some wrap as soon as the last is
// written; 79 where its width is not known.
func (l *Line) Width() int {
	width, _ := l.Columns()
	return width
}

// Columns is Width, and whether it is a terminal's.
func (l *Line) Columns() (width int, known bool) {
	if l.known {
		if w, _, err := term.GetSize(l.terminal); err == nil && w > 0 {
			return w - 1, true
		}
	}
	return 79, false
}

// Draw shows a text in place of the one before, cut to the terminal's width.
func (l *Line) Draw(text []byte) {
	l.buffer = append(append(l.buffer[:0], '\r'), cut(printable(text), l.Width())...)
	l.pad()
	l.write()
}

// Finish shows a text in place of the one before, and ends the line.
func (l *Line) Finish(text []byte) {
	l.buffer = append(append(l.buffer[:0], '\r'), printable(text)...)
	l.pad()
	l.buffer = append(l.buffer, '\n')
	l.shown = 0
	l.write()
}

// End ends a line that is drawn, if there is one.
func (l *Line) End() {
	if l.shown > 0 {
		l.shown = 0
		l.buffer = append(l.buffer[:0], '\n')
		l.write()
	}
}

// Clear takes away what is drawn, so that something else can be written there.
func (l *Line) Clear() {
	if l.shown > 0 {
		l.buffer = append(l.buffer[:0], '\r')
		l.pad()
		l.buffer = append(l.buffer, '\r')
		l.write()
	}
}

// pad adds spaces over what is left of a longer text, and notes how long this one is.
func (l *Line) pad() {
	n := utf8.RuneCount(l.buffer) - 1
	for range l.shown - n {
		l.buffer = append(l.buffer, ' ')
	}
	l.shown = n
}

func (l *Line) write() {
	if l.failed {
		return
	}
	if _, err := l.to.Write(l.buffer); err != nil {
		l.failed = true
	}
}

// printable is a text with everything escaped that would do more on a terminal than be read: names of files may be in it.
func printable(text []byte) []byte { return []byte(shown.Text(string(text))) }

// cut shortens a text to width characters.
func cut(text []byte, width int) []byte {
	at := 0
	for n := 0; at < len(text); n++ {
		if n >= width {
			return text[:at]
		}
		_, size := utf8.DecodeRune(text[at:])
		at += size
	}
	return text
}

// AppendRemaining writes a time to wait: 9s, 1:30 or 2:05:00.
func AppendRemaining(b []byte, d time.Duration) []byte {
	s := int(d.Seconds())
	switch {
	case s >= 3600:
		return fmt.Appendf(b, "%d:%02d:%02d", s/3600, s%3600/60, s%60)
	case s >= 60:
		return fmt.Appendf(b, "%d:%02d", s/60, s%60)
	}
	return fmt.Appendf(b, "%ds", s)
}
