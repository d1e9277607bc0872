package callbacks

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/internal/shown"
	"github.com/linnet-ml/linnet/internal/textline"
	"github.com/linnet-ml/linnet/nn/plan"
)

// CSVLogger writes the logs of each epoch to a file as a line of values with commas between them (Keras's CSVLogger, byte
// for byte): first a line of names, "epoch" and the logs in alphabetical order, then the number of the epoch, counted from
// 0, and the logs' values as Python writes them. Lines end in CR LF. Without validation data there are columns for its
// logs all the same, with the value NA.
//
// The columns are those of the first epoch; what is not printable in a name, such as a line end, is escaped. The file is made when the Fit begins; each line is in it when the next
// epoch begins, however the Fit ends. A file that cannot be written ends the Fit.
//
// A Fit that goes on from the state of another continues its file, without a second line of names. It first cuts the file
// back to the lines that were in it when the state was made: what an interrupted Fit wrote later comes again. A file that
// lacks some of these lines is an error; one that is missing or empty is begun anew.
//
// A file that is continued must have the columns of the logs, and one that Append adds to must be whole: other columns, or
// a last line without its end, are an error that names the file and the columns.
type CSVLogger struct {
	Path string
	// Separator stands between values. The default is a comma.
	Separator rune
	// Append keeps what is in the file and adds to it, without a second line of names. By default the file is emptied,
	// unless the Fit goes on from the state of another. Lines of a Fit that was killed before there was a state to go on
	// from stay.
	Append bool
}

var _ plan.Callback = CSVLogger{}

// Kind is "CSVLogger".
func (c CSVLogger) Kind() string { return "CSVLogger" }

// Start returns what logs one Fit. A metric that is named "epoch" is an error: it would have the column of the epochs.
func (c CSVLogger) Start(t plan.Training) (plan.Handler, error) {
	if c.Path == "" {
		return plan.Handler{}, errors.New("callbacks: CSVLogger needs a Path")
	}
	switch {
	case c.Separator == 0:
		c.Separator = ','
	case c.Separator < 0:
		return plan.Handler{}, fmt.Errorf("callbacks: CSVLogger cannot have a Separator of %d", c.Separator)
	case strings.ContainsRune("\"\r\n", c.Separator) || !utf8.ValidRune(c.Separator) || c.Separator == utf8.RuneError:
		return plan.Handler{}, fmt.Errorf("callbacks: CSVLogger cannot separate values by %q", c.Separator)
	}
	if slices.Contains(t.LogNames(), "epoch") {
		return plan.Handler{}, wrapped(errEpoch)
	}
	h := &csvLogger{spec: c}
	return plan.Handler{Handle: h.handle, Save: h.save, Load: h.load, Close: h.close}, nil
}

var errEpoch = errors.New(`a log named "epoch" would have the column of the epochs`)

// csvLogger is the state of one Fit.
type csvLogger struct {
	spec  CSVLogger
	file  *os.File
	named bool // the file has its line of names
	began bool // this Fit has written to it
	dirty bool // lines may not be on the disk yet
	goOn  bool // the file is that of an earlier Fit, which this one goes on from
	csvLoggerState
	line []byte
}

// csvLoggerState is what the next Fit must know.
type csvLoggerState struct {
	// Columns are those after epoch; nil before the first epoch's end.
	Columns []string `json:"columns"`
	// Size is that of the file, in bytes.
	Size int64 `json:"size"`
}

// save sees to it that the lines are on the disk before a state is that knows of them.
func (h *csvLogger) save() (plan.HandlerState, error) {
	if err := h.sync(); err != nil {
		return plan.HandlerState{}, wrapped(err)
	}
	return saveValues(h.spec.Kind(), h.csvLoggerState)
}

func (h *csvLogger) load(s plan.HandlerState) error {
	read := csvLoggerState{Size: -1}
	if err := loadValues(h.spec.Kind(), s, &read); err != nil {
		return err
	}
	if read.Size < 0 {
		return errors.New("callbacks: CSVLogger: the saved state lacks the size of the file")
	}
	h.csvLoggerState, h.goOn = read, true
	return nil
}

func (h *csvLogger) handle(e plan.Event, t plan.Training) error {
	switch e {
	case plan.TrainBegin:
		return wrapped(h.open(t.LogNames()))
	case plan.EpochEnd:
		return wrapped(h.write(t.Epoch(), t.Logs()))
	case plan.TrainEnd:
		return h.close()
	}
	return nil
}

// wrapped names the callback in an error.
func wrapped(err error) error {
	if err != nil {
		return shown.Errorf("callbacks: CSVLogger: %w", err)
	}
	return nil
}

// open opens the file. The run logs at least the given names.
func (h *csvLogger) open(names []string) error {
	flag := os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	cut := int64(-1)
	if h.spec.Append || h.goOn {
		flag = os.O_WRONLY | os.O_CREATE | os.O_APPEND
		size, err := h.continued(names)
		if err != nil {
			return err
		}
		if h.goOn && size > h.Size {
			cut = h.Size
		} else {
			h.Size = size
		}
	}
	var err error
	if h.file, err = os.OpenFile(h.spec.Path, flag, 0o666); err != nil || cut < 0 {
		return err
	}
	return h.file.Truncate(cut)
}

