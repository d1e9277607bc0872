package callbacks

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/nn/plan"
)

// clocked starts a ProgressLine on a clock that moves on by the same time at each batch.
type clocked struct {
	spec ProgressLine
	step time.Duration
	now  time.Time
	wide int // characters of a line of the terminal, if it is one
}

func (c *clocked) Kind() string { return "clocked" }

func (c *clocked) Start(plan.Training) (plan.Handler, error) {
	var width func() (int, bool)
	if c.wide > 0 {
		width = func() (int, bool) { return c.wide, true }
	}
	h, err := c.spec.start(func() time.Time { return c.now }, width)
	if err != nil {
		return h, err
	}
	handle := h.Handle
	h.Handle = func(e plan.Event, t plan.Training) error {
		if e == plan.BatchBegin {
			c.now = c.now.Add(c.step)
		}
		return handle(e, t)
	}
	return h, nil
}

// screen is what a terminal shows of a text: what follows a carriage return is written over the line.
func screen(s string) []string {
	var lines []string
	for line := range strings.SplitSeq(s, "\n") {
		var shown []byte
		for over := range strings.SplitSeq(line, "\r") {
			shown = append([]byte(over), shown[min(len(over), len(shown)):]...)
		}
		lines = append(lines, strings.TrimRight(string(shown), " "))
	}
	return lines
}

func TestProgressOnATerminal(t *testing.T) {
	var b bytes.Buffer
	c := &clocked{spec: ProgressLine{To: &b, Style: Terminal}, step: 22 * time.Millisecond, now: time.Unix(1, 0)}
	var middle []string
	look := plan.CallbackFunc(func(e plan.Event, t plan.Training) error {
		if e == plan.BatchEnd && t.Epoch() == 0 && (t.Step() == 8 || t.Step() == 29) {
			middle = append(middle, screen(b.String())[1])
		}
		return nil
	})
	_, err := fit(tiny(t), 30, 0, 2, script(func(int) map[string]float64 {
		return map[string]float64{"loss": 0.66270001, "accuracy": 0.6301}
	}), c, look)
	if err != nil {
		t.Fatal(err)
	}
	final := "30/30 [==============================] - 1s 22ms/step - loss: 0.6627 - accuracy: 0.6301"
	if d := cmp.Diff([]string{"Epoch 1/2", final, "Epoch 2/2", final, ""}, screen(b.String())); d != "" {
		t.Error(d)
	}
	// The line is a little old: it was drawn at step 6, and is drawn again at step 9.
	want := []string{
		" 7/30 [====>..................] - ETA: 0s - loss: 0.0000e+00 - accuracy: 1.0000",
		"28/30 [====================>..] - ETA: 0s - loss: 0.0000e+00 - accuracy: 1.0000",
	}
	if d := cmp.Diff(want, middle); d != "" {
		t.Error(d)
	}
}

// On a narrow terminal the bar shrinks first; then lines end between two logs.
func TestProgressOnANarrowTerminal(t *testing.T) {
	logs := plan.CallbackFunc(func(e plan.Event, t plan.Training) error {
		if e == plan.EpochEnd {
			*t.Logs() = history.Logs{}
			for i, name := range []string{"loss", "accuracy", "val_loss", "val_accuracy"} {
				t.Logs().Set(name, []float64{0.66270001, 0.6301, 0.5, 0.75}[i])
			}
		}
		return nil
	})
	for _, c := range []struct {
		wide  int
		style Style
		want  []string
	}{
		{119, Terminal, []string{"30/30 [====================] - 1s 22ms/step - loss: 0.6627 - accuracy: 0.6301 - val_loss: 0.5000 - val_accuracy: 0.7500"}},
		{79, Terminal, []string{"30/30 [======================] - 1s 22ms/step - loss: 0.6627 - accuracy: 0.6301", "  val_loss: 0.5000 - val_accuracy: 0.7500"}},
		{39, Terminal, []string{"30/30 [================] - 1s 22ms/step", "  loss: 0.6627 - accuracy: 0.6301", "  val_loss: 0.5000", "  val_accuracy: 0.7500"}},
		{10, Terminal, []string{"30/30 [=====]", "  1s 22ms/step", "  loss: 0.6627", "  accuracy: 0.6301", "  val_loss: 0.5000", "  val_accuracy: 0.7500"}},
		{39, Plain, []string{"Epoch 1/1 - 30/30 - 1s - 22ms/step", "  loss: 0.6627 - accuracy: 0.6301", "  val_loss: 0.5000", "  val_accuracy: 0.7500"}},
	} {
		var b bytes.Buffer
		p := &clocked{spec: ProgressLine{To: &b, Style: c.style}, step: 22 * time.Millisecond, now: time.Unix(1, 0), wide: c.wide}
		if _, err := fit(tiny(t), 30, 0, 1, logs, p); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(append(c.want, ""), screen(b.String())); d != "" {
			t.Errorf("%d columns: %s", c.wide, d)
		}
		for _, line := range strings.FieldsFunc(b.String(), func(r rune) bool { return r == '\r' || r == '\n' }) {
			if n := len(strings.TrimRight(line, " ")); n > max(c.wide, 22) {
				t.Errorf("%d characters on a terminal of %d: %q", n, c.wide, line)
			}
		}
	}
}

