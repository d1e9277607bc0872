package texts

import (
	"context"
	"fmt"
	"iter"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func faultLines(c *Checker) []string {
	var out []string
	for _, f := range c.Faults() {
		out = append(out, fmt.Sprintf("%d %v", f.Count, f.Kind))
		for _, e := range f.Examples {
			out = append(out, "  "+e.String())
		}
	}
	return out
}

// sequence gives good rows.
func sequence(rows ...Row) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		for _, r := range rows {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func TestCheck(t *testing.T) {
	t.Chdir(folder(t, map[string]string{
		"train.csv": "text,label\ngood,pos\nbad,neg\ngood,pos\ngood,neg\n  ,pos\nnothing,\nodd,rare\na\uFFFDb,pos\na\x01b,pos\nItâ€™s,neg\nscÃ¨ne,neg\n\uFEFFx,neg\nonly one field\nnot odd: é ’ à,neg\n",
		"test.csv":  "text,label\nnew,pos\ngood,pos\nbad,pos\nnew,pos\n ,pos\nodder,other\n",
	}))
	var sources []*Source
	for _, name := range []string{"train.csv", "test.csv"} {
		s := mustOpen(t, name, Options{})
		sources = append(sources, s)
	}
	c, err := Check(context.Background(), sources...)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"1 rows that cannot be read",
		"  train.csv:14:1: 1 field where 2 are expected",
		"2 empty texts",
		"  train.csv:6: the text is empty",
		"  test.csv:6: the text is empty",
		"1 rows without label",
		"  train.csv:7: no label",
		"2 duplicates",
		"  train.csv:4: text and labels of train.csv:2",
		"  test.csv:5: text and labels of test.csv:2",
		"2 texts with two labels",
		`  train.csv:5: the text of train.csv:2 with other labels: "neg"`,
		`  test.csv:4: the text of train.csv:3 with other labels: "pos"`,
		"2 texts that are in both data",
		"  test.csv:3: the text of train.csv:2",
		"  test.csv:4: the text of train.csv:3",
		"1 labels that the first data does not have",
		`  test.csv:7: the label "other" is not in the first data`,
		"1 classes with one row",
		`  train.csv:8: the only row of the class "rare"`,
		"5 texts with odd characters",
		"  train.csv:9: the replacement character U+FFFD: a byte was lost",
		"  train.csv:10: the control character U+0001",
		`  train.csv:11: "â€": UTF-8 that was taken for Windows-1252`,
		`  train.csv:12: "Ã¨": UTF-8 that was taken for Windows-1252`,
		"  train.csv:13: a byte order mark, U+FEFF",
	}
	for range 2 { // asking twice changes nothing
		if diff := cmp.Diff(want, faultLines(c)); diff != "" {
			t.Error(diff)
		}
	}
	if diff := cmp.Diff([]int{14, 6}, c.Rows()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]Class{{"neg", []int{6, 0}}, {"other", []int{0, 1}}, {"pos", []int{5, 5}}, {"rare", []int{1, 0}}}, c.Classes()); diff != "" {
		t.Error(diff)
	}
}

// The order of a row's labels does not matter, and a row without label is in conflict with none.
func TestCheckerLabels(t *testing.T) {
	rows := []Row{
		{Text: "a", Labels: []string{"x", "y"}, HasLabels: true, File: "f", Line: 1},
		{Text: "a", Labels: []string{"y", "x"}, HasLabels: true, File: "f", Line: 2},
		{Text: "a", File: "f", Line: 3},
		{Text: "a", Labels: []string{}, HasLabels: true, File: "f", Line: 4},
	}
	c := Checker{Examples: 1}
	n := 0
	for range c.Watch(sequence(rows...)) {
		n++
	}
	want := []string{"1 rows without label", "  f:3: no label", "1 duplicates", "  f:2: text and labels of f:1",
		"1 texts with two labels", "  f:4: the text of f:1 with other labels: "}
	if diff := cmp.Diff(want, faultLines(&c)); diff != "" || n != len(rows) {
		t.Error(diff)
	}
}

// Rows that are read again are no further data and no duplicates, and a ninth data is an error.
func TestWatchAgain(t *testing.T) {
	c := &Checker{}
	data := func(text string) iter.Seq2[Row, error] {
		return c.Watch(sequence(Row{Text: text, Labels: []string{"x"}, HasLabels: true, File: "f", Line: 1}))
	}
	var want []int
	for i := range maxWatched {
		rows := data(fmt.Sprint("text ", i))
		for range 3 {
			n := 0
			for _, err := range rows {
				if n++; err != nil {
					t.Error(err)
				}
			}
			if n != 1 {
				t.Errorf("%d rows", n)
			}
		}
		want = append(want, 1)
	}
	for range 2 {
		n := 0
		for _, err := range data("text 7") {
			if n++; err == nil || err.Error() != "texts: a Checker watches at most 8 data" {
				t.Error("a ninth data:", err)
			}
		}
		if n != 1 {
			t.Errorf("%d rows of a ninth data", n)
		}
	}
	if diff := cmp.Diff(want, c.Rows()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{`1 classes with one row`, `  f:1: the only row of the class "x"`}, faultLines(c)); diff != "" {
		t.Error(diff)
	}
	if _, err := Check(t.Context(), make([]*Source, maxWatched+1)...); err == nil || err.Error() != "texts: a Checker watches at most 8 data" {
		t.Error(err)
	}
}

func TestCheckError(t *testing.T) {
	s := mustOpen(t, filepath.Join(folder(t, map[string]string{"x": "text,label\n\n"}), "x"), Options{})
	if _, err := Check(context.Background(), s); err == nil || !strings.Contains(err.Error(), "no rows") {
		t.Error(err)
	}
}

// The memory is some bytes a text, not the texts.
func TestCheckerMemory(t *testing.T) {
	const n = 200000
	c := &Checker{}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	long := strings.Repeat("word ", 200)
	for range c.Watch(func(yield func(Row, error) bool) {
		for i := range n {
			if !yield(Row{Text: fmt.Sprint(long, i), Labels: []string{"x"}, HasLabels: true, File: "f", Line: i}, nil) {
				return
			}
		}
	}) {
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if got := int64(after.HeapAlloc) - int64(before.HeapAlloc); got > 80*n {
		t.Errorf("%d bytes for %d texts", got, n)
	}
	runtime.KeepAlive(c)
}