// continued takes the columns from a file that is to be continued, and returns its size. It refuses one that lacks lines, or
// has other columns than the earlier Fit or, as far as they are known, the logs.
func (h *csvLogger) continued(names []string) (size int64, err error) {
	info, err := os.Stat(h.spec.Path)
	if errors.Is(err, os.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
		return 0, nil // there is nothing yet, or it cannot be read
	}
	if err != nil || info.Size() == 0 {
		return 0, err
	}
	size, whole := info.Size(), info.Size()
	if h.goOn {
		if whole = h.Size; whole > size {
			return 0, fmt.Errorf("%s has %d bytes and had %d in the Fit that this one goes on from: it has lost lines", h.spec.Path, size, whole)
		}
		if whole == 0 {
			return size, nil
		}
	}
	return size, h.check(whole, names)
}

// check takes the columns from the first bytes of the file, which are whole lines.
func (h *csvLogger) check(size int64, names []string) error {
	f, err := os.Open(h.spec.Path)
	if err != nil {
		return err
	}
	defer f.Close()
	r := csv.NewReader(io.LimitReader(f, min(size, longestNames)))
	r.Comma = h.spec.Separator
	first, err := r.Read()
	if err != nil {
		return fmt.Errorf("the line of names of %s: %w", h.spec.Path, err)
	}
	first[0] = strings.TrimPrefix(first[0], textline.Mark) // as history.ReadCSV
	last := make([]byte, 1)
	if _, err := f.ReadAt(last, size-1); err != nil {
		return err
	}
	if last[0] != '\n' && h.goOn {
		return fmt.Errorf("%s has changed: no line ends after %d bytes, as in the Fit that this one goes on from", h.spec.Path, size)
	}
	if last[0] != '\n' {
		return fmt.Errorf("the last line of %s has no end: it was cut off; the columns are %s", h.spec.Path, shown.Names(first))
	}
	if first[0] != "epoch" {
		return fmt.Errorf("the columns of %s are %s, not epoch and then the logs", h.spec.Path, shown.Names(first))
	}
	if h.Columns != nil && !slices.Equal(h.Columns, first[1:]) {
		return fmt.Errorf("the columns of %s are %s, and those of the Fit that this one goes on from epoch, %s", h.spec.Path, shown.Names(first), shown.Names(h.Columns))
	}
	h.Columns, h.named = first[1:], true
	return h.fits(names)
}

// longestNames bounds how much of a file is read as its line of names.
const longestNames = 1 << 20

// fits refuses names of logs without a column in the file that is continued.
func (h *csvLogger) fits(names []string) error {
	for _, name := range names {
		if !slices.Contains(h.Columns, column(name)) {
			return fmt.Errorf("the columns of %s are epoch, %s, and %q is logged too", h.spec.Path, shown.Names(h.Columns), name)
		}
	}
	return nil
}

func (h *csvLogger) write(epoch int, logs *history.Logs) error {
	h.line = h.line[:0]
	if !h.began {
		if err := h.begin(logs); err != nil {
			return err
		}
		h.began = true
	}
	values := map[string]float64{}
	for name, v := range logs.All() {
		values[column(name)] = v
	}
	h.field(strconv.Itoa(epoch))
	for _, name := range h.Columns {
		h.line = append(h.line, string(h.spec.Separator)...)
		if v, ok := values[name]; ok {
			h.field(repr(v))
		} else {
			h.field("NA")
		}
	}
	h.line = append(h.line, "\r\n"...)
	n, err := h.file.Write(h.line)
	h.Size += int64(n)
	h.dirty = true
	return err
}

// sync brings the lines to the disk, if they go to one.
func (h *csvLogger) sync() error {
	if h.file == nil || !h.dirty {
		return nil
	}
	h.dirty = false
	if info, err := h.file.Stat(); err != nil || !info.Mode().IsRegular() {
		return err
	}
	return h.file.Sync()
}

// begin settles the columns, and adds the line of names where the file has none.
func (h *csvLogger) begin(logs *history.Logs) error {
	own := columns(logs)
	if slices.Contains(own, "epoch") {
		return errEpoch
	}
	if h.Columns == nil {
		h.Columns = own
	}
	if h.goOn {
		// As in one Fit, what the first epoch logged may be missing now.
		own = nil
		for name := range logs.All() {
			own = append(own, column(name))
		}
	}
	if err := h.fits(own); err != nil {
		return err
	}
	if h.named {
		if !h.goOn && len(own) != len(h.Columns) {
			return fmt.Errorf("the columns of %s are epoch, %s, and those of this Fit epoch, %s", h.spec.Path, shown.Names(h.Columns), shown.Names(own))
		}
		return nil
	}
	h.field("epoch")
	for _, name := range h.Columns {
		h.line = append(h.line, string(h.spec.Separator)...)
		h.field(name)
	}
	h.line = append(h.line, "\r\n"...)
	return nil
}

// close closes the file, if it is open.
func (h *csvLogger) close() error {
	if h.file == nil {
		return nil
	}
	err := h.sync()
	if e := h.file.Close(); err == nil {
		err = e
	}
	h.file = nil
	return wrapped(err)
}

// columns are the logs' names in order, and those that validation would add.
func columns(logs *history.Logs) []string {
	all := make([]string, 0, 2*logs.Len())
	for name := range logs.All() {
		all = append(all, column(name))
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

// column is the name of a log's column: line ends and what else is not printable are escaped.
func column(name string) string { return shown.Text(name) }

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
