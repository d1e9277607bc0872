package callbacks

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/internal/statusline"
	"github.com/linnet-ml/linnet/nn/plan"
)

// Progress shows on w, such as os.Stderr, how a Fit gets on: see [ProgressLine].
func Progress(w io.Writer) plan.Callback { return ProgressLine{To: w} }

// ProgressLine shows how a Fit gets on, in one of these styles:
//
//	Epoch 1/40
//	 9/30 [========>.....................] - ETA: 0s - loss: 0.6912 - accuracy: 0.5640
//
// on a terminal, the second line drawn anew in its place, until at the end of the epoch it is
//
//	30/30 [==============================] - 1s 22ms/step - loss: 0.6627 - accuracy: 0.6301 - val_loss: 0.5973 - val_accuracy: 0.7651
//
// and elsewhere, in files and pipes, one line at the end of each epoch:
//
//	Epoch 1/40 - 30/30 - 1s - 22ms/step - loss: 0.6627 - accuracy: 0.6301 - val_loss: 0.5973 - val_accuracy: 0.7651
//
// The first time is the whole epoch's, validation included; the second is the first divided by the number of steps. There
// are no colours. A writer that fails is not written to again, and the Fit goes on: it must not end because its reader did.
type ProgressLine struct {
	// To is where the lines go. It is required.
	To io.Writer `json:"-"`
	// Style is Auto by default.
	Style Style
}

// Style says how progress is shown.
type Style uint8

// The styles.
const (
	// Auto is Terminal on a terminal, unless $TERM is "dumb", and Plain elsewhere.
	Auto Style = iota
	// Terminal draws a line in its place, with nothing but a carriage return and spaces. While the epoch runs the line
	// is as short as the terminal is wide, 80 characters where that is not known.
	Terminal
	// Plain writes a line at the end of each epoch.
	Plain
	// Silent writes nothing.
	Silent
)

// redraw is how often a line is drawn anew, at most.
const redraw = 50 * time.Millisecond

var _ plan.Callback = ProgressLine{}

// Kind is "ProgbarLogger", Keras's name.
func (c ProgressLine) Kind() string { return "ProgbarLogger" }

// Start returns what shows one Fit.
func (c ProgressLine) Start(plan.Training) (plan.Handler, error) { return c.start(time.Now) }

func (c ProgressLine) start(now func() time.Time) (plan.Handler, error) {
	if c.To == nil {
		return plan.Handler{}, errors.New("callbacks: Progress needs a writer")
	}
	if c.Style > Silent {
		return plan.Handler{}, fmt.Errorf("callbacks: Progress has no style %d", c.Style)
	}
	h := &progress{line: statusline.New(c.To), to: c.To, style: c.Style, now: now}
	if c.Style == Auto {
		h.style = Plain
		if h.line.Terminal() {
			h.style = Terminal
		}
	}
	return plan.Handler{Handle: h.handle, Close: h.close}, nil
}

// progress is the state of one Fit.
type progress struct {
	line   *statusline.Line
	to     io.Writer
	style  Style
	now    func() time.Time
	failed bool

	begin time.Time // of the epoch
	first int       // the first batch of the epoch in this Fit; -1 before it has ended
	drawn time.Time // when the line was last drawn
	text  []byte
}

func (h *progress) handle(e plan.Event, t plan.Training) error {
	if h.style == Silent || h.failed || h.line.Failed() {
		return nil
	}
	switch e {
	case plan.EpochBegin:
		h.begin = h.now()
		h.drawn, h.first = time.Time{}, -1
		if h.style == Terminal && t.Epochs() > 1 {
			h.text = fmt.Appendf(h.text[:0], "Epoch %d/%d\n", t.Epoch()+1, t.Epochs())
			h.write()
		}
	case plan.BatchEnd:
		if h.first < 0 {
			h.first = t.Step()
		}
		if h.style == Terminal {
			h.draw(t)
		}
	case plan.EpochEnd:
		h.finish(t)
	}
	return nil
}

// close ends a line that an error or a cancelled context left in the middle.
func (h *progress) close() error {
	h.line.End()
	return nil
}

// draw shows where the epoch under way is.
func (h *progress) draw(t plan.Training) {
	now := h.now()
	if now.Sub(h.drawn) < redraw {
		return
	}
	h.drawn = now
	done := t.Step() + 1
	own := done - h.first // an earlier Fit did the others
	elapsed := now.Sub(h.begin)
	h.text = h.text[:0]
	if t.Steps() == 0 { // a stream's first epoch
		h.text = fmt.Appendf(h.text, "%d/Unknown - %.0fs %s", done, elapsed.Seconds(), perStep(elapsed, own))
	} else {
		left := max(0, elapsed/time.Duration(own)*time.Duration(t.Steps()-done))
		h.bar(min(done, t.Steps()), t.Steps())
		h.text = append(h.text, " - ETA: "...)
		h.text = statusline.AppendRemaining(h.text, left)
	}
	h.logs(t.Logs())
	h.line.Draw(h.text)
}

// finish shows the epoch's results.
func (h *progress) finish(t plan.Training) {
	elapsed := h.now().Sub(h.begin)
	own := t.Steps() - max(h.first, 0)
	if h.style == Terminal {
		h.text = h.text[:0]
		h.bar(t.Steps(), t.Steps())
		h.text = fmt.Appendf(h.text, " - %.0fs %s", elapsed.Seconds(), perStep(elapsed, own))
	} else {
		h.text = fmt.Appendf(h.text[:0], "Epoch %d/%d - %d/%d - %.0fs - %s", t.Epoch()+1, t.Epochs(), t.Steps(), t.Steps(),
			elapsed.Seconds(), perStep(elapsed, own))
	}
	h.logs(t.Logs())
	if h.style == Terminal {
		h.line.Finish(h.text)
		return
	}
	h.text = append(h.text, '\n')
	h.write()
}

// bar appends " 9/30 [========>.....................]".
func (h *progress) bar(done, steps int) {
	const width = 30
	h.text = fmt.Appendf(h.text, "%*d/%d [", len(strconv.Itoa(steps)), done, steps)
	full := width * done / steps
	for i := range width {
		switch {
		case i < full-1 || i < full && done == steps:
			h.text = append(h.text, '=')
		case i < full:
			h.text = append(h.text, '>')
		default:
			h.text = append(h.text, '.')
		}
	}
	h.text = append(h.text, ']')
}

func (h *progress) logs(l *history.Logs) {
	for name, v := range l.All() {
		h.text = append(h.text, " - "...)
		h.text = append(h.text, name...)
		h.text = append(h.text, ": "...)
		h.text = append(h.text, history.FormatLog(v)...)
	}
}

func (h *progress) write() {
	if _, err := h.to.Write(h.text); err != nil {
		h.failed = true
	}
}

// perStep writes how long one of the steps took: 2s/step, 22ms/step or 310us/step.
func perStep(elapsed time.Duration, steps int) string {
	s := elapsed.Seconds() / float64(steps)
	switch {
	case s >= 1 || s == 0:
		return fmt.Sprintf("%.0fs/step", s)
	case s >= 1e-3:
		return fmt.Sprintf("%.0fms/step", s*1e3)
	}
	return fmt.Sprintf("%.0fus/step", s*1e6)
}
