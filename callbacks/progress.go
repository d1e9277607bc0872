package callbacks

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/internal/shown"
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
// are no colours. On a narrow terminal the bar shrinks first; then the results take several lines, which end between two of
// them. What is not printable in the name of a metric is escaped. A writer that fails is not written to again, and the Fit goes on: it must not end because its reader did.
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
func (c ProgressLine) Start(plan.Training) (plan.Handler, error) { return c.start(time.Now, nil) }

// start is Start with a clock, and with the width of a terminal if it is not the writer's.
func (c ProgressLine) start(now func() time.Time, width func() (int, bool)) (plan.Handler, error) {
	if c.To == nil {
		return plan.Handler{}, errors.New("callbacks: Progress needs a writer")
	}
	if c.Style > Silent {
		return plan.Handler{}, fmt.Errorf("callbacks: Progress has no style %d", c.Style)
	}
	h := &progress{line: statusline.New(c.To), to: c.To, style: c.Style, now: now}
	if h.width = width; width == nil {
		h.width = h.line.Columns
	}
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
	width  func() (int, bool) // of a line, and whether it is a terminal's
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

// draw shows where the epoch under way is, in one line: the bar gives way first, then the last logs.
func (h *progress) draw(t plan.Training) {
	now := h.now()
	if now.Sub(h.drawn) < redraw {
		return
	}
	h.drawn = now
	done := t.Step() + 1
	own := done - h.first // an earlier Fit did the others
	elapsed := now.Sub(h.begin)
	width, _ := h.width()
	if t.Steps() == 0 { // a stream's first epoch
		head := fmt.Sprintf("%d/Unknown", done)
		fields := h.fields(t.Logs(), fmt.Sprintf("%.0fs %s", elapsed.Seconds(), perStep(elapsed, own)))
		h.text = append(append(h.text[:0], head...), joined(fields[:fitting(fields, width-len(head))])...)
	} else {
		done := min(done, t.Steps())
		head := counted(done, t.Steps())
		left := max(0, elapsed/time.Duration(own)*time.Duration(t.Steps()-done))
		fields := h.fields(t.Logs(), string(statusline.AppendRemaining([]byte("ETA: "), left)))
		room := width - len(head)
		bar := ""
		if length := room - barFrame - utf8.RuneCountInString(joined(fields)); length >= shortestBar {
			bar = drawnBar(done, t.Steps(), min(length, longestBar))
		}
		h.text = append(append(append(h.text[:0], head...), bar...), joined(fields[:fitting(fields, room-utf8.RuneCountInString(bar))])...)
	}
	h.line.Draw(h.text)
}

// finish shows the epoch's results: all of them, where the terminal is narrow on several lines.
func (h *progress) finish(t plan.Training) {
	elapsed := h.now().Sub(h.begin)
	own := t.Steps() - max(h.first, 0)
	width, known := h.width()
	if h.style != Terminal {
		h.text = fmt.Appendf(h.text[:0], "Epoch %d/%d", t.Epoch()+1, t.Epochs())
		fields := h.fields(t.Logs(), strings.TrimSpace(counted(t.Steps(), t.Steps())), fmt.Sprintf("%.0fs", elapsed.Seconds()), perStep(elapsed, own))
		if known {
			n := fitting(fields, width-len(h.text))
			h.text = append(h.text, joined(fields[:n])...)
			h.text = appendLines(h.text, fields[n:], width)
		} else {
			h.text = append(h.text, joined(fields)...)
		}
		h.text = append(h.text, '\n')
		h.write()
		return
	}
	head := counted(t.Steps(), t.Steps())
	fields := h.fields(t.Logs(), fmt.Sprintf("%.0fs %s", elapsed.Seconds(), perStep(elapsed, own)))
	length, n := longestBar, len(fields)
	if known {
		room := width - len(head) - barFrame
		n = fitting(fields, room-wrappedBar)
		length = min(max(room-utf8.RuneCountInString(joined(fields[:n])), shortestBar), longestBar)
	}
	h.line.Finish([]byte(head + drawnBar(t.Steps(), t.Steps(), length) + joined(fields[:n])))
	if n < len(fields) && !h.line.Failed() {
		h.text = append(appendLines(h.text[:0], fields[n:], width), '\n')
		h.text = h.text[1:] // the line before has ended
		h.write()
	}
}

const (
	longestBar  = 30
	wrappedBar  = 10 // of a line that others follow, at least
	shortestBar = 5  // a shorter one is left out
	barFrame    = 3  // a space and brackets
)

// counted is " 9/30".
func counted(done, steps int) string {
	return fmt.Sprintf("%*d/%d", len(strconv.Itoa(steps)), done, steps)
}

// drawnBar is " [========>.....................]".
func drawnBar(done, steps, length int) string {
	b := append(make([]byte, 0, length+barFrame), " ["...)
	full := length * done / steps
	for i := range length {
		switch {
		case i < full-1 || i < full && done == steps:
			b = append(b, '=')
		case i < full:
			b = append(b, '>')
		default:
			b = append(b, '.')
		}
	}
	return string(append(b, ']'))
}

// fields are what follows the bar: some texts, and the logs. Names of metrics are foreign text: they are escaped.
func (h *progress) fields(l *history.Logs, fields ...string) []string {
	for name, v := range l.All() {
		fields = append(fields, shown.Text(name)+": "+history.FormatLog(v))
	}
	return fields
}

const between = " - "

// joined writes fields, each after a hyphen.
func joined(fields []string) string {
	if len(fields) == 0 {
		return ""
	}
	return between + strings.Join(fields, between)
}

// fitting is how many of the fields fit, joined, into a number of characters.
func fitting(fields []string, room int) int {
	for i, f := range fields {
		if room -= len(between) + utf8.RuneCountInString(f); room < 0 {
			return i
		}
	}
	return len(fields)
}

// appendLines writes fields on lines of their own: a line ends between two of them. A line end comes first.
func appendLines(b []byte, fields []string, width int) []byte {
	const indent = "  "
	used := 0
	for _, f := range fields {
		n := utf8.RuneCountInString(f)
		if used > 0 && used+len(between)+n <= width {
			b = append(append(b, between...), f...)
			used += len(between) + n
			continue
		}
		b = append(append(append(b, '\n'), indent...), f...)
		used = len(indent) + n
	}
	return b
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
