package nn

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Logs are named numbers in order: loss first, then the metrics, then the same of the validation data.
type Logs struct {
	names  []string
	values []float64
}

// Get returns the number of the given name.
func (l *Logs) Get(name string) (float64, bool) {
	if i := slices.Index(l.names, name); i >= 0 {
		return l.values[i], true
	}
	return 0, false
}

// Set gives a number to a name, a new one at the end.
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

// String writes the logs as Keras's progress line does: "loss: 0.3320 - accuracy: 0.8716".
func (l *Logs) String() string {
	var b strings.Builder
	for name, v := range l.All() {
		if b.Len() > 0 {
			b.WriteString(" - ")
		}
		b.WriteString(name)
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

// reset forgets the names but keeps the memory.
func (l *Logs) reset() { l.names, l.values = l.names[:0], l.values[:0] }

// History is what a Fit logged at the end of each epoch.
type History struct {
	// Epochs are the numbers of the epochs, counted from 0.
	Epochs []int
	// Stopped is the reason that a callback gave when it stopped the run, be it in the last epoch; else empty.
	Stopped string

	names      []string
	values     map[string][]float64
	directions map[string]Direction
}

// Names are what was logged, in order: loss, the metrics, val_loss, the validation metrics.
func (h *History) Names() []string { return h.names }

// Values returns the numbers of one name, one an epoch, or nil when nothing of that name was logged. An epoch that did
// not log it has NaN.
func (h *History) Values(name string) []float64 { return h.values[name] }

// Direction tells which values of a name are better, as the Fit knew it: lower ones of a loss, what the metric says of a
// metric. It is NoDirection for other names, and for all of a History that was read from JSON.
func (h *History) Direction(name string) Direction { return h.directions[name] }

// Best is the place in Epochs and Values of the best number of a name, the first of equal ones. Without a direction it is
// the Fit's. It is -1 where no direction is known, or the name has no numbers; NaN is none.
func (h *History) Best(name string, better Direction) int {
	if better == NoDirection {
		better = h.Direction(name)
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
	if better == NoDirection {
		return -1
	}
	return best
}

func (h *History) add(epoch int, l *Logs) {
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

// MarshalJSON writes {"epoch":[0,1],"history":{"loss":[0.69,0.67],…}}, names in order; NaN and infinities, which JSON
// lacks, are null. Of a run that a callback stopped there is also "stopped", the reason.
func (h *History) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteString(`{"epoch":`)
	epochs, err := json.Marshal(append([]int{}, h.Epochs...))
	if err != nil {
		return nil, err
	}
	b.Write(epochs)
	b.WriteString(`,"history":{`)
	for i, name := range h.names {
		if i > 0 {
			b.WriteByte(',')
		}
		key, err := json.Marshal(name)
		if err != nil {
			return nil, err
		}
		b.Write(key)
		b.WriteString(":[")
		for k, v := range h.values[name] {
			if k > 0 {
				b.WriteByte(',')
			}
			if math.IsNaN(v) || math.IsInf(v, 0) {
				b.WriteString("null")
			} else {
				b.WriteString(strconv.FormatFloat(v, 'g', -1, 64))
			}
		}
		b.WriteByte(']')
	}
	b.WriteByte('}')
	if h.Stopped != "" {
		reason, err := json.Marshal(h.Stopped)
		if err != nil {
			return nil, err
		}
		b.WriteString(`,"stopped":`)
		b.Write(reason)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// UnmarshalJSON reads what MarshalJSON writes.
func (h *History) UnmarshalJSON(data []byte) error {
	var outer struct {
		Epoch   []int           `json:"epoch"`
		History json.RawMessage `json:"history"`
		Stopped string          `json:"stopped"`
	}
	if err := json.Unmarshal(data, &outer); err != nil {
		return fmt.Errorf("nn: history: %w", err)
	}
	// Names keep their order only when they are read one after another.
	d := json.NewDecoder(bytes.NewReader(outer.History))
	read := History{Epochs: outer.Epoch, Stopped: outer.Stopped, values: map[string][]float64{}}
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return fmt.Errorf("nn: history: no object of names")
	}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return fmt.Errorf("nn: history: %w", err)
		}
		name := t.(string)
		var values []*float64
		if err := d.Decode(&values); err != nil {
			return fmt.Errorf("nn: history of %q: %w", name, err)
		}
		if len(values) != len(read.Epochs) {
			return fmt.Errorf("nn: history of %q has %d values for %d epochs", name, len(values), len(read.Epochs))
		}
		column := make([]float64, len(values))
		for i, v := range values {
			column[i] = math.NaN()
			if v != nil {
				column[i] = *v
			}
		}
		if _, twice := read.values[name]; twice {
			return fmt.Errorf("nn: history has %q twice", name)
		}
		read.names = append(read.names, name)
		read.values[name] = column
	}
	*h = read
	return nil
}

// WriteCSV writes a line of names, epoch first, and a line an epoch.
func (h *History) WriteCSV(w io.Writer) error {
	c := csv.NewWriter(w)
	record := append([]string{"epoch"}, h.names...)
	if err := c.Write(record); err != nil {
		return fmt.Errorf("nn: history: %w", err)
	}
	for i, e := range h.Epochs {
		record[0] = strconv.Itoa(e)
		for k, name := range h.names {
			record[k+1] = strconv.FormatFloat(h.values[name][i], 'g', -1, 64)
		}
		if err := c.Write(record); err != nil {
			return fmt.Errorf("nn: history: %w", err)
		}
	}
	c.Flush()
	if err := c.Error(); err != nil {
		return fmt.Errorf("nn: history: %w", err)
	}
	return nil
}
