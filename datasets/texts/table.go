package texts

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"unicode/utf8"
)

// Format is a further format of files with columns, such as Parquet. It lets a program read what this package does not
// know; columns are found as in CSV.
type Format struct {
	// Name is for Options.Format and Found.Format.
	Name string
	// Match tells from the first bytes of a file, at most 512, whether the file has the format.
	Match func(head []byte) bool
	// Open opens a file of size bytes. The file stays open until the table has been closed.
	Open func(ctx context.Context, r io.ReaderAt, size int64) (Table, error)
}

// Table is a file with columns. A table is used by one goroutine at a time.
type Table interface {
	// Columns are the names of the columns.
	Columns() []string
	// Rows yields the values of the given columns, row by row from the first: string, []byte, bool, int64, uint64, float64,
	// nil for none, or []any of these for labels. The slice may be used again after each row. An error that is a *RowError
	// belongs to its row, of which the file and the number are known: only its Message counts. The rows after it follow; any
	// other error ends the sequence.
	Rows(ctx context.Context, columns []int) iter.Seq2[[]any, error]
	// Close gives up what the table holds.
	Close() error
}

// sampleTable returns the first rows of a table as texts.
func sampleTable(ctx context.Context, t Table) (*sample, error) {
	names := t.Columns()
	columns := make([]int, len(names))
	for i := range columns {
		columns[i] = i
	}
	sm := &sample{names: names}
	for values, err := range t.Rows(ctx, columns) {
		if err != nil {
			if errors.As(err, new(*RowError)) {
				continue
			}
			return nil, err
		}
		row := make([]string, len(names))
		for i, v := range values {
			if list, ok := v.([]any); ok {
				var all []byte
				for _, v := range list {
					all, _ = scalarValue(v, all)
					all = append(all, ' ')
				}
				row[i] = string(all)
				continue
			}
			b, _ := scalarValue(v, nil)
			row[i] = string(b)
		}
		if sm.add(row); len(sm.rows) == 100 {
			break
		}
	}
	return sm, nil
}

// scalarValue is the text of a value of a table; ok is false for what has none.
func scalarValue(v any, buf []byte) (text []byte, ok bool) {
	switch v := v.(type) {
	case string:
		return append(buf, v...), true
	case []byte:
		return append(buf, v...), true
	case bool:
		return strconv.AppendBool(buf, v), true
	case int64:
		return strconv.AppendInt(buf, v, 10), true
	case uint64:
		return strconv.AppendUint(buf, v, 10), true
	case float64:
		return strconv.AppendFloat(buf, v, 'g', -1, 64), true
	}
	return buf, false
}

// tableRows streams the rows of a table.
func (s *Source) tableRows(ctx context.Context, t Table, e *emitter) error {
	columns := []int{s.text}
	if s.label >= 0 {
		columns = append(columns, s.label)
	}
	n := 0
	var buf []byte
	for values, err := range t.Rows(ctx, columns) {
		n++
		row := Row{File: s.shown, Line: n}
		var message string
		if bad := (*RowError)(nil); errors.As(err, &bad) {
			message = bad.Message
		} else if err != nil {
			return err
		} else {
			if len(values) != len(columns) {
				return errors.New("the table gives " + notAsMany(len(values), "value", len(columns)))
			}
			buf, message = s.tableRow(values, buf[:0], &row, e)
		}
		if !e.emit(row, message, n, 0) {
			return nil
		}
	}
	return nil
}

// tableRow fills a row from the values of text and label.
func (s *Source) tableRow(values []any, buf []byte, row *Row, e *emitter) (grown []byte, message string) {
	switch values[0].(type) {
	case nil:
		return buf, "there is no text"
	case string, []byte:
	default:
		return buf, fmt.Sprintf("the text is a %T, not a string", values[0])
	}
	buf, _ = scalarValue(values[0], buf)
	if len(buf) > s.o.MaxText {
		return buf, overLimit(s.o.MaxText).message
	}
	if message = invalid(buf, "text"); message != "" {
		return buf, message
	}
	row.Text = string(buf)
	if len(values) == 1 || values[1] == nil {
		return buf, ""
	}
	list, ok := values[1].([]any)
	if !ok {
		label, ok := scalarValue(values[1], buf[:0])
		if !ok {
			return buf, fmt.Sprintf("the label is a %T", values[1])
		}
		if message = invalid(label, "label"); message != "" {
			return label, message
		}
		row.Labels, row.HasLabels, message = e.fieldLabels(label)
		return buf, message
	}
	e.set.begin(e)
	for _, v := range list {
		label, ok := scalarValue(v, buf[:0])
		buf = label
		if label = bytes.TrimSpace(label); !ok || len(label) == 0 {
			return buf, "an empty value in the list of labels"
		}
		if message = invalid(label, "label"); message != "" {
			return buf, message
		}
		if !e.set.add(label, true) {
			break
		}
	}
	row.Labels, message = e.set.take()
	row.HasLabels = true
	return buf, message
}

// invalid is what is wrong with a text or label of a table, "" for nothing.
func invalid(b []byte, what string) string {
	switch {
	case bytes.IndexByte(b, 0) >= 0:
		return "a NUL byte in the " + what
	case !utf8.Valid(b):
		return "the " + what + " is not valid UTF-8"
	}
	return ""
}
