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

// A file whose pages are small may give many texts: one long text of a dictionary for each row. All together they have the limit
// of any packed file.
func TestParquetThatRepeats(t *testing.T) {
	type row struct {
		Label string `parquet:"label,dict"`
		Text  string `parquet:"text,dict"`
	}
	var b bytes.Buffer
	w := parquet.NewGenericWriter[row](&b)
	rows := slices.Repeat([]row{{"a", strings.Repeat("b", 1<<18)}}, 1000)
	if _, err := w.Write(rows); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	read, err := readParquet(t, b.Bytes(), texts.Options{})
	if !errors.Is(err, ratio.ErrExceeded) || len(read) == 0 || len(read) == len(rows) || !strings.Contains(err.Error(), `the column "text": `) {
		t.Errorf("%d rows of a file of %d bytes, error %v", len(read), b.Len(), err)
	}
	if read, err := readParquet(t, b.Bytes(), texts.Options{MaxRatio: 10000}); err != nil || len(read) != len(rows) {
		t.Errorf("%d rows, error %v", len(read), err)
	}
}

// A list of very many labels costs time in proportion to it, and no more memory than other packed inputs.
func TestParquetList(t *testing.T) {
	type row struct {
		Text   string   `parquet:"text"`
		Labels []string `parquet:"labels,list,dict"`
	}
	for n, tooMany := range map[int]bool{300_000: false, 900_000: true} {
		var b bytes.Buffer
		w := parquet.NewGenericWriter[row](&b)
		if _, err := w.Write([]row{{"a text", slices.Repeat([]string{"a"}, n)}}); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if read, err := readParquet(t, b.Bytes(), texts.Options{}); errors.Is(err, ratio.ErrExceeded) != tooMany || !tooMany && len(read) != 1 {
			t.Errorf("%d labels in a file of %d bytes: %d rows, error %v", n, b.Len(), len(read), err)
		}
	}
}

// A panic of the module is an error wherever it comes, and one of the program is none of the file's.
func TestParquetPanics(t *testing.T) {
	column := &parquetColumn{name: "text"} // whose pages are not there
	_, err := column.next(new(int64(100)))
	for _, err := range []error{err, column.close()} {
		if err == nil || !strings.HasPrefix(err.Error(), "the file is broken: ") {
			t.Errorf("error %v", err)
		}
	}
	b := parquetFile(t, 5)
	table, err := openParquet(bytes.NewReader(b), int64(len(b)), ratio.Limit{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := table.(*parquetTable).readers(1, []int{0}); err == nil { // there is one row group
		t.Error("no error for a row group that is not there")
	}
	defer func() {
		if v := recover(); v != "mine" {
			t.Errorf("recovered %v", v)
		}
	}()
	for range table.Rows(t.Context(), []int{0}) {
		panic("mine")
	}
}
