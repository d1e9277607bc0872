package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/linnet-ml/linnet/classifier"
	"github.com/linnet-ml/linnet/datasets/texts"
	"github.com/linnet-ml/linnet/internal/statusline"
	"github.com/spf13/cobra"
)

// progress shows in one line how far a command is. Nil shows nothing. Any number of goroutines may use it.
type progress struct {
	mu    sync.Mutex
	line  *statusline.Line
	now   func() time.Time
	width func() int

	what  string
	begin time.Time // of what
	from  int       // done at that time
	drawn time.Time
	text  []byte
}

// redraw is how often the line is drawn anew, at most.
const redraw = 100 * time.Millisecond

// newProgress returns what shows progress on the standard error, if that is a terminal and the results are for people.
func newProgress(cmd *cobra.Command, asJSON bool) *progress {
	line := statusline.New(cmd.ErrOrStderr())
	if asJSON || !line.Terminal() {
		return nil
	}
	return &progress{line: line, now: time.Now, width: line.Width}
}

// show draws the line: done of total of something, in which total may be 0 for unknown. Steps are counted; else there is a
// percentage.
func (p *progress) show(what string, done, total int, steps bool) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	if what != p.what || done < p.from {
		p.what, p.begin, p.from = what, now, done
	} else if now.Sub(p.drawn) < redraw {
		return
	}
	p.drawn = now
	p.text = p.text[:0]
	switch {
	case total <= 0:
		p.text = append(p.text, grouped(done)...)
	case steps:
		p.text = fmt.Appendf(p.text, "%d of ~%d", min(done+1, total), total)
	default:
		p.text = fmt.Appendf(p.text, "%d%%", min(int64(done)*100/int64(total), 100))
	}
	if elapsed := now.Sub(p.begin); total > 0 && done > p.from && elapsed > time.Second {
		left := time.Duration(float64(elapsed) / float64(done-p.from) * float64(max(total-done, 0)))
		p.text = append(p.text, ", "...)
		p.text = statusline.AppendRemaining(p.text, left)
		p.text = append(p.text, " left"...)
	}
	if len(what)+1+len(p.text) <= p.width() { // figures say more than words
		p.text = append([]byte(what+" "), p.text...)
	}
	p.line.Draw(p.text)
}

// training shows how far a training is.
func (p *progress) training(t classifier.Progress) {
	steps := t.Phase == classifier.PhaseComparing || t.Phase == classifier.PhaseFolds
	p.show(string(t.Phase), t.Done, t.Total, steps)
}

// report is training for classifier.Options, or nil.
func (p *progress) report() func(classifier.Progress) {
	if p == nil {
		return nil
	}
	return p.training
}

// reading shows how much of a source has been read, rows of it.
func (p *progress) reading(s *texts.Source, rows int) {
	if p == nil || rows%64 != 0 {
		return
	}
	if read, size := s.Progress(); size > 0 {
		p.show("reading", int(min(read, size)>>10), int(size>>10), false)
		return
	}
	p.show("reading row", rows, 0, false)
}

// clear takes the line away.
func (p *progress) clear() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.line.Clear()
}

// note writes something that stays, a line or several.
func (p *progress) note(w io.Writer, text string) {
	if p != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.line.Clear()
	}
	io.WriteString(w, text)
}
