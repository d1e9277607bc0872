package callbacks

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/nn"
)

// CSVLogger writes the logs of each epoch to a file as a line of values behind commas (Keras's CSVLogger, byte for
// byte): first a line of names, "epoch" and the logs in alphabetical order, then the number of the epoch, counted from
// 0, and the logs' values as Python writes them. Lines end in CR LF. Without validation data there are columns for its
// logs all the same, with the value NA.
//
// The columns are those of the first epoch. The file is made when the Fit begins; each line is in it when the next
// epoch begins, however the Fit ends. A file that cannot be written ends the Fit.
type CSVLogger struct {
	Path string
	// Separator stands between values. The default is a comma.
	Separator rune
	// Append keeps what is in the file and adds to it, without a second line of names. By default the file is emptied.
	Append bool
}

var _ nn.Callback = CSVLogger{}

// Start returns what logs one Fit.
func (c CSVLogger) Start(*nn.Training) (nn.Handler, error) {
	if c.Path == "" {
		return nil, errors.New("callbacks: CSVLogger needs a Path")
	}
	switch c.Separator {
	case 0:
		c.Separator = ','
	case '"', '\r', '\n':
		return nil, fmt.Errorf("callbacks: CSVLogger cannot separate values by %q", c.Separator)
	}
	return &csvLogger{spec: c}, nil
}

// csvLogger is the state of one Fit.
type csvLogger struct {
	spec    CSVLogger
	file    *os.File
	named   bool     // the file has its line of names
	columns []string // after epoch; nil before the first epoch's end
	line    []byte
}

var _ io.Closer = (*csvLogger)(nil)

func (h *csvLogger) Handle(e nn.Event, t *nn.Training) error {
	switch e {
	case nn.TrainBegin:
		return wrapped(h.open())
	case nn.EpochEnd:
		return wrapped(h.write(t.Epoch(), t.Logs()))
	case nn.TrainEnd:
		return h.Close()
	}
	return nil
}

// wrapped names the callback in an error.
func wrapped(err error) error {
	if err != nil {
		return fmt.Errorf("callbacks: CSVLogger: %w", err)
	}
	return nil
}

func (h *csvLogger) open() error {
	flag := os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	if h.spec.Append {
		flag = os.O_WRONLY | os.O_CREATE | os.O_APPEND
	}
	var err error
	if h.file, err = os.OpenFile(h.spec.Path, flag, 0o666); err != nil {
		return err
	}
	if h.spec.Append {
		info, err := h.file.Stat()
		if err != nil {
			return err
		}
		h.named = info.Size() > 0
	}
	return nil
}

func (h *csvLogger) write(epoch int, logs *history.Logs) error {
	h.line = h.line[:0]
	if h.columns == nil {
		h.columns = columns(logs)
		if !h.named {
			h.field("epoch")
			for _, name := range h.columns {
				h.line = append(h.line, string(h.spec.Separator)...)
				h.field(name)
			}
			h.line = append(h.line, "\r\n"...)
		}
	}
	h.field(strconv.Itoa(epoch))
	for _, name := range h.columns {
		h.line = append(h.line, string(h.spec.Separator)...)
		if v, ok := logs.Get(name); ok {
			h.field(repr(v))
		} else {
			h.field("NA")
		}
	}
	h.line = append(h.line, "\r\n"...)
	_, err := h.file.Write(h.line)
	return err
}

// Close closes the file, if it is open.
func (h *csvLogger) Close() error {
	if h.file == nil {
		return nil
	}
	err := h.file.Close()
	h.file = nil
	return wrapped(err)
}

// columns are the logs' names in order, and those that validation would add.
func columns(logs *history.Logs) []string {
	all := make([]string, 0, 2*logs.Len())
	for name := range logs.All() {
		all = append(all, name)
	}
	slices.Sort(all)
	if !slices.ContainsFunc(all, func(name string) bool { return strings.HasPrefix(name, "val_") }) {
		for _, name := range all[:len(all):len(all)] {
			all = append(all, "val_"+name)
		}
	}
	return all
}

// field appends a value, in quotes where it would be read as something else.
func (h *csvLogger) field(s string) {
	if strings.ContainsAny(s, "\"\r\n"+string(h.spec.Separator)) {
		s = `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
	}
	h.line = append(h.line, s...)
}

// repr writes a number as Python does.
func repr(v float64) string {
	switch {
	case math.IsNaN(v):
		return "nan"
	case math.IsInf(v, 1):
		return "inf"
	case math.IsInf(v, -1):
		return "-inf"
	}
	if a := math.Abs(v); a != 0 && (a < 1e-4 || a >= 1e16) {
		return strconv.FormatFloat(v, 'e', -1, 64)
	}
	s := strconv.FormatFloat(v, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}
