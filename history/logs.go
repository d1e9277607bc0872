package history

import (
	"iter"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/linnet-ml/linnet/internal/shown"
)

// Logs are named numbers in order: loss first, then the metrics, then the same of the validation data. The zero value
// is empty and ready to use.
type Logs struct {
	names  []string
	values []float64
}

// Get returns the number of the given name, or false when there is none.
func (l *Logs) Get(name string) (float64, bool) {
	if i := slices.Index(l.names, name); i >= 0 {
		return l.values[i], true
	}
	return 0, false
}

// Set gives a number to a name. A new name goes to the end.
func (l *Logs) Set(name string, value float64) {
	if i := slices.Index(l.names, name); i >= 0 {
		l.values[i] = value
		return
	}
	l.names = append(l.names, name)
	l.values = append(l.values, value)
}

// Len is the number of names.
func (l *Logs) Len() int { return len(l.names) }

// Reset removes all names and keeps the memory for the next ones.
func (l *Logs) Reset() { l.names, l.values = l.names[:0], l.values[:0] }

// All yields the names and numbers in order.
func (l *Logs) All() iter.Seq2[string, float64] {
	return func(yield func(string, float64) bool) {
		for i, n := range l.names {
			if !yield(n, l.values[i]) {
				return
			}
		}
	}
}

// String writes the logs as Keras's progress line does: "loss: 0.3320 - accuracy: 0.8716". What is
// not printable in a name is escaped.
func (l *Logs) String() string {
	var b strings.Builder
	for name, v := range l.All() {
		if b.Len() > 0 {
			b.WriteString(" - ")
		}
		b.WriteString(shown.Text(name))
		b.WriteString(": ")
		b.WriteString(FormatLog(v))
	}
	return b.String()
}

// FormatLog writes a number as Keras's progress line does: four decimals, in scientific notation up to 0.001.
func FormatLog(v float64) string {
	switch {
	case math.IsNaN(v):
		return "nan"
	case math.IsInf(v, 1):
		return "inf"
	case math.IsInf(v, -1):
		return "-inf"
	case math.Abs(v) > 1e-3:
		return strconv.FormatFloat(v, 'f', 4, 64)
	}
	return strconv.FormatFloat(v, 'e', 4, 64)
}
