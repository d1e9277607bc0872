package history_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/internal/golden"
)

// Names keep the order in which they came, and Reset leaves none.
func TestLogs(t *testing.T) {
	var l history.Logs
	l.Set("loss", 1)
	l.Set("accuracy", 2)
	l.Set("loss", 3)
	var names []string
	for name := range l.All() {
		names = append(names, name)
	}
	if !slices.Equal(names, []string{"loss", "accuracy"}) || l.Len() != 2 {
		t.Errorf("names %v, %d of them", names, l.Len())
	}
	if v, ok := l.Get("loss"); v != 3 || !ok {
		t.Errorf("loss is %v, %t", v, ok)
	}
	l.Reset()
	if _, ok := l.Get("loss"); ok || l.Len() != 0 || l.String() != "" {
		t.Errorf("after Reset: %q", l.String())
	}
	l.Set("accuracy", 4)
	if got := l.String(); got != "accuracy: 4.0000" {
		t.Errorf("after Reset and Set: %q", got)
	}
}

// The numbers of Keras's progress line. The recorded lines are those of verbose=2, where every negative number is in
// scientific notation; FormatLog follows the line of verbose=1, which looks at the magnitude.
func TestFormatLogLikeKeras(t *testing.T) {
	recorded := golden.Open(t, "summary_progress")
	text := recorded.File(recorded.Case("progbar_number_formats").Text("file"))
	values := [][2]float64{{0.5, 1}, {1e-3, 1e-4}, {123.456, 1e6}, {0, -0.25}, {9.99e-4, 1.23456789}, {math.NaN(), math.Inf(1)}}
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) != len(values) {
		t.Fatalf("%d lines for %d pairs of values", len(lines), len(values))
	}
	for i, line := range lines {
		var l history.Logs
		l.Set("loss", values[i][0])
		l.Set("acc", values[i][1])
		_, want, _ := strings.Cut(line, "/step - ")
		want = strings.Replace(want, "acc: -2.5000e-01", "acc: -0.2500", 1)
		if got := l.String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	for want, v := range map[string]float64{"-inf": math.Inf(-1), "1.0000e-100": 1e-100, "-1.0000e-03": -1e-3, "0.0010": 0.00100001} {
		if got := history.FormatLog(v); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
