package texts

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
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

func benchmarkFile(b *testing.B, row func(i int, text string) string) string {
	var buf bytes.Buffer
	for i := range benchmarkRows {
		buf.WriteString(row(i, benchmarkText(i)))
	}
	path := filepath.Join(b.TempDir(), "x")
	if err := os.WriteFile(path, buf.Bytes(), 0o600); err != nil {
		b.Fatal(err)
	}
	return path
}

// Rows a second, Open with its look at the whole file included; MB/s are those of the unpacked file.
func BenchmarkRows(b *testing.B) {
	csvRow := func(i int, text string) string { return fmt.Sprintf("%q,%d\n", text, i%2) }
	for _, c := range []struct {
		name string
		head string
		row  func(i int, text string) string
		pack func(parts ...string) string
	}{
		{"csv quoted", "text,label\n", csvRow, nil},
		{"tsv", "text\tlabel\n", func(i int, text string) string { return fmt.Sprintf("%s\t%d\n", text, i%2) }, nil},
		{"jsonl", "", func(i int, text string) string { return fmt.Sprintf("{\"text\": %q, \"label\": %d}\n", text, i%2) }, nil},
		{"fasttext", "", func(i int, text string) string { return fmt.Sprintf("__label__%d %s\n", i%2, text) }, nil},
		{"csv gzip", "text,label\n", csvRow, gzipped},
		{"csv zstd", "text,label\n", csvRow, zstdOf},
		{"csv windows-1252", "text,label\n\xE4,1\n", csvRow, nil},
	} {
		b.Run(c.name, func(b *testing.B) {
			path := benchmarkFile(b, c.row)
			content, err := os.ReadFile(path)
			if err != nil {
				b.Fatal(err)
			}
			content = append([]byte(c.head), content...)
			size := len(content)
			if c.pack != nil {
				content = []byte(c.pack(string(content)))
			}
			if err := os.WriteFile(path, content, 0o600); err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				s, err := Open(context.Background(), path, Options{})
				if err != nil {
					b.Fatal(err)
				}
				for _, err := range s.Rows(context.Background()) {
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
	b.Run("encoding/csv quoted", func(b *testing.B) {
		path := benchmarkFile(b, func(i int, text string) string { return fmt.Sprintf("%q,%d\n", text, i%2) })
		info, _ := os.Stat(path)
		b.SetBytes(info.Size())
		b.ReportAllocs()
		for b.Loop() {
			f, err := os.Open(path)
			if err != nil {
				b.Fatal(err)
			}
			r := csv.NewReader(f)
			r.ReuseRecord = true
			for {
				if _, err := r.Read(); err == io.EOF {
					break
				} else if err != nil {
					b.Fatal(err)
				}
			}
			f.Close()
		}
	})
	b.Run("encoding/json", func(b *testing.B) {
		path := benchmarkFile(b, func(i int, text string) string { return fmt.Sprintf("{\"text\": %q, \"label\": %d}\n", text, i%2) })
		info, _ := os.Stat(path)
		b.SetBytes(info.Size())
		b.ReportAllocs()
		for b.Loop() {
			f, err := os.Open(path)
			if err != nil {
				b.Fatal(err)
			}
			for d := json.NewDecoder(f); ; {
				var row struct {
					Text  string
					Label json.RawMessage
				}
				if err := d.Decode(&row); errors.Is(err, io.EOF) {
					break
				} else if err != nil {
					b.Fatal(err)
				}
			}
			f.Close()
		}
	})
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
		for range c.Watch(func(yield func(Row, error) bool) {
			for _, r := range rows {
				if !yield(r, nil) {
					return
				}
			}
		}) {
		}
	}
}
