package texts

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// memoryTable is a table of a made-up format with Parquet's first bytes.
type memoryTable struct {
	columns []string
	rows    [][]any
	bad     map[int]error
	closed  *int
}

func (t *memoryTable) Columns() []string { return t.columns }

func (t *memoryTable) Rows(ctx context.Context, columns []int) iter.Seq2[[]any, error] {
	return func(yield func([]any, error) bool) {
		row := make([]any, len(columns))
		for i, r := range t.rows {
			for k, c := range columns {
				row[k] = r[c]
			}
			if !yield(row, t.bad[i]) {
				return
			}
		}
	}
}

func (t *memoryTable) Close() error { *t.closed++; return nil }

func TestFurtherFormat(t *testing.T) {
	broken := errors.New("a page is damaged")
	closed := 0
	format := Format{
		Name:  "table",
		Match: func(head []byte) bool { return bytes.HasPrefix(head, []byte("PAR1")) },
		Open: func(ctx context.Context, r io.ReaderAt, size int64) (Table, error) {
			b := make([]byte, size)
			if _, err := r.ReadAt(b, 0); err != nil && err != io.EOF {
				return nil, err
			}
			if len(b) == 4 {
				return nil, errors.New("no footer")
			}
			return &memoryTable{[]string{"id", "text", "label"}, [][]any{
				{int64(1), "good", "pos"}, {int64(2), []byte("fine"), int64(3)}, {nil, "x", nil}, {nil, "y", true}, {nil, "z", []any{"b", "a", "b"}}, {nil, "w", []any{}},
				{nil, nil, "pos"}, {nil, 1.5, "pos"}, {nil, "a\x00", "pos"}, {nil, "\xFF", "pos"}, {nil, strings.Repeat("x", 65), "pos"}, {nil, "x", struct{}{}}, {nil, "x", []any{nil}}, {nil, "x", "\x00"}, {nil, "x", []any{"a", []byte("\xFF")}},
				{nil, nil, nil}, {nil, nil, nil},
			}, map[int]error{15: &RowError{Message: "too deep"}, 16: broken}, &closed}, nil
		},
	}
	dir := folder(t, map[string]string{"x": "PAR1.", "bad": "PAR1", "csv": "text,label\na,b\n"})
	_, err := Open(context.Background(), filepath.Join(dir, "x"), Options{Formats: []Format{format}, MaxText: 64})
	if err == nil {
		t.Fatal("the damage is in the first rows, and Open reads them")
	}
	if want := "texts: " + filepath.Join(dir, "x") + ": a page is damaged"; err.Error() != want || !errors.Is(err, broken) {
		t.Errorf("error %v, want %s", err, want)
	}
	opened := format.Open
	format.Open = func(ctx context.Context, r io.ReaderAt, size int64) (Table, error) {
		table, err := opened(ctx, r, size)
		if err == nil {
			m := table.(*memoryTable)
			m.rows = m.rows[:16]
		}
		return table, err
	}
	for _, o := range []Options{{}, {Format: "table"}} {
		o.Formats, o.MaxText = []Format{format}, 64
		s := mustOpen(t, filepath.Join(dir, "x"), o)
		if got, want := s.Found().String(), `table; text "text", label "label" (guessed)`; got != want {
			t.Errorf("found %s, want %s", got, want)
		}
		got := strings.ReplaceAll(strings.Join(dump(t, s), "|"), dir+string(filepath.Separator), "")
		want := "1: pos: good|2: 3: fine|3: none: x|4: true: y|5: b+a: z|6: : w|error x:7: there is no text|error x:8: the text is a float64, not a string|error x:9: a NUL byte in the text|" +
			"error x:10: the text is not valid UTF-8|error x:11: the row has more than 64 bytes (MaxText)|error x:12: the label is a struct {}|error x:13: an empty value in the list of labels|error x:14: a NUL byte in the label|" +
			"error x:15: the label is not valid UTF-8|error x:16: too deep"
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
	s := mustOpen(t, filepath.Join(dir, "x"), Options{Formats: []Format{format}, LabelSeparator: "o"})
	if got := dump(t, s)[0]; got != "1: p+s: good" {
		t.Errorf("labels that are parted: %s", got)
	}
	if closed != 7 {
		t.Errorf("%d tables closed, want 7", closed)
	}
	o := Options{Formats: []Format{format}}
	if _, err := Open(context.Background(), filepath.Join(dir, "bad"), o); err == nil || err.Error() != "texts: "+filepath.Join(dir, "bad")+": no footer" {
		t.Errorf("error %v", err)
	}
	if s, err := Open(context.Background(), filepath.Join(dir, "csv"), o); err != nil || s.Found().Format != CSV {
		t.Errorf("%v, error %v", s.Found(), err)
	}
	f, err := os.Open(filepath.Join(dir, "x"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	o.Stdin = f
	if _, err = Open(context.Background(), "-", o); err == nil || err.Error() != "texts: stdin: it has the format table, which must be a file and not a stream" {
		t.Errorf("error %v", err)
	}
}
