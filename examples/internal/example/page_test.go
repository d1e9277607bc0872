package example

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"unicode/utf8"
)

// Lines are broken at spaces alone, and words stay whole.
func TestPageWidth(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", ""},
		{"short\n", "short\n"},
		{"0123456789 0123456789\n", "0123456789\n0123456789\n"},
		{"01234 6789 1234 6789\nab\n", "01234 6789\n1234 6789\nab\n"},
		{"a  b  c  d  e\n", "a  b  c  d\ne\n"},
		{" Total params: 160\n", " Total\nparams:\n160\n"},
		{"0123456789abc d\n", "0123456789abc\nd\n"},
		{"a 0123456789abc\n", "a\n0123456789abc\n"},
		{"trailing     \n", "trailing     \n"},
		{"größe größe größe", "größe\ngröße\ngröße"},
		{"a\x1b[2Jb\n", `a\x1b[2Jb` + "\n"},
	} {
		var b bytes.Buffer
		p := NarrowPage(&b, 10)
		for _, r := range c.text { // it comes in pieces
			fmt.Fprintf(p, "%c", r)
		}
		if err := p.End(nil); err != nil || b.String() != c.want {
			t.Errorf("%q: got %q, %v, want %q", c.text, b.String(), err, c.want)
		}
	}
	var b bytes.Buffer
	p := NarrowPage(&b, 40)
	p.Print(strings.Repeat("word ", 50))
	fmt.Fprintln(p, p.List(make([]int32, 100)))
	for line := range strings.Lines(b.String()) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 40 {
			t.Errorf("%d characters: %s", n, line)
		}
	}
	if p.Fit(6, 11) != 3 || p.Fit(6, 100) != 1 || NewPage(&b).Fit(6, 11) != 6 {
		t.Error("other numbers fit")
	}
}

// failing is a Writer whose calls fail from one on.
type failing struct{ calls int }

func (f *failing) Write(b []byte) (int, error) {
	if f.calls--; f.calls < 0 {
		return 0, syscall.ENOSPC
	}
	return len(b), nil
}

// What could not be written is an error of the program, once, and beside others.
func TestPageError(t *testing.T) {
	const want = "the standard output cannot be written: no space left on device"
	for calls := range 3 {
		w := &failing{calls: calls}
		p := NewPage(w)
		for range 5 {
			fmt.Fprintln(p, "line")
		}
		if err := p.End(nil); err == nil || err.Error() != want || !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("after %d lines: %v", calls, err)
		}
		if w.calls != -1 {
			t.Errorf("after %d lines it is written to again", calls)
		}
		if err := p.End(flag.ErrHelp); err == nil || err.Error() != want {
			t.Errorf("help: %v", err)
		}
		var b strings.Builder
		if code := Exit("imdb", p.End(errors.New("another")), &b); code != ExitError || b.String() != "imdb: another\nimdb: "+want+"\n" {
			t.Errorf("code %d, %s", code, b.String())
		}
	}
}
