package main

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/linnet-ml/linnet/classifier"
	"github.com/linnet-ml/linnet/internal/statusline"
)

// The line says phase, share and time left, and figures alone where the terminal is too narrow for words.
func TestProgressLine(t *testing.T) {
	for _, v := range []struct {
		width int
		want  []string
	}{
		{39, []string{"reading 12,000", "comparing recipes 1 of ~19", "comparing recipes 8 of ~19, 24s left", "counting n-grams 0%", "counting n-grams 25%, 1:15 left", "learning 100%, 0s left"}},
		{20, []string{"reading 12,000", "1 of ~19", "8 of ~19, 24s left", "counting n-grams 0%", "25%, 1:15 left", "100%, 0s left"}},
	} {
		var b strings.Builder
		now := time.Unix(1000, 0)
		p := &progress{line: statusline.New(&b), now: func() time.Time { return now }, width: func() int { return v.width }}
		var got []string
		at := func(after time.Duration, phase classifier.Phase, done, total int) {
			now = now.Add(after)
			b.Reset()
			p.training(classifier.Progress{Phase: phase, Done: done, Total: total})
			if text := strings.Trim(b.String(), "\r "); text != "" {
				got = append(got, text)
			}
		}
		at(0, classifier.PhaseReading, 12000, 0)
		at(10*time.Millisecond, classifier.PhaseComparing, 0, 19)
		at(14*time.Second, classifier.PhaseComparing, 7, 19)
		at(time.Millisecond, classifier.PhaseComparing, 8, 19) // too soon to be drawn
		at(time.Second, classifier.PhaseCounting, 0, 400)
		at(25*time.Second, classifier.PhaseCounting, 100, 400)
		p.show("learning", 0, 10, false)
		at(9*time.Second, classifier.PhaseLearning, 10, 10)
		if got := strings.Join(got, "\n"); got != strings.Join(v.want, "\n") {
			t.Errorf("width %d:\n%s\nwant\n%s", v.width, got, strings.Join(v.want, "\n"))
		}
	}
	var none *progress // shows nothing
	none.show("x", 1, 2, false)
	none.clear()
	none.note(io.Discard, "x")
	if none.report() != nil {
		t.Error("nothing reports")
	}
}
