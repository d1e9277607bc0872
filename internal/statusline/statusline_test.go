package statusline

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// A shorter text covers a longer one, and what is cleared leaves nothing.
func TestLine(t *testing.T) {
	var b strings.Builder
	l := New(&b)
	if l.Terminal() || l.Width() != 79 {
		t.Error("a builder is a terminal")
	}
	l.Clear()
	l.End()
	l.Draw([]byte("größer"))
	l.Draw([]byte("ab"))
	l.Clear()
	l.Draw([]byte(strings.Repeat("ä", 100)))
	l.Finish([]byte("end"))
	l.Draw([]byte("x"))
	l.End()
	l.End()
	want := "\rgrößer\rab    \r  \r\r" + strings.Repeat("ä", 79) + "\rend" + strings.Repeat(" ", 76) + "\n\rx\n"
	if b.String() != want {
		t.Errorf("%q, want %q", b.String(), want)
	}
}

type broken struct{ n int }

func (b *broken) Write([]byte) (int, error) { b.n++; return 0, errors.New("gone") }

// Nothing is written after an error.
func TestFailed(t *testing.T) {
	b := &broken{}
	l := New(b)
	l.Draw([]byte("a"))
	l.Draw([]byte("b"))
	if b.n != 1 || !l.Failed() {
		t.Errorf("%d writes", b.n)
	}
}

func TestRemaining(t *testing.T) {
	for _, c := range []struct {
		d    time.Duration
		want string
	}{
		{900 * time.Millisecond, "0s"},
		{59 * time.Second, "59s"},
		{time.Minute, "1:00"},
		{61 * time.Second, "1:01"},
		{time.Hour - time.Second, "59:59"},
		{time.Hour, "1:00:00"},
		{time.Hour + time.Second, "1:00:01"},
	} {
		if got := string(AppendRemaining(nil, c.d)); got != c.want {
			t.Errorf("%v: got %s, want %s", c.d, got, c.want)
		}
	}
}
