package texts

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// benchmarkRows are rows of 1 KB, like reviews.
const benchmarkRows = 20000

func benchmarkText(i int) string {
	return fmt.Sprintf("review %d: %s", i, strings.Repeat("a film that is neither good nor bad, and long; ", 21))
}

// benchmarkFile writes a head and rows, packed if pack is given, and counts the bytes of the unpacked file.
func benchmarkFile(b *testing.B, head string, row func(i int, text string) string, pack func(parts ...string) string) string {
	b.Helper()
	var buf strings.Builder
	buf.WriteString(head)
	for i := range benchmarkRows {
		buf.WriteString(row(i, benchmarkText(i)))
	}
	content := buf.String()
	b.SetBytes(int64(len(content)))
	if pack != nil {
		content = pack(content)
	}
	path := filepath.Join(b.TempDir(), "x")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		b.Fatal(err)
	}
	return path
}

func benchmarkCSV(i int, text string) string { return fmt.Sprintf("%q,%d\n", text, i%2) }
func benchmarkJSON(i int, text string) string {
	return fmt.Sprintf("{\"text\": %q, \"label\": %d}\n", text, i%2)
}

// Rows a second, Open with its look at the whole file included; MB/s are those of the unpacked file.
func BenchmarkRows(b *testing.B) {
	for _, c := range []struct {
		name string
		head string
		row  func(i int, text string) string
		pack func(parts ...string) string
	}{
		{"csv quoted", "text,label\n", benchmarkCSV, nil},
		{"tsv", "text\tlabel\n", func(i int, text string) string { return fmt.Sprintf("%s\t%d\n", text, i%2) }, nil},
		{"jsonl", "", benchmarkJSON, nil},
		{"fasttext", "", func(i int, text string) string { return fmt.Sprintf("__label__%d %s\n", i%2, text) }, nil},
		{"csv gzip", "text,label\n", benchmarkCSV, gzipped},
		{"csv zstd", "text,label\n", benchmarkCSV, zstdOf},
		{"csv windows-1252", "text,label\n\xE4,1\n", benchmarkCSV, nil},
	} {
		b.Run(c.name, func(b *testing.B) {
			path := benchmarkFile(b, c.head, c.row, c.pack)
			b.ReportAllocs()
			for b.Loop() {
				for _, err := range mustOpen(b, path, Options{}).Rows(b.Context()) {
					if err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}

// What encoding/csv and encoding/json take for the same rows, from a file that is read once.
func BenchmarkStandardLibrary(b *testing.B) {
	for _, c := range []struct {
		name string
		row  func(i int, text string) string
		read func(r io.Reader) error // to the end, which is io.EOF
	}{
		{"encoding/csv quoted", benchmarkCSV, func(r io.Reader) (err error) {
			d := csv.NewReader(r)
			d.ReuseRecord = true
			for err == nil {
				_, err = d.Read()
			}
			return err
		}},
		{"encoding/json", benchmarkJSON, func(r io.Reader) (err error) {
			d := json.NewDecoder(r)
			for err == nil {
				var row struct {
					Text  string
					Label json.RawMessage
				}
				err = d.Decode(&row)
			}
			return err
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			path := benchmarkFile(b, "", c.row, nil)
			b.ReportAllocs()
			for b.Loop() {
				f, err := os.Open(path)
				if err != nil {
					b.Fatal(err)
				}
				if err := c.read(f); err != io.EOF {
					b.Fatal(err)
				}
				f.Close()
			}
		})
	}
}

func BenchmarkChecker(b *testing.B) {
	rows := make([]Row, benchmarkRows)
	size := 0
	for i := range rows {
		rows[i] = Row{Text: benchmarkText(i), Labels: []string{"x"}, HasLabels: true, File: "f", Line: i}
		size += len(rows[i].Text)
	}
	b.SetBytes(int64(size))
	for b.Loop() {
		c := &Checker{}
		for range c.Watch(sequence(rows...)) {
		}
	}
}