// A line is drawn at most every 50 ms, within the width, and whole again at the end.
func TestProgressIsNotDrawnTooOften(t *testing.T) {
	var b bytes.Buffer
	c := &clocked{spec: ProgressLine{To: &b, Style: Terminal}, step: time.Millisecond, now: time.Unix(1, 0)}
	if _, err := fit(tiny(t), 500, 0, 1, values("a_rather_long_name_for_a_metric", 1), c); err != nil {
		t.Fatal(err)
	}
	drawn := strings.Split(b.String(), "\r")[1:]
	if len(drawn) != 11 {
		t.Errorf("drawn %d times in half a second, want 11", len(drawn))
	}
	for i, line := range drawn {
		if len(line) > 79 && i < len(drawn)-1 {
			t.Errorf("%d characters: %s", len(line), line)
		}
	}
	want := "500/500 [==============================] - 0s 1ms/step - loss: 0.0000e+00 - accuracy: 1.0000 - a_rather_long_name_for_a_metric: 1.0000"
	if d := cmp.Diff([]string{want, ""}, screen(b.String())); d != "" {
		t.Error(d)
	}
}

// What is left of a longer line goes.
func TestProgressClearsTheLine(t *testing.T) {
	var b bytes.Buffer
	c := &clocked{spec: ProgressLine{To: &b, Style: Terminal}, step: time.Second, now: time.Unix(1, 0)}
	_, err := fit(tiny(t), 1, 0, 1, plan.CallbackFunc(func(e plan.Event, t plan.Training) error {
		if e == plan.EpochEnd {
			*t.Logs() = history.Logs{}
		}
		return nil
	}), c)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"1/1 [==============================] - 1s 1s/step", ""}, screen(b.String())); d != "" {
		t.Error(d)
	}
}

func TestProgressElsewhere(t *testing.T) {
	var b bytes.Buffer
	for _, style := range []Style{Auto, Plain, Silent} { // a buffer is no terminal
		c := &clocked{spec: ProgressLine{To: &b, Style: style}, step: 22 * time.Millisecond, now: time.Unix(1, 0)}
		if _, err := fit(tiny(t), 30, 1, 3, c); err != nil {
			t.Fatal(err)
		}
	}
	want := strings.Repeat("Epoch 2/3 - 30/30 - 1s - 22ms/step - loss: 0.0000e+00 - accuracy: 1.0000\n"+
		"Epoch 3/3 - 30/30 - 1s - 22ms/step - loss: 0.0000e+00 - accuracy: 1.0000\n", 2)
	if d := cmp.Diff(want, b.String()); d != "" {
		t.Error(d)
	}
}

// A Fit that ends in the middle of an epoch leaves the line, and the next text begins on its own.
func TestProgressAfterCancel(t *testing.T) {
	var b bytes.Buffer
	ctx, cancel := context.WithCancel(t.Context())
	_, err := fitContext(ctx, tiny(t), 10, 0, 1, Progress(&b), ProgressLine{To: &b, Style: Terminal},
		plan.CallbackFunc(func(e plan.Event, t plan.Training) error {
			if t.Step() == 3 {
				cancel()
			}
			return nil
		}))
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if got := screen(b.String()); len(got) != 2 || !strings.HasPrefix(got[0], " 1/10 [=>...") || got[1] != "" {
		t.Errorf("%q", got)
	}
}

type closedPipe struct{ writes int }

func (p *closedPipe) Write([]byte) (int, error) {
	p.writes++
	return 0, os.ErrClosed
}

func TestProgressOutlivesItsReader(t *testing.T) {
	for _, style := range []Style{Terminal, Plain} {
		var p closedPipe
		if h, err := fit(tiny(t), 3, 0, 4, ProgressLine{To: &p, Style: style}); err != nil || len(h.Epochs) != 4 {
			t.Errorf("%d epochs, %v", len(h.Epochs), err)
		}
		if p.writes != 1 {
			t.Errorf("%d writes to what had failed", p.writes)
		}
	}
}

func TestProgressErrors(t *testing.T) {
	if _, err := fit(tiny(t), 1, 0, 1, Progress(nil)); err == nil || err.Error() != "callbacks: Progress needs a writer" {
		t.Error(err)
	}
	if _, err := fit(tiny(t), 1, 0, 1, ProgressLine{To: os.Stderr, Style: 9}); err == nil || err.Error() != "callbacks: Progress has no style 9" {
		t.Error(err)
	}
}

func TestTimePerStep(t *testing.T) {
	for want, got := range map[string]string{
		"2s/step":    perStep(16*time.Second, 8),
		"125ms/step": perStep(time.Second, 8),
		"310us/step": perStep(3100*time.Microsecond, 10),
		"0s/step":    perStep(0, 8),
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
