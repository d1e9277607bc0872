package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/linnet-ml/linnet/datasets/texts"
	"github.com/linnet-ml/linnet/internal/ratio"
	"github.com/parquet-go/parquet-go"
)

type parquetRow struct {
	ID     int64    `parquet:"id"`
	Label  string   `parquet:"label,dict"`
	Text   string   `parquet:"text,zstd"`
	Topics []string `parquet:"topics,list"`
	Score  *float64 `parquet:"score,optional"`
}

// parquetFile is a file of rows in several row groups and pages.
func parquetFile(t testing.TB, rows int) []byte {
	t.Helper()
	var b bytes.Buffer
	w := parquet.NewGenericWriter[parquetRow](&b, parquet.MaxRowsPerRowGroup(300), parquet.PageBufferSize(1000))
	for i := range rows {
		r := parquetRow{int64(i), fmt.Sprint("class", i%3), fmt.Sprintf("text %d, %s", i, strings.Repeat("word ", i%50)), nil, nil}
		for k := range i % 4 {
			r.Topics = append(r.Topics, fmt.Sprint("topic", k))
		}
		if i%2 == 0 {
			r.Score = new(float64(i) / 2)
		}
		if _, err := w.Write([]parquetRow{r}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func readParquet(t testing.TB, b []byte, o texts.Options) (rows []texts.Row, err error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "data.parquet")
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	o.Formats = []texts.Format{parquetFormat(o.MaxRatio)}
	s, err := texts.Open(t.Context(), path, o)
	if err != nil {
		return nil, err
	}
	for row, err := range s.Rows(t.Context()) {
		if err != nil {
			return rows, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// Texts come with their labels, also lists and numbers, across pages and row groups.
func TestParquet(t *testing.T) {
	const n = 1000
	b := parquetFile(t, n)
	for label, want := range map[string]func(i int) []string{
		"":       func(i int) []string { return []string{fmt.Sprint("class", i%3)} },
		"topics": func(i int) []string { return []string{"topic0", "topic1", "topic2"}[:i%4] },
		"id":     func(i int) []string { return []string{fmt.Sprint(i)} },
	} {
		rows, err := readParquet(t, b, texts.Options{Label: label})
		if err != nil || len(rows) != n {
			t.Fatalf("%q: %d rows, %v", label, len(rows), err)
		}
		for i, r := range rows {
			if wanted := want(i); r.Text != fmt.Sprintf("text %d, %s", i, strings.Repeat("word ", i%50)) || len(r.Labels) != len(wanted) ||
				len(wanted) > 0 && !reflect.DeepEqual(r.Labels, wanted) {
				t.Fatalf("%q: row %d is %+v", label, i, r)
			}
		}
	}
}

// Broken files are errors: no panic, and no endless reading.
func TestBrokenParquet(t *testing.T) {
	b := parquetFile(t, 20)
	for n := 0; n < len(b); n += 53 {
		if _, err := readParquet(t, b[:n], texts.Options{Format: "parquet"}); err == nil {
			t.Fatalf("cut to %d of %d bytes it is no error", n, len(b))
		}
	}
	for i := 4; i < len(b); i += 7 {
		changed := bytes.Clone(b)
		changed[i] ^= 0xff
		if _, err := readParquet(t, changed, texts.Options{}); errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
	}
}

// A column that unpacks to far more than its size is refused before it is, unless the user wants it.
func TestParquetThatIsPackedTightly(t *testing.T) {
	var b bytes.Buffer
	w := parquet.NewGenericWriter[parquetRow](&b, parquet.PageBufferSize(32<<20))
	rows := slices.Repeat([]parquetRow{{Label: "a", Text: strings.Repeat("b", 1000)}}, 20000)
	if _, err := w.Write(rows); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := readParquet(t, b.Bytes(), texts.Options{}); !errors.Is(err, ratio.ErrExceeded) || !strings.Contains(err.Error(), `the column "text"`) ||
		!strings.HasSuffix(err.Error(), "raise --max-ratio") {
		t.Errorf("%d bytes: error %v", b.Len(), err)
	}
	if read, err := readParquet(t, b.Bytes(), texts.Options{MaxRatio: 1 << 20}); err != nil || len(read) != len(rows) {
		t.Errorf("%d rows, error %v", len(read), err)
	}
}

// brokenGroup is a row group whose calls panic, from number from on.
type brokenGroup struct {
	parquet.RowGroup
	from int
}

type brokenChunk struct {
	parquet.ColumnChunk
	from int
}

type brokenPages struct{ parquet.Pages }

func (g brokenGroup) ColumnChunks() []parquet.ColumnChunk {
	if g.from == 0 {
		panic("broken chunks")
	}
	return []parquet.ColumnChunk{brokenChunk{from: g.from}}
}

func (g brokenGroup) NumRows() int64 { panic("broken rows") }

func (c brokenChunk) Pages() parquet.Pages {
	if c.from == 1 {
		panic("broken pages")
	}
	return brokenPages{}
}

func (brokenPages) Close() error { panic("broken end") }

// A panic of the module is an error wherever it comes, and one of the program is none of the file's.
func TestParquetPanics(t *testing.T) {
	table := &parquetTable{names: []string{"text"}, leaf: []int{0}, leaves: []int{1}, list: []bool{false}}
	for from := range 3 {
		_, readers, err := table.readers(brokenGroup{from: from}, []int{0})
		for _, r := range readers {
			err = errors.Join(err, r.close())
		}
		if err == nil || !strings.HasPrefix(err.Error(), "parquet: the file is broken: broken ") || from == 2 && !strings.Contains(err.Error(), "broken end") {
			t.Errorf("panics from call %d on: %v", from, err)
		}
	}
	if _, err := table.groups(); err == nil {
		t.Error("no error for a file that is not there")
	}
	file, err := parquet.OpenFile(bytes.NewReader(parquetFile(t, 5)), int64(len(parquetFile(t, 5))))
	if err != nil {
		t.Fatal(err)
	}
	table.file = file
	defer func() {
		if v := recover(); v != "mine" {
			t.Errorf("recovered %v", v)
		}
	}()
	for range table.Rows(t.Context(), []int{0}) {
		panic("mine")
	}
}
