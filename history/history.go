package history

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/linnet-ml/linnet/internal/shown"
)

// History is what a Fit logged at the end of each epoch. The zero value has no epochs; Append adds them.
type History struct {
	// Epochs are the numbers of the epochs, counted from 0.
	Epochs []int
	// Stopped is the reason that a callback gave when it stopped the run, even if it did so in the last epoch. It is
	// empty for other runs.
	Stopped string

	names      []string
	values     map[string][]float64
	directions map[string]Direction
}

var errNilHistory = errors.New("history: the History is nil")

// Names are what was logged, in order: loss, the metrics, val_loss, the validation metrics.
func (h *History) Names() []string { return h.names }

// Values returns the numbers of one name, one an epoch, or nil when nothing of that name was logged. An epoch that did
// not log it has NaN.
func (h *History) Values(name string) []float64 { return h.values[name] }

// Direction says which values of a name are better: lower ones of a loss, what the metric says of a metric. It is
// NoDirection for other names. A History read from JSON has the directions it was written with.
func (h *History) Direction(name string) Direction { return h.directions[name] }

// SetDirection sets which values of a name are better, logged or not. Anything but LowerIsBetter and HigherIsBetter
// removes the name's direction.
func (h *History) SetDirection(name string, better Direction) {
	if better != LowerIsBetter && better != HigherIsBetter {
		delete(h.directions, name)
		return
	}
	if h.directions == nil {
		h.directions = map[string]Direction{}
	}
	h.directions[name] = better
}

// Append adds an epoch, counted from 0, and copies its logs. Names that are new have NaN in the epochs before, and
// names that the logs lack have NaN in this one.
func (h *History) Append(epoch int, l *Logs) {
	if h.values == nil {
		h.values = map[string][]float64{}
	}
	for name, v := range l.All() {
		past, known := h.values[name]
		if !known {
			h.names = append(h.names, name)
		}
		for len(past) < len(h.Epochs) {
			past = append(past, math.NaN())
		}
		h.values[name] = append(past, v)
	}
	h.Epochs = append(h.Epochs, epoch)
	for _, name := range h.names {
		if len(h.values[name]) < len(h.Epochs) {
			h.values[name] = append(h.values[name], math.NaN())
		}
	}
}

// Best returns the index in Epochs and Values of the best number of a name, the first of equal ones; NaN never is it.
// NoDirection stands for the History's own direction of the name. Best returns -1 when no direction is known or the
// name has no numbers.
func (h *History) Best(name string, better Direction) int {
	if better == NoDirection {
		better = h.Direction(name)
	}
	if better == NoDirection {
		return -1
	}
	best := -1
	values := h.values[name]
	for i, v := range values {
		switch {
		case math.IsNaN(v):
		case best < 0, better == LowerIsBetter && v < values[best], better == HigherIsBetter && v > values[best]:
			best = i
		}
	}
	return best
}

// String writes a line for each epoch, counted from 1: "epoch 1: loss 0.6918 - accuracy 0.5799". Numbers are as in
// [Logs.String] and stand below each other. What is not printable in a name is escaped. A run that a callback stopped has a
// last line with the reason.
func (h *History) String() string {
	if len(h.Epochs) == 0 && h.Stopped == "" {
		return "no epochs"
	}
	// All numbers of a column get the length of its longest.
	cells, lengths := make([][]string, len(h.names)), make([]int, len(h.names))
	for k, name := range h.names {
		for i := range h.Epochs {
			v := math.NaN()
			if i < len(h.values[name]) { // Epochs is anyone's to change
				v = h.values[name][i]
			}
			cell := FormatLog(v)
			cells[k] = append(cells[k], cell)
			lengths[k] = max(lengths[k], len(cell))
		}
	}
	digits := 0
	for _, e := range h.Epochs {
		digits = max(digits, len(fromOne(e)))
	}
	var lines []string
	for i, e := range h.Epochs {
		var b strings.Builder
		fmt.Fprintf(&b, "epoch %*s:", digits, fromOne(e))
		for k, name := range h.names {
			if k > 0 {
				b.WriteString(" -")
			}
			fmt.Fprintf(&b, " %s %*s", shown.Text(name), lengths[k], cells[k][i])
		}
		lines = append(lines, b.String())
	}
	if h.Stopped != "" {
		lines = append(lines, "stopped: "+shown.Text(h.Stopped))
	}
	return strings.Join(lines, "\n")
}

// fromOne is the number of an epoch when they are counted from 1, which an int may not hold.
func fromOne(epoch int) string {
	if epoch < 0 {
		return strconv.Itoa(epoch + 1)
	}
	return strconv.FormatUint(uint64(epoch)+1, 10)
}

// Clone returns a copy that shares no memory with h.
func (h *History) Clone() *History {
	c := &History{Epochs: slices.Clone(h.Epochs), Stopped: h.Stopped, names: slices.Clone(h.names), directions: maps.Clone(h.directions)}
	if h.values != nil {
		c.values = make(map[string][]float64, len(h.values))
		for name, values := range h.values {
			c.values[name] = slices.Clone(values)
		}
	}
	return c
}
