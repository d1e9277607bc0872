package plots

import (
	"bytes"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"testing"

	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/tensor"
)

// Arguments that are nil, nil pointers or zero values are errors.
func TestNilArguments(t *testing.T) {
	panel := Panel{Training: Curve{Values: []float64{1, 2}}}
	errOf := func(_ any, err error) error { return err }
	file := filepath.Join(t.TempDir(), "a.png")
	for name, f := range map[string]func() error{
		"Panels of nil":             func() error { return errOf(Panels(nil)) },
		"Panels of a zero History":  func() error { return errOf(Panels(&history.History{})) },
		"Panels of nil, named":      func() error { return errOf(Panels(nil, "")) },
		"Write without panels":      func() error { return Write(io.Discard, PNG) },
		"Write of a zero Panel":     func() error { return Write(io.Discard, SVG, Panel{}) },
		"Write to nil":              func() error { return Write(nil, SVG, panel) },
		"Write to a nil Buffer":     func() error { return Write((*bytes.Buffer)(nil), SVG, panel) },
		"Write to a nil File":       func() error { return Write((*os.File)(nil), SVG, panel) },
		"Write in no format":        func() error { return Write(io.Discard, 9, panel) },
		"WriteText without panels":  func() error { return WriteText(io.Discard, Text{}) },
		"WriteText of a zero Panel": func() error { return WriteText(io.Discard, Text{}, Panel{}) },
		"WriteText to nil":          func() error { return WriteText(nil, Text{}, panel) },
		"WriteText to a nil Buffer": func() error { return WriteText((*bytes.Buffer)(nil), Text{}, panel) },
		"WriteText to a nil File":   func() error { return WriteText((*os.File)(nil), Text{}, panel) },
		"WriteFile of nothing":      func() error { return WriteFile(file) },
		"WriteFile to nothing":      func() error { return WriteFile("", panel) },
		"Draw to nothing":           func() error { return Draw("", nil, panel) },
		"Draw of nothing":           func() error { return Draw(file, nil) },
		"Draw to a terminal of nil": func() error { return Draw(Terminal, nil, panel) },
		"Draw to a nil File":        func() error { return Draw(Terminal, (*os.File)(nil), panel) },
		"Check of nothing":          func() error { return Check("") },
		"FormatOf of nothing":       func() error { return errOf(FormatOf("")) },
	} {
		func() {
			defer func() {
				if p := recover(); p != nil {
					t.Errorf("%s panics: %v", name, p)
				}
			}()
			if f() == nil {
				t.Errorf("%s is no error", name)
			}
		}()
	}
}

// A width that fits an int and no memory is an error, and nothing is drawn.
func TestWidthTooLarge(t *testing.T) {
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(256 << 20))
	panel := Panel{Training: Curve{Values: []float64{1, 2}}}
	for _, width := range []int{1 << 22, math.MaxInt32, math.MaxInt / 16, math.MaxInt} {
		var b bytes.Buffer
		if err := WriteText(&b, Text{Width: width}, panel); !errors.Is(err, tensor.ErrTooLarge) || b.Len() > 0 {
			t.Errorf("width %d: %d bytes, error %v", width, b.Len(), err)
		}
	}
	var b bytes.Buffer
	if err := WriteText(&b, Text{Width: 10_000}, panel); err != nil {
		t.Error(err)
	}
}
