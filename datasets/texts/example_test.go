package texts_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log"
	"os"
	"path/filepath"
	"strings"

	"github.com/linnet-ml/linnet/datasets/texts"
)

// export stands for a file.
const export = `id;Review;Sentiment
1;"Great fun; I laughed.";pos
2;Dull.;neg
3;Dull.;pos
4;"Great fun; I laughed.";pos
5;The end
`

func Example() {
	ctx := context.Background()
	// texts.Open(ctx, "reviews.csv.gz", texts.Options{}) for a file.
	source, err := texts.Open(ctx, "-", texts.Options{Stdin: strings.NewReader(export)})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(source.Found())
	for row, err := range source.Rows(ctx) {
		var bad *texts.RowError
		switch {
		case errors.As(err, &bad):
			fmt.Println("left out:", bad)
		case err != nil:
			log.Fatal(err)
		default:
			fmt.Printf("%s:%d %s %q\n", row.File, row.Line, row.Labels, row.Text)
		}
	}
	// Output:
	// CSV with semicolons and a header, UTF-8; text "Review", label "Sentiment" (guessed)
	// stdin:2 [pos] "Great fun; I laughed."
	// stdin:3 [neg] "Dull."
	// stdin:4 [pos] "Dull."
	// stdin:5 [pos] "Great fun; I laughed."
	// left out: stdin:6:1: 2 fields where 3 are expected
}

// A folder for each class, a file for each text.
func ExampleOpen() {
	dir, err := os.MkdirTemp("", "reviews")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	for name, text := range map[string]string{"pos/1.txt": "Great fun!", "neg/1.txt": "Dull.", "neg/more/2.txt": "A long evening."} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			log.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			log.Fatal(err)
		}
	}
	ctx := context.Background()
	source, err := texts.Open(ctx, dir, texts.Options{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(source.Found())
	for row, err := range source.Rows(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(row.Labels, row.Text)
	}
	// Output:
	// a folder for each class ("neg", "pos"), UTF-8
	// [neg] Dull.
	// [neg] A long evening.
	// [pos] Great fun!
}

// Several labels a row, or none, in JSON lines.
func ExampleOptions() {
	lines := `{"id": 1, "body": "maize exports rise", "topics": ["corn", "grain"]}
{"id": 2, "body": "interest rates fall", "topics": []}
`
	ctx := context.Background()
	source, err := texts.Open(ctx, "-", texts.Options{Stdin: strings.NewReader(lines), Text: "body", Label: "topics"})
	if err != nil {
		log.Fatal(err)
	}
	for row, err := range source.Rows(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%q %q\n", row.Text, row.Labels)
	}
	// Output:
	// "maize exports rise" ["corn" "grain"]
	// "interest rates fall" []
}

func ExampleCheck() {
	ctx := context.Background()
	source, err := texts.Open(ctx, "-", texts.Options{Stdin: strings.NewReader(export)})
	if err != nil {
		log.Fatal(err)
	}
	checker, err := texts.Check(ctx, source) // and the test data, to find texts that are in both
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("rows:", checker.Rows(), "classes:", checker.Classes())
	for _, fault := range checker.Faults() {
		fmt.Println(fault.Count, fault.Kind)
		for _, example := range fault.Examples {
			fmt.Println("   ", example)
		}
	}
	// Output:
	// rows: [5] classes: [{neg [1]} {pos [3]}]
	// 1 rows that cannot be read
	//     stdin:6:1: 2 fields where 3 are expected
	// 1 duplicates
	//     stdin:5: text and labels of stdin:2
	// 1 texts with two labels
	//     stdin:4: the text of stdin:3 with other labels: "pos"
	// 1 classes with one row
	//     stdin:3: the only row of the class "neg"
}

// A Checker looks at rows while they are used.
func ExampleChecker_Watch() {
	ctx := context.Background()
	source, err := texts.Open(ctx, "-", texts.Options{Stdin: strings.NewReader(export)})
	if err != nil {
		log.Fatal(err)
	}
	var checker texts.Checker
	n := 0
	for _, err := range checker.Watch(source.Rows(ctx)) {
		if err == nil {
			n++ // train on it
		}
	}
	fmt.Println(n, "rows,", len(checker.Faults()), "kinds of faults")
	// Output: 4 rows, 4 kinds of faults
}

// pairs is a table of a format of one's own: lines of two words, the label first.
type pairs struct{ r io.Reader }

func (pairs) Columns() []string { return []string{"label", "text"} }

func (p pairs) Rows(ctx context.Context, columns []int) iter.Seq2[[]any, error] {
	return func(yield func([]any, error) bool) {
		var both [2]string
		for {
			if _, err := fmt.Fscanln(p.r, &both[0], &both[1]); err == io.EOF {
				return
			} else if err != nil {
				yield(nil, err)
				return
			}
			row := make([]any, len(columns))
			for i, c := range columns {
				row[i] = both[c]
			}
			if !yield(row, nil) {
				return
			}
		}
	}
}

func (pairs) Close() error { return nil }

// Formats that this package does not know, such as Parquet, are a program's to add.
func ExampleFormat() {
	format := texts.Format{
		Name:  "pairs",
		Match: func(head []byte) bool { return bytes.HasPrefix(head, []byte("PAIRS\n")) },
		Open: func(ctx context.Context, r io.ReaderAt, size int64) (texts.Table, error) {
			return pairs{io.NewSectionReader(r, 6, size-6)}, nil
		},
	}
	dir, err := os.MkdirTemp("", "pairs")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "x")
	if err := os.WriteFile(path, []byte("PAIRS\npos great\nneg dull\n"), 0o600); err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	source, err := texts.Open(ctx, path, texts.Options{Formats: []texts.Format{format}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(source.Found())
	for row, err := range source.Rows(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(row.Line, row.Labels, row.Text)
	}
	// Output:
	// pairs; text "text", label "label" (guessed)
	// 1 [pos] great
	// 2 [neg] dull
}
